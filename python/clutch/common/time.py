"""Lengths of time and points in time."""

from __future__ import annotations

from typing import Any, Tuple

__all__ = ["Duration", "Instant", "Time"]


def _whole(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("%s must be an int, got %r of type %s" % (what, value, type(value).__name__))
    return value


class Duration:
    """A length of time in nanoseconds. Made by the ``of_`` methods."""

    __slots__ = ("_nanos",)

    def __init__(self, nanos: int) -> None:
        self._nanos = _whole("the nanoseconds of a Duration", nanos)

    @staticmethod
    def of_days(days: int) -> Duration:
        return Duration(_whole("days", days) * 86_400_000_000_000)

    @staticmethod
    def of_hours(hours: int) -> Duration:
        return Duration(_whole("hours", hours) * 3_600_000_000_000)

    @staticmethod
    def of_minutes(minutes: int) -> Duration:
        return Duration(_whole("minutes", minutes) * 60_000_000_000)

    @staticmethod
    def of_seconds(seconds: int) -> Duration:
        return Duration(_whole("seconds", seconds) * 1_000_000_000)

    @staticmethod
    def of_millis(millis: int) -> Duration:
        return Duration(_whole("millis", millis) * 1_000_000)

    @staticmethod
    def of_nanos(nanos: int) -> Duration:
        return Duration(nanos)

    def to_millis(self) -> int:
        """Whole milliseconds; what is left of a millisecond is dropped."""
        return self._nanos // 1_000_000

    def to_nanos(self) -> int:
        return self._nanos

    def __eq__(self, other: object) -> bool:
        return self._nanos == other._nanos if isinstance(other, Duration) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._nanos)

    def __repr__(self) -> str:
        if self._nanos % 1_000_000:
            return "Duration.of_nanos(%d)" % self._nanos
        return "Duration.of_millis(%d)" % self.to_millis()


class Instant:
    """A point on the time line: seconds since 1970 in UTC, and 0 to 999,999,999 nanoseconds behind them."""

    __slots__ = ("nanos", "seconds")

    def __init__(self, seconds: int, nanos: int) -> None:
        self.seconds = _whole("the seconds of an Instant", seconds)
        self.nanos = _whole("the nanoseconds of an Instant", nanos)
        if not 0 <= nanos < 1_000_000_000:
            raise ValueError("the nanoseconds of an Instant must be from 0 to 999999999, got %d" % nanos)

    @staticmethod
    def of_epoch_milli(epoch_milli: int) -> Instant:
        seconds, millis = divmod(_whole("epoch_milli", epoch_milli), 1000)
        return Instant(seconds, millis * 1_000_000)

    def to_epoch_milli(self) -> int:
        return self.seconds * 1000 + self.nanos // 1_000_000

    def _key(self) -> Tuple[int, int]:
        return (self.seconds, self.nanos)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Instant) else NotImplemented

    def __lt__(self, other: Instant) -> bool:
        return self._key() < other._key() if isinstance(other, Instant) else NotImplemented

    def __le__(self, other: Instant) -> bool:
        return self._key() <= other._key() if isinstance(other, Instant) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return "Instant<%d, %d>" % (self.seconds, self.nanos)


class Time:
    """A length of time in milliseconds: sizes of windows, gaps, intervals, time to live."""

    __slots__ = ("_milliseconds",)

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = _whole("the milliseconds of a Time", milliseconds)

    @staticmethod
    def milliseconds(milliseconds: int) -> Time:
        return Time(milliseconds)

    @staticmethod
    def seconds(seconds: int) -> Time:
        return Time(_whole("seconds", seconds) * 1000)

    @staticmethod
    def minutes(minutes: int) -> Time:
        return Time(_whole("minutes", minutes) * 60_000)

    @staticmethod
    def hours(hours: int) -> Time:
        return Time(_whole("hours", hours) * 3_600_000)

    @staticmethod
    def days(days: int) -> Time:
        return Time(_whole("days", days) * 86_400_000)

    def to_milliseconds(self) -> int:
        return self._milliseconds

    def __eq__(self, other: object) -> bool:
        return self._milliseconds == other._milliseconds if isinstance(other, Time) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._milliseconds)

    def __str__(self) -> str:
        return "%d ms" % self._milliseconds

    def __repr__(self) -> str:
        return "Time.milliseconds(%d)" % self._milliseconds


def to_millis(what: str, value: Any) -> int:
    """The milliseconds of a Time or Duration. TypeError for anything else, which names `what` is wrong."""
    if isinstance(value, Time):
        return value.to_milliseconds()
    if isinstance(value, Duration):
        return value.to_millis()
    raise TypeError(
        "%s must be a Time or a Duration, such as Time.seconds(5), got %r of type %s"
        % (what, value, type(value).__name__)
    )
