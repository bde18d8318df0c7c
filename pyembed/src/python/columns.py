"""Whole columns: what a vectorized function is called with, and the call itself.

A plan of a column is a tuple; a part is what one batch brings for it:

    ("fixed", name, typestr, zone)     (address of the values, address of a mask of bytes or 0)
    ("objects", name, lists)           an array of objects
    ("struct", name, [plans])          a list of parts
"""

_PANDAS_UNIT = "ns"  # what every version of pandas has
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_MOST = (1 << 63) - 1  # nanoseconds in an int64
_EXACT = 1 << 53  # the integers up to here are floats without rounding


class Unfit(Exception):
    """What a column cannot hold, or a function must not return: the sentence, the row or -1."""

    def __init__(self, text, row=-1):
        Exception.__init__(self, text)
        self.row = row


class _Memory(object):
    """Memory of a batch as numpy sees it, read-only. Arrays over it, and what is cut from them, keep it."""

    __slots__ = ("__array_interface__", "_keep")

    def __init__(self, address, count, typestr, keep):
        self.__array_interface__ = {"version": 3, "shape": (count,), "typestr": typestr, "data": (address, True)}
        self._keep = keep


def load(style, takes_row):
    """What a style needs: the maker of arguments, numpy, pandas, and what makes an array of objects; or None."""
    if style == "arrow":
        return None, None, None, None
    if style == "pandas":
        import pandas  # first, to be the one that is missed
    import numpy

    def new_objects(count):
        return numpy.empty(count, dtype=object)

    if style == "numpy":
        return Arrays(numpy), numpy, None, new_objects
    return Frames(numpy, pandas, takes_row), numpy, pandas, new_objects


class Arrays(object):
    """Arguments of style numpy: an array a column, a masked one where the column has nulls."""

    def __init__(self, numpy):
        self.numpy = numpy

    def arguments(self, plans, parts, count, keep):
        return [self.column(plan, part, count, keep) for plan, part in zip(plans, parts)]

    def column(self, plan, part, count, keep):
        if plan[0] == "objects":
            return part
        data, mask = self.fixed(plan, part, count, keep)
        return data if mask is None else self.numpy.ma.MaskedArray(data, mask=mask, copy=False)

    def cutter(self, column):
        """What gives rows [first, last) of an argument."""
        return lambda first, last: column[first:last]

    def fixed(self, plan, part, count, keep):
        data = self.numpy.asarray(_Memory(part[0], count, plan[2], keep))
        return data, self.numpy.asarray(_Memory(part[1], count, "|b1", keep)) if part[1] else None


def _maker_of_series(numpy, pandas):
    """make(array, name): a Series over an array, whose dtype stays.

    The constructor looks at everything and takes 25 us. The parts that it puts together in the end take 5 us; they are
    used where they give the same Series as the constructor, for an array of each kind.
    """

    def make(array, name):
        return pandas.Series(array, name=name, dtype=array.dtype, copy=False)

    try:
        from pandas.core.internals import SingleBlockManager

        index, from_array = pandas.RangeIndex, SingleBlockManager.from_array
        from_manager = getattr(pandas.Series, "_from_mgr", None)

        def quick(array, name):
            manager = from_array(array, index(len(array)))
            if from_manager is None:
                series = pandas.Series(manager, fastpath=True)
            else:
                series = from_manager(manager, manager.axes)
            series._name = name
            return series

        for dtype in ("f8", "i4", "?", "O", "M8[ns]", "m8[ns]"):
            array = numpy.zeros(3, dtype=dtype)
            one, other = quick(array, "x"), make(array, "x")
            pandas.testing.assert_series_equal(one, other)
            pandas.testing.assert_frame_equal(one.iloc[1:].to_frame(), other.iloc[1:].to_frame())
            if not numpy.shares_memory(one.to_numpy(), array) or vars(one).keys() != vars(other).keys():
                return make
    except Exception:
        return make
    return quick


