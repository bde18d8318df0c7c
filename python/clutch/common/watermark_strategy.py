"""How event time gets into a stream: timestamps of the elements, and the watermarks that follow them."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any, Dict, Optional

from clutch.common.time import Duration, to_millis

__all__ = ["TimestampAssigner", "WatermarkStrategy"]


class TimestampAssigner(ABC):
    """Gives elements their timestamps."""

    @abstractmethod
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        """The timestamp of `value` in milliseconds since 1970 in UTC.

        `record_timestamp` is the one it has so far; MIN_LONG_VALUE of ``clutch.common.constants`` if it has none.
        """


class WatermarkStrategy:
    """How watermarks follow the timestamps. Made by the static methods, refined by the ``with_`` methods."""

    def __init__(self, sort: str, bound_ms: int = 0) -> None:
        if sort not in ("monotonous", "bounded", "none"):
            raise ValueError(
                "no watermark strategy is called %r; use WatermarkStrategy.for_monotonous_timestamps(), "
                "for_bounded_out_of_orderness(Duration) or no_watermarks()" % (sort,)
            )
        self._sort = sort
        self._bound_ms = bound_ms
        self._idle_ms: Optional[int] = None
        self._alignment: Optional[Dict[str, Any]] = None
        self._timestamp_assigner: Optional[TimestampAssigner] = None

    @staticmethod
    def for_monotonous_timestamps() -> WatermarkStrategy:
        """Timestamps never fall: the watermark follows right behind the latest."""
        return WatermarkStrategy("monotonous")

    @staticmethod
    def for_bounded_out_of_orderness(max_out_of_orderness: Duration) -> WatermarkStrategy:
        """Elements come at most so much later than later ones. ValueError for a negative duration."""
        return WatermarkStrategy("bounded", _not_negative("max_out_of_orderness", max_out_of_orderness))

    @staticmethod
    def no_watermarks() -> WatermarkStrategy:
        """No watermarks, for streams that use processing time only."""
        return WatermarkStrategy("none")

    def with_timestamp_assigner(self, timestamp_assigner: TimestampAssigner) -> WatermarkStrategy:
        """Let an object with extract_timestamp() give the timestamps. Changes this strategy and returns it."""
        if isinstance(timestamp_assigner, type) or not callable(getattr(timestamp_assigner, "extract_timestamp", None)):
            raise TypeError(
                "the timestamp assigner must be an object with a method extract_timestamp(value, record_timestamp), "
                "got %r; derive its class from TimestampAssigner and pass an instance" % (timestamp_assigner,)
            )
        self._timestamp_assigner = timestamp_assigner
        return self

    def with_idleness(self, idle_timeout: Duration) -> WatermarkStrategy:
        """A strategy like this that does not wait for inputs silent for so long. ValueError below 1 ms."""
        idle_ms = to_millis("idle_timeout", idle_timeout)
        if idle_ms <= 0:
            raise ValueError("idle_timeout must be at least 1 ms, got %r" % (idle_timeout,))
        changed = copy.copy(self)
        changed._idle_ms = idle_ms
        return changed

    def with_watermark_alignment(
        self,
        watermark_group: str,
        max_allowed_watermark_drift: Duration,
        update_interval: Optional[Duration] = None,
    ) -> WatermarkStrategy:
        """A strategy like this whose sources wait for the others of their group when they are too far ahead."""
        changed = copy.copy(self)
        changed._alignment = {
            "group": watermark_group,
            "drift_ms": _not_negative("max_allowed_watermark_drift", max_allowed_watermark_drift),
            "update_ms": 1000 if update_interval is None else _not_negative("update_interval", update_interval),
        }
        return changed

    def timestamp_assigner(self) -> Optional[TimestampAssigner]:
        """The object that gives the timestamps; None where the elements have them already."""
        return self._timestamp_assigner

    def plain(self) -> Dict[str, Any]:
        """What a runtime needs to know, without the assigner: sort, bound_ms, idle_ms and alignment."""
        return {
            "sort": self._sort,
            "bound_ms": self._bound_ms,
            "idle_ms": self._idle_ms,
            "alignment": dict(self._alignment) if self._alignment else None,
        }


def _not_negative(what: str, duration: Any) -> int:
    millis = to_millis(what, duration)
    if millis < 0:
        raise ValueError("%s must not be negative, got %r" % (what, duration))
    return millis
