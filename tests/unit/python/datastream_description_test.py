"""What programs of clutch.datastream are described as: types, streams one by one, settings, without an engine."""

from __future__ import annotations

import json
import unittest

from described import (
    LONG,
    STRING,
    Base,
    Keyed,
    Later,
    Modulo,
    NotAsync,
    Numbers,
    Opening,
    Parity,
    Process,
    Stamp,
    Shared,
    Written,
    add,
    increment,
    one,
    listed,
    parity,
)

# isort: split
from clutch.common import Configuration, Duration, Row, Time, Types, WatermarkStrategy
from clutch.datastream import (
    AsyncDataStream,
    AsyncRetryStrategy,
    OutputTag,
    RuntimeExecutionMode,
    StreamExecutionEnvironment,
)
from clutch.datastream._element_types import element_text, has_pickles


class TypesTest(Base):
    def test_type_texts(self) -> None:
        row = Types.ROW_NAMED(["a", "b c", "d`e"], [LONG, STRING, Types.BOOLEAN()])
        for of, text in (
            (LONG, "int64"),
            (Types.BYTE(), "int8"),
            (Types.SHORT(), "int16"),
            (Types.INT(), "int32"),
            (Types.FLOAT(), "float32"),
            (Types.DOUBLE(), "float64"),
            (Types.CHAR(), "string"),
            (Types.SQL_DATE(), "date32"),
            (Types.SQL_TIME(), "time32[ms]"),
            (Types.SQL_TIMESTAMP(), "timestamp[us]"),
            (Types.PICKLED_BYTE_ARRAY(), "pickle"),
            (Types.INSTANT(), "pickle"),
            (Types.BIG_INT(), "pickle"),
            (Types.BIG_DEC(), "pickle"),
            (row, "struct<a: int64, `b c`: string, `d``e`: bool>"),
            (Types.TUPLE([LONG, Types.TUPLE([STRING])]), "tuple<f0: int64, f1: tuple<f0: string>>"),
            (Types.ROW([LONG, Types.PICKLED_BYTE_ARRAY()]), "struct<f0: int64, f1: pickle>"),
            (Types.LIST(LONG), "list<int64>"),
            (Types.BASIC_ARRAY(STRING), "list<string>"),
            (Types.PRIMITIVE_ARRAY(Types.BYTE()), "binary"),
            (Types.PRIMITIVE_ARRAY(LONG), "list<int64>"),
            (Types.OBJECT_ARRAY(Types.ROW([LONG])), "list<struct<f0: int64>>"),
            (Types.MAP(STRING, Types.BIG_INT()), "map<string, pickle>"),
            (Types.MAP(Types.BIG_INT(), STRING), "pickle"),
        ):
            self.assertEqual(element_text(of), text)

    def test_pickled_parts_are_told_from_names(self) -> None:
        self.assertTrue(has_pickles("struct<a: list<pickle>>"))
        self.assertFalse(has_pickles("struct<pickle: int64, `pickle`: string>"))


