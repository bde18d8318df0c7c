"""What programs of clutch.datastream are described as: nodes, edges, types and code, without an engine."""

from __future__ import annotations

import json
import pickle
import unittest
from typing import Any, Dict, List

from support import TestCase

# isort: split
from clutch.common import Configuration, Duration, Row, Time, Types, WatermarkStrategy
from clutch.datastream import (
    AsyncDataStream,
    AsyncFunction,
    AsyncRetryStrategy,
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoGroupFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    OutputTag,
    Partitioner,
    ProcessFunction,
    ProcessJoinFunction,
    ReduceFunction,
    RuntimeExecutionMode,
    SinkFunction,
    SourceFunction,
    StreamExecutionEnvironment,
)
from clutch.datastream._element_types import element_text, has_pickles
from clutch.datastream.state import MapStateDescriptor
from clutch.datastream.window import TumblingEventTimeWindows

LONG, STRING = Types.LONG(), Types.STRING()


def increment(value: int) -> int:
    return value + 1


def parity(value: int) -> int:
    return value % 2


def add(left: int, right: int) -> int:
    return left + right


def listed(value: Any) -> List[Any]:
    return [value]


class Opening(MapFunction):
    def open(self, runtime_context: Any) -> None:
        self.opened = True

    def map(self, value: Any) -> Any:
        return value


class Process(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]


class Keyed(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]


