"""Joins and co-groups of two streams in windows. PyFlink has none; the semantics are those of Flink's Java API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Generic, Type, TypeVar, Union

from clutch.common.typeinfo import TypeInformation, Types, type_or_row
from clutch.datastream._basic_functions import Function, KeySelector, MapFunction
from clutch.datastream._code import Code, check_function, check_instance, name_of
from clutch.datastream._join_functions import CoGroupFunction, FlatJoinFunction, JoinFunction
from clutch.datastream._window_lowering import WindowWork, add_window, native_parts
from clutch.datastream._windowed_streams import WindowSettings

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream, OutputType
    from clutch.datastream._keyed_stream import KeyedStream
    from clutch.datastream.window import Evictor, Trigger, WindowAssigner

Selector = Union[Callable[[Any], Any], KeySelector]
S = TypeVar("S", bound="_WithWindow")


class _Two(Generic[S]):
    """Two streams that wait for their keys."""

    _NEXT: Type[S]

    def __init__(self, first: DataStream, second: DataStream) -> None:
        self._first = first
        self._second = second

    def where(self, key_selector: Selector, key_type: OutputType = None) -> _Where[S]:
        """Set the key of the first stream's elements, and the type of both keys."""
        check_function(key_selector, KeySelector, "where")
        return _Where(self, key_selector, type_or_row("the key_type of where", key_type))


class _Where(Generic[S]):
    """Two streams, and the key of the first."""

    def __init__(self, two: _Two[S], selector: Selector, key_type: TypeInformation) -> None:
        self._two = two
        self._selector = selector
        self._key_type = key_type

    def equal_to(self, key_selector: Selector) -> _EqualTo[S]:
        """Set the key of the second stream's elements."""
        check_function(key_selector, KeySelector, "equal_to")
        return _EqualTo(self._two, self._selector, key_selector, self._key_type)


class _EqualTo(Generic[S]):
    """Two streams and their keys."""

    def __init__(self, two: _Two[S], first: Selector, second: Selector, key_type: TypeInformation) -> None:
        self._two = two
        self._selectors = (first, second)
        self._key_type = key_type

    def window(self, window_assigner: WindowAssigner[Any, Any]) -> S:
        """Set the windows in which elements meet."""
        two = self._two
        return two._NEXT(two._first, two._second, self._selectors, self._key_type, WindowSettings(window_assigner))


class _WithWindow:
    """Two streams, their keys and windows."""

    def __init__(
        self, first: DataStream, second: DataStream, selectors: Any, key_type: TypeInformation, settings: WindowSettings
    ) -> None:
        self._streams = (first, second)
        self._selectors = selectors
        self._key_type = key_type
        self._settings = settings

    def trigger(self: S, trigger: Trigger[Any, Any]) -> S:
        self._settings.set_trigger(trigger)
        return self

    def evictor(self: S, evictor: Evictor[Any, Any]) -> S:
        self._settings.set_evictor(evictor)
        return self

    def allowed_lateness(self: S, time_ms: int) -> S:
        self._settings.set_lateness(time_ms)
        return self

    def _apply(self, function: str, user: Any, output_type: OutputType) -> DataStream:
        first = self._streams[0]
        output = type_or_row("the output_type of apply", output_type)
        env = first.get_execution_environment()
        parts = self._settings.parts(env)
        native = native_parts(parts)
        if native is None:
            return add_window(
                self._tagged(), parts, WindowWork("apply", Meet(function, user), None, output, None), False
            )
        members: Dict[str, Any] = {"function": function, "code": Code(user, name_of(user)), **native, "output": output}
        keyed = [stream.key_by(key, self._key_type) for stream, key in zip(self._streams, self._selectors)]
        inputs = keyed[0]._inputs(0) + keyed[1]._inputs(1)
        return env._stream(
            env._operator("window", "CoGroup" if function == "co_group" else "Join", members, inputs), output
        )

    def _tagged(self) -> KeyedStream:
        """Both streams as one, by key: each element with the number of its stream."""
        pair = Types.PICKLED_BYTE_ARRAY()
        first, second = (stream.map(Tag(number), pair) for number, stream in enumerate(self._streams))
        return first.union(second).key_by(TaggedKey(*self._selectors), self._key_type)


class Tag(MapFunction):
    """Elements with the number of their stream."""

    def __init__(self, number: int) -> None:
        self._number = number

    def map(self, value: Any) -> Any:
        return self._number, value


class TaggedKey(KeySelector):
    """The key of an element with the number of its stream."""

    def __init__(self, *selectors: Selector) -> None:
        self._functions = selectors
        self._select = tuple(s.get_key if isinstance(s, KeySelector) else s for s in selectors)

    def open(self, runtime_context: Any) -> None:
        for function in self._functions:
            if isinstance(function, Function):
                function.open(runtime_context)

    def close(self) -> None:
        for function in self._functions:
            if isinstance(function, Function):
                function.close()

    def get_key(self, value: Any) -> Any:
        return self._select[value[0]](value[1])


class Meet(Function):
    """Splits the elements of a window by their stream, and gives them to a function of two streams."""

    def __init__(self, sort: str, function: Any) -> None:
        self._sort = sort
        self._function = function

    def open(self, runtime_context: Any) -> None:
        if isinstance(self._function, Function):
            self._function.open(runtime_context)

    def close(self) -> None:
        if isinstance(self._function, Function):
            self._function.close()

    def apply(self, key: Any, window: Any, inputs: Any) -> Any:
        sides: Any = ([], [])
        for number, value in inputs:
            sides[number].append(value)
        if self._sort == "co_group":
            yield from self._function.co_group(*sides) or ()
            return
        join = self._function.join if isinstance(self._function, (JoinFunction, FlatJoinFunction)) else self._function
        for left in sides[0]:
            for right in sides[1]:
                result = join(left, right)
                if self._sort == "join":
                    yield result
                else:
                    yield from result or ()


class JoinedWithWindow(_WithWindow):
    """A join that waits for its function."""

    def apply(
        self, function: Union[Callable[[Any, Any], Any], JoinFunction, FlatJoinFunction], output_type: OutputType = None
    ) -> DataStream:
        """One element for each pair of a key and window; of a FlatJoinFunction any number."""
        if isinstance(function, FlatJoinFunction):
            return self._apply("flat_join", function, output_type)
        return self._apply("join", check_function(function, JoinFunction, "apply of a join"), output_type)


class CoGroupedWithWindow(_WithWindow):
    """A co-group that waits for its function."""

    def apply(self, function: CoGroupFunction, output_type: OutputType = None) -> DataStream:
        """Any number of elements for the two groups of a key and window, of which one may be empty."""
        return self._apply("co_group", check_instance(function, "apply of a co-group", CoGroupFunction), output_type)


class JoinedStreams(_Two[JoinedWithWindow]):
    """``join(other)``."""

    _NEXT = JoinedWithWindow


class CoGroupedStreams(_Two[CoGroupedWithWindow]):
    """``co_group(other)``."""

    _NEXT = CoGroupedWithWindow
