"""Window assigners: which windows an element belongs to.

The built-in ones run natively in an operator that has them, by what plain() says; as Python objects they do the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Collection, Dict, Generic, Iterable, Optional, Type, TypeVar, Union

from clutch._interfaces import told_by_methods
from clutch.common.constants import MIN_LONG_VALUE
from clutch.common.serializer import TypeSerializer
from clutch.common.time import Duration, Time, to_millis
from clutch.common.typeinfo import Types
from clutch.datastream._contexts import RuntimeContext
from clutch.datastream._triggers import CountTrigger, EventTimeTrigger, NeverTrigger, ProcessingTimeTrigger, Trigger
from clutch.datastream._windows import (
    CountWindow,
    CountWindowSerializer,
    GlobalWindow,
    GlobalWindowSerializer,
    TimeWindow,
    TimeWindowSerializer,
)
from clutch.datastream.state import ValueStateDescriptor

T = TypeVar("T")
W = TypeVar("W")
W2 = TypeVar("W2")
Length = Union[Time, Duration]


class WindowAssigner(ABC, Generic[T, W]):
    """Gives each element its windows."""

    @told_by_methods
    class WindowAssignerContext(ABC):
        """What an assigner can ask for."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """The machine's clock."""

        @abstractmethod
        def get_runtime_context(self) -> RuntimeContext:
            """The context of the operator, with the state of the current key."""

    @abstractmethod
    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[W]:
        """The windows of an element."""

    @abstractmethod
    def get_default_trigger(self, env: Any) -> Trigger[T, W]:
        """The trigger where no other is set."""

    @abstractmethod
    def get_window_serializer(self) -> TypeSerializer[W]:
        """How the windows become bytes."""

    @abstractmethod
    def is_event_time(self) -> bool:
        """Whether windows follow the timestamps of the elements, rather than the machine's clock."""

    def plain(self) -> Dict[str, Any]:
        """What a native window operator needs to know; sort is custom for classes of users."""
        return {"sort": "custom", "event_time": self.is_event_time()}


class MergingWindowAssigner(WindowAssigner[T, W]):
    """An assigner whose windows may become one."""

    class MergeCallback(ABC, Generic[W2]):
        """Takes what is to be merged."""

        @abstractmethod
        def merge(self, to_be_merged: Iterable[W2], merge_result: W2) -> None:
            """Make one window of many."""

    @abstractmethod
    def merge_windows(self, windows: Iterable[W], callback: MergingWindowAssigner.MergeCallback[W]) -> None:
        """Call back for each group of windows that become one."""


class SessionWindowTimeGapExtractor(ABC):
    """Gives the gap after an element, for sessions with a dynamic gap."""

    @abstractmethod
    def extract(self, element: Any) -> int:
        """The gap in milliseconds, above 0."""


class _BuiltIn(WindowAssigner[T, W]):
    """What the assigners below share; each class says its sort and its clock."""

    _SORT = ""
    _EVENT_TIME = False
    _SERIALIZER: Type[TypeSerializer[Any]] = TimeWindowSerializer

    def _options(self) -> Dict[str, Any]:
        return {}

    def get_default_trigger(self, env: Any) -> Trigger[Any, Any]:
        return EventTimeTrigger() if self._EVENT_TIME else ProcessingTimeTrigger()

    def get_window_serializer(self) -> TypeSerializer[W]:
        return self._SERIALIZER()

    def is_event_time(self) -> bool:
        return self._EVENT_TIME

    def plain(self) -> Dict[str, Any]:
        # A class that a user derives from a built-in one may do anything.
        if not type(self).__module__.startswith("clutch.datastream."):
            return super().plain()
        return {"sort": self._SORT, "event_time": self._EVENT_TIME, **self._options()}

    def _now(self, element: Any, timestamp: Optional[int], context: WindowAssigner.WindowAssignerContext) -> int:
        """The time that counts for an element. ValueError if it is the element's own and it has none."""
        if not self._EVENT_TIME:
            return context.get_current_processing_time()
        if timestamp is None or timestamp <= MIN_LONG_VALUE:
            raise ValueError(
                "the element %r has no timestamp, which %s needs; call assign_timestamps_and_watermarks(...) on the "
                "stream before, or use windows of processing time" % (element, type(self).__name__)
            )
        return timestamp

    def __repr__(self) -> str:
        return "%s(%s)" % (type(self).__name__, ", ".join(str(value) for value in self._options().values()))


def _positive(assigner: Any, what: str, value: Any, unit: str = "ms") -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        unit = " " + unit if unit else ""
        raise ValueError("the %s of %s must be at least 1%s, got %r" % (what, type(assigner).__name__, unit, value))
    return value


def _millis(cls: type, what: str, value: Optional[Length]) -> int:
    return 0 if value is None and what == "offset" else to_millis("the %s of %s" % (what, cls.__name__), value)


