"""Connectors: sources and sinks.

Nothing is imported before it is used: a worker pays for what its functions need.
"""

from clutch._lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clutch.datastream.connectors.base import DeliveryGuarantee, Sink, Source
    from clutch.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
    from clutch.datastream.connectors.discarding import DiscardingSink
    from clutch.datastream.connectors.file_system import (
        BucketAssigner,
        BulkFormat,
        BulkWriterFactory,
        FileEnumeratorProvider,
        FileSink,
        FileSource,
        FileSourceBuilder,
        FileSplitAssignerProvider,
        OutputFileConfig,
        RollingPolicy,
        StreamFormat,
        StreamingFileSink,
    )
    from clutch.datastream.connectors.number_seq import NumberSequenceSource
    from clutch.datastream.connectors.text_input import SocketSource, StdinSource

__all__ = [
    "BucketAssigner",
    "BulkFormat",
    "BulkWriterFactory",
    "DataGeneratorSource",
    "DeliveryGuarantee",
    "DiscardingSink",
    "FileEnumeratorProvider",
    "FileSink",
    "FileSource",
    "FileSourceBuilder",
    "FileSplitAssignerProvider",
    "NumberSequenceSource",
    "OutputFileConfig",
    "RateLimiterStrategy",
    "RollingPolicy",
    "Sink",
    "SocketSource",
    "Source",
    "StdinSource",
    "StreamFormat",
    "StreamingFileSink",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "BucketAssigner": "file_system",
        "BulkFormat": "file_system",
        "BulkWriterFactory": "file_system",
        "DataGeneratorSource": "datagen",
        "DeliveryGuarantee": "base",
        "DiscardingSink": "discarding",
        "FileEnumeratorProvider": "file_system",
        "FileSink": "file_system",
        "FileSource": "file_system",
        "FileSourceBuilder": "file_system",
        "FileSplitAssignerProvider": "file_system",
        "NumberSequenceSource": "number_seq",
        "OutputFileConfig": "file_system",
        "RateLimiterStrategy": "datagen",
        "RollingPolicy": "file_system",
        "Sink": "base",
        "SocketSource": "text_input",
        "Source": "base",
        "StdinSource": "text_input",
        "StreamFormat": "file_system",
        "StreamingFileSink": "file_system",
    },
)
