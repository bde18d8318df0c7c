"""Connectors of clutch.datastream as members of nodes, and the smaller classes of clutch.common."""

from __future__ import annotations

import importlib
import pickle
import unittest
from typing import Any, Dict

from support import TestCase

# isort: split
from clutch.common import (
    ByteArraySchema,
    Duration,
    Encoder,
    JobID,
    JobStatus,
    RestartStrategies,
    SimpleStringSchema,
    Types,
    WatermarkStrategy,
)
from clutch.common.completable_future import CompletableFuture
from clutch.common.typeinfo import BasicTypeInfo, SqlTimeTypeInfo
from clutch.datastream import (
    EmbeddedRocksDBStateBackend,
    FileSystemCheckpointStorage,
    HashMapStateBackend,
    JobManagerCheckpointStorage,
    MemorySize,
    PredefinedOptions,
    SlotSharingGroup,
    StreamExecutionEnvironment,
)
from clutch.datastream._date_pattern import strftime_of
from clutch.datastream.connectors import (
    BucketAssigner,
    DataGeneratorSource,
    DiscardingSink,
    FileSink,
    FileSource,
    NumberSequenceSource,
    OutputFileConfig,
    RateLimiterStrategy,
    RollingPolicy,
    SocketSource,
    StdinSource,
    StreamFormat,
    StreamingFileSink,
)
from clutch.datastream.formats.csv import CsvBulkWriter, CsvBulkWriters, CsvReaderFormat, CsvSchema
from clutch.table import DataTypes

LONG, STRING = Types.LONG(), Types.STRING()
NONE = WatermarkStrategy.no_watermarks()


class Shout(Encoder):
    def encode(self, value: Any) -> bytes:
        return ("%s!\n" % value).encode()


class Broken(Encoder):
    def encode(self, value: Any) -> bytes:
        return b"no end"


