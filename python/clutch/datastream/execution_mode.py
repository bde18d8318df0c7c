"""RuntimeExecutionMode: whether a job runs as a stream or as a batch."""

from enum import Enum

__all__ = ["RuntimeExecutionMode"]


class RuntimeExecutionMode(Enum):
    """How results come: as they change, or once for bounded input. AUTOMATIC is BATCH if all sources are bounded."""

    STREAMING = 0
    BATCH = 1
    AUTOMATIC = 2
