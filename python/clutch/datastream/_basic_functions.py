"""Functions of one or two elements: map, flat_map, filter, reduce, keys, partitions, aggregates; sources and sinks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, Iterable, Type, TypeVar

from clutch.datastream._contexts import RuntimeContext

F = TypeVar("F", bound="Function")


class Function(ABC):
    """Base of all function classes.

    An instance is pickled where it is passed to a stream. Each parallel instance unpickles it, calls `open` once, then
    the function for its elements, then `close` once, also after a failure.
    """

    def open(self, runtime_context: RuntimeContext) -> None:
        """Called once, before the first element."""

    def close(self) -> None:
        """Called once, after the last element and after a failure."""


class MapFunction(Function):
    """One element for each element."""

    @abstractmethod
    def map(self, value: Any) -> Any:
        """The element for this one."""


class CoMapFunction(Function):
    """At most one element for each element of two connected streams."""

    @abstractmethod
    def map1(self, value: Any) -> Any:
        """The element for one of the first stream; None for no element."""

    @abstractmethod
    def map2(self, value: Any) -> Any:
        """The element for one of the second stream; None for no element."""


class FlatMapFunction(Function):
    """Any number of elements for each element."""

    @abstractmethod
    def flat_map(self, value: Any) -> Any:
        """The elements for this one: an iterable, a generator, or None for none."""


class CoFlatMapFunction(Function):
    """Any number of elements for each element of two connected streams."""

    @abstractmethod
    def flat_map1(self, value: Any) -> Any:
        """The elements for one of the first stream: an iterable, a generator, or None for none."""

    @abstractmethod
    def flat_map2(self, value: Any) -> Any:
        """The elements for one of the second stream: an iterable, a generator, or None for none."""


class FilterFunction(Function):
    """Keeps some elements."""

    @abstractmethod
    def filter(self, value: Any) -> bool:
        """Whether the element stays."""


class ReduceFunction(Function):
    """Folds two elements into one of the same type."""

    @abstractmethod
    def reduce(self, value1: Any, value2: Any) -> Any:
        """The element for the one so far and the next."""


class AggregateFunction(Function):
    """Folds elements into an accumulator, of a type of its own."""

    @abstractmethod
    def create_accumulator(self) -> Any:
        """The accumulator of no elements."""

    @abstractmethod
    def add(self, value: Any, accumulator: Any) -> Any:
        """The accumulator with one element more: a new one, or the same after a change."""

    @abstractmethod
    def get_result(self, accumulator: Any) -> Any:
        """The result of the elements so far."""

    @abstractmethod
    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        """The accumulator of the elements of both; windows that merge need it."""


class KeySelector(Function):
    """Gives an element's key. Equal elements must have equal keys."""

    @abstractmethod
    def get_key(self, value: Any) -> Any:
        """The key."""


class NullByteKeySelector(KeySelector):
    """One key for all elements."""

    def get_key(self, value: Any) -> Any:
        return 0


class Partitioner(Function):
    """Decides which parallel instance gets an element."""

    @abstractmethod
    def partition(self, key: Any, num_partitions: int) -> int:
        """The number of the instance, from 0 to num_partitions - 1."""


