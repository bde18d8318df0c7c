"""What vectorized functions return, as arrays of the declared types. Nothing is rounded or cut off on the way.

A plan of a result column is a tuple (name, type, class, typestr, zoned, plans of children); classes:

    i f b     integers, floats and bools of `typestr`      M m   times and durations of `typestr`
    D         days (date32), E milliseconds (date64)       o     converted value by value
    s         a struct, which a DataFrame may give

A column becomes (array, mask or None), where the array has `typestr` or holds objects; a struct a list of columns.
"""

_ONE_EACH = "return one value a row"


def make(style, plans, numpy, pandas, unfit):
    if style == "arrow":
        return _Capsules(unfit)
    return _Results(plans, numpy, pandas, unfit)


def _type_name(value):
    kind = type(value)
    name = getattr(kind, "__qualname__", kind.__name__)
    return name if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, name)


class _Capsules(object):
    """Style arrow: the runtime itself takes the columns out of their capsules."""

    def __init__(self, unfit):
        self.unfit = unfit

    def check(self, value, count):
        for each in value if isinstance(value, (tuple, list)) else (value,):
            if not hasattr(type(each), "__arrow_c_array__"):
                raise self.unfit(
                    "result of type %s has no __arrow_c_array__; return an Arrow array with one value a row"
                    % _type_name(each)
                )

    def columns(self, value, count):
        self.check(value, count)
        values = list(value) if isinstance(value, (tuple, list)) else [value]
        return [each.__arrow_c_array__() for each in values]


