"""Whole groups: columns are made once for a batch, sorted by group, and each group gets its slices of them."""

import sys

_NUMBERS = {
    "int8": "i1",
    "int16": "i2",
    "int32": "i4",
    "int64": "i8",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
    "float32": "f4",
    "float64": "f8",
}


def _needs(package, style):
    try:
        return __import__(package)
    except ImportError as error:
        raise ImportError(
            "columns in the style %s need the package %s, which %s does not have (%s); install it there"
            % (style, package, sys.executable or sys.prefix, error)
        ) from None


class Groups(object):
    """One function: `found` has create_accumulator, accumulate and get_value, or is called with the columns itself."""

    def __init__(self, found, style, names):
        if style not in ("pandas", "numpy"):
            raise ValueError("option style = %r: groups come in the style pandas or numpy" % style)
        self._numpy = _needs("numpy", style)
        self._pandas = _needs("pandas", style) if style == "pandas" else None
        self._names = names
        if hasattr(found, "accumulate"):
            self._create, self._accumulate, self._get = found.create_accumulator, found.accumulate, found.get_value
        else:
            self._create, self._accumulate, self._get = None, found, None

    def numbers(self, kind, data, valid):
        """A column of numbers from their bytes. As in pandas, integers with nulls become floats with NaN."""
        column = self._numpy.frombuffer(data, dtype=_NUMBERS[kind]).copy()  # the user may write to it
        if valid is not None:
            there = self._numpy.frombuffer(valid, dtype="i1") != 0
            if column.dtype.kind != "f":
                column = column.astype("f8")
            column[~there] = self._numpy.nan
        return column

    def objects(self, values):
        """A column of any objects; bools without nulls are an array of their own type."""
        if values and all(value is True or value is False for value in values):
            return self._numpy.array(values, dtype=bool)
        column = self._numpy.empty(len(values), dtype=object)
        for row, value in enumerate(values):
            column[row] = value
        return column

    def _slices(self, columns, first, last):
        if self._pandas is None:
            return [column[first:last] for column in columns]
        series = self._pandas.Series
        # The type is given, or pandas would make text of its own out of objects.
        return [
            series(column[first:last], name=name, dtype=column.dtype) for name, column in zip(self._names, columns)
        ]

    def run(self, columns, bounds):
        """The results of all groups, and None; or those before a group that raised, what raised and the exception."""
        results = []
        what = "accumulate()"
        try:
            for group in range(len(bounds) - 1):
                arguments = self._slices(columns, bounds[group], bounds[group + 1])
                if self._create is None:
                    what = "the call"
                    results.append(self._accumulate(*arguments))
                    continue
                what = "create_accumulator()"
                accumulator = self._create()
                what = "accumulate()"
                self._accumulate(accumulator, *arguments)
                what = "get_value()"
                results.append(self._get(accumulator))
        except BaseException as error:
            return results, what, error
        return results, None, None
