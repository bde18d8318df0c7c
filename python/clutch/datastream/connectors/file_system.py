"""Files: FileSource and FileSink, with what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional

from clutch.common.serialization import Encoder, _charset, _LineEncoder
from clutch.common.time import Duration, to_millis
from clutch.common.typeinfo import TypeInformation, Types
from clutch.datastream._adapters import Encoded, identity
from clutch.datastream._basic_functions import SinkFunction
from clutch.datastream._code import check_instance
from clutch.datastream._date_pattern import strftime_of
from clutch.datastream._element_types import element_text
from clutch.datastream._not_served import not_served
from clutch.datastream._sinks import check_text
from clutch.datastream.connectors.base import Sink, Source

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream
    from clutch.datastream._sinks import DataStreamSink

__all__ = [
    "BucketAssigner",
    "BulkFormat",
    "BulkWriterFactory",
    "DefaultRollingPolicy",
    "FileEnumeratorProvider",
    "FileSink",
    "FileSource",
    "FileSourceBuilder",
    "FileSplitAssignerProvider",
    "OnCheckpointRollingPolicy",
    "OutputFileConfig",
    "RollingPolicy",
    "StreamFormat",
    "StreamingFileSink",
]

__getattr__ = not_served(
    __name__,
    "files are not merged when they are written; a rolling policy makes fewer and larger ones",
    ["FileCompactStrategy", "FileCompactor"],
)


class FileEnumeratorProvider:
    """Which files of a folder are read: all but hidden ones, sorted; large ones in parts where the format allows it."""

    @staticmethod
    def default_splittable_file_enumerator() -> FileEnumeratorProvider:
        return FileEnumeratorProvider()

    @staticmethod
    def default_non_splittable_file_enumerator() -> FileEnumeratorProvider:
        return FileEnumeratorProvider()


class FileSplitAssignerProvider:
    """Which instance reads which file. There is one machine, so all are local."""

    @staticmethod
    def locality_aware_split_assigner() -> FileSplitAssignerProvider:
        return FileSplitAssignerProvider()


class StreamFormat:
    """How the elements of a file are read, one after the other."""

    def __init__(self, members: Dict[str, Any], type_info: TypeInformation) -> None:
        self._members = members
        self._type_info = type_info

    @staticmethod
    def text_line_format(charset_name: str = "UTF-8") -> StreamFormat:
        """Lines of text."""
        return StreamFormat({"format": "text", "charset": _charset(charset_name).lower()}, Types.STRING())


class BulkFormat:
    """Formats such as Parquet and ORC, which are not served."""


class FileSourceBuilder:
    """Collects what build() makes a FileSource of."""

    def __init__(self, stream_format: StreamFormat, paths: List[str]) -> None:
        self._format = stream_format
        self._paths = paths
        self._watch_ms: Optional[int] = None

    def monitor_continuously(self, discovery_interval: Duration) -> FileSourceBuilder:
        """Look for new files again and again, without end."""
        millis = to_millis("the discovery_interval", discovery_interval)
        if millis < 1:
            raise ValueError("the discovery_interval must be at least 1 ms, got %r" % (discovery_interval,))
        self._watch_ms = millis
        return self

    def process_static_file_set(self) -> FileSourceBuilder:
        """Read the files that are there, and end: the default."""
        self._watch_ms = None
        return self

    def set_file_enumerator(self, file_enumerator: FileEnumeratorProvider) -> FileSourceBuilder:
        check_instance(file_enumerator, "set_file_enumerator", FileEnumeratorProvider)
        return self

    def set_split_assigner(self, split_assigner: FileSplitAssignerProvider) -> FileSourceBuilder:
        check_instance(split_assigner, "set_split_assigner", FileSplitAssignerProvider)
        return self

    def build(self) -> FileSource:
        return FileSource(self._format, self._paths, self._watch_ms)


class FileSource(Source):
    """The elements of files and of the files of folders."""

    def __init__(self, stream_format: StreamFormat, paths: List[str], watch_ms: Optional[int]) -> None:
        self._format = stream_format
        self._paths = paths
        self._watch_ms = watch_ms

    @staticmethod
    def for_record_stream_format(stream_format: StreamFormat, *paths: str) -> FileSourceBuilder:
        """Read with a format such as StreamFormat.text_line_format() or CsvReaderFormat.for_schema(schema)."""
        check_instance(stream_format, "for_record_stream_format", StreamFormat)
        if not paths:
            raise ValueError("for_record_stream_format takes at least one path of a file or folder")
        return FileSourceBuilder(stream_format, [_path(path) for path in paths])

    @staticmethod
    def for_bulk_file_format(bulk_format: BulkFormat, *paths: str) -> FileSourceBuilder:
        """Refused: formats such as Parquet and ORC are not served."""
        raise NotImplementedError("bulk formats are not served; read text or CSV with for_record_stream_format")

    def _type(self) -> TypeInformation:
        return self._format._type_info

    def _attach(self, env: Any, name: str, type_info: TypeInformation) -> DataStream:
        own = self._format._type_info
        if element_text(type_info) != element_text(own):
            raise ValueError("the format of the files gives elements of the type %s, and not %s" % (own, type_info))
        streams = []
        for path in self._paths:
            members = {"type": "files", "path": path, **self._format._members}
            if self._watch_ms is not None:
                members["watch_ms"] = self._watch_ms
            streams.append(env._source(name, {"source": members}, type_info, True, self._watch_ms is None))
        return streams[0].union(*streams[1:]) if len(streams) > 1 else streams[0]  # type: ignore[no-any-return]


def _path(path: Any) -> str:
    text = check_text("a path of files", path)
    return text[len("file://") :] if text.startswith("file://") else text


class BucketAssigner:
    """Which folder below that of the sink an element's file is in, by the machine's clock."""

    def __init__(self, pattern: Optional[str]) -> None:
        self._pattern = pattern

    @staticmethod
    def base_path_bucket_assigner() -> BucketAssigner:
        """No folders below."""
        return BucketAssigner(None)

    @staticmethod
    def date_time_bucket_assigner(
        format_str: str = "yyyy-MM-dd--HH", timezone_id: Optional[str] = None
    ) -> BucketAssigner:
        """Folders by time in a pattern of Java, such as ``yyyy-MM-dd--HH``. ValueError for letters that mean no part of
        a date or time here, and for a time zone: that of the machine counts."""
        if timezone_id is not None:
            raise ValueError(
                "buckets are named in the machine's time zone, and not in %r; leave timezone_id out, or set the "
                "variable TZ" % (timezone_id,)
            )
        return BucketAssigner(strftime_of(check_text("the format_str of a bucket assigner", format_str)))


class RollingPolicy:
    """When a file is finished and the next begins."""

    def __init__(self, members: Dict[str, int]) -> None:
        self._members = members

    @staticmethod
    def default_rolling_policy(
        part_size: int = 1024 * 1024 * 128, rollover_interval: int = 60 * 1000, inactivity_interval: int = 60 * 1000
    ) -> DefaultRollingPolicy:
        """At a size in bytes, an age, or an age of the last element, in milliseconds."""
        members = {"roll_bytes": part_size, "roll_ms": rollover_interval, "inactive_ms": inactivity_interval}
        for name, value in zip(("part_size", "rollover_interval", "inactivity_interval"), members.values()):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError("the %s of a rolling policy must be an int of at least 1, got %r" % (name, value))
        return DefaultRollingPolicy(members)

    @staticmethod
    def on_checkpoint_rolling_policy() -> OnCheckpointRollingPolicy:
        """At checkpoints alone; as there are none, at the end."""
        return OnCheckpointRollingPolicy({})


class DefaultRollingPolicy(RollingPolicy):
    """What RollingPolicy.default_rolling_policy() makes."""


class OnCheckpointRollingPolicy(RollingPolicy):
    """What RollingPolicy.on_checkpoint_rolling_policy() makes."""


class OutputFileConfig:
    """How names of files begin and end."""

    class OutputFileConfigBuilder:
        """Collects what build() makes an OutputFileConfig of."""

        def __init__(self) -> None:
            self.part_prefix = "part"
            self.part_suffix = ""

        def with_part_prefix(self, prefix: str) -> OutputFileConfig.OutputFileConfigBuilder:
            self.part_prefix = prefix
            return self

        def with_part_suffix(self, suffix: str) -> OutputFileConfig.OutputFileConfigBuilder:
            self.part_suffix = suffix
            return self

        def build(self) -> OutputFileConfig:
            return OutputFileConfig(self.part_prefix, self.part_suffix)

    def __init__(self, part_prefix: str, part_suffix: str) -> None:
        self._part_prefix = check_text("the part_prefix", part_prefix)
        self._part_suffix = check_text("the part_suffix", part_suffix)

    @staticmethod
    def builder() -> OutputFileConfig.OutputFileConfigBuilder:
        return OutputFileConfig.OutputFileConfigBuilder()

    def get_part_prefix(self) -> str:
        return self._part_prefix

    def get_part_suffix(self) -> str:
        return self._part_suffix


class BulkWriterFactory:
    """How elements are written in a format of rows. CsvBulkWriter makes one."""

    def __init__(self, members: Dict[str, Any], type_info: TypeInformation) -> None:
        self._members = members
        self._type_info = type_info


class _FileSinkBuilder:
    """Collects what build() makes a FileSink of."""

    def __init__(
        self, members: Dict[str, Any], encoder: Optional[Encoder], type_info: Optional[TypeInformation]
    ) -> None:
        self._members: Dict[str, Any] = {"type": "files", **members}
        self._encoder = encoder
        self._type_info = type_info
        self._bucket = BucketAssigner.date_time_bucket_assigner()
        self._rolling: RollingPolicy = RollingPolicy.default_rolling_policy()
        self._names = OutputFileConfig.builder().build()

    def with_bucket_check_interval(self, interval: int) -> Any:
        """Accepted: files roll when it is time."""
        return self

    def with_bucket_assigner(self, bucket_assigner: BucketAssigner) -> Any:
        self._bucket = check_instance(bucket_assigner, "with_bucket_assigner", BucketAssigner)
        return self

    def with_rolling_policy(self, rolling_policy: RollingPolicy) -> Any:
        self._rolling = check_instance(rolling_policy, "with_rolling_policy", RollingPolicy)
        return self

    def with_output_file_config(self, output_file_config: OutputFileConfig) -> Any:
        self._names = check_instance(output_file_config, "with_output_file_config", OutputFileConfig)
        return self

    def disable_compact(self) -> Any:
        """The default."""
        return self

    def build(self) -> FileSink:
        members = {**self._members, "prefix": self._names.get_part_prefix(), **self._rolling._members}
        if self._names.get_part_suffix():
            members["suffix"] = self._names.get_part_suffix()
        if self._bucket._pattern is not None:
            members["bucket"] = self._bucket._pattern
        return FileSink(members, self._encoder, self._type_info)


class FileSink(Sink):
    """Files below a folder, each visible under its name when it is finished."""

    class RowFormatBuilder(_FileSinkBuilder):
        """What for_row_format() gives."""

    class BulkFormatBuilder(_FileSinkBuilder):
        """What for_bulk_format() gives."""

    def __init__(
        self, members: Dict[str, Any], encoder: Optional[Encoder], type_info: Optional[TypeInformation]
    ) -> None:
        self._members = members
        self._encoder = encoder
        self._type_info = type_info

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> FileSink.RowFormatBuilder:
        """Write a line for each element, with an encoder such as Encoder.simple_string_encoder()."""
        check_instance(encoder, "for_row_format", Encoder)
        return FileSink.RowFormatBuilder({"path": _path(base_path), "format": "text"}, encoder, None)

    @staticmethod
    def for_bulk_format(base_path: str, writer_factory: BulkWriterFactory) -> FileSink.BulkFormatBuilder:
        """Write rows with what CsvBulkWriter.for_schema() gives."""
        check_instance(writer_factory, "for_bulk_format", BulkWriterFactory)
        members = {"path": _path(base_path), **writer_factory._members}
        return FileSink.BulkFormatBuilder(members, None, writer_factory._type_info)

    def _attach(self, stream: DataStream) -> DataStreamSink:
        if self._type_info is not None and element_text(self._type_info) != element_text(stream.get_type()):
            stream = stream.map(identity, self._type_info)
        elif isinstance(self._encoder, _LineEncoder) and self._encoder._charset.lower() in ("utf-8", "utf8"):
            stream = stream._as_text()
        elif self._encoder is not None:
            stream = stream.map(Encoded(self._encoder), Types.STRING())
        return stream._sink("Sink: File Sink", self._members)


class StreamingFileSink(SinkFunction):
    """The older name of FileSink, for DataStream.add_sink."""

    class _Builder:
        """Collects what build() makes a StreamingFileSink of."""

        def __init__(self, builder: _FileSinkBuilder) -> None:
            self._builder = builder

        def with_bucket_check_interval(self, interval: int) -> Any:
            self._builder.with_bucket_check_interval(interval)
            return self

        def with_bucket_assigner(self, bucket_assigner: BucketAssigner) -> Any:
            self._builder.with_bucket_assigner(bucket_assigner)
            return self

        def with_rolling_policy(self, policy: RollingPolicy) -> Any:
            self._builder.with_rolling_policy(policy)
            return self

        def with_output_file_config(self, output_file_config: OutputFileConfig) -> Any:
            self._builder.with_output_file_config(output_file_config)
            return self

        def build(self) -> StreamingFileSink:
            return StreamingFileSink(self._builder.build())

    class DefaultRowFormatBuilder(_Builder):
        """What for_row_format() gives."""

    class DefaultBulkFormatBuilder(_Builder):
        """What for_bulk_format() gives."""

    def __init__(self, file_sink: FileSink) -> None:
        self._file_sink = file_sink

    def invoke(self, value: Any, context: SinkFunction.Context) -> None:
        """Refused: the engine writes the files."""
        raise TypeError("a StreamingFileSink takes no single elements; give it to DataStream.add_sink")

    @staticmethod
    def for_row_format(base_path: str, encoder: Encoder) -> StreamingFileSink.DefaultRowFormatBuilder:
        """As FileSink.for_row_format."""
        return StreamingFileSink.DefaultRowFormatBuilder(FileSink.for_row_format(base_path, encoder))

    @staticmethod
    def for_bulk_format(
        base_path: str, writer_factory: BulkWriterFactory
    ) -> StreamingFileSink.DefaultBulkFormatBuilder:
        """As FileSink.for_bulk_format."""
        return StreamingFileSink.DefaultBulkFormatBuilder(FileSink.for_bulk_format(base_path, writer_factory))
