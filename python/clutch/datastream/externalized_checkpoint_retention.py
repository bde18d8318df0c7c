"""ExternalizedCheckpointRetention: what becomes of checkpoints when a job is cancelled."""

from enum import Enum

__all__ = ["ExternalizedCheckpointRetention"]


class ExternalizedCheckpointRetention(Enum):
    """Whether the last checkpoint is deleted or kept on cancel; after a failure it is kept in both cases."""

    DELETE_ON_CANCELLATION = 0
    RETAIN_ON_CANCELLATION = 1
    NO_EXTERNALIZED_CHECKPOINTS = 2
