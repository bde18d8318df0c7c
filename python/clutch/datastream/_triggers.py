"""Triggers: when the elements of a window are given to its function.

Built-in triggers run natively in an operator that has one; as Python objects they do the same, so a custom trigger may
call them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, Dict, Generic, TypeVar

from clutch._interfaces import told_by_methods
from clutch.common.time import Time, to_millis
from clutch.common.typeinfo import Types
from clutch.datastream._windows import Window
from clutch.datastream.state import ReducingStateDescriptor, State, StateDescriptor
from clutch.metrics import MetricGroup

T = TypeVar("T")
W = TypeVar("W")


class TriggerResult(Enum):
    """What becomes of a window: nothing, its function is called, its elements are dropped, or both."""

    CONTINUE = (False, False)
    FIRE_AND_PURGE = (True, True)
    FIRE = (True, False)
    PURGE = (False, True)

    def is_fire(self) -> bool:
        return self.value[0]

    def is_purge(self) -> bool:
        return self.value[1]


class Trigger(ABC, Generic[T, W]):
    """Decides for each element and timer of a window. Keeps what it must remember in the state of its context."""

    @told_by_methods
    class TriggerContext(ABC):
        """The clocks, timers and state of one window of one key."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """The machine's clock."""

        @abstractmethod
        def get_metric_group(self) -> MetricGroup:
            """The operator's metrics."""

        @abstractmethod
        def get_current_watermark(self) -> int:
            """How far event time has come."""

        @abstractmethod
        def register_processing_time_timer(self, time: int) -> None:
            """Have on_processing_time called then."""

        @abstractmethod
        def register_event_time_timer(self, time: int) -> None:
            """Have on_event_time called then."""

        @abstractmethod
        def delete_processing_time_timer(self, time: int) -> None:
            """Take back such a timer."""

        @abstractmethod
        def delete_event_time_timer(self, time: int) -> None:
            """Take back such a timer."""

        @abstractmethod
        def get_partitioned_state(self, state_descriptor: StateDescriptor) -> State:
            """State of this window."""

    @told_by_methods
    class OnMergeContext(TriggerContext):
        """What on_merge gets."""

        @abstractmethod
        def merge_partitioned_state(self, state_descriptor: StateDescriptor) -> None:
            """Add the state of the windows that were merged to that of the new one."""

    @abstractmethod
    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        """Called for each element that the window gets."""

    @abstractmethod
    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        """Called when a timer of the machine's clock fires."""

    @abstractmethod
    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        """Called when a timer of event time fires."""

    def can_merge(self) -> bool:
        """Whether the trigger works with windows that merge."""
        return False

    @abstractmethod
    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        """Called when windows have become `window`: merge the state, and set the timers anew."""

    @abstractmethod
    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        """Called when the window is gone: remove state and timers."""

    def plain(self) -> Dict[str, Any]:
        """What a native window operator needs to know; sort is custom for classes of users."""
        return {"sort": "custom"}


class _BuiltInTrigger(Trigger[T, W]):
    """Does nothing; the triggers below override what they need."""

    _SORT = ""

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        pass

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        pass

    def _options(self) -> Dict[str, Any]:
        return {}

    def plain(self) -> Dict[str, Any]:
        # A class that a user derives from a built-in one may do anything.
        built_in = type(self).__module__.startswith("clutch.datastream.")
        return {"sort": self._SORT, **self._options()} if built_in else super().plain()

    def __repr__(self) -> str:
        return "%s(%s)" % (type(self).__name__, ", ".join(map(repr, self._options().values())))


