"""The sorts of values that a function takes and gives back: each makes columns of values, and values of result rows.

pandas and numpy are never imported here unless a value of theirs is given, because then they are there already.
"""

from __future__ import annotations

import sys
from typing import Any, List, Optional, Sequence

import clutch._host as _host
from clutch.host import _arrays


class Result:
    """Result rows, and the input row that each came from (None: row i from row i)."""

    def __init__(self, rows: Any, origin: Optional[bytes]) -> None:
        self.rows = rows
        self.names: List[str] = rows.names
        self.origin = origin

    def columns(self) -> List[Any]:
        return [self.rows.child(i) for i in range(len(self.names))]

    def column(self) -> Any:
        """The only column, or all of them as a struct."""
        return self.rows.child(0) if len(self.names) == 1 else self.rows

    def positions(self) -> Any:
        """The origin as a numpy array, or None."""
        if self.origin is None:
            return None
        return sys.modules["numpy"].frombuffer(self.origin, dtype="int32")


class ListSort:
    """Lists, tuples and ranges: lists come back."""

    def column(self, schema: Any, i: int, value: Any) -> Any:
        return schema.from_list(i, value if type(value) is list else list(value))

    def give(self, result: Result) -> Any:
        return result.column().tolist()


class NumpySort:
    """numpy arrays. Several result columns come back as a tuple of arrays."""

    def column(self, schema: Any, i: int, value: Any) -> Any:
        return _arrays.from_numpy(schema, i, value)

    def give(self, result: Result) -> Any:
        columns = [_arrays.to_numpy(column) for column in result.columns()]
        return columns[0] if len(columns) == 1 else tuple(columns)


class SeriesSort:
    """pandas Series. Several result columns come back as a DataFrame."""

    def __init__(self, like: Any) -> None:
        self._index = like.index
        self._name = like.name

    def column(self, schema: Any, i: int, value: Any) -> Any:
        return _arrays.from_series(schema, i, value)

    def index(self, result: Result) -> Any:
        positions = result.positions()
        return self._index if positions is None else self._index.take(positions)

    def give(self, result: Result) -> Any:
        pandas = sys.modules["pandas"]
        if len(result.names) > 1:
            return give_frame(result, self.index(result))
        return pandas.Series(_arrays.to_pandas(result.rows.child(0)), index=self.index(result), name=self._name)


class FrameSort(SeriesSort):
    """A pandas DataFrame instead of columns; a DataFrame comes back."""

    def __init__(self, like: Any) -> None:
        self._index = like.index
        self._name = None

    def give(self, result: Result) -> Any:
        return give_frame(result, self.index(result))


def give_frame(result: Result, index: Any) -> Any:
    pandas = sys.modules["pandas"]
    series = [pandas.Series(_arrays.to_pandas(column), index=index) for column in result.columns()]
    frame = pandas.concat(series, axis=1) if series else pandas.DataFrame(index=index)
    frame.columns = result.names
    return frame


class ArrowSort:
    """Objects with the Arrow PyCapsule interface. What comes back has it, too."""

    def __init__(self, whole: bool) -> None:
        self._whole = whole  # a struct was given for all columns, so one is given back

    def column(self, schema: Any, i: int, value: Any) -> Any:
        return _host.from_arrow(value)

    def give(self, result: Result) -> Any:
        return result.rows if self._whole else result.column()


def _is_pandas(value: Any, name: str) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, name, ()))


def _is_numpy(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, "ndarray", ()))


def _is_arrow(value: Any) -> bool:
    return hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__")


def sort_of(name: str, value: Any) -> Any:
    """What handles a value that was given for one argument. TypeError for a value that is no column."""
    if isinstance(value, (list, tuple, range)):
        return ListSort()
    if _is_numpy(value):
        return NumpySort()
    if _is_pandas(value, "Series"):
        return SeriesSort(value)
    if _is_arrow(value) and not _is_pandas(value, "DataFrame"):
        return ArrowSort(whole=False)
    raise TypeError(
        "argument %r is of type %s; pass a column of values: a list, a numpy array, a pandas Series, or an object with "
        "__arrow_c_array__ or __arrow_c_stream__" % (name, type(value).__name__)
    )


class Given:
    """The columns of one call as rows, and how its result is given back."""

    def __init__(self, schema: Any, values: Sequence[Any], function: str) -> None:
        names: List[str] = schema.names
        whole = self._whole(schema, names, values)
        if whole is not None:
            self.rows, self.sort = whole
            return
        if len(values) != len(names):
            raise TypeError(
                "the function %r takes %d column%s (%s), and %d %s given"
                % (function, len(names), "" if len(names) == 1 else "s", ", ".join(names) or "none", len(values),
                   "was" if len(values) == 1 else "were")
            )
        if not values:
            raise TypeError("the function %r takes no columns, so there is no number of rows to call it for" % function)
        sorts = [sort_of(name, value) for name, value in zip(names, values)]
        columns = [sort.column(schema, i, value) for i, (sort, value) in enumerate(zip(sorts, values))]
        self.rows = schema.rows(columns, len(columns[0]))
        self.sort = sorts[0]

    def _whole(self, schema: Any, names: List[str], values: Sequence[Any]) -> Any:
        """Rows of a table that was given instead of columns, or None."""
        if len(values) != 1:
            return None
        value = values[0]
        if _is_pandas(value, "DataFrame"):
            chosen = _choose(names, list(value.columns), "DataFrame")
            sort = FrameSort(value)
            columns = [sort.column(schema, i, value.iloc[:, at]) for i, at in enumerate(chosen)]
            return schema.rows(columns, len(value)), sort
        if _is_numpy(value) or not _is_arrow(value):
            return None
        array = _host.from_arrow(value)
        if array.names is None or [array.type] == schema.types:
            # Taken as it is, because a stream can be read once.
            return (schema.rows([array], len(array)), ArrowSort(whole=False)) if len(names) == 1 else None
        chosen = _choose(names, array.names, "table")
        return schema.rows([array.child(at) for at in chosen], len(array)), ArrowSort(whole=True)


def _choose(names: List[str], there: List[Any], what: str) -> List[int]:
    """Positions of the columns to take: by name where all names are there, else all of them in order."""
    if all(there.count(name) == 1 for name in names):
        return [there.index(name) for name in names]
    if len(there) == len(names):
        return list(range(len(names)))
    raise TypeError(
        "the %s has the columns %s, and the function takes %s; name them alike, or give as many"
        % (what, ", ".join(map(str, there)) or "none", ", ".join(names))
    )
