"""Functions that the package puts around those of users, so that few kinds of operators serve all of the API."""

from __future__ import annotations

from typing import Any, Callable, Iterable, List, Optional, Tuple

from clutch_row import Row, RowKind

from clutch.common.constants import MAX_LONG_VALUE, MIN_LONG_VALUE
from clutch.common.typeinfo import TypeInformation
from clutch.datastream._basic_functions import (
    CoFlatMapFunction,
    CoMapFunction,
    FilterFunction,
    FlatMapFunction,
    Function,
    KeySelector,
    MapFunction,
    Partitioner,
    ReduceFunction,
)
from clutch.datastream._process_functions import KeyedCoProcessFunction, KeyedProcessFunction
from clutch.datastream.state import ValueStateDescriptor


class _Around(Function):
    """Opens and closes the function it stands around."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def open(self, runtime_context: Any) -> None:
        if isinstance(self._function, Function):
            self._function.open(runtime_context)

    def close(self) -> None:
        if isinstance(self._function, Function):
            self._function.close()


class KeyedMap(_Around, KeyedProcessFunction):
    """map() with access to the state of the key."""

    def __init__(self, function: MapFunction) -> None:
        super().__init__(function)
        self._map = function.map

    def process_element(self, value: Any, ctx: Any) -> Iterable[Any]:
        return (self._map(value),)


class KeyedFlatMap(_Around, KeyedProcessFunction):
    """flat_map() with access to the state of the key."""

    def __init__(self, function: FlatMapFunction) -> None:
        super().__init__(function)
        self._flat_map = function.flat_map

    def process_element(self, value: Any, ctx: Any) -> Any:
        return self._flat_map(value)


class KeyedFilter(_Around, KeyedProcessFunction):
    """filter() with access to the state of the key."""

    def __init__(self, function: FilterFunction) -> None:
        super().__init__(function)
        self._filter = function.filter

    def process_element(self, value: Any, ctx: Any) -> Iterable[Any]:
        return (value,) if self._filter(value) else ()


class KeyedCoMap(_Around, KeyedCoProcessFunction):
    """map1() and map2() with access to the state of the key; None is no element."""

    def __init__(self, function: CoMapFunction) -> None:
        super().__init__(function)
        self._map1, self._map2 = function.map1, function.map2

    def process_element1(self, value: Any, ctx: Any) -> Iterable[Any]:
        result = self._map1(value)
        return () if result is None else (result,)

    def process_element2(self, value: Any, ctx: Any) -> Iterable[Any]:
        result = self._map2(value)
        return () if result is None else (result,)


class KeyedCoFlatMap(_Around, KeyedCoProcessFunction):
    """flat_map1() and flat_map2() with access to the state of the key."""

    def __init__(self, function: CoFlatMapFunction) -> None:
        super().__init__(function)
        self._flat_map1, self._flat_map2 = function.flat_map1, function.flat_map2

    def process_element1(self, value: Any, ctx: Any) -> Any:
        return self._flat_map1(value)

    def process_element2(self, value: Any, ctx: Any) -> Any:
        return self._flat_map2(value)


class KeyOf(_Around):
    """A KeySelector as what gives an element's key."""

    def __init__(self, selector: KeySelector) -> None:
        super().__init__(selector)
        self.get_key = self.map = selector.get_key


class PartitionOf(_Around):
    """A Partitioner as a callable."""

    def __init__(self, partitioner: Partitioner) -> None:
        super().__init__(partitioner)
        self._partition = partitioner.partition

    def __call__(self, key: Any, num_partitions: int) -> int:
        return self._partition(key, num_partitions)


class KeyAndValue(KeyedProcessFunction):
    """Rows of key and element: what a keyed stream looks like from outside."""

    def process_element(self, value: Any, ctx: Any) -> Iterable[Any]:
        return (Row(ctx.get_current_key(), value),)


class BatchReduce(_Around, KeyedProcessFunction):
    """Gives what all elements of a key were reduced to, when the input has ended."""

    def __init__(self, function: Any, type_info: TypeInformation) -> None:
        super().__init__(function)
        self._reduce: Callable[[Any, Any], Any] = function.reduce if isinstance(function, ReduceFunction) else function
        self._descriptor = ValueStateDescriptor("_reduce_state", type_info)

    def open(self, runtime_context: Any) -> None:
        super().open(runtime_context)
        self._state = runtime_context.get_state(self._descriptor)

    def process_element(self, value: Any, ctx: Any) -> None:
        before = self._state.value()
        if before is None:
            # The last watermark is the highest there is, and fires this.
            ctx.timer_service().register_event_time_timer(MAX_LONG_VALUE)
        self._state.update(value if before is None else self._reduce(before, value))

    def on_timer(self, timestamp: int, ctx: Any) -> Iterable[Any]:
        return (self._state.value(),)


class Project(MapFunction):
    """Some fields of a tuple, in an order of their own."""

    def __init__(self, positions: Tuple[int, ...]) -> None:
        self._positions = positions

    def map(self, value: Any) -> Any:
        return tuple(value[position] for position in self._positions)


def identity(value: Any) -> Any:
    return value


def text_of(value: Any) -> str:
    """What printing shows of an element without a type."""
    return value if isinstance(value, str) else str(value)


class TextOfRow:
    """What printing shows of a row: ``+I[1,a]``. From a function of the same chain it is what that returned."""

    def __init__(self, names: List[str]) -> None:
        self._names = names

    def __call__(self, value: Any) -> str:
        fields = [value.get(name) for name in self._names] if isinstance(value, dict) else value
        kind = value.get_row_kind() if isinstance(value, Row) else RowKind.INSERT
        return "%s[%s]" % (kind, ",".join(map(str, fields)))


def text_of_tuple(value: Any) -> str:
    """What printing shows of a tuple with pickled parts: ``(1,a)``."""
    return "(%s)" % ",".join(map(str, value))


class Retrying:
    """An AsyncFunction with the strategy by which its calls are tried again."""

    def __init__(self, function: Any, strategy: Any) -> None:
        self.retry_strategy = strategy
        for name in ("open", "close", "async_invoke", "timeout", "async_invoke_batch", "timeout_batch"):
            if hasattr(function, name):
                setattr(self, name, getattr(function, name))


class Encoded(MapFunction):
    """The line that an encoder makes of an element, without the end that the sink writes."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def map(self, value: Any) -> str:
        data = self._encoder.encode(value)
        if not data.endswith(b"\n") or b"\n" in data[:-1]:
            raise ValueError(
                "an Encoder must give one line that ends with a line feed, got %r for the element %r" % (data, value)
            )
        return data[:-1].decode("utf-8")  # type: ignore[no-any-return]
