"""What programs of clutch.datastream are described as: streams with keys, and two streams."""

from __future__ import annotations

import json
import unittest
from typing import Any, List

from described import (
    LONG,
    STRING,
    Base,
    Broadcast,
    Co,
    CoFlat,
    CoMap,
    Groups,
    Keyed,
    KeyedBroadcast,
    KeyedCo,
    Opening,
    Pairs,
    Parity,
    add,
    increment,
    parity,
)

# isort: split
from clutch.common import Duration, Row, Time, Types
from clutch.datastream import (
    ReduceFunction,
    RuntimeExecutionMode,
)
from clutch.datastream.state import MapStateDescriptor
from clutch.datastream.window import TumblingEventTimeWindows


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


if __name__ == "__main__":
    unittest.main()