class EventTimeTrigger(_BuiltInTrigger[T, Window]):
    """Fires when the watermark reaches the end of the window, and for each late element after that."""

    _SORT = "event_time"

    @staticmethod
    def create() -> EventTimeTrigger[Any]:
        return EventTimeTrigger()

    def on_element(self, element: T, timestamp: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        if window.max_timestamp() <= ctx.get_current_watermark():
            return TriggerResult.FIRE
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return TriggerResult.FIRE if time == window.max_timestamp() else TriggerResult.CONTINUE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        if window.max_timestamp() > ctx.get_current_watermark():
            ctx.register_event_time_timer(window.max_timestamp())

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_event_time_timer(window.max_timestamp())


class ProcessingTimeTrigger(_BuiltInTrigger[T, Window]):
    """Fires when the machine's clock reaches the end of the window."""

    _SORT = "processing_time"

    @staticmethod
    def create() -> ProcessingTimeTrigger[Any]:
        return ProcessingTimeTrigger()

    def on_element(self, element: T, timestamp: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        ctx.register_processing_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_processing_time(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return TriggerResult.FIRE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        if window.max_timestamp() > ctx.get_current_processing_time():
            ctx.register_processing_time_timer(window.max_timestamp())

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_processing_time_timer(window.max_timestamp())


class _ContinuousTrigger(_BuiltInTrigger[T, Window]):
    """Fires at each multiple of an interval while the window has elements. State: when it fires next."""

    def __init__(self, interval: int) -> None:
        if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
            raise ValueError(
                "the interval of %s must be at least 1 ms, got %r; make it with of(Time.seconds(10))"
                % (type(self).__name__, interval)
            )
        self.interval = interval
        self.state_desc = ReducingStateDescriptor("fire-time", min, Types.LONG())

    def _options(self) -> Dict[str, Any]:
        return {"interval_ms": self.interval}

    def _register(self, time: int, ctx: Trigger.TriggerContext) -> None:
        raise NotImplementedError

    def _delete(self, time: int, ctx: Trigger.TriggerContext) -> None:
        raise NotImplementedError

    def _state(self, ctx: Trigger.TriggerContext) -> Any:
        return ctx.get_partitioned_state(self.state_desc)

    def _fire_next(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> None:
        """Fire an interval after `time`, but not beyond the window."""
        following = min(time + self.interval, window.max_timestamp())
        self._state(ctx).add(following)
        self._register(following, ctx)

    def _start(self, now: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        if self._state(ctx).get() is None:
            self._fire_next(now - now % self.interval, window, ctx)
        return TriggerResult.CONTINUE

    def _fire(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        if self._state(ctx).get() != time:
            return TriggerResult.CONTINUE
        self._state(ctx).clear()
        self._fire_next(time, window, ctx)
        return TriggerResult.FIRE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        ctx.merge_partitioned_state(self.state_desc)
        following = self._state(ctx).get()
        if following is not None:
            self._register(following, ctx)

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        following = self._state(ctx).get()
        if following is not None:
            self._delete(following, ctx)
            self._state(ctx).clear()


class ContinuousEventTimeTrigger(_ContinuousTrigger[T]):
    """Fires whenever the watermark passes a multiple of an interval, and at the end of the window."""

    _SORT = "continuous_event_time"

    @staticmethod
    def of(interval: Time) -> ContinuousEventTimeTrigger[Any]:
        return ContinuousEventTimeTrigger(to_millis("the interval of ContinuousEventTimeTrigger", interval))

    def _register(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.register_event_time_timer(time)

    def _delete(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_event_time_timer(time)

    def on_element(self, element: T, timestamp: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        if window.max_timestamp() <= ctx.get_current_watermark():
            return TriggerResult.FIRE
        ctx.register_event_time_timer(window.max_timestamp())
        return self._start(timestamp, window, ctx)

    def on_event_time(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return TriggerResult.FIRE if time == window.max_timestamp() else self._fire(time, window, ctx)


class ContinuousProcessingTimeTrigger(_ContinuousTrigger[T]):
    """Fires whenever the machine's clock passes a multiple of an interval."""

    _SORT = "continuous_processing_time"

    @staticmethod
    def of(interval: Time) -> ContinuousProcessingTimeTrigger[Any]:
        return ContinuousProcessingTimeTrigger(to_millis("the interval of ContinuousProcessingTimeTrigger", interval))

    def _register(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.register_processing_time_timer(time)

    def _delete(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_processing_time_timer(time)

    def on_element(self, element: T, timestamp: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return self._start(ctx.get_current_processing_time(), window, ctx)

    def on_processing_time(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return self._fire(time, window, ctx)


class CountTrigger(_BuiltInTrigger[T, Window]):
    """Fires with every so many elements of a window."""

    _SORT = "count"

    def __init__(self, window_size: int) -> None:
        if not isinstance(window_size, int) or isinstance(window_size, bool) or window_size < 1:
            raise ValueError("the window_size of CountTrigger must be an int of at least 1, got %r" % (window_size,))
        self._window_size = window_size
        self._count = ReducingStateDescriptor("count", _add, Types.LONG())

    @staticmethod
    def of(window_size: int) -> CountTrigger[Any]:
        return CountTrigger(window_size)

    def _options(self) -> Dict[str, Any]:
        return {"count": self._window_size}

    def on_element(self, element: T, timestamp: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        count: Any = ctx.get_partitioned_state(self._count)
        count.add(1)
        if count.get() < self._window_size:
            return TriggerResult.CONTINUE
        count.clear()
        return TriggerResult.FIRE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        ctx.merge_partitioned_state(self._count)

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        ctx.get_partitioned_state(self._count).clear()


class PurgingTrigger(_BuiltInTrigger[T, Window]):
    """Another trigger whose firing also drops the elements."""

    _SORT = "purging"

    def __init__(self, nested_trigger: Trigger[T, Window]) -> None:
        if not isinstance(nested_trigger, Trigger):
            raise TypeError(
                "PurgingTrigger takes a trigger, such as CountTrigger.of(10), got %r of type %s"
                % (nested_trigger, type(nested_trigger).__name__)
            )
        self.nested_trigger = nested_trigger

    @staticmethod
    def of(nested_trigger: Trigger[T, Window]) -> PurgingTrigger[T]:
        return PurgingTrigger(nested_trigger)

    def on_element(self, element: T, timestamp: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return _purging(self.nested_trigger.on_element(element, timestamp, window, ctx))

    def on_processing_time(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return _purging(self.nested_trigger.on_processing_time(time, window, ctx))

    def on_event_time(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        return _purging(self.nested_trigger.on_event_time(time, window, ctx))

    def can_merge(self) -> bool:
        return self.nested_trigger.can_merge()

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        self.nested_trigger.on_merge(window, ctx)

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        self.nested_trigger.clear(window, ctx)

    def plain(self) -> Dict[str, Any]:
        nested = self.nested_trigger.plain()
        # Around a custom trigger the whole runs in Python.
        return {"sort": "custom"} if nested["sort"] == "custom" else {**super().plain(), "nested": nested}

    def __repr__(self) -> str:
        return "PurgingTrigger(%r)" % (self.nested_trigger,)


class NeverTrigger(_BuiltInTrigger[T, Window]):
    """Never fires: the trigger of GlobalWindows where no other is set."""

    _SORT = "never"


def _add(left: int, right: int) -> int:
    return left + right


def _purging(result: TriggerResult) -> TriggerResult:
    return TriggerResult.FIRE_AND_PURGE if result.is_fire() else result
