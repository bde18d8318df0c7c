"""TimerService: the clocks of an operator and the timers of the current key."""

from __future__ import annotations

from abc import ABC, abstractmethod

from clutch._interfaces import told_by_methods

__all__ = ["TimerService"]


@told_by_methods
class TimerService(ABC):
    """Reads the clocks and sets timers. Times are milliseconds since 1970; timers need a keyed stream."""

    @abstractmethod
    def current_processing_time(self) -> int:
        """The machine's clock."""

    @abstractmethod
    def current_watermark(self) -> int:
        """How far event time has come."""

    @abstractmethod
    def register_processing_time_timer(self, timestamp: int) -> None:
        """Have on_timer called for this key once the machine's clock reaches `timestamp`."""

    @abstractmethod
    def register_event_time_timer(self, timestamp: int) -> None:
        """Have on_timer called for this key once the watermark reaches `timestamp`."""

    @abstractmethod
    def delete_processing_time_timer(self, timestamp: int) -> None:
        """Take back such a timer of this key. One that is not there is no error."""

    @abstractmethod
    def delete_event_time_timer(self, timestamp: int) -> None:
        """Take back such a timer of this key. One that is not there is no error."""
