"""State of windows: many states of any sort, each an entry of one map state of the key.

A function may ask for them at any time, while a runtime wants states declared in open(): so one is declared for all.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple


class Cell:
    """One entry of the map state. Whatever a state of a window holds is its value."""

    def __init__(self, entries: Any, name: bytes) -> None:
        self._entries = entries
        self._name = name

    def read(self) -> Any:
        return self._entries.get(self._name)

    def write(self, value: Any) -> None:
        """None removes the entry."""
        if value is None:
            self.clear()
        else:
            self._entries.put(self._name, value)

    def clear(self) -> None:
        self._entries.remove(self._name)


class ValueCell(Cell):
    """A ValueState."""

    def value(self) -> Any:
        return self.read()

    def update(self, value: Any) -> None:
        self.write(value)


class ReducingCell(Cell):
    """A ReducingState."""

    def __init__(self, entries: Any, name: bytes, reduce: Callable[[Any, Any], Any]) -> None:
        super().__init__(entries, name)
        self._reduce = reduce

    def get(self) -> Any:
        return self.read()

    def add(self, value: Any) -> None:
        before = self.read()
        self.write(value if before is None or value is None else self._reduce(before, value))

    def take(self, other: ReducingCell) -> None:
        """Add what another state holds."""
        value = other.read()
        if value is not None:
            self.add(value)
            other.clear()


class AggregatingCell(Cell):
    """An AggregatingState."""

    def __init__(self, entries: Any, name: bytes, function: Any) -> None:
        super().__init__(entries, name)
        self._function = function

    def get(self) -> Any:
        accumulator = self.read()
        return None if accumulator is None else self._function.get_result(accumulator)

    def add(self, value: Any) -> None:
        if value is None:
            return self.clear()
        accumulator = self.read()
        if accumulator is None:
            accumulator = self._function.create_accumulator()
        return self.write(self._function.add(value, accumulator))

    def take(self, other: AggregatingCell) -> None:
        """Add what another state holds."""
        theirs, own = other.read(), self.read()
        if theirs is not None:
            self.write(theirs if own is None else self._function.merge(own, theirs))
            other.clear()


class ListCell(Cell):
    """A ListState."""

    def get(self) -> Iterator[Any]:
        return iter(self.read() or ())

    __iter__ = get

    def add(self, value: Any) -> None:
        self.add_all([value])

    def add_all(self, values: Iterable[Any]) -> None:
        self.update([*self.get(), *values])

    def update(self, values: Iterable[Any]) -> None:
        self.write(list(values) or None)

    def take(self, other: ListCell) -> None:
        """Add what another state holds."""
        self.add_all(other.get())
        other.clear()


class MapCell(Cell):
    """A MapState."""

    def _read(self) -> Dict[Any, Any]:
        return self.read() or {}

    def get(self, key: Any) -> Any:
        return self._read().get(key)

    def put(self, key: Any, value: Any) -> None:
        self.put_all({key: value})

    def put_all(self, dict_value: Dict[Any, Any]) -> None:
        self.write({**self._read(), **dict_value} or None)

    def remove(self, key: Any) -> None:
        values = self._read()
        values.pop(key, None)
        self.write(values or None)

    def contains(self, key: Any) -> bool:
        return key in self._read()

    def items(self) -> Iterable[Tuple[Any, Any]]:
        return self._read().items()

    def keys(self) -> Iterable[Any]:
        return self._read().keys()

    def values(self) -> Iterable[Any]:
        return self._read().values()

    def is_empty(self) -> bool:
        return not self._read()

    __getitem__ = get
    __setitem__ = put
    __delitem__ = remove
    __contains__ = contains

    def __iter__(self) -> Iterator[Any]:
        return iter(self._read())


class StateStore:
    """A KeyedStateStore whose states are entries under a prefix."""

    def __init__(self, entries: Any, prefix: bytes) -> None:
        self._entries = entries
        self._prefix = prefix

    def _named(self, descriptor: Any) -> Tuple[Any, bytes]:
        if descriptor.clutch_ttl_ms:
            raise ValueError(
                "state %r is kept with a window and has no time to live of its own; take the time to live away, and "
                "clear the state in clear()" % descriptor.name
            )
        return self._entries, self._prefix + descriptor.name.encode()

    def get_state(self, state_descriptor: Any) -> ValueCell:
        return ValueCell(*self._named(state_descriptor))

    def get_list_state(self, state_descriptor: Any) -> ListCell:
        return ListCell(*self._named(state_descriptor))

    def get_map_state(self, state_descriptor: Any) -> MapCell:
        return MapCell(*self._named(state_descriptor))

    def get_reducing_state(self, state_descriptor: Any) -> ReducingCell:
        return ReducingCell(*self._named(state_descriptor), state_descriptor.reduce_function.reduce)

    def get_aggregating_state(self, state_descriptor: Any) -> AggregatingCell:
        return AggregatingCell(*self._named(state_descriptor), state_descriptor.aggregate_function)

    def of(self, descriptor: Any) -> Any:
        """The state of the sort that the descriptor has."""
        sort = descriptor.sort
        return getattr(self, "get_state" if sort == "value" else "get_%s_state" % sort)(descriptor)


class Elements:
    """The elements of windows, in chunks, so that adding one does not write all anew."""

    _CHUNK = 64

    def __init__(self, entries: Any) -> None:
        self._entries = entries

    def _chunk(self, prefix: bytes, number: int) -> Cell:
        return Cell(self._entries, prefix + number.to_bytes(4, "big"))

    def add(self, prefix: bytes, value: Any) -> None:
        self._append(prefix, [value])

    def _append(self, prefix: bytes, values: List[Any]) -> None:
        last = Cell(self._entries, prefix)
        number: int = last.read() or 0
        chunk: List[Any] = self._chunk(prefix, number).read() or []
        chunk.extend(values)
        while len(chunk) > self._CHUNK:
            self._chunk(prefix, number).write(chunk[: self._CHUNK])
            chunk = chunk[self._CHUNK :]
            number += 1
        self._chunk(prefix, number).write(chunk)
        last.write(number)

    def get(self, prefix: bytes) -> Optional[List[Any]]:
        """None where there are none."""
        last = Cell(self._entries, prefix).read()
        if last is None:
            return None
        return [value for number in range(last + 1) for value in self._chunk(prefix, number).read()]

    def set(self, prefix: bytes, values: List[Any]) -> None:
        self.clear(prefix)
        if values:
            self._append(prefix, values)

    def take(self, prefix: bytes, other: bytes) -> None:
        """Add the elements of another window."""
        values = self.get(other)
        if values:
            self._append(prefix, values)
            self.clear(other)

    def clear(self, prefix: bytes) -> None:
        last = Cell(self._entries, prefix)
        number = last.read()
        if number is not None:
            for i in range(number + 1):
                self._chunk(prefix, i).clear()
            last.clear()


class Folded:
    """What the elements of windows were folded to, by a function with take() and get() of cells."""

    def __init__(self, entries: Any, make: Callable[[Any, bytes], Any]) -> None:
        self._entries = entries
        self._make = make

    def add(self, prefix: bytes, value: Any) -> None:
        self._make(self._entries, prefix).add(value)

    def get(self, prefix: bytes) -> Optional[List[Any]]:
        """The one result; None where there were no elements."""
        cell = self._make(self._entries, prefix)
        return None if cell.read() is None else [cell.get()]

    def take(self, prefix: bytes, other: bytes) -> None:
        self._make(self._entries, prefix).take(self._make(self._entries, other))

    def clear(self, prefix: bytes) -> None:
        self._make(self._entries, prefix).clear()
