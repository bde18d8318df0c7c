"""What Table and DataStream functions share: rows and their kinds, types, times, configuration, watermarks."""

# One class for the client and the runtime: a runtime has put its own clutch_row into sys.modules by now.
from clutch_row import Row, RowKind

from clutch._lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clutch.common.completable_future import CompletableFuture
    from clutch.common.configuration import Configuration
    from clutch.common.execution_config import ExecutionConfig
    from clutch.common.job_client import JobClient
    from clutch.common.job_execution_result import JobExecutionResult
    from clutch.common.job_id import JobID
    from clutch.common.job_status import JobStatus
    from clutch.common.restart_strategy import RestartStrategies, RestartStrategyConfiguration
    from clutch.common.serialization import (
        ByteArraySchema,
        DeserializationSchema,
        Encoder,
        SerializationSchema,
        SimpleStringSchema,
    )
    from clutch.common.serializer import TypeSerializer
    from clutch.common.time import Duration, Instant, Time
    from clutch.common.typeinfo import TypeInformation, Types
    from clutch.common.watermark_strategy import TimestampAssigner, WatermarkStrategy

__all__ = [
    "ByteArraySchema",
    "CompletableFuture",
    "Configuration",
    "DeserializationSchema",
    "Duration",
    "Encoder",
    "ExecutionConfig",
    "Instant",
    "JobClient",
    "JobExecutionResult",
    "JobID",
    "JobStatus",
    "RestartStrategies",
    "RestartStrategyConfiguration",
    "Row",
    "RowKind",
    "SerializationSchema",
    "SimpleStringSchema",
    "Time",
    "TimestampAssigner",
    "TypeInformation",
    "TypeSerializer",
    "Types",
    "WatermarkStrategy",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "ByteArraySchema": "serialization",
        "CompletableFuture": "completable_future",
        "Configuration": "configuration",
        "DeserializationSchema": "serialization",
        "Duration": "time",
        "Encoder": "serialization",
        "ExecutionConfig": "execution_config",
        "Instant": "time",
        "JobClient": "job_client",
        "JobExecutionResult": "job_execution_result",
        "JobID": "job_id",
        "JobStatus": "job_status",
        "RestartStrategies": "restart_strategy",
        "RestartStrategyConfiguration": "restart_strategy",
        "SerializationSchema": "serialization",
        "SimpleStringSchema": "serialization",
        "Time": "time",
        "TimestampAssigner": "watermark_strategy",
        "TypeInformation": "typeinfo",
        "TypeSerializer": "serializer",
        "Types": "typeinfo",
        "WatermarkStrategy": "watermark_strategy",
    },
)