class _Results(object):
    def __init__(self, plans, numpy, pandas, unfit):
        self.plans = plans
        self.numpy = numpy
        self.pandas = pandas
        self.unfit = unfit
        self.column_class = numpy.ndarray if pandas is None else pandas.Series
        # The dtype that is taken as it is, of the only column.
        self.quick = numpy.dtype(plans[0][3]) if len(plans) == 1 and plans[0][2] in "ifb" else None

    def check(self, value, count):
        """The length of what one step hands to the next."""
        each = value[0] if isinstance(value, tuple) and value else value
        if not hasattr(each, "__len__"):
            raise self.wrong_object(value)
        if len(each) != count:
            raise self.wrong_length(len(each), count)

    def columns(self, value, count):
        if self.quick is not None and type(value) is self.column_class:
            array = value if self.pandas is None else value.values
            if array.dtype == self.quick and array.shape == (count,) and array.flags.c_contiguous:
                return [(array, None)]
        values = self.split(value, self.plans, count)
        if len(values) == 1:
            return [self.column(self.plans[0], values[0], count)]
        return [self.named(plan, each, count) for plan, each in zip(self.plans, values)]

    def named(self, plan, value, count):
        try:
            return self.column(plan, value, count)
        except self.unfit as error:
            raise self.unfit('column "%s": %s' % (plan[0], error), error.row) from None

    def wrong_length(self, length, count):
        return self.unfit("result of %d values for %d rows; %s" % (length, count, _ONE_EACH))

    def wrong_object(self, value):
        if self.pandas is None:
            return self.unfit(
                "result of type %s is no numpy.ndarray; return an array with one value a row" % _type_name(value)
            )
        return self.unfit(
            "result of type %s is no pandas.Series; return a Series with one value a row" % _type_name(value)
        )

    def split(self, value, plans, count):
        if len(plans) == 1:
            if self.is_frame(value) and plans[0][2] != "s":
                return self.frame_columns(value, plans, count)
            return [value]
        if self.is_frame(value):
            return self.frame_columns(value, plans, count)
        if isinstance(value, (tuple, list)) and (self.is_column(value[0]) if value else True):
            if len(value) != len(plans):
                raise self.unfit(
                    "result of %d columns for %d result columns; return as many, in their order"
                    % (len(value), len(plans))
                )
            return value
        raise self.unfit(
            "result of type %s for %d result columns; return %s"
            % (_type_name(value), len(plans), "a tuple of arrays" if self.pandas is None else "a DataFrame")
        )

    def is_frame(self, value):
        return self.pandas is not None and isinstance(value, self.pandas.DataFrame)

    def is_column(self, value):
        return isinstance(value, self.numpy.ndarray) or (
            self.pandas is not None and isinstance(value, (self.pandas.Series, self.pandas.DataFrame))
        )

    def frame_columns(self, frame, plans, count):
        if len(frame.columns) != len(plans):
            raise self.unfit(
                "result DataFrame has %d columns for %d result columns; return as many, in their order or with their names"
                % (len(frame.columns), len(plans))
            )
        if len(frame) != count:
            raise self.wrong_length(len(frame), count)
        names = [plan[0] for plan in plans]
        labels = list(frame.columns)
        if len(set(names)) == len(names) and set(names) == set(labels):
            return [frame[name] for name in names]
        return [frame.iloc[:, at] for at in range(len(plans))]

    def column(self, plan, value, count):
        if plan[2] == "s" and self.is_frame(value):
            values = self.frame_columns(value, plan[5], count)
            return [self.column(child, each, count) for child, each in zip(plan[5], values)]
        if self.pandas is not None and isinstance(value, self.pandas.Series):
            array, mask = self.series(plan, value)
        elif isinstance(value, self.numpy.ndarray):
            array, mask = self.masked(value)
        else:
            raise self.wrong_object(value)
        if array.ndim != 1:
            raise self.unfit("result array has %d dimensions; return one of one dimension" % array.ndim)
        if len(array) != count:
            raise self.wrong_length(len(array), count)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        array, mask = self.fit(plan, array, mask)
        contiguous = self.numpy.ascontiguousarray
        return contiguous(array), None if mask is None else contiguous(mask)

    def masked(self, value):
        mask = self.numpy.ma.getmask(value)
        if mask is self.numpy.ma.nomask:
            return self.numpy.asarray(value), None
        return self.numpy.ma.getdata(value), mask

    def series(self, plan, value):
        dtype = value.dtype
        if isinstance(dtype, self.numpy.dtype):
            if plan[4] and dtype.kind == "M":  # a wall clock in the column's zone
                return value.astype(object).to_numpy(), None
            return value.to_numpy(), None
        if getattr(dtype, "tz", None) is not None:
            if plan[4]:
                return value.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), None
            return value.astype(object).to_numpy(), None
        inner = getattr(dtype, "numpy_dtype", None)  # Int64, Float32, boolean and their like
        if inner is not None and inner.kind in "biuf":
            return value.to_numpy(dtype=inner, na_value=inner.type(0)), value.isna().to_numpy()
        return value.to_numpy(dtype=object), None

    def fit(self, plan, array, mask):
        kind, target = array.dtype.kind, plan[2]
        if kind == "O" or target in "os":
            return self.objects(array, mask), None
        if kind == "f" and target != "f" and self.pandas is not None:
            # pandas has no other way to say that an int is missing.
            nans = self.numpy.isnan(array)
            mask = nans if mask is None else mask | nans
        if array.dtype.str == plan[3] and target not in "DE":
            return array, mask
        return getattr(self, "fit_" + target)(plan, array, mask), self.with_nat(array, mask)

    def with_nat(self, array, mask):
        if array.dtype.kind not in "mM":
            return mask
        nats = self.numpy.isnat(array)
        return nats if mask is None else mask | nats

    def objects(self, array, mask):
        if array.dtype.kind == "O" and (mask is None or not mask.any()):
            return array
        values = list(array)
        if array.dtype.kind == "f" and self.pandas is not None:
            values = [None if value != value else value for value in values]
        if mask is not None:
            values = [None if missing else value for value, missing in zip(values, mask)]
        out = self.numpy.empty(len(values), dtype=object)
        for row, value in enumerate(values):
            out[row] = value
        return out

    def refuse_dtype(self, plan, array, hint):
        return self.unfit("result of dtype %s does not fit %s; %s" % (array.dtype, plan[1], hint))

    def refuse_at(self, bad, mask, plan, array, reason, hint):
        if mask is not None:
            bad = bad & ~mask
        if bad.any():
            row = int(bad.argmax())
            raise self.unfit(
                "result of dtype %s does not fit %s: %s%s; %s" % (array.dtype, plan[1], array[row], reason, hint), row
            )

    def fit_i(self, plan, array, mask):
        kind, np = array.dtype.kind, self.numpy
        target = np.dtype(plan[3])
        if kind == "b":
            return array.astype(target)
        low, high = np.iinfo(target).min, np.iinfo(target).max
        outside = " is outside of %d to %d" % (low, high)
        hint = "return a number in that range, or change the result type to a wider one"
        if kind in "iu":
            own = np.iinfo(array.dtype)
            bad = np.zeros(len(array), dtype=bool)
            if low > own.min:
                bad |= array < array.dtype.type(low)
            if high < own.max:
                bad |= array > array.dtype.type(high)
            self.refuse_at(bad, mask, plan, array, outside, hint)
            return array.astype(target)
        if kind != "f":
            raise self.refuse_dtype(plan, array, "return integers or change the result type")
        if self.pandas is None:
            raise self.refuse_dtype(plan, array, "return a.astype(%r) or change the result type" % target.name)
        values = np.where(mask, 0, array)
        with np.errstate(invalid="ignore"):
            bad = np.floor(values) != values
        self.refuse_at(
            bad, mask, plan, array, " has a fraction", "round it, as in s.round(), or change the result type"
        )
        self.refuse_at((values < float(low)) | (values >= float(high + 1)), mask, plan, array, outside, hint)
        return values.astype(target)

    def fit_f(self, plan, array, mask):
        kind, np = array.dtype.kind, self.numpy
        if kind not in "biuf":
            raise self.refuse_dtype(plan, array, "return floats or change the result type")
        with np.errstate(over="ignore", invalid="ignore"):
            out = array.astype(plan[3])
            if kind == "f":
                bad = np.isinf(out) & np.isfinite(array)
                self.refuse_at(bad, mask, plan, array, " is beyond its range", "change the result type to a wider one")
            elif kind in "iu":
                bad = out.astype(array.dtype) != array
                self.refuse_at(bad, mask, plan, array, " would be rounded", "return a float, or change the result type")
        return out

    def fit_b(self, plan, array, mask):
        raise self.refuse_dtype(plan, array, "return bools, as in a != 0, or change the result type")

    def fit_time(self, plan, array, mask, kind, what):
        if array.dtype.kind != kind:
            raise self.refuse_dtype(plan, array, "return %s or change the result type" % what)
        if self.numpy.datetime_data(array.dtype)[0] == "generic":
            return array.astype(plan[3])  # nothing but NaT has no unit
        # A coarser unit cuts off toward the past; a finer one must hold the number.
        out = array.astype(plan[3])
        bad = (out.astype(array.dtype) != array) & ~self.numpy.isnat(array)
        if self.finer(plan[3], array.dtype):
            self.refuse_at(bad, mask, plan, array, " is outside of its range", "change the result type to a coarser unit")
        return out

    def finer(self, typestr, dtype):
        units = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"]
        of = self.numpy.datetime_data
        return units.index(of(self.numpy.dtype(typestr))[0]) > units.index(of(dtype)[0])

    def fit_M(self, plan, array, mask):
        return self.fit_time(plan, array, mask, "M", "datetime64 values")

    def fit_m(self, plan, array, mask):
        return self.fit_time(plan, array, mask, "m", "timedelta64 values")

    def fit_D(self, plan, array, mask):
        if array.dtype.kind != "M":
            raise self.refuse_dtype(plan, array, "return dates or datetime64 values, or change the result type")
        days = array.astype("M8[D]")
        bad = (days != array) & ~self.numpy.isnat(array)
        self.refuse_at(bad, mask, plan, array, " has a time of day other than midnight", "return a.astype('M8[D]')")
        return days.view("i8").astype(plan[3])

    def fit_E(self, plan, array, mask):
        self.fit_D(plan, array, mask)
        return array.astype("M8[ms]").view("i8")