class SourceFunction(Function):
    """Makes the elements of a stream, in Python; one instance runs.

    A source whose worker process may be lost, and which is to go on then, has two methods more:

    * ``snapshot()`` gives a position, any object that can be pickled. It is called whenever run() has given an element,
      before run() goes on, and the position is that behind the element.
    * ``restore(position)`` is called on another instance, between open() and run(), which then goes on from there.

    Both or neither. ``SourceFunction("java.Class")`` of PyFlink wraps a class of Java and is refused here.
    """

    class SourceContext(ABC):
        """Where a source puts its elements."""

        @abstractmethod
        def collect(self, value: Any) -> None:
            """Emit an element without a timestamp. Waits when nobody takes what was emitted."""

        @abstractmethod
        def collect_with_timestamp(self, value: Any, timestamp: int) -> None:
            """Emit an element of that time, in milliseconds since 1970."""

        @abstractmethod
        def emit_watermark(self, timestamp: int) -> None:
            """Refused: make watermarks behind the source, by assign_timestamps_and_watermarks()."""

        @abstractmethod
        def mark_as_temporarily_idle(self) -> None:
            """Refused, as emit_watermark(): a watermark strategy has with_idleness()."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return _derived(cls, SourceFunction, "run(ctx)")

    @abstractmethod
    def run(self, ctx: SourceFunction.SourceContext) -> Any:
        """Yield all elements, return an iterable of them, or emit them by `ctx`; the stream ends when this does.

        It has a thread of its own and may wait for elements as long as it likes.
        """

    def cancel(self) -> None:
        """Called from another thread when the job ends before run() does: make run() return soon.

        A source that waits for nothing but its own elements to be taken needs none: the next one it emits ends it.
        """


class ParallelSourceFunction(SourceFunction):
    """A source of which there may be several instances, each with elements of its own.

    ``runtime_context.get_index_of_this_subtask()`` of open() says which of
    ``get_number_of_parallel_subtasks()`` instances this is.
    """


class SinkFunction(Function):
    """Takes the elements of a stream out of the job, in Python.

    ``SinkFunction("java.Class")`` of PyFlink wraps a class of Java and is refused here.
    """

    class Context(ABC):
        """What is known of the element at hand."""

        @abstractmethod
        def timestamp(self) -> Any:
            """The element's time; None if it has none."""

        @abstractmethod
        def current_processing_time(self) -> int:
            """The machine's clock."""

        @abstractmethod
        def current_watermark(self) -> int:
            """How far event time has come."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return _derived(cls, SinkFunction, "invoke(value, context)")

    @abstractmethod
    def invoke(self, value: Any, context: SinkFunction.Context) -> None:
        """Take one element. What it raises ends the job."""

    def flush(self) -> None:
        """Make what was taken visible to others. Called when the input has ended, and not when the job has failed."""


def _derived(cls: Type[Any], base: Type[Any], methods: str) -> Any:
    if cls is base:
        raise TypeError(
            "%s cannot be made of a Java class: Clutch runs no Java; derive a class from it and define %s"
            % (base.__name__, methods)
        )
    return object.__new__(cls)


class _CallableFunction(Function):
    """Makes a function class of a plain callable."""

    def __init__(self, func: Callable[..., Any]) -> None:
        if not callable(func) or isinstance(func, type):
            interface = type(self).__bases__[-1]
            raise TypeError(
                "expected %s or a function, got %r of type %s%s"
                % (
                    "an instance of " + interface.__name__,
                    func,
                    type(func).__name__,
                    "; pass an instance of the class" if isinstance(func, type) else "",
                )
            )
        self._func = func


class MapFunctionWrapper(_CallableFunction, MapFunction):
    def map(self, value: Any) -> Any:
        return self._func(value)


class FlatMapFunctionWrapper(_CallableFunction, FlatMapFunction):
    def flat_map(self, value: Any) -> Iterable[Any]:
        return self._func(value)  # type: ignore[no-any-return]


class FilterFunctionWrapper(_CallableFunction, FilterFunction):
    def filter(self, value: Any) -> bool:
        return self._func(value)  # type: ignore[no-any-return]


class ReduceFunctionWrapper(_CallableFunction, ReduceFunction):
    def reduce(self, value1: Any, value2: Any) -> Any:
        return self._func(value1, value2)


class KeySelectorFunctionWrapper(_CallableFunction, KeySelector):
    def get_key(self, value: Any) -> Any:
        return self._func(value)


class SourceFunctionWrapper(_CallableFunction, SourceFunction):
    """Calls something that returns the elements."""

    def run(self, ctx: Any) -> Any:
        return self._func()


class SinkFunctionWrapper(_CallableFunction, SinkFunction):
    """Calls something for each element."""

    def invoke(self, value: Any, context: Any) -> None:
        self._func(value)


class PartitionerFunctionWrapper(_CallableFunction, Partitioner):
    def partition(self, key: Any, num_partitions: int) -> int:
        return self._func(key, num_partitions)  # type: ignore[no-any-return]