class CoMap(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return value

    def map2(self, value: Any) -> Any:
        return None


class CoFlat(CoFlatMapFunction):
    def flat_map1(self, value: Any) -> Any:
        return [value]

    def flat_map2(self, value: Any) -> Any:
        return None


class Co(CoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_element2 = process_element1


class KeyedCo(KeyedCoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_element2 = process_element1


class Broadcast(BroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_broadcast_element = process_element


class KeyedBroadcast(KeyedBroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_broadcast_element = process_element


class Parity(KeySelector):
    def get_key(self, value: Any) -> Any:
        return value % 2


class Modulo(Partitioner):
    def partition(self, key: Any, num_partitions: int) -> int:
        return int(key % num_partitions)


class Pairs(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: Any) -> Any:
        return [(left, right)]


class Groups(CoGroupFunction):
    def co_group(self, first: Any, second: Any) -> Any:
        return [len(list(first))]


class Numbers(SourceFunction):
    def run(self, ctx: Any) -> None:
        ctx.collect(1)

    def cancel(self) -> None:
        pass


class Written(SinkFunction):
    def invoke(self, value: Any, context: Any) -> None:
        pass


class Later(AsyncFunction):
    async def async_invoke(self, value: Any) -> List[Any]:
        return [value]


class NotAsync(AsyncFunction):
    def async_invoke(self, value: Any) -> List[Any]:  # type: ignore[override]
        return [value]


class Stamp:
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value)


class Described:
    """The description of what an environment has so far."""

    def __init__(self, env: StreamExecutionEnvironment) -> None:
        description = env._description(None, env._operators)
        json.dumps(description.document)  # all of it is plain
        self.document = description.document
        self.blobs = description.blobs
        self.collections = description.collections
        self.nodes: List[Dict[str, Any]] = self.document["nodes"]
        self.edges: List[Dict[str, Any]] = self.document["edges"]

    def last(self) -> Dict[str, Any]:
        """The last node, without its id."""
        return {key: value for key, value in self.nodes[-1].items() if key != "id"}

    def of(self, stream: Any) -> Dict[str, Any]:
        """The node that made a stream, without its id."""
        number = stream._origins[0].node.id
        return {key: value for node in self.nodes if node["id"] == number for key, value in node.items() if key != "id"}

    def code(self, code: Dict[str, Any]) -> Any:
        return pickle.loads(self.blobs[code["blob"]])


class Base(TestCase):
    def setUp(self) -> None:
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.numbers = self.env.from_collection([1, 2, 3], LONG)

    def described(self) -> Described:
        return Described(self.env)

    def without_code(self, node: Dict[str, Any]) -> Dict[str, Any]:
        return {key: value for key, value in node.items() if key not in ("code", "name")}


class TypesTest(TestCase):
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
            "map takes an instance of MapFunction or a function, got <class 'datastream_description_test.Opening'> of "
            "type ABCMeta",
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
        self.assertEqual((assigner.extract_timestamp("5", 0), assigner("5", None)), (5, 5))
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
        self.assertTrue(callable(self.described().code(code).write))
        expected = {"name": "out", "sink": {"type": "python"}, "uid": "u", "description": "d", "chain": "never"}
        self.assertEqual(node, {"type": "sink", **expected})
        with self.assertRaisesRegex(TypeError, "^add_sink takes an instance of SinkFunction, got"):
            self.numbers.add_sink(print)  # type: ignore[arg-type]

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


class KeyedTest(Base):
    def test_key_by(self) -> None:
        self.env.set_parallelism(4)
        self.numbers.key_by(Parity(), LONG).process(Keyed(), LONG)
        described = self.described()
        key_by, node = described.nodes[1:]
        self.assertEqual((key_by["key"], key_by["parallelism"]), ("int64", 1))  # as the source before it
        self.assertEqual(described.code(key_by["code"]).get_key(3), 1)
        self.assertEqual((node["kind"], node["output"], "options" in node), ("stream.keyed_process", "int64", False))

    def test_functions_that_open_are_keyed(self) -> None:
        keyed = self.numbers.key_by(parity)
        keyed.map(Opening(), LONG)
        self.assertEqual(self.described().last()["kind"], "stream.keyed_process")
        keyed.map(increment, LONG)
        self.assertEqual((self.described().last()["kind"], self.described().edges[-1]["from"]), ("stream.map", 1))

    def test_reductions(self) -> None:
        self.numbers.key_by(parity).reduce(add)
        self.assertEqual(
            self.without_code(self.described().last()),
            {"type": "python", "kind": "stream.reduce", "output": "int64", "options": {"state": "int64"}},
        )
        self.env.set_runtime_mode(RuntimeExecutionMode.BATCH)
        node = self.described().last()
        self.assertEqual((node["kind"], node["options"]), ("stream.keyed_process", {}))
        self.assertTrue(hasattr(self.described().code(node["code"]), "on_timer"))

    def reduced(self, name: str, position: Any, elements: List[Any]) -> Any:
        getattr(self.numbers.key_by(parity), name)(position)
        described = self.described()
        reduce = described.code(described.nodes[-1]["code"]).reduce
        found = elements[0]
        for element in elements[1:]:
            found = reduce(found, element)
        return found

    def test_aggregations_of_fields(self) -> None:
        rows = [(1, 5, "a"), (2, 3, "b"), (3, 3, "c"), (4, 9, "d"), (5, 9, "e")]
        for name, expected in (
            ("sum", (1, 29, "a")),
            ("min", (1, 3, "a")),
            ("max", (1, 9, "a")),
            ("min_by", (2, 3, "b")),
            ("max_by", (4, 9, "d")),
        ):
            self.assertEqual(self.reduced(name, 1, rows), expected)
            self.assertEqual(self.reduced(name, 1, [list(row) for row in rows]), list(expected))
            named = [Row(x=x, y=y, z=z) for x, y, z in rows]
            self.assertEqual(self.reduced(name, "y", named), Row(x=expected[0], y=expected[1], z=expected[2]))
            self.assertEqual(named[0], Row(x=1, y=5, z="a"))  # elements stay as they were
        self.assertEqual([self.reduced(n, 0, [3, 1, 2]) for n in ("sum", "min", "max", "min_by")], [6, 1, 3, 1])
        self.refused(
            TypeError,
            "sum(1) is of tuples, lists and Rows; the element 3 of type int has no fields, so only position 0 is "
            "possible",
            lambda: self.reduced("sum", 1, [3, 4]),
        )
        self.refused(
            TypeError,
            "the field of max must be its position, an int, or its name, a str, got 1.5 of type float",
            lambda: self.numbers.key_by(parity).max(1.5),  # type: ignore[arg-type]
        )

    def test_the_last_value_alone_in_batch_mode(self) -> None:
        self.env.set_runtime_mode(RuntimeExecutionMode.BATCH)
        self.numbers.key_by(parity).reduce(Plus())
        described = self.described()
        function = described.code(described.nodes[-1]["code"])
        state = Held()
        function.open(state)
        for value in (1, 2, 3):
            self.assertIsNone(function.process_element(value, state))
        self.assertEqual((list(function.on_timer(0, state)), state.timers), ([6], [2**63 - 1]))

    def test_what_keyed_streams_refuse(self) -> None:
        keyed = self.numbers.key_by(parity)
        for name in ("shuffle", "rebalance", "rescale", "forward", "broadcast", "partition_custom"):
            self.refused(
                TypeError,
                "Cannot override partitioning for KeyedStream; do so before key_by, or behind it",
                getattr(keyed, name),
            )
        self.refused(
            TypeError,
            "Set parallelism for KeyedStream is not supported; key_by is no operator of its own; name the operators "
            "before and behind it",
            lambda: keyed.set_parallelism(1),
        )
        for name in ("name", "uid", "get_name", "set_max_parallelism", "force_non_parallel", "slot_sharing_group"):
            with self.assertRaisesRegex(TypeError, "for KeyedStream is not supported|of KeyedStream is not supported"):
                getattr(keyed, name)()
        with self.assertRaisesRegex(TypeError, "^Cache for KeyedStream is not supported; call cache"):
            keyed.cache()
        cached = self.numbers.map(increment, LONG).cache()
        with self.assertRaisesRegex(TypeError, "^Set parallelism for CachedDataStream is not supported; "):
            cached.set_parallelism(1)


class Plus(ReduceFunction):
    def reduce(self, value1: Any, value2: Any) -> Any:
        return value1 + value2


class Held:
    """A runtime context, a context, its timers and a value state in one."""

    def __init__(self) -> None:
        self.held: Any = None
        self.timers: List[int] = []

    def get_state(self, descriptor: Any) -> Held:
        return self

    def timer_service(self) -> Held:
        return self

    def register_event_time_timer(self, time: int) -> None:
        self.timers.append(time)

    def value(self) -> Any:
        return self.held

    def update(self, value: Any) -> None:
        self.held = value


class TwoStreamsTest(Base):
    def test_connected_streams(self) -> None:
        other = self.env.from_collection(["a"], STRING)
        both = self.numbers.connect(other)
        keyed = both.key_by(parity, len, LONG)
        for stream, kind in (
            (both.map(CoMap(), LONG), "stream.co_map"),
            (both.flat_map(CoFlat(), LONG), "stream.co_flat_map"),
            (both.process(Co(), LONG), "stream.co_process"),
            (keyed.process(KeyedCo(), LONG), "stream.keyed_co_process"),
            (keyed.map(CoMap(), LONG), "stream.keyed_co_process"),
            (keyed.flat_map(CoFlat(), LONG), "stream.keyed_co_process"),
        ):
            described = self.described()
            self.assertEqual(
                self.without_code(described.of(stream)), {"type": "python", "kind": kind, "output": "int64"}
            )
            edges = [edge for edge in described.edges if edge["to"] == stream._origins[0].node.id]
            self.assertEqual([edge.get("input", 0) for edge in edges], [0, 1])
            before = {node["id"]: node["type"] for node in described.nodes}
            wanted = "key_by" if "keyed" in kind else "source"
            self.assertEqual([before[edge["from"]] for edge in edges], [wanted, wanted])
            self.assertEqual(stream.get_type(), LONG)
        with self.assertRaisesRegex(TypeError, "^map of connected streams takes an instance of CoMapFunction, got"):
            both.map(increment)  # type: ignore[arg-type]

    def test_none_is_no_element_of_a_keyed_map(self) -> None:
        self.numbers.key_by(parity).connect(self.numbers.key_by(parity)).map(CoMap(), LONG)
        described = self.described()
        function = described.code(described.last()["code"])
        self.assertEqual((function.process_element1(5, None), function.process_element2(5, None)), ((5,), ()))

    def test_broadcast_state(self) -> None:
        rules = MapStateDescriptor("rules", STRING, Types.PICKLED_BYTE_ARRAY())
        other = self.env.from_collection(["a"], STRING).broadcast(rules)
        for stream, function, kind in (
            (self.numbers, Broadcast(), "stream.broadcast_process"),
            (self.numbers.key_by(parity, LONG), KeyedBroadcast(), "stream.keyed_broadcast_process"),
        ):
            stream.connect(other).process(function, LONG)
            described = self.described()
            node = described.last()
            self.assertEqual(node["kind"], kind)
            self.assertEqual(json.loads(node["options"]["broadcast_states"]), {"rules": ["string", None]})
            self.assertEqual((described.edges[-1]["input"], described.edges[-1]["partitioning"]), (1, "broadcast"))
        with self.assertRaisesRegex(
            TypeError, "^process of a keyed broadcast stream takes an instance of KeyedBroadcastProcessFunction, got"
        ):
            self.numbers.key_by(parity).connect(other).process(Broadcast())
        with self.assertRaisesRegex(
            TypeError, "^broadcast takes an instance of MapStateDescriptor, got 5 of type int$"
        ):
            self.numbers.broadcast(5)  # type: ignore[call-overload]
        self.refused(
            ValueError,
            "two broadcast states are called 'rules'; give each a name of its own",
            lambda: self.numbers.broadcast(rules, rules),
        )

    def test_interval_joins(self) -> None:
        left, right = self.numbers.key_by(parity, LONG), self.numbers.key_by(parity, LONG)
        joined = left.interval_join(right).between(Time.milliseconds(-5), Duration.of_millis(3)).upper_bound_exclusive()
        joined.process(Pairs(), Types.TUPLE([LONG, LONG]))
        self.assertEqual(
            self.without_code(self.described().last()),
            {
                "type": "interval_join",
                "lower_ms": -5,
                "upper_ms": 3,
                "lower_exclusive": False,
                "upper_exclusive": True,
                "output": "tuple<f0: int64, f1: int64>",
            },
        )
        self.refused(
            ValueError,
            "the lower_bound of between must not be above the upper_bound, got 2 ms and 1 ms",
            lambda: left.interval_join(right).between(Time.milliseconds(2), Time.milliseconds(1)),
        )

    def test_window_joins(self) -> None:
        windows = TumblingEventTimeWindows.of(Time.seconds(1))
        join = self.numbers.join(self.numbers).where(parity, LONG).equal_to(parity).window(windows)
        join.apply(add, LONG)
        node = self.described().last()
        self.assertEqual((node["type"], node["function"], node["assigner"]["size_ms"]), ("window", "join", 1000))
        self.assertEqual([edge.get("input", 0) for edge in self.described().edges[-2:]], [0, 1])
        grouped = self.numbers.co_group(self.numbers).where(parity, LONG).equal_to(parity).window(windows)
        grouped.apply(Groups(), LONG)
        self.assertEqual(self.described().last()["function"], "co_group")
        with self.assertRaisesRegex(TypeError, "^apply of a co-group takes an instance of CoGroupFunction, got"):
            grouped.apply(add)  # type: ignore[arg-type]

    def test_iterations(self) -> None:
        loop = self.numbers.iterate(Time.seconds(1))
        step = loop.map(increment, LONG)
        loop.close_with(step.filter(bool))
        described = self.described()
        node = next(node for node in described.nodes if node["type"] == "iteration")
        self.assertEqual(node["max_wait_ms"], 1000)
        into = [edge for edge in described.edges if edge["to"] == node["id"]]
        self.assertEqual([edge.get("feedback", False) for edge in into], [False, True])
        self.refused(
            ValueError,
            "what is fed back must have the type of the iteration, Long, and has String",
            lambda: loop.close_with(loop.map(str, STRING)),
        )
        self.refused(
            ValueError,
            "what is fed back must be made of the iteration's elements, and it is not",
            lambda: loop.close_with(self.numbers),
        )
        self.refused(
            ValueError,
            "the max_wait of iterate must be a Time, a Duration or an int of at least 0 ms, got -1",
            lambda: self.numbers.iterate(-1),
        )


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
        with self.assertRaisesRegex(TypeError, "^add_source takes an instance of SourceFunction, got"):
            self.env.add_source(5)  # type: ignore[arg-type]

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
                "WARNING:clutch.datastream:checkpointing has no effect: jobs make no checkpoints yet, and begin anew after "
                "a failure",
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
