"""ExternalizedCheckpointCleanup: the older name of ExternalizedCheckpointRetention, one enum under both."""

from clutch.datastream.externalized_checkpoint_retention import (
    ExternalizedCheckpointRetention as ExternalizedCheckpointCleanup,
)

__all__ = ["ExternalizedCheckpointCleanup"]