class ConnectorsTest(TestCase):
    def setUp(self) -> None:
        self.env = StreamExecutionEnvironment.get_execution_environment()

    def document(self) -> Dict[str, Any]:
        description = self.env._description(None, self.env._operators)
        self.blobs = description.blobs
        return description.document

    def source(self, stream: Any) -> Dict[str, Any]:
        stream.map(str)
        return self.document()["nodes"][0]

    def test_sequences(self) -> None:
        node = self.source(self.env.from_source(NumberSequenceSource(1, 5), NONE, "numbers"))
        self.assertEqual(
            node,
            {
                "id": 1,
                "type": "source",
                "name": "Source: numbers",
                "source": {"type": "sequence", "first": 1, "last": 5},
                "output": "int64",
            },
        )
        self.refused(
            ValueError,
            "the start of a sequence must not be above its end, got 2 and 1",
            lambda: NumberSequenceSource(2, 1),
        )
        self.refused(
            ValueError,
            "a sequence has the type Long, and not String",
            lambda: self.env.from_source(NumberSequenceSource(1, 2), NONE, "numbers", STRING),
        )

    def test_lines(self) -> None:
        stream = self.env.from_source(SocketSource("localhost", 9000, ";", max_retry=3), NONE, "lines")
        self.assertEqual(
            self.source(stream)["source"],
            {"type": "socket", "host": "localhost", "port": 9000, "delimiter": ";", "retries": 3, "retry_ms": 500},
        )
        self.refused(
            ValueError,
            "the port of a socket must be an int from 1 to 65535, got 0",
            lambda: SocketSource("localhost", 0),
        )
        self.refused(
            ValueError,
            "the hostname of a socket must be a str that is not empty, got ''",
            lambda: SocketSource("", 1),
        )
        self.refused(
            ValueError,
            "the delimiter of a socket must be a str that is not empty, got None",
            lambda: SocketSource("localhost", 1, None),  # type: ignore[arg-type]
        )
        self.refused(
            ValueError,
            "lines have the type String, and not Long",
            lambda: self.env.from_source(StdinSource(), NONE, "input", LONG),
        )

    def test_the_standard_input(self) -> None:
        stream = self.env.from_source(StdinSource(), NONE, "input")
        self.assertEqual(self.source(stream)["source"], {"type": "stdin"})

    def test_a_sink_that_drops(self) -> None:
        self.env.from_collection([1], LONG).sink_to(DiscardingSink())
        sink = self.env._description(None, self.env._operators).document["nodes"][-1]
        self.assertEqual((sink["name"], sink["sink"]), ("Sink: Discarding", {"type": "blackhole"}))

    def test_watermarks_of_sources(self) -> None:
        strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(3))
        node = self.source(self.env.from_source(NumberSequenceSource(1, 5), strategy, "numbers"))
        self.assertEqual(node["watermarks"], {"out_of_orderness_ms": 3})
        self.env.from_source(DataGeneratorSource(str, 5), strategy, "made")
        self.assertEqual(self.document()["nodes"][-1]["type"], "watermarks")

    def test_text_files(self) -> None:
        builder = FileSource.for_record_stream_format(StreamFormat.text_line_format("latin-1"), "file:///in", "/more")
        source = builder.monitor_continuously(Duration.of_seconds(2)).build()
        self.env.from_source(source, NONE, "files").map(str)
        document = self.document()
        self.assertEqual([node["source"]["path"] for node in document["nodes"][:2]], ["/in", "/more"])
        self.assertEqual(
            document["nodes"][0]["source"],
            {"type": "files", "path": "/in", "format": "text", "charset": "latin-1", "watch_ms": 2000},
        )
        self.assertEqual([edge["to"] for edge in document["edges"]], [3, 3])
        self.assertEqual(self.env.read_text_file("/f").get_type(), STRING)
        with self.assertRaisesRegex(ValueError, "^no charset is called 'nope'"):
            StreamFormat.text_line_format("nope")
        self.refused(
            ValueError,
            "for_record_stream_format takes at least one path of a file or folder",
            lambda: FileSource.for_record_stream_format(StreamFormat.text_line_format()),
        )

    def test_csv(self) -> None:
        builder = CsvSchema.builder().add_number_column("id", DataTypes.INT()).add_string_column("name")
        schema = (
            builder.add_boolean_column("on").set_column_separator("|").set_use_header().set_allow_comments().build()
        )
        node = self.source(
            self.env.from_source(
                FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), "/x.csv").build(), NONE, "csv"
            )
        )
        self.assertEqual(node["output"], "struct<id: int32, name: string, on: bool>")
        self.assertEqual(
            node["source"],
            {
                "type": "files",
                "path": "/x.csv",
                "format": "csv",
                "csv": {"delimiter": "|", "header": True, "comment": "#"},
            },
        )
        self.assertEqual((len(schema), len(CsvSchema.builder().add_columns_from(schema))), (3, 3))
        self.refused(
            ValueError, "Column separator must be a single char, got '||'", lambda: builder.set_column_separator("||")
        )
        self.refused(
            ValueError,
            "the column 'd' of a CSV schema must be one of TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, got STRING",
            lambda: builder.add_number_column("d", DataTypes.STRING()),
        )
        for call, words in (
            (lambda: builder.set_escape_char("\\"), "^escape chars of CSV are not served, got '.*'; double a quote"),
            (lambda: builder.add_array_column("a"), "^array columns of CSV are not served; read 'a' as text"),
        ):
            with self.assertRaisesRegex(NotImplementedError, words):
                call()

    def test_file_sinks(self) -> None:
        numbers = self.env.from_collection([1], LONG)
        rolling = RollingPolicy.default_rolling_policy(10, 20, 30)
        names = OutputFileConfig.builder().with_part_prefix("p").with_part_suffix(".txt").build()
        builder = FileSink.for_row_format("/out", Encoder.simple_string_encoder()).with_rolling_policy(rolling)
        builder.with_output_file_config(names).with_bucket_assigner(BucketAssigner.date_time_bucket_assigner())
        numbers.sink_to(builder.build())
        self.assertEqual(
            self.document()["nodes"][-1]["sink"],
            {
                "type": "files",
                "path": "/out",
                "format": "text",
                "prefix": "p",
                "suffix": ".txt",
                "roll_bytes": 10,
                "roll_ms": 20,
                "inactive_ms": 30,
                "bucket": "%Y-%m-%d--%H",
            },
        )
        own = FileSink.for_row_format("/out", Shout()).with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
        numbers.sink_to(own.build())
        document = self.document()
        code = pickle.loads(self.blobs[document["nodes"][-2]["code"]["blob"]])
        self.assertEqual((code.map(5), "bucket" in document["nodes"][-1]["sink"]), ("5!", False))
        numbers.sink_to(FileSink.for_row_format("/out", Broken()).build())
        document = self.document()
        code = pickle.loads(self.blobs[document["nodes"][-2]["code"]["blob"]])
        self.refused(
            ValueError,
            "an Encoder must give one line that ends with a line feed, got b'no end' for the element 5",
            lambda: code.map(5),
        )
        with self.assertRaisesRegex(TypeError, "^sink_to takes an instance of Sink, got 5 of type int$"):
            numbers.sink_to(5)  # type: ignore[arg-type]

    def test_the_older_file_sink(self) -> None:
        numbers = self.env.from_collection([1], LONG)
        builder = StreamingFileSink.for_row_format("/out", Encoder.simple_string_encoder())
        builder.with_rolling_policy(RollingPolicy.default_rolling_policy(10, 20, 30)).with_bucket_check_interval(5)
        builder.with_output_file_config(OutputFileConfig.builder().with_part_prefix("p").build())
        sink = builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).build()
        numbers.add_sink(sink)
        node = self.document()["nodes"][-1]
        self.assertEqual(
            node["sink"],
            {
                "type": "files",
                "path": "/out",
                "format": "text",
                "prefix": "p",
                "roll_bytes": 10,
                "roll_ms": 20,
                "inactive_ms": 30,
            },
        )
        self.refused(
            TypeError,
            "a StreamingFileSink takes no single elements; give it to DataStream.add_sink",
            lambda: sink.invoke(1, None),
        )
        schema = CsvSchema.builder().add_number_column("id").build()
        rows = self.env.from_collection([(1,)], schema.get_type_info())
        rows.add_sink(StreamingFileSink.for_bulk_format("/out", CsvBulkWriters.for_schema(schema)).build())
        self.assertEqual(self.document()["nodes"][-1]["sink"]["format"], "csv")

    def test_what_is_not_served(self) -> None:
        connectors = "clutch.datastream.connectors."
        cases = {
            connectors + "kafka.KafkaSource": "there is no connector to Kafka; use a source or sink of "
            "clutch.datastream.connectors, such as FileSource and FileSink",
            connectors + "dynamic_kafka.DynamicKafkaSource": "there is no connector to Kafka; ",
            connectors + "pulsar.PulsarSource": "there is no connector to Pulsar; ",
            connectors + "kinesis.KinesisStreamsSink": "there is no connector to Kinesis; ",
            connectors + "rabbitmq.RMQSource": "there is no connector to RabbitMQ; ",
            connectors + "jdbc.JdbcSink": "there is no JDBC, as no Java runs; ",
            connectors + "elasticsearch.ElasticsearchSink": "there is no connector to Elasticsearch; ",
            connectors + "cassandra.CassandraSink": "there is no connector to Cassandra; ",
            connectors + "hybrid_source.HybridSource": "a source cannot follow another one; use two sources and ",
            connectors + "file_system.FileCompactor": "files are not merged when they are written; a rolling policy ",
            "clutch.datastream.formats.avro.AvroSchema": "there is no format Avro; FileSource and FileSink read and ",
            "clutch.datastream.formats.orc.OrcBulkWriters": "there is no format ORC; ",
            "clutch.datastream.formats.parquet.ParquetBulkWriters": "there is no format Parquet; ",
            "clutch.datastream.formats.json.JsonRowSerializationSchema": "messages of a broker have no schemas here; "
            "read lines of text and call json.loads in a map",
            "clutch.datastream.formats.csv.CsvRowSerializationSchema": "messages of a broker have no schemas here; ",
        }
        for path, reason in cases.items():
            module, name = path.rsplit(".", 1)
            with self.subTest(path=path), self.assertRaises(ImportError) as caught:
                getattr(importlib.import_module(module), name)
            self.assertTrue(str(caught.exception).startswith(path + " is not served: " + reason), caught.exception)
        kafka = importlib.import_module(connectors + "kafka")
        self.assertFalse(hasattr(kafka, "__wrapped__"))

    def test_rows_to_csv(self) -> None:
        schema = CsvSchema.builder().add_number_column("id").build()
        rows = self.env.from_collection([(1,)], schema.get_type_info())
        rows.sink_to(FileSink.for_bulk_format("/out", CsvBulkWriter.for_schema(schema)).build())
        node = self.document()["nodes"][-1]
        self.assertEqual((node["sink"]["format"], node["sink"]["csv"]), ("csv", {}))

    def test_generated_elements(self) -> None:
        self.env.from_source(DataGeneratorSource(str, 5, type_info=STRING), NONE, "made")
        nodes = self.document()["nodes"]
        self.assertEqual(nodes[0]["source"], {"type": "sequence", "first": 0, "last": 4})
        self.assertEqual((nodes[-1]["name"], nodes[-1]["output"]), ("Data Generator", "string"))
        slow = DataGeneratorSource(str, 5, RateLimiterStrategy.per_second(2))
        self.env.from_source(slow, NONE, "made")
        found = [node["source"] for node in self.document()["nodes"] if node["type"] == "source"]
        self.assertEqual((found[1]["type"], found[1]["rows"], found[1]["rows_per_second"]), ("datagen", 5, 2))
        self.refused(
            ValueError,
            "the count of DataGeneratorSource must be an int of at least 1, got 0",
            lambda: DataGeneratorSource(str, 0),
        )
        self.refused(
            ValueError, "records_per_second must be a number above 0, got 0", lambda: RateLimiterStrategy.per_second(0)
        )

    def test_date_patterns(self) -> None:
        self.assertEqual(strftime_of("yyyy-MM-dd--HH"), "%Y-%m-%d--%H")
        self.assertEqual(strftime_of("'day' dd 'o''clock' 100%"), "day %d o'clock 100%%")
        with self.assertRaisesRegex(
            ValueError, "^the pattern 'EEE' has 'EEE', which means no part of a date or time here"
        ):
            strftime_of("EEE")
        with self.assertRaisesRegex(ValueError, "^buckets are named in the machine's time zone, and not in 'PST'"):
            BucketAssigner.date_time_bucket_assigner("yyyy", "PST")