def _offset(assigner: Any, value: int, below: str, limit: int) -> int:
    if abs(value) >= limit:
        raise ValueError(
            "the offset of %s must be smaller than the %s of %d ms, got %d ms"
            % (type(assigner).__name__, below, limit, value)
        )
    return value


class _Tumbling(_BuiltIn[T, TimeWindow]):
    _SORT = "tumbling"

    def __init__(self, size: int, offset: int) -> None:
        self._size = _positive(self, "size", size)
        self._offset = _offset(self, offset, "size", size)

    def _options(self) -> Dict[str, Any]:
        return {"size_ms": self._size, "offset_ms": self._offset}

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[TimeWindow]:
        now = self._now(element, timestamp, context)
        start = TimeWindow.get_window_start_with_offset(now, self._offset, self._size)
        return [TimeWindow(start, start + self._size)]


class TumblingEventTimeWindows(_Tumbling[T]):
    """Windows of equal size that follow each other, by the elements' timestamps."""

    _EVENT_TIME = True

    @staticmethod
    def of(size: Length, offset: Optional[Length] = None) -> TumblingEventTimeWindows[Any]:
        """Windows of `size` that start at multiples of it, moved by `offset`."""
        cls = TumblingEventTimeWindows
        return cls(_millis(cls, "size", size), _millis(cls, "offset", offset))


class TumblingProcessingTimeWindows(_Tumbling[T]):
    """Windows of equal size that follow each other, by the machine's clock."""

    @staticmethod
    def of(size: Length, offset: Optional[Length] = None) -> TumblingProcessingTimeWindows[Any]:
        """Windows of `size` that start at multiples of it, moved by `offset`."""
        cls = TumblingProcessingTimeWindows
        return cls(_millis(cls, "size", size), _millis(cls, "offset", offset))


class _Sliding(_BuiltIn[T, TimeWindow]):
    _SORT = "sliding"

    def __init__(self, size: int, slide: int, offset: int) -> None:
        self._size = _positive(self, "size", size)
        self._slide = _positive(self, "slide", slide)
        self._offset = _offset(self, offset, "slide", slide)

    def _options(self) -> Dict[str, Any]:
        return {"size_ms": self._size, "slide_ms": self._slide, "offset_ms": self._offset}

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[TimeWindow]:
        now = self._now(element, timestamp, context)
        last = TimeWindow.get_window_start_with_offset(now, self._offset, self._slide)
        return [TimeWindow(start, start + self._size) for start in range(last, now - self._size, -self._slide)]


class SlidingEventTimeWindows(_Sliding[T]):
    """Windows of equal size that start at equal distances, by the elements' timestamps."""

    _EVENT_TIME = True

    @staticmethod
    def of(size: Length, slide: Length, offset: Optional[Length] = None) -> SlidingEventTimeWindows[Any]:
        """Windows of `size` that start at multiples of `slide`, moved by `offset`."""
        cls = SlidingEventTimeWindows
        return cls(_millis(cls, "size", size), _millis(cls, "slide", slide), _millis(cls, "offset", offset))


class SlidingProcessingTimeWindows(_Sliding[T]):
    """Windows of equal size that start at equal distances, by the machine's clock."""

    @staticmethod
    def of(size: Length, slide: Length, offset: Optional[Length] = None) -> SlidingProcessingTimeWindows[Any]:
        """Windows of `size` that start at multiples of `slide`, moved by `offset`."""
        cls = SlidingProcessingTimeWindows
        return cls(_millis(cls, "size", size), _millis(cls, "slide", slide), _millis(cls, "offset", offset))


class _Sessions(_BuiltIn[T, TimeWindow], MergingWindowAssigner[T, TimeWindow]):
    def _gap(self, element: T) -> int:
        raise NotImplementedError

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[TimeWindow]:
        now = self._now(element, timestamp, context)
        return [TimeWindow(now, now + self._gap(element))]

    def merge_windows(
        self, windows: Iterable[TimeWindow], callback: MergingWindowAssigner.MergeCallback[TimeWindow]
    ) -> None:
        TimeWindow.merge_windows(windows, callback)


class _StaticSessions(_Sessions[T]):
    _SORT = "session"

    def __init__(self, session_gap: int) -> None:
        self._session_gap = _positive(self, "gap", session_gap)

    def _options(self) -> Dict[str, Any]:
        return {"gap_ms": self._session_gap}

    def _gap(self, element: T) -> int:
        return self._session_gap


