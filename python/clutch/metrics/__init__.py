"""What get_metric_group() of a FunctionContext gives. The runtime has its own classes; these say what they can do.

isinstance works with the runtime's objects, which have the methods and need not derive from these classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Callable, Optional

from clutch._interfaces import has_methods

__all__ = ["Counter", "Distribution", "Meter", "Metric", "MetricGroup"]


class Metric(ABC):
    """Base of the metrics that are written by a function."""


class Counter(Metric):
    """A number that goes up and down."""

    @abstractmethod
    def inc(self, n: int = 1) -> None:
        """Add `n`."""

    @abstractmethod
    def dec(self, n: int = 1) -> None:
        """Take `n` away."""

    @abstractmethod
    def get_count(self) -> int:
        """The number as this instance of the function sees it."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return has_methods(cls, Counter, other)


class Meter(Metric):
    """A rate of events."""

    @abstractmethod
    def mark_event(self, n: int = 1) -> None:
        """Say that `n` events happened now."""

    @abstractmethod
    def get_count(self) -> int:
        """All events so far."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return has_methods(cls, Meter, other)


class Distribution(Metric):
    """How often which values occur."""

    @abstractmethod
    def update(self, n: int) -> None:
        """Observe one value."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return has_methods(cls, Distribution, other)


class MetricGroup(ABC):
    """Metrics under a name. Asking for a name again gives the same metric; as another kind it is a ValueError."""

    @abstractmethod
    def counter(self, name: str) -> Counter:
        """The counter of that name."""

    @abstractmethod
    def gauge(self, name: str, obj: Callable[[], int]) -> None:
        """Report what `obj` returns, which is called when a batch ends."""

    @abstractmethod
    def meter(self, name: str, time_span_in_seconds: int = 60) -> Meter:
        """The meter of that name."""

    @abstractmethod
    def distribution(self, name: str) -> Distribution:
        """The distribution of that name."""

    @abstractmethod
    def add_group(self, name: str, extra: Optional[str] = None) -> "MetricGroup":
        """A group inside of this one; with `extra`, one named by a key and its value."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return has_methods(cls, MetricGroup, other)
