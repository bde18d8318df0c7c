"""TimeDomain: the clock of a timer."""

from enum import Enum

__all__ = ["TimeDomain"]


class TimeDomain(Enum):
    """Whether a timer fires by watermarks or by the machine's clock."""

    EVENT_TIME = 0
    PROCESSING_TIME = 1
