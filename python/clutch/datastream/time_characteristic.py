"""TimeCharacteristic: which clock a stream goes by."""

from enum import Enum

__all__ = ["TimeCharacteristic"]


class TimeCharacteristic(Enum):
    """The clock of time-dependent operations: the machine's, that of arrival, or that of the events."""

    ProcessingTime = 0
    IngestionTime = 1
    EventTime = 2
