"""Aggregates: rows come with keys, and each key gives a result."""

from __future__ import annotations

import array
import sys
from typing import Any, Dict, Iterator, List, Optional

import clutch._host as _host
from clutch.host._function import Function, milliseconds
from clutch.host._future import Batch, Future
from clutch.host._sorts import Given, Result, SeriesSort, give_frame

_BESIDE = _host.Schema("keys: binary not null, key_index: int32 not null, row_kinds: int8 not null")
_ENCODERS = {str: str.encode, bytes: bytes, int: lambda key: b"%d" % key}


class Groups:
    """The keys of one call: the distinct ones in the order in which they come first, and each row's place in them."""

    def __init__(self, keys: Any, kinds: Any, rows: int, table: bool) -> None:
        self._table = table
        self.distinct: Optional[List[Any]] = None
        found = index = None
        if keys is not None:
            places = self._places(_values("keys", keys, rows))
            found, index = _BESIDE.from_list(0, self._encode()), _BESIDE.from_list(1, places)
        told = None
        if kinds is not None:
            told = _BESIDE.from_list(2, [_number(kind) for kind in _values("kinds", kinds, rows)])
        self.beside = (found, index, told)

    def _places(self, keys: List[Any]) -> List[int]:
        places: Dict[Any, int] = {}
        found = [places.setdefault(key, len(places)) for key in keys]
        self.distinct = list(places)
        sorts = {type(key) for key in self.distinct}
        for key in self.distinct:
            if type(key) not in _ENCODERS:
                raise TypeError("the key %r is of type %s; a key is str, bytes or int" % (key, type(key).__name__))
        if len(sorts) > 1:
            raise TypeError("the keys are of the types %s; take one" % " and ".join(sorted(s.__name__ for s in sorts)))
        return found

    def _encode(self) -> List[bytes]:
        return [_ENCODERS[type(key)](key) for key in self.distinct or ()]

    def give(self, sort: Any, result: Result) -> Any:
        """What a call returns: by key for lists and arrays, with the keys as index for pandas objects."""
        groups = array.array("i")
        groups.frombytes(result.origin or b"")
        if self.distinct is not None and isinstance(sort, SeriesSort):
            return _give_pandas(result, [self.distinct[group] for group in groups])
        values = result.column().tolist()
        if self.distinct is None:
            return values if self._table else values[0] if values else None
        if not self._table:
            return dict(zip(self.distinct, values))
        by_key: Dict[Any, List[Any]] = {key: [] for key in self.distinct}
        for group, value in zip(groups, values):
            by_key[self.distinct[group]].append(value)
        return by_key


def _give_pandas(result: Result, keys: List[Any]) -> Any:
    from clutch.host import _arrays

    pandas = sys.modules["pandas"]
    index = pandas.Index(keys)
    if len(result.names) > 1:
        return give_frame(result, index)
    return pandas.Series(_arrays.to_pandas(result.rows.child(0)), index=index)


def _values(what: str, given: Any, rows: int) -> List[Any]:
    values = given.tolist() if hasattr(given, "tolist") else list(given)
    if len(values) != rows:
        raise ValueError("there are %d %s for %d rows; give one a row" % (len(values), what, rows))
    return values


def _number(kind: Any) -> int:
    number = getattr(kind, "value", kind)
    if type(number) is int and 0 <= number <= 3:
        return number
    raise ValueError("%r is no kind of a row; give RowKind.INSERT, UPDATE_BEFORE, UPDATE_AFTER or DELETE" % (kind,))


class GroupFunction(Function):
    """An aggregate that clutch.Host opened: called with columns, and with the key of each row.

    For each key, in the order in which they come first, it gives a value, or a list of values where the function is a
    table aggregate: a dict by key, and for pandas objects a Series or DataFrame with the keys as its index. Without
    keys all rows are one group, and its value, or its list of values, comes back alone.

    The accumulators of keys are kept until the function is closed: the next call goes on from there.
    """

    def __init__(self, plan: Any, name: str, table: bool) -> None:
        super().__init__(plan, name)
        self._table = table

    def __call__(self, *columns: Any, keys: Any = None, kinds: Any = None, timeout: Optional[float] = None) -> Any:
        """Run the function over columns and wait for the result.

        Args:
            columns: One column for each argument, or one table.
            keys: A column of str, bytes or int.
            kinds: A RowKind a row; rows of UPDATE_BEFORE and DELETE are retracted.
            timeout: Seconds until the batch is given up; None takes the plugin's own limit.

        Raises:
            clutch.Error: The batch failed; accumulators are as they were before it.
            TypeError, ValueError: A column or a key does not fit.
        """
        return self._wait(self.submit(*columns, keys=keys, kinds=kinds, timeout=timeout))

    def submit(self, *columns: Any, keys: Any = None, kinds: Any = None, timeout: Optional[float] = None) -> Future:
        """Start the function over columns. Arrays are not copied: leave them alone until the future is done."""
        limit = milliseconds(timeout)
        given = self._given(columns)
        return Future(self._run_groups(given, Groups(keys, kinds, len(given.rows), self._table), limit))

    def _run_groups(self, given: Given, groups: Groups, timeout_ms: int) -> Iterator[Batch]:
        result: Result = yield from self._plan.run(given.rows, timeout_ms, groups.beside)
        return groups.give(given.sort, result)
