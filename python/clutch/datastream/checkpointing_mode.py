"""CheckpointingMode: what a checkpoint promises."""

from enum import Enum

__all__ = ["CheckpointingMode"]


class CheckpointingMode(Enum):
    """How often an element counts in the state after a failure: exactly once, or at least once."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