class CommonTest(TestCase):
    def test_futures(self) -> None:
        def fail() -> int:
            raise KeyError("x")

        failing: CompletableFuture[int] = CompletableFuture(fail, lambda: True)
        self.assertIsInstance(failing.exception(), KeyError)
        self.assertRaises(KeyError, failing.result)
        self.assertEqual((CompletableFuture.of(5).result(), CompletableFuture.of(5).exception()), (5, None))

    def test_jobs(self) -> None:
        self.assertNotEqual(JobID(), JobID())
        self.assertEqual(len(str(JobID())), 32)
        self.assertTrue(JobStatus.FAILED.is_globally_terminal_state())
        self.assertFalse(JobStatus.SUSPENDED.is_globally_terminal_state())
        self.assertTrue(JobStatus.SUSPENDED.is_terminal_state())
        self.assertEqual(RestartStrategies.no_restart().get_description(), "Restart deactivated.")
        self.refused(
            ValueError,
            "restart_attempts of a restart strategy must be an int of at least 0, got -1",
            lambda: RestartStrategies.fixed_delay_restart(-1, 5),
        )
        self.assertEqual(SimpleStringSchema().serialize("a"), b"a")
        self.assertEqual(ByteArraySchema().deserialize(ByteArraySchema().serialize(bytearray(b"a"))), b"a")
        self.refused(
            TypeError,
            "ByteArraySchema writes bytes, got 'a' of type str; map the stream to bytes before",
            lambda: ByteArraySchema().serialize("a"),
        )

    def test_configurations_of_execution(self) -> None:
        config = StreamExecutionEnvironment.get_execution_environment().get_config()
        self.assertEqual((config.get_parallelism(), config.get_auto_watermark_interval()), (1, 200))
        config.set_auto_watermark_interval(5).set_global_job_parameters({"a": "b:c", "d": "e"})
        self.assertEqual(config.get_auto_watermark_interval(), 5)
        self.assertEqual(config._configuration.get_string("pipeline.global-job-parameters", ""), "a:'b:c',d:e")
        self.assertEqual(config.get_global_job_parameters(), {"a": "b:c", "d": "e"})
        config.set_global_job_parameters({"it's": "a,b"})
        self.assertEqual(config.get_global_job_parameters(), {"it's": "a,b"})
        self.refused(
            ValueError,
            "the auto watermark interval must be an int of at least 0 ms, got -1",
            lambda: config.set_auto_watermark_interval(-1),
        )

    def test_settings_without_effect(self) -> None:
        """They are kept, so that programs can set and read them."""
        env = StreamExecutionEnvironment.get_execution_environment()
        config = env.get_config().disable_generic_types().disable_auto_generated_uids().enable_force_kryo()
        config.enable_force_avro().set_use_snapshot_compression(True).set_latency_tracking_interval(7)
        self.assertTrue(config.has_generic_types_disabled() and config.is_force_kryo_enabled())
        self.assertTrue(config.is_force_avro_enabled() and config.is_use_snapshot_compression())
        self.assertFalse(config.has_auto_generated_uids_enabled())
        config.enable_generic_types().enable_auto_generated_uids().disable_force_kryo().disable_force_avro()
        self.assertFalse(config.has_generic_types_disabled() or config.is_force_kryo_enabled())
        self.assertTrue(config.has_auto_generated_uids_enabled())
        self.assertEqual(config.get_latency_tracking_interval(), 7)
        self.assertEqual((config.get_registered_pojo_types(), config.get_default_kryo_serializer_classes()), ([], {}))
        with self.assertLogs("clutch.datastream", "WARNING"):
            checkpoints = env.get_checkpoint_config().set_aligned_checkpoint_timeout(Duration.of_seconds(3))
            checkpoints.set_force_unaligned_checkpoints().set_externalized_checkpoint_retention(retention_mode=None)
        self.assertEqual(checkpoints.get_aligned_checkpoint_timeout(), Duration.of_seconds(3))
        self.assertTrue(env.is_force_unaligned_checkpoints())
        self.assertEqual(env.get_checkpointing_consistency_mode(), env.get_checkpointing_mode())
        self.assertTrue(env.is_chaining_of_operators_with_different_max_parallelism_enabled())

    def test_backends_and_storages(self) -> None:
        env = StreamExecutionEnvironment.get_execution_environment()
        with self.assertLogs("clutch.datastream", "WARNING") as logged:
            env.set_state_backend(HashMapStateBackend())
        self.assertIn("a job's state is in memory and ends with the job", logged.output[0])
        self.assertEqual(str(env.get_state_backend()), "HashMapStateBackend")
        files = EmbeddedRocksDBStateBackend(True)
        files.set_db_storage_paths("/a", "/b")
        files.set_predefined_options(PredefinedOptions.FLASH_SSD_OPTIMIZED)
        files.set_number_of_transfer_threads(2)
        files.set_options("org.example.Options")
        self.assertEqual((files.get_db_storage_paths(), files.get_number_of_transfer_threads()), (["/a", "/b"], 2))
        self.assertEqual(files.get_predefined_options(), PredefinedOptions.FLASH_SSD_OPTIMIZED)
        self.assertEqual((files.get_options(), str(files)), ("org.example.Options", "EmbeddedRocksDBStateBackend"))
        self.assertTrue(files.is_incremental_checkpoints_enabled())
        self.refused(
            TypeError,
            "set_predefined_options takes one of PredefinedOptions, got 1",
            lambda: files.set_predefined_options(1),  # type: ignore[arg-type]
        )
        stored = FileSystemCheckpointStorage("file:///c", 100, 10)
        self.assertEqual((stored.get_checkpoint_path(), stored.get_savepoint_path()), ("file:///c", None))
        self.assertEqual((stored.get_min_file_size_threshold(), stored.get_write_buffer_size()), (100, 100))
        self.assertEqual(JobManagerCheckpointStorage().get_max_state_size(), 5 * 1024 * 1024)
        self.assertEqual(JobManagerCheckpointStorage("file:///c", 7).get_checkpoint_path(), "file:///c")
        self.refused(
            ValueError,
            "FileSystemCheckpointStorage needs the checkpoint_path of a folder",
            FileSystemCheckpointStorage,
        )

    def test_types_by_their_older_names(self) -> None:
        self.assertEqual(BasicTypeInfo.STRING_TYPE_INFO(), STRING)
        self.assertEqual(BasicTypeInfo.BIG_DEC_TYPE_INFO(), Types.BIG_DEC())
        self.assertEqual(SqlTimeTypeInfo.TIMESTAMP(), Types.SQL_TIMESTAMP())

    def test_slot_sharing_groups(self) -> None:
        group = SlotSharingGroup.builder("g").set_cpu_cores(1.0).set_task_heap_memory_mb(3).build()
        self.assertEqual((group.get_name(), group.get_task_heap_memory()), ("g", MemorySize.of_mebi_bytes(3)))
        self.assertEqual(MemorySize(1 << 31).get_gibi_bytes(), 2)


if __name__ == "__main__":
    unittest.main()