class Frames(Arrays):
    """Arguments of style pandas: a Series a column, a DataFrame for a struct, or one for all columns."""

    def __init__(self, numpy, pandas, takes_row):
        Arrays.__init__(self, numpy)
        self.pandas = pandas
        self.takes_row = takes_row
        self.series = _maker_of_series(numpy, pandas)

    def arguments(self, plans, parts, count, keep):
        if self.takes_row:
            return [self.frame(plans, parts, count, keep)]
        return [self.column(plan, part, count, keep) for plan, part in zip(plans, parts)]

    def frame(self, plans, parts, count, keep):
        columns = [self.column(plan, part, count, keep) for plan, part in zip(plans, parts)]
        index = self.pandas.RangeIndex(count)
        if any(isinstance(column, self.pandas.DataFrame) for column in columns):
            columns = [self.rows(c) if isinstance(c, self.pandas.DataFrame) else c for c in columns]
        found = self.pandas.DataFrame(dict(enumerate(columns)), index=index, copy=False)
        found.columns = [plan[1] for plan in plans]
        return found

    def rows(self, frame):
        # A frame has no columns of columns: a struct inside of one is a dict for each row.
        out = self.numpy.empty(len(frame), dtype=object)
        for row, values in enumerate(frame.to_dict("records")):
            out[row] = values
        return self.pandas.Series(out, dtype=object)

    def column(self, plan, part, count, keep):
        if plan[0] == "struct":
            return self.frame(plan[2], part, count, keep)
        if plan[0] == "objects":
            return self.series(self.lists(part) if plan[2] else part, plan[1])
        data, mask = self.fixed(plan, part, count, keep)
        if data.dtype.kind in "mM":
            data = self.times(plan, data, mask)
        elif mask is not None:
            data = self.missing(data, mask)
        series = self.series(data, plan[1])
        if plan[3] is not None:
            series = series.dt.tz_localize("UTC").dt.tz_convert(plan[3])
        return series

    def cutter(self, column):
        if isinstance(column, self.pandas.DataFrame):
            return lambda first, last: column.iloc[first:last].reset_index(drop=True)
        # A slice of a Series keeps its labels; each group begins at 0.
        series, name, dtype = self.series, column.name, column.dtype
        if isinstance(dtype, self.numpy.dtype):
            values = column.to_numpy()
            return lambda first, last: series(values[first:last], name)
        values = column.array
        return lambda first, last: self.pandas.Series(values[first:last], name=name, dtype=dtype, copy=False)

    def missing(self, data, mask):
        kind = data.dtype.kind
        if kind == "b" or (data.dtype.itemsize == 8 and kind in "iu" and self.is_wide(data[~mask])):
            data = data.astype(object)
            data[mask] = None
            return data
        data = data.astype(data.dtype if kind == "f" else "f8")
        data[mask] = self.numpy.nan
        return data

    def is_wide(self, values):
        return bool((values > _EXACT).any() or (values.dtype.kind == "i" and (values < -_EXACT).any()))

    def times(self, plan, data, mask):
        kind = data.dtype.kind
        counts = data.view("i8")
        most = _MOST // _NANOSECONDS[plan[2][4:-1]]
        bad = (counts > most) | (counts < -most)
        if mask is not None:
            bad &= ~mask
        if bad.any():
            row = int(bad.argmax())
            raise Unfit(
                "input column \"%s\": %s is outside of what pandas holds in nanoseconds (%s); use style numpy or arrow"
                % (plan[1], data[row], "1677-09-21 to 2262-04-11" if kind == "M" else "292 years"),
                row,
            )
        if mask is not None:
            data = self.numpy.where(mask, 0, counts).view(data.dtype)  # where a null is, anything may stand
        fine = data.astype("%s8[%s]" % (kind, _PANDAS_UNIT))
        if mask is not None:
            fine[mask] = "NaT"
        return fine

    def lists(self, values):
        # As pandas functions of PyFlink see lists.
        for row, value in enumerate(values):
            if value is None:
                continue
            found = self.numpy.array(value) if value else self.numpy.empty(0, dtype=object)
            if found.ndim != 1 or found.dtype.kind not in "biuf" or None in value:
                found = self.numpy.empty(len(value), dtype=object)
                found[:] = value
            values[row] = found
        return values


class Driver(object):
    """Calls the steps, one after the other, and turns what the last gives into columns."""

    def __init__(self, steps, arguments, plans, results):
        self.steps = steps
        self.arguments = arguments
        self.plans = plans
        self.results = results
        self.step = 0

    def run(self, parts, count, keep):
        self.step = 0
        if self.arguments is not None:
            parts = self.arguments.arguments(self.plans, parts, count, keep)
        value = self.steps[0](*parts)
        del parts
        for step in self.steps[1:]:
            self.results.check(value, count)
            self.step += 1
            value = step(value)
        return self.results.columns(value, count)


class Array(object):
    """A column, or all columns as a struct, for any library that takes the Arrow PyCapsule interface."""

    __slots__ = ("_export", "_length")

    def __init__(self, export, length):
        self._export = export
        self._length = length

    def __len__(self):
        return self._length

    def __arrow_c_schema__(self):
        return self._export()[0]

    def __arrow_c_array__(self, requested_schema=None):
        return self._export()