class _DynamicSessions(_Sessions[T]):
    _SORT = "dynamic_session"

    def __init__(self, session_window_time_gap_extractor: SessionWindowTimeGapExtractor) -> None:
        extractor = session_window_time_gap_extractor
        if isinstance(extractor, type) or not callable(getattr(extractor, "extract", None)):
            raise TypeError(
                "%s takes an object with a method extract(element), got %r; derive its class from "
                "SessionWindowTimeGapExtractor and pass an instance" % (type(self).__name__, extractor)
            )
        self._extractor = extractor

    def extractor(self) -> SessionWindowTimeGapExtractor:
        """The object that gives the gaps."""
        return self._extractor

    def _gap(self, element: T) -> int:
        gap = self._extractor.extract(element)
        if not isinstance(gap, int) or isinstance(gap, bool) or gap < 1:
            raise ValueError(
                "the gap that %s.extract gave for the element %r must be an int of at least 1 ms, got %r"
                % (type(self._extractor).__name__, element, gap)
            )
        return gap


class DynamicEventTimeSessionWindows(_DynamicSessions[T]):
    """Elements that follow each other within a gap that each element gives, by the elements' timestamps."""

    _EVENT_TIME = True

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicEventTimeSessionWindows[Any]:
        return DynamicEventTimeSessionWindows(extractor)


class DynamicProcessingTimeSessionWindows(_DynamicSessions[T]):
    """Elements that follow each other within a gap that each element gives, by the machine's clock."""

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicProcessingTimeSessionWindows[Any]:
        return DynamicProcessingTimeSessionWindows(extractor)


class EventTimeSessionWindows(_StaticSessions[T]):
    """Elements that follow each other within a gap, by the elements' timestamps."""

    _EVENT_TIME = True

    @staticmethod
    def with_gap(size: Length) -> EventTimeSessionWindows[Any]:
        return EventTimeSessionWindows(_millis(EventTimeSessionWindows, "gap", size))

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicEventTimeSessionWindows[Any]:
        return DynamicEventTimeSessionWindows(extractor)


class ProcessingTimeSessionWindows(_StaticSessions[T]):
    """Elements that follow each other within a gap, by the machine's clock."""

    @staticmethod
    def with_gap(size: Length) -> ProcessingTimeSessionWindows[Any]:
        return ProcessingTimeSessionWindows(_millis(ProcessingTimeSessionWindows, "gap", size))

    @staticmethod
    def with_dynamic_gap(extractor: SessionWindowTimeGapExtractor) -> DynamicProcessingTimeSessionWindows[Any]:
        return DynamicProcessingTimeSessionWindows(extractor)


class _Counting(_BuiltIn[T, CountWindow]):
    """Counts the elements of each key in state."""

    _SERIALIZER = CountWindowSerializer
    _window_size = 0
    _count: ValueStateDescriptor

    def get_default_trigger(self, env: Any) -> Trigger[Any, Any]:
        return CountTrigger(self._window_size)

    def _next(self, context: WindowAssigner.WindowAssignerContext) -> int:
        """How many elements of the key came before this one."""
        state = context.get_runtime_context().get_state(self._count)
        count: int = state.value() or 0
        state.update(count + 1)
        return count


class CountTumblingWindowAssigner(_Counting[T]):
    """Windows of so many elements of a key."""

    _SORT = "count_tumbling"

    def __init__(self, window_size: int) -> None:
        self._window_size = _positive(self, "window_size", window_size, "")
        self._count = ValueStateDescriptor("tumble-count-assigner", Types.LONG())

    @staticmethod
    def of(window_size: int) -> CountTumblingWindowAssigner[Any]:
        return CountTumblingWindowAssigner(window_size)

    def _options(self) -> Dict[str, Any]:
        return {"size": self._window_size}

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[CountWindow]:
        return [CountWindow(self._next(context) // self._window_size)]


class CountSlidingWindowAssigner(_Counting[T]):
    """Windows of so many elements of a key, of which one starts every few elements."""

    _SORT = "count_sliding"

    def __init__(self, window_size: int, window_slide: int) -> None:
        self._window_size = _positive(self, "window_size", window_size, "")
        self._window_slide = _positive(self, "window_slide", window_slide, "")
        self._count = ValueStateDescriptor("slide-count-assigner", Types.LONG())

    @staticmethod
    def of(window_size: int, window_slide: int) -> CountSlidingWindowAssigner[Any]:
        return CountSlidingWindowAssigner(window_size, window_slide)

    def _options(self) -> Dict[str, Any]:
        return {"size": self._window_size, "slide": self._window_slide}

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[CountWindow]:
        count = self._next(context)
        last = count // self._window_slide
        # Window i holds the elements from i * slide to before i * slide + size.
        first = max(0, (count - self._window_size) // self._window_slide + 1)
        return [CountWindow(number) for number in range(last, first - 1, -1)]


class GlobalWindows(_BuiltIn[T, GlobalWindow]):
    """One window for all elements of a key; it needs a trigger."""

    _SORT = "global"
    _SERIALIZER = GlobalWindowSerializer

    @staticmethod
    def create() -> GlobalWindows[Any]:
        return GlobalWindows()

    def get_default_trigger(self, env: Any) -> Trigger[Any, Any]:
        return NeverTrigger()

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[GlobalWindow]:
        return [GlobalWindow.get()]