class OneStreamTest(Base):
    def test_a_whole_document(self) -> None:
        self.env.set_parallelism(2).set_max_parallelism(64)
        self.numbers.map(increment, LONG).print()
        described = self.described()
        version = described.nodes[1]["code"]["python_version"]
        self.assertEqual(
            described.document,
            {
                "name": "Flink Streaming Job",
                "mode": "streaming",
                "parallelism": 2,
                "max_parallelism": 64,
                "configuration": {"parallelism.default": "2", "pipeline.max-parallelism": "64"},
                "nodes": [
                    {
                        "id": 1,
                        "type": "source",
                        "name": "Source: Collection Source",
                        "source": {"type": "collection", "blobs": [1]},
                        "output": "int64",
                        "parallelism": 1,
                    },
                    {
                        "id": 2,
                        "type": "python",
                        "name": "Map",
                        "kind": "stream.map",
                        "code": {"format": "pickle", "blob": 0, "python_version": version},
                        "output": "int64",
                    },
                    {"id": 3, "type": "sink", "name": "Sink: Print to Std. Out", "sink": {"type": "print"}},
                ],
                "edges": [{"from": 1, "to": 2}, {"from": 2, "to": 3}],
            },
        )
        self.assertEqual(described.code(described.nodes[1]["code"])(1), 2)
        self.assertEqual(described.collections[0].values, [1, 2, 3])

    def test_row_functions(self) -> None:
        for stream, kind, output in (
            (self.numbers.map(increment), "stream.map", "pickle"),
            (self.numbers.map(increment, [LONG]), "stream.map", "struct<f0: int64>"),
            (self.numbers.flat_map(listed, LONG), "stream.flat_map", "int64"),
            (self.numbers.filter(bool), "stream.filter", "int64"),
            (self.numbers.process(Process(), STRING), "stream.process", "string"),
        ):
            self.assertEqual(
                self.without_code(self.described().of(stream)), {"type": "python", "kind": kind, "output": output}
            )
            self.assertEqual(element_text(stream.get_type()), output)

    def test_wrong_functions(self) -> None:
        self.refused(
            TypeError,
            "map takes an instance of MapFunction or a function, got 5 of type int",
            lambda: self.numbers.map(5),  # type: ignore[arg-type]
        )
        self.refused(
            TypeError,
            "map takes an instance of MapFunction or a function, got <class 'described.Opening'> of type ABCMeta",
            lambda: self.numbers.map(Opening),
        )
        self.numbers.map(str)
        self.assertEqual(self.described().code(self.described().last()["code"])(5), "5")
        with self.assertRaisesRegex(
            TypeError, "^process of a KeyedStream takes an instance of KeyedProcessFunction, got"
        ):
            self.numbers.key_by(parity).process(Process())  # type: ignore[arg-type]
        with self.assertRaisesRegex(
            TypeError, "^process of a stream without keys takes an instance of ProcessFunction"
        ):
            self.numbers.process(Keyed())  # type: ignore[arg-type]
        self.refused(
            TypeError,
            "the output_type of map must be a type such as Types.STRING(), or a list of types for a ROW, got 'x' of "
            "type str",
            lambda: self.numbers.map(increment, "x"),  # type: ignore[arg-type]
        )

    def test_names_and_places(self) -> None:
        stream = self.numbers.map(increment, LONG)
        stream.name("plus one").uid("u").set_description("adds").set_parallelism(3).start_new_chain()
        stream.slot_sharing_group("group").set_max_parallelism(9)
        node = self.described().last()
        node.pop("code")
        expected = {"uid": "u", "description": "adds", "parallelism": 3, "chain": "head", "output": "int64"}
        self.assertEqual(node, {"type": "python", "name": "plus one", "kind": "stream.map", **expected})
        self.assertEqual(stream.get_name(), "plus one")
        stream.disable_chaining().force_non_parallel()
        self.assertEqual(
            (self.described().last()["chain"], self.described().last().get("parallelism")), ("never", None)
        )
        self.refused(
            ValueError,
            "the parallelism of the operator 'plus one' can only be 1, got 2",
            lambda: stream.set_parallelism(2),
        )
        self.refused(
            ValueError,
            "the parallelism must be an int from 1 to 32768, got 0",
            lambda: self.numbers.map(increment).set_parallelism(0),
        )
        self.refused(
            ValueError,
            "name() is of an operator, and this stream is a union, a side output or a partitioning",
            lambda: stream.union(stream).name("u"),
        )
        self.refused(TypeError, "the name of an operator must be a str, got 1 of type int", lambda: stream.name(1))  # type: ignore[arg-type]

    def test_printing_is_as_pyflinks(self) -> None:
        self.numbers.map(increment).print("p")
        described = self.described()
        text = described.code(described.nodes[-2]["code"])
        self.assertEqual([text("a"), text(5), text(None), text(("a", 1))], ["a", "5", "None", "('a', 1)"])
        self.assertEqual(described.nodes[-1]["sink"], {"type": "print", "prefix": "p"})
        self.numbers.map(increment, [LONG, STRING]).print()
        described = self.described()
        self.assertEqual(described.code(described.nodes[-2]["code"])(Row(1, "a")), "+I[1,a]")
        self.numbers.map(increment, Types.TUPLE([LONG, Types.BIG_INT()])).print()
        described = self.described()
        self.assertEqual(described.code(described.nodes[-2]["code"])((1, "a")), "(1,a)")

    def test_projections(self) -> None:
        pairs = self.env.from_collection([(1, "a")], Types.TUPLE([LONG, STRING]))
        pairs.project(1, 0)
        described = self.described()
        self.assertEqual(described.nodes[-1]["output"], "tuple<f0: string, f1: int64>")
        self.assertEqual(described.code(described.nodes[-1]["code"]).map((1, "a")), ("a", 1))
        self.refused(
            TypeError,
            "only streams of tuples can be projected, and this one has the type Long",
            lambda: self.numbers.project(0),
        )
        self.refused(ValueError, "project takes positions from 0 to 1, got 2", lambda: pairs.project(2))
        self.refused(ValueError, "project takes at least one position of a field", lambda: pairs.project())

    def test_watermarks(self) -> None:
        bounded = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(7)).with_idleness(
            Duration.of_millis(9)
        )
        self.numbers.assign_timestamps_and_watermarks(bounded.with_timestamp_assigner(Stamp()))  # type: ignore[arg-type]
        node = self.described().last()
        assigner = self.described().code(node.pop("code"))
        self.assertEqual(assigner.extract_timestamp("5", 0), 5)
        self.assertEqual(
            node,
            {"type": "watermarks", "name": "Timestamps/Watermarks", "out_of_orderness_ms": 7, "idle_after_ms": 9},
        )
        self.numbers.assign_timestamps_and_watermarks(WatermarkStrategy.no_watermarks())
        self.assertEqual(self.described().last(), {"type": "watermarks", "name": "Timestamps/Watermarks"})

    def test_partitionings(self) -> None:
        for name in ("shuffle", "rebalance", "rescale", "forward", "broadcast"):
            getattr(self.numbers, name)().map(increment)
            self.assertEqual(self.described().edges[-1]["partitioning"], name)

    def test_custom_partitions(self) -> None:
        self.numbers.partition_custom(Modulo(), Parity()).map(increment, LONG)
        described = self.described()
        key_by, node = described.nodes[-2:]
        self.assertEqual((key_by["type"], key_by["key"]), ("key_by", "pickle"))
        self.assertEqual(described.code(key_by["code"]).get_key(3), 1)
        edge = described.edges[-1]
        self.assertEqual((edge["from"], edge["to"], edge["partitioning"]), (key_by["id"], node["id"], "custom"))
        self.assertEqual(described.code(edge["code"])(5, 3), 2)
        with self.assertRaisesRegex(
            TypeError, "^the partitioner of partition_custom takes an instance of Partitioner or"
        ):
            self.numbers.partition_custom(1, parity)  # type: ignore[arg-type]

    def test_unions(self) -> None:
        other = self.env.from_collection([9], LONG)
        self.numbers.key_by(parity).union(other.key_by(parity), self.numbers).map(increment)
        self.assertEqual([edge["from"] for edge in self.described().edges], [1, 2, 1])
        self.refused(
            ValueError,
            "the streams of a union must have one type, and these have Long and String",
            lambda: self.numbers.union(self.env.from_collection([], STRING)),
        )

    def test_side_outputs(self) -> None:
        late, odd = OutputTag("late"), OutputTag("odd", LONG)
        processed = self.numbers.process(Process(), LONG)
        processed.get_side_output(odd).map(increment)
        processed.get_side_output(late)
        described = self.described()
        self.assertEqual(described.nodes[1]["side_outputs"], {"odd": "int64", "late": "pickle"})
        self.assertEqual(described.edges[-1]["side"], "odd")
        self.refused(
            ValueError,
            "the side output 'odd' of the operator 'PROCESS' is asked for with two types, Long and String; use one "
            "OutputTag",
            lambda: processed.get_side_output(OutputTag("odd", STRING)),
        )
        self.refused(
            ValueError,
            "the operator 'Map' has no side outputs, such as 'odd'; functions with process_element() and windows have",
            lambda: self.numbers.map(increment).get_side_output(odd),
        )

    def test_sinks(self) -> None:
        self.numbers.add_sink(Written()).name("out").set_parallelism(1).uid("u").set_description("d").disable_chaining()
        node = self.described().last()
        code = node["sink"].pop("code")
        self.assertTrue(callable(self.described().code(code).process_element1))
        expected = {"name": "out", "sink": {"type": "python"}, "uid": "u", "description": "d", "chain": "never"}
        self.assertEqual(node, {"type": "sink", **expected})
        self.numbers.add_sink(print)
        self.assertEqual(self.described().last()["sink"]["type"], "python")
        self.refused(
            TypeError,
            "add_sink takes an instance of SinkFunction or a function, got 5 of type int",
            lambda: self.numbers.add_sink(5),  # type: ignore[arg-type]
        )

    def test_async_functions(self) -> None:
        for method, ordered in ((AsyncDataStream.ordered_wait, "true"), (AsyncDataStream.unordered_wait, "false")):
            method(self.numbers, Later(), Time.seconds(2), 7, LONG)
            self.assertEqual(
                self.without_code(self.described().last()),
                {
                    "type": "python",
                    "kind": "stream.async",
                    "output": "int64",
                    "options": {"timeout_ms": "2000", "capacity": "7", "ordered": ordered},
                },
            )
        strategy = AsyncRetryStrategy.fixed_delay(3, 10, None, bool)
        AsyncDataStream.ordered_wait_with_retry(self.numbers, Later(), Time.seconds(2), strategy)
        described = self.described()
        found = described.code(described.nodes[-1]["code"])
        self.assertTrue(found.retry_strategy.can_retry(3) and not found.retry_strategy.can_retry(4))
        self.refused(
            TypeError,
            "NotAsync.async_invoke must be declared with 'async def'",
            lambda: AsyncDataStream.ordered_wait(self.numbers, NotAsync(), Time.seconds(2)),
        )
        self.refused(
            ValueError,
            "an async operator with retry needs a timeout above 0, which bounds all of its calls",
            lambda: AsyncDataStream.ordered_wait_with_retry(self.numbers, Later(), Time.seconds(0), strategy),
        )
        self.refused(
            ValueError,
            "the capacity of an async operator must be an int of at least 1, got 0",
            lambda: AsyncDataStream.ordered_wait(self.numbers, Later(), Time.seconds(2), 0),
        )

    def test_functions_are_pickled_at_once(self) -> None:
        function = Opening()
        self.numbers.map(function)
        function.changed = True  # type: ignore[attr-defined]
        described = self.described()
        self.assertFalse(hasattr(described.code(described.last()["code"]), "changed"))


