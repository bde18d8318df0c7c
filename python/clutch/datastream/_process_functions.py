"""Functions that see time, timers and state: process functions of one stream, of two, and with broadcast state.

Each method that gets an element may yield results, return an iterable of them, or return None for none. A result
``tag, value`` with an OutputTag goes to that side output.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Optional

from clutch._interfaces import told_by_methods
from clutch.datastream._basic_functions import Function
from clutch.datastream.state import BroadcastState, MapStateDescriptor, ReadOnlyBroadcastState
from clutch.datastream.time_domain import TimeDomain
from clutch.datastream.timerservice import TimerService


@told_by_methods
class _Context(ABC):
    """Valid during the call that gets it."""

    @abstractmethod
    def timer_service(self) -> TimerService:
        """The clocks; on keyed streams also the timers of the current key."""

    @abstractmethod
    def timestamp(self) -> Optional[int]:
        """The time of the element, or of the timer that fires; None if the element has none."""


@told_by_methods
class _KeyedContext(_Context):
    """Valid during the call that gets it."""

    @abstractmethod
    def get_current_key(self) -> Any:
        """The key of the element or timer."""


@told_by_methods
class _OnTimerContext(_KeyedContext):
    """Valid during the call that gets it."""

    @abstractmethod
    def time_domain(self) -> TimeDomain:
        """The clock of the timer that fires."""


class ProcessFunction(Function):
    """Any number of results for each element, with access to time."""

    @told_by_methods
    class Context(_Context):
        """What process_element() can ask for."""

    @abstractmethod
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        """The results for an element."""


class KeyedProcessFunction(Function):
    """Any number of results for each element and timer of a keyed stream, with state."""

    @told_by_methods
    class Context(_KeyedContext):
        """What process_element() can ask for."""

    @told_by_methods
    class OnTimerContext(_OnTimerContext, Context):
        """What on_timer() can ask for."""

    @abstractmethod
    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        """The results for an element."""

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        """The results when a timer of the key fires."""


class CoProcessFunction(Function):
    """Any number of results for each element of two connected streams, with access to time."""

    @told_by_methods
    class Context(_Context):
        """What process_element1() and process_element2() can ask for."""

    @abstractmethod
    def process_element1(self, value: Any, ctx: CoProcessFunction.Context) -> Any:
        """The results for an element of the first stream."""

    @abstractmethod
    def process_element2(self, value: Any, ctx: CoProcessFunction.Context) -> Any:
        """The results for an element of the second stream."""


class KeyedCoProcessFunction(Function):
    """Any number of results for each element and timer of two keyed streams, which share their state."""

    @told_by_methods
    class Context(_KeyedContext):
        """What process_element1() and process_element2() can ask for."""

    @told_by_methods
    class OnTimerContext(_OnTimerContext, Context):
        """What on_timer() can ask for."""

    @abstractmethod
    def process_element1(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        """The results for an element of the first stream."""

    @abstractmethod
    def process_element2(self, value: Any, ctx: KeyedCoProcessFunction.Context) -> Any:
        """The results for an element of the second stream."""

    def on_timer(self, timestamp: int, ctx: KeyedCoProcessFunction.OnTimerContext) -> Any:
        """The results when a timer of the key fires."""


class BaseBroadcastProcessFunction(Function):
    """Base of functions that connect a stream with a broadcast one."""

    @told_by_methods
    class BaseContext(ABC):
        """Valid during the call that gets it."""

        @abstractmethod
        def timestamp(self) -> Optional[int]:
            """The time of the element; None if it has none."""

        @abstractmethod
        def current_processing_time(self) -> int:
            """The machine's clock."""

        @abstractmethod
        def current_watermark(self) -> int:
            """How far event time has come."""

    @told_by_methods
    class Context(BaseContext):
        """What elements of the broadcast stream come with."""

        @abstractmethod
        def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState[Any, Any]:
            """The state of a descriptor that broadcast() was given, for reading and writing."""

    @told_by_methods
    class ReadOnlyContext(BaseContext):
        """What elements of the other stream come with."""

        @abstractmethod
        def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> ReadOnlyBroadcastState[Any, Any]:
            """The state of a descriptor that broadcast() was given, for reading."""


class BroadcastProcessFunction(BaseBroadcastProcessFunction):
    """Any number of results for each element of a stream and of a broadcast one."""

    @abstractmethod
    def process_element(self, value: Any, ctx: BroadcastProcessFunction.ReadOnlyContext) -> Any:
        """The results for an element of the stream."""

    @abstractmethod
    def process_broadcast_element(self, value: Any, ctx: BroadcastProcessFunction.Context) -> Any:
        """The results for a broadcast element. Every parallel instance must change the state in the same way."""


class KeyedBroadcastProcessFunction(BaseBroadcastProcessFunction):
    """Any number of results for each element and timer of a keyed stream, and for each element of a broadcast one."""

    @told_by_methods
    class ReadOnlyContext(BaseBroadcastProcessFunction.ReadOnlyContext):
        """What elements of the keyed stream come with."""

        @abstractmethod
        def timer_service(self) -> TimerService:
            """The clocks and the timers of the current key."""

        @abstractmethod
        def get_current_key(self) -> Any:
            """The key of the element or timer."""

    @told_by_methods
    class OnTimerContext(ReadOnlyContext):
        """What on_timer() can ask for."""

        @abstractmethod
        def time_domain(self) -> TimeDomain:
            """The clock of the timer that fires."""

    @abstractmethod
    def process_element(self, value: Any, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> Any:
        """The results for an element of the keyed stream."""

    @abstractmethod
    def process_broadcast_element(self, value: Any, ctx: KeyedBroadcastProcessFunction.Context) -> Any:
        """The results for a broadcast element. Every parallel instance must change the state in the same way."""

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Any:
        """The results when a timer of the key fires."""
