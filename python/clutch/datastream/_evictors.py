"""Evictors: which elements leave a window before or after its function is called.

PyFlink has none; these are those of Flink's Java API under names in PyFlink's style.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, Generic, List, Optional, TypeVar, Union

from clutch._interfaces import told_by_methods
from clutch.common.time import Duration, Time, to_millis
from clutch.metrics import MetricGroup

T = TypeVar("T")
W = TypeVar("W")


class TimestampedValue(Generic[T]):
    """An element of a window and its time; `timestamp` is None where it has none."""

    __slots__ = ("timestamp", "value")

    def __init__(self, value: T, timestamp: Optional[int] = None) -> None:
        self.value = value
        self.timestamp = timestamp

    def get_value(self) -> T:
        return self.value

    def get_timestamp(self) -> Optional[int]:
        return self.timestamp

    def has_timestamp(self) -> bool:
        return self.timestamp is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TimestampedValue):
            return NotImplemented
        return bool(self.value == other.value) and self.timestamp == other.timestamp

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "TimestampedValue(%r, %r)" % (self.value, self.timestamp)


class Evictor(ABC, Generic[T, W]):
    """Takes elements out of a window: removes them from the list it gets, in place."""

    @told_by_methods
    class EvictorContext(ABC):
        """What an evictor can ask for."""

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
    def evict_before(
        self, elements: List[TimestampedValue[T]], size: int, window: W, evictor_context: Evictor.EvictorContext
    ) -> None:
        """Called before the window's function."""

    @abstractmethod
    def evict_after(
        self, elements: List[TimestampedValue[T]], size: int, window: W, evictor_context: Evictor.EvictorContext
    ) -> None:
        """Called after the window's function."""

    def plain(self) -> Dict[str, Any]:
        """What a native window operator needs to know; sort is custom for classes of users."""
        return {"sort": "custom"}


class _BuiltInEvictor(Evictor[T, Any]):
    """Evicts by one rule, before or after the window's function."""

    _SORT = ""

    def __init__(self, do_evict_after: bool) -> None:
        self._do_evict_after = bool(do_evict_after)

    def _evict(self, elements: List[TimestampedValue[T]]) -> None:
        raise NotImplementedError

    def _options(self) -> Dict[str, Any]:
        return {}

    def evict_before(
        self, elements: List[TimestampedValue[T]], size: int, window: Any, evictor_context: Evictor.EvictorContext
    ) -> None:
        if not self._do_evict_after:
            self._evict(elements)

    def evict_after(
        self, elements: List[TimestampedValue[T]], size: int, window: Any, evictor_context: Evictor.EvictorContext
    ) -> None:
        if self._do_evict_after:
            self._evict(elements)

    def plain(self) -> Dict[str, Any]:
        # A class that a user derives from a built-in one may do anything.
        if not type(self).__module__.startswith("clutch.datastream."):
            return super().plain()
        return {"sort": self._SORT, "after": self._do_evict_after, **self._options()}


class CountEvictor(_BuiltInEvictor[T]):
    """Keeps the last so many elements."""

    _SORT = "count"

    def __init__(self, max_count: int, do_evict_after: bool = False) -> None:
        super().__init__(do_evict_after)
        if not isinstance(max_count, int) or isinstance(max_count, bool) or max_count < 0:
            raise ValueError("the max_count of CountEvictor must be an int of at least 0, got %r" % (max_count,))
        self._max_count = max_count

    @staticmethod
    def of(max_count: int, do_evict_after: bool = False) -> CountEvictor[Any]:
        return CountEvictor(max_count, do_evict_after)

    def _options(self) -> Dict[str, Any]:
        return {"count": self._max_count}

    def _evict(self, elements: List[TimestampedValue[T]]) -> None:
        del elements[: max(0, len(elements) - self._max_count)]


class TimeEvictor(_BuiltInEvictor[T]):
    """Keeps what is less than a length of time older than the youngest element. Without timestamps it keeps all."""

    _SORT = "time"

    def __init__(self, window_size: int, do_evict_after: bool = False) -> None:
        super().__init__(do_evict_after)
        if not isinstance(window_size, int) or isinstance(window_size, bool) or window_size < 0:
            raise ValueError("the window_size of TimeEvictor must be an int of at least 0 ms, got %r" % (window_size,))
        self._window_size = window_size

    @staticmethod
    def of(window_size: Union[Time, Duration], do_evict_after: bool = False) -> TimeEvictor[Any]:
        return TimeEvictor(to_millis("the window_size of TimeEvictor", window_size), do_evict_after)

    def _options(self) -> Dict[str, Any]:
        return {"size_ms": self._window_size}

    def _evict(self, elements: List[TimestampedValue[T]]) -> None:
        times = [element.timestamp for element in elements if element.timestamp is not None]
        # As in Java, the first element tells whether the stream has timestamps.
        if not times or elements[0].timestamp is None:
            return
        limit = max(times) - self._window_size
        elements[:] = [element for element in elements if element.timestamp is None or element.timestamp > limit]


class DeltaEvictor(_BuiltInEvictor[T]):
    """Keeps what differs from the last element by less than a threshold."""

    _SORT = "delta"

    def __init__(self, threshold: float, delta_function: Callable[[T, T], float], do_evict_after: bool = False) -> None:
        super().__init__(do_evict_after)
        if not callable(delta_function):
            raise TypeError(
                "the delta_function of DeltaEvictor must be a function of two elements, got %r of type %s"
                % (delta_function, type(delta_function).__name__)
            )
        self._threshold = threshold
        self._delta_function = delta_function

    @staticmethod
    def of(threshold: float, delta_function: Callable[[T, T], float], do_evict_after: bool = False) -> DeltaEvictor[T]:
        return DeltaEvictor(threshold, delta_function, do_evict_after)

    def _options(self) -> Dict[str, Any]:
        return {"threshold": self._threshold}

    def _evict(self, elements: List[TimestampedValue[T]]) -> None:
        if elements:
            last = elements[-1].value
            elements[:] = [e for e in elements if self._delta_function(e.value, last) < self._threshold]
