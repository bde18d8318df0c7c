"""What Table and DataStream functions share: rows and their kinds, types, times, configuration, watermarks."""

# One class for the client and the runtime: a runtime has put its own clutch_row into sys.modules by now.
from clutch_row import Row, RowKind

from clutch._lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clutch.common.configuration import Configuration
    from clutch.common.serialization import DeserializationSchema, Encoder, SerializationSchema, SimpleStringSchema
    from clutch.common.serializer import TypeSerializer
    from clutch.common.time import Duration, Instant, Time
    from clutch.common.typeinfo import TypeInformation, Types
    from clutch.common.watermark_strategy import TimestampAssigner, WatermarkStrategy

__all__ = [
    "Configuration",
    "DeserializationSchema",
    "Duration",
    "Encoder",
    "Instant",
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
        "Configuration": "configuration",
        "DeserializationSchema": "serialization",
        "Duration": "time",
        "Encoder": "serialization",
        "Instant": "time",
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
