"""WindowedStream and AllWindowedStream: what is done with the elements of each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional, Type, TypeVar, Union

from clutch.common.typeinfo import TypeInformation, type_or_row
from clutch.datastream._basic_functions import AggregateFunction, Function, ReduceFunction
from clutch.datastream._code import check_function, check_instance
from clutch.datastream._data_stream import DataStream, OutputType
from clutch.datastream._window_functions import (
    AllWindowFunction,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    WindowFunction,
)
from clutch.datastream._window_lowering import WindowParts, WindowWork, add_window
from clutch.datastream.output_tag import OutputTag
from clutch.datastream.window import (
    CountSlidingWindowAssigner,
    CountTumblingWindowAssigner,
    Evictor,
    MergingWindowAssigner,
    Trigger,
    WindowAssigner,
)

if TYPE_CHECKING:
    from clutch.datastream._keyed_stream import KeyedStream
    from clutch.datastream.stream_execution_environment import StreamExecutionEnvironment

W = TypeVar("W", bound="_Windowed")


def count_assigner(size: int, slide: int) -> WindowAssigner[Any, Any]:
    """ValueError for numbers below 1; a slide of 0 is none."""
    return CountTumblingWindowAssigner(size) if slide == 0 else CountSlidingWindowAssigner(size, slide)


class WindowSettings:
    """What can be said of windows before it is said what is done with them."""

    def __init__(self, window_assigner: WindowAssigner[Any, Any]) -> None:
        self._assigner = check_instance(window_assigner, "window", WindowAssigner)
        self._trigger: Optional[Trigger[Any, Any]] = None
        self._evictor: Optional[Evictor[Any, Any]] = None
        self._allowed_lateness = 0
        self._late_data_output_tag: Optional[OutputTag] = None

    def set_trigger(self, trigger: Trigger[Any, Any]) -> None:
        check_instance(trigger, "trigger", Trigger)
        self._check_merging(trigger)
        self._trigger = trigger

    def _check_merging(self, trigger: Trigger[Any, Any]) -> None:
        if isinstance(self._assigner, MergingWindowAssigner) and not trigger.can_merge():
            raise TypeError(
                "A merging window assigner cannot be used with a trigger that does not support merging: %r and %r"
                % (self._assigner, trigger)
            )

    def set_evictor(self, evictor: Evictor[Any, Any]) -> None:
        self._evictor = check_instance(evictor, "evictor", Evictor)

    def set_lateness(self, time_ms: int) -> None:
        if not isinstance(time_ms, int) or isinstance(time_ms, bool) or time_ms < 0:
            raise ValueError("the allowed lateness of windows must be an int of at least 0 ms, got %r" % (time_ms,))
        self._allowed_lateness = time_ms

    def set_late_tag(self, tag: OutputTag) -> None:
        self._late_data_output_tag = check_instance(tag, "side_output_late_data", OutputTag)

    def parts(self, env: Any) -> WindowParts:
        trigger = self._trigger
        if trigger is None:
            trigger = self._assigner.get_default_trigger(env)
            self._check_merging(trigger)
        return WindowParts(self._assigner, trigger, self._evictor, self._allowed_lateness, self._late_data_output_tag)


class _Windowed:
    """What WindowedStream and AllWindowedStream share."""

    _ALL = False
    _APPLIES: Type[Function]
    _PROCESSES: Type[Function]

    def __init__(self, keyed_stream: KeyedStream, window_assigner: WindowAssigner[Any, Any]) -> None:
        self._keyed_stream = keyed_stream
        self._settings = WindowSettings(window_assigner)

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        return self._keyed_stream.get_execution_environment()

    def get_input_type(self) -> TypeInformation:
        return self._keyed_stream.get_type()

    def trigger(self: W, trigger: Trigger[Any, Any]) -> W:
        """Set when windows are given to their function; the assigner has a default."""
        self._settings.set_trigger(trigger)
        return self

    def allowed_lateness(self: W, time_ms: int) -> W:
        """Set how long windows of event time take elements after their end."""
        self._settings.set_lateness(time_ms)
        return self

    def side_output_late_data(self: W, output_tag: OutputTag) -> W:
        """Send elements that are too late to a side output; without this they are dropped."""
        self._settings.set_late_tag(output_tag)
        return self

    def evictor(self: W, evictor: Evictor[Any, Any]) -> W:
        """Set which elements leave a window before or after its function. PyFlink has none."""
        self._settings.set_evictor(evictor)
        return self

    def _window_function(self, function: Any) -> Any:
        return (
            None
            if function is None
            else check_instance(function, "the window_function", self._APPLIES, self._PROCESSES)
        )

    def _add(self, work: WindowWork) -> DataStream:
        return add_window(self._keyed_stream, self._settings.parts(self.get_execution_environment()), work, self._ALL)

    def reduce(
        self,
        reduce_function: Union[Callable[[Any, Any], Any], ReduceFunction],
        window_function: Any = None,
        output_type: OutputType = None,
    ) -> DataStream:
        """What the elements of each window are folded to, or what `window_function` makes of that."""
        check_function(reduce_function, ReduceFunction, "reduce")
        window_function = self._window_function(window_function)
        if output_type is None and window_function is None:
            output_type = self.get_input_type()
        output = type_or_row("the output_type of reduce", output_type)
        return self._add(WindowWork("reduce", reduce_function, window_function, output, self.get_input_type()))

    def aggregate(
        self,
        aggregate_function: AggregateFunction,
        window_function: Any = None,
        accumulator_type: OutputType = None,
        output_type: OutputType = None,
    ) -> DataStream:
        """The result of aggregating the elements of each window, or what `window_function` makes of it."""
        check_instance(aggregate_function, "aggregate", AggregateFunction)
        window_function = self._window_function(window_function)
        accumulator = type_or_row("the accumulator_type of aggregate", accumulator_type)
        output = type_or_row("the output_type of aggregate", output_type)
        return self._add(WindowWork("aggregate", aggregate_function, window_function, output, accumulator))

    def apply(self, window_function: Any, output_type: OutputType = None) -> DataStream:
        """What the function makes of all elements of each window."""
        check_instance(window_function, "apply of windows", self._APPLIES)
        output = type_or_row("the output_type of apply", output_type)
        return self._add(WindowWork("apply", window_function, None, output, None))

    def process(self, process_window_function: Any, output_type: OutputType = None) -> DataStream:
        """What the function makes of all elements of each window, with access to time and state."""
        check_instance(process_window_function, "process of windows", self._PROCESSES)
        output = type_or_row("the output_type of process", output_type)
        return self._add(WindowWork("process", process_window_function, None, output, None))


class WindowedStream(_Windowed):
    """The windows of each key. Functions are WindowFunction and ProcessWindowFunction."""

    _APPLIES = WindowFunction
    _PROCESSES = ProcessWindowFunction


class AllWindowedStream(_Windowed):
    """The windows of a stream without keys. Functions are AllWindowFunction and ProcessAllWindowFunction."""

    _ALL = True
    _APPLIES = AllWindowFunction
    _PROCESSES = ProcessAllWindowFunction