class ConfigurationTest(Base):
    def test_a_configuration_is_handed_on(self) -> None:
        configuration = Configuration()
        configuration.set_string("python.execution-mode", "thread")
        env = StreamExecutionEnvironment.get_execution_environment(configuration)
        env.set_buffer_timeout(5).disable_operator_chaining().get_config().set_auto_watermark_interval(50)
        env.from_collection([1]).print()
        self.assertEqual(
            env._description("name", env._operators).document["configuration"],
            {
                "python.execution-mode": "thread",
                "execution.buffer-timeout": "5 ms",
                "pipeline.operator-chaining.enabled": "false",
                "pipeline.auto-watermark-interval": "50 ms",
            },
        )
        self.assertFalse(configuration.contains_key("execution.buffer-timeout"))

    def test_modes(self) -> None:
        self.numbers.print()
        self.env.set_runtime_mode(RuntimeExecutionMode.AUTOMATIC)
        self.assertEqual(self.described().document["mode"], "batch")
        self.env.add_source(Numbers(), "endless", LONG).print()
        self.assertEqual(self.described().document["mode"], "streaming")
        self.env.set_runtime_mode(RuntimeExecutionMode.BATCH)
        self.refused(
            ValueError,
            "the source 'Source: endless' never ends, so the job cannot run in batch mode; set the runtime mode to "
            "STREAMING or AUTOMATIC",
            self.described,
        )

    def test_a_source_in_python(self) -> None:
        self.env.add_source(Numbers(), type_info=LONG).print()
        node = self.described().nodes[0]
        self.assertEqual(
            (node["source"]["type"], node["source"]["bounded"], node["output"]), ("python", False, "int64")
        )
        self.assertNotIn("parallelism", node)  # that of the job is 1
        self.assertTrue(callable(self.described().code(node["source"]["code"]).flat_map))
        self.env.set_parallelism(3).add_source(one, type_info=LONG, bounded=True).print()
        node = self.described().nodes[-2]
        self.assertEqual((node["source"]["bounded"], node["parallelism"]), (True, 1))
        self.env.add_source(Shared(), type_info=LONG).print()
        self.assertNotIn("parallelism", self.described().nodes[-2])

    def test_collections(self) -> None:
        self.refused(
            TypeError,
            "from_collection takes a list, got 'abc' of type str",
            lambda: self.env.from_collection("abc"),  # type: ignore[arg-type]
        )
        self.refused(
            ValueError,
            "the parallelism of the operator 'Source: Collection Source' can only be 1, got 2",
            lambda: self.numbers.set_parallelism(2),
        )

    def test_notices(self) -> None:
        with self.assertLogs("clutch.datastream", "WARNING") as logged:
            self.env.enable_checkpointing(1000).enable_checkpointing(2000)
            self.env.add_jars("file:///x.jar")
        self.assertEqual(
            logged.output,
            [
                "WARNING:clutch.datastream:checkpointing has no effect: jobs make no checkpoints yet, and begin anew "
                "after a failure",
                "WARNING:clutch.datastream:add_jars has no effect: no Java runs here",
            ],
        )
        self.assertEqual(self.env.get_checkpoint_interval(), 2000)

    def test_execution_plans(self) -> None:
        self.env.set_parallelism(2)
        self.numbers.map(increment, LONG).set_parallelism(3).key_by(parity).reduce(add).print()
        nodes = {node["type"]: node for node in json.loads(self.env.get_execution_plan())["nodes"]}
        self.assertEqual(nodes["Map"]["pact"], "Operator")
        self.assertEqual((nodes["Map"]["parallelism"], nodes["Reduce"]["parallelism"]), (3, 2))
        self.assertEqual(nodes["Map"]["predecessors"][0]["ship_strategy"], "REBALANCE")
        self.assertEqual(nodes["Reduce"]["predecessors"][0]["ship_strategy"], "HASH")
        self.assertEqual(nodes["Sink: Print to Std. Out"]["pact"], "Data Sink")

    def test_nothing_to_do(self) -> None:
        self.refused(
            RuntimeError,
            "No operators defined in streaming topology. Cannot execute.",
            lambda: self.env.execute(),
        )

    def test_dependencies(self) -> None:
        self.env.add_python_file("/a.py")
        self.env.add_python_file("/b")
        self.env.set_python_requirements("/r.txt", "/cache")
        self.env.add_python_archive("/x.zip", "x")
        self.env.set_python_executable("python3.9")
        self.assertEqual(
            self.env._configuration.to_dict(),
            {
                "python.files": "/a.py,/b",
                "python.requirements": "/r.txt#/cache",
                "python.archives": "/x.zip#x",
                "python.executable": "python3.9",
            },
        )


if __name__ == "__main__":
    unittest.main()
