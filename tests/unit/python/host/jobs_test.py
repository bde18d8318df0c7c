"""Jobs of clutch.datastream from end to end, in each mode."""

from __future__ import annotations

import datetime
import pathlib
import tempfile
import threading
import unittest
from typing import Any, List

from jobs import Jobs, add, environment, increment, inverse, parity

# isort: split
import clutch
from clutch.common import Configuration, Encoder, Row, Time, Types, WatermarkStrategy
from clutch.common.constants import MAX_LONG_VALUE
from clutch.datastream import (
    KeyedBroadcastProcessFunction,
    KeyedProcessFunction,
    MapFunction,
    OutputTag,
    ProcessFunction,
    ProcessWindowFunction,
    RuntimeExecutionMode,
    StreamExecutionEnvironment,
    Trigger,
    TriggerResult,
    WindowFunction,
)
from clutch.datastream.connectors import BucketAssigner, FileSink
from clutch.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from clutch.datastream.window import SlidingEventTimeWindows, TumblingEventTimeWindows

LONG, STRING = Types.LONG(), Types.STRING()
ODD = OutputTag("odd", Types.STRING())


def is_even(value: int) -> bool:
    return value % 2 == 0


def twice(value: int) -> List[int]:
    return [value] * 2


def same(value: Any) -> Any:
    return value


def even_text(value: int) -> str:
    return "even %d" % value


def modulo(key: int, count: int) -> int:
    return key % count


def tens(value: int) -> int:
    return value // 10


def first(value: Any) -> Any:
    return value[0]


class Split(ProcessFunction):
    def process_element(self, value: int, ctx: Any) -> Any:
        if value % 2:
            yield ODD, "odd %d" % value
        else:
            yield value


class Sums(KeyedProcessFunction):
    """The sum of the values of a key so far, and at the end what was seen."""

    def open(self, runtime_context: Any) -> None:
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", LONG))
        self.seen = runtime_context.get_list_state(ListStateDescriptor("seen", LONG))
        self.count = runtime_context.get_map_state(MapStateDescriptor("count", STRING, LONG))
        self.most = runtime_context.get_reducing_state(ReducingStateDescriptor("most", max, LONG))

    def process_element(self, value: Any, ctx: Any) -> Any:
        self.sum.update((self.sum.value() or 0) + value[1])
        self.seen.add(value[1])
        self.count.put("n", (self.count.get("n") or 0) + 1)
        self.most.add(value[1])
        ctx.timer_service().register_event_time_timer(MAX_LONG_VALUE)

    def on_timer(self, timestamp: int, ctx: Any) -> Any:
        yield Row(ctx.get_current_key(), self.sum.value(), sorted(self.seen), self.count.get("n"), self.most.get())


class Large(KeyedProcessFunction):
    """A list and a map of which a small part travels with a batch. Each element says what to do with them."""

    COUNT = 5000

    def open(self, runtime_context: Any) -> None:
        self.items = runtime_context.get_list_state(ListStateDescriptor("items", STRING))
        self.entries = runtime_context.get_map_state(MapStateDescriptor("entries", STRING, LONG))

    def process_element(self, value: Any, ctx: Any) -> Any:
        if value[1] == "fill":
            self.items.add_all(["item %d" % i for i in range(self.COUNT)])
            self.entries.put_all({"%06d" % i: i for i in range(self.COUNT)})
        elif value[1] == "change":
            self.items.add("end")
            self.entries.put("000000", -1)
            self.entries.put("zzz", -2)
            self.entries.remove("%06d" % (self.COUNT - 1))
        elif value[1] == "clear":
            self.items.clear()
            self.entries.clear()
        elif value[1] == "look":
            yield [self.entries.get(key) for key in ("000000", "%06d" % (self.COUNT - 1), "zzz", "002000x")]
            yield [int(key in self.entries) for key in ("000001", "%06d" % (self.COUNT - 2), "nowhere")]
        elif value[1] == "sum":
            items = list(self.items)
            yield [len(items), len(set(items)), len(list(self.entries.keys())), sum(self.entries.values())]


def made_tuple(n: int) -> Any:
    return (n, "a")


def made_list(n: int) -> Any:
    return [n, "a"]


def made_dict(n: int) -> Any:
    return {"s": "a", "n": n}


def made_row(n: int) -> Any:
    return Row(n, "a")


class OnStream(Jobs):
    def test_elements_one_by_one(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            numbers = env.from_collection(list(range(10)), LONG)
            mapped = numbers.map(increment, LONG).filter(is_even)
            self.assertEqual(self.collected(mapped.flat_map(twice, LONG)), [2, 2, 4, 4, 6, 6, 8, 8, 10, 10])

        self.in_each(test)

    def test_values_keep_their_types(self) -> None:
        named = Types.ROW_NAMED(["a", "b c"], [LONG, STRING])
        row = Row(1, "x")
        row.set_field_names(["a", "b c"])
        cases = [
            ([1, None, -(2**63)], LONG),
            (["ä", "", None], STRING),
            ([1.5, float("inf")], Types.DOUBLE()),
            ([b"\x00\xff"], Types.PRIMITIVE_ARRAY(Types.BYTE())),
            ([datetime.datetime(2024, 2, 29, 1, 2, 3, 4)], Types.SQL_TIMESTAMP()),
            ([[1, 2], []], Types.LIST(LONG)),
            ([{"a": 1}], Types.MAP(STRING, LONG)),
            ([row], named),
        ]

        def test(env: StreamExecutionEnvironment) -> None:
            for values, of in cases:
                with self.subTest(type=of):
                    stream = env.from_collection(values, of)
                    self.assertEqual(self.collected(stream.map(same, of)), values)

        self.in_each(test)

    def test_rows_are_written_whatever_they_are_made_of(self) -> None:
        """The function before a sink is in its chain, and hands over what it returned."""
        of = Types.ROW_NAMED(["n", "s"], [LONG, STRING])

        def test(env: StreamExecutionEnvironment) -> None:
            for make in (made_tuple, made_list, made_dict, made_row):
                with tempfile.TemporaryDirectory() as folder:
                    sink = FileSink.for_row_format(folder, Encoder.simple_string_encoder())
                    sink.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
                    env.from_collection([1, 2], LONG).map(make, of).sink_to(sink.build())
                    env.execute()
                    texts = [path.read_text() for path in pathlib.Path(folder).iterdir()]
                    self.assertEqual(texts, ["+I[1,a]\n+I[2,a]\n"])

        self.in_each(test)

    def test_a_value_that_does_not_fit_is_refused(self) -> None:
        env = environment("thread")
        stream = env.from_collection([1, "two"], LONG)
        with self.assertRaisesRegex(ValueError, "row 1: 'two' of type str does not fit int64; pass what fits"):
            stream.execute_and_collect()

    def test_side_outputs_and_union(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            split = env.from_collection([1, 2, 3, 4], LONG).process(Split(), LONG)
            even = split.map(even_text, STRING)
            self.assertEqual(
                sorted(self.collected(split.get_side_output(ODD).union(even))), ["even 2", "even 4", "odd 1", "odd 3"]
            )

        self.in_each(test)

    def test_failures_name_operator_and_row(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_collection([3, 0], LONG).map(inverse, LONG)
            with self.assertRaises(clutch.Error) as caught:
                self.collected(stream)
            self.assertIn("ZeroDivisionError", str(caught.exception))
            self.assertEqual(caught.exception.details["operator"], "Map")

        self.in_each(test)


class Place(MapFunction):
    def open(self, runtime_context: Any) -> None:
        self.index = runtime_context.get_index_of_this_subtask()

    def map(self, value: int) -> Any:
        return value, self.index


class OnKeys(Jobs):
    def test_state_and_timers(self) -> None:
        pairs = [("a", 1), ("b", 5), ("a", 3), ("a", 2)]
        out = Types.ROW([STRING, LONG, Types.LIST(LONG), LONG, LONG])

        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_collection(pairs, Types.ROW([STRING, LONG])).key_by(first, STRING)
            rows = [tuple(row) for row in self.collected(stream.process(Sums(), out))]
            self.assertEqual(sorted(rows), [("a", 6, [1, 2, 3], 3, 3), ("b", 5, [5], 1, 5)])

        self.in_each(test)
        self.in_each(test, 2)

    def test_state_that_is_larger_than_what_travels_with_a_batch(self) -> None:
        count = Large.COUNT
        total = count * (count - 1) // 2
        steps = ["look", "fill", "look", "sum", "change", "sum", "look", "clear", "look", "sum"]
        nothing, gone = [[None] * 4, [0] * 3], [0, 0, 0, 0]
        expected = [
            *nothing,
            [0, count - 1, None, None],
            [1, 1, 0],
            [count, count, count, total],
            [count + 1, count + 1, count, total - 1 - (count - 1) - 2],
            [-1, None, -2, None],
            [1, 1, 0],
            *nothing,
            gone,
        ]

        def test(env: StreamExecutionEnvironment) -> None:
            one_by_one = Configuration()
            one_by_one.set_string("clutch.engine.batch-rows", "1")
            env.configure(one_by_one)
            pairs = env.from_collection([("k", step) for step in steps], Types.ROW([STRING, STRING]))
            found = self.collected(pairs.key_by(first, STRING).process(Large(), Types.LIST(LONG)))
            self.assertEqual(found, expected)

        self.in_each(test)

    def test_final_results_in_batch_mode(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            env.set_runtime_mode(RuntimeExecutionMode.BATCH)
            stream = env.from_collection([("a", 1), ("b", 5), ("a", 3)], Types.ROW([STRING, LONG]))
            rows = self.collected(stream.key_by(first, STRING).sum(1))
            self.assertEqual(sorted(map(tuple, rows)), [("a", 4), ("b", 5)])

        self.in_each(test)

    def test_a_keyed_stream_shows_keys(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_collection([1, 2], LONG).key_by(is_even, Types.BOOLEAN())
            self.assertEqual(
                sorted(map(tuple, self.collected(stream)), key=lambda pair: pair[1]), [(False, 1), (True, 2)]
            )

        self.in_each(test)

    def test_maps_with_state(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_collection(list("abab"), STRING).key_by(same, STRING).map(Numbered(), STRING)
            self.assertEqual(self.collected(stream), ["a1", "b1", "a2", "b2"])

        self.in_each(test)

    def test_a_window_function_has_one_thread(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
            numbers = env.from_collection(list(range(20_000)), LONG).assign_timestamps_and_watermarks(strategy)
            windows = numbers.key_by(parity, LONG).window(TumblingEventTimeWindows.of(Time.milliseconds(1000)))
            sums = self.collected(windows.process(OneThread(), LONG))
            self.assertEqual(len(sums), 40)
            self.assertEqual(sum(sums), sum(range(20_000)))

        self.in_each(test)

    def test_windows_with_a_trigger_of_users(self) -> None:
        """Sliding windows that the operator in Python makes."""

        def test(env: StreamExecutionEnvironment) -> None:
            pairs = [("a", 1), ("b", 2), ("a", 6), ("a", 12)]
            stream = env.from_collection(pairs, Types.ROW([STRING, LONG]))
            strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
            keyed = stream.assign_timestamps_and_watermarks(strategy).key_by(first, STRING)
            windows = keyed.window(SlidingEventTimeWindows.of(Time.milliseconds(10), Time.milliseconds(5)))
            shown = self.collected(windows.trigger(AtEnd()).apply(Show(), STRING))
            expected = ["a -5 [1]", "b -5 [2]", "a 0 [1, 6]", "b 0 [2]", "a 5 [6, 12]", "a 10 [12]"]
            self.assertEqual(sorted(shown), sorted(expected))

        self.in_each(test)


class Itself:
    def extract_timestamp(self, value: int, record_timestamp: int) -> int:
        return value


class Second:
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[1])


class Numbered(MapFunction):
    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", LONG))

    def map(self, value: str) -> str:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        return "%s%d" % (value, count)


class Show(WindowFunction):
    def apply(self, key: Any, window: Any, inputs: Any) -> Any:
        yield "%s %d %s" % (key, window.start, [value[1] for value in inputs])


class AtEnd(Trigger):
    def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_processing_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.FIRE

    def on_merge(self, window: Any, ctx: Any) -> None:
        raise AssertionError("these windows do not merge")

    def clear(self, window: Any, ctx: Any) -> None:
        ctx.delete_event_time_timer(window.max_timestamp())


class OneThread(ProcessWindowFunction):
    """Refuses any thread but that of open()."""

    def open(self, runtime_context: Any) -> None:
        self.thread = threading.get_ident()

    def check(self, where: str) -> None:
        if threading.get_ident() != self.thread:
            raise RuntimeError(where + " runs in another thread than open()")

    def process(self, key: Any, context: Any, elements: Any) -> List[int]:
        self.check("process()")
        return [sum(elements)]

    def clear(self, context: Any) -> None:
        self.check("clear()")

    def close(self) -> None:
        self.check("close()")


class ShowKeys(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        ctx.timer_service().register_event_time_timer(MAX_LONG_VALUE)
        yield "row", ctx.get_current_key()

    def on_timer(self, timestamp: int, ctx: Any) -> Any:
        yield "timer", ctx.get_current_key()


RULES = MapStateDescriptor("rules", STRING, LONG)


class CountKeys(KeyedBroadcastProcessFunction):
    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", LONG))

    def process_element(self, value: Any, ctx: Any) -> Any:
        self.count.update((self.count.value() or 0) + 1)
        yield ctx.get_current_key(), self.count.value()

    def process_broadcast_element(self, value: str, ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(value, 1)


def has_objects() -> bool:
    """Whether this build knows the types of any Python object and of tuples."""
    import clutch._host as native

    try:
        native.Schema("element: pickle, pair: tuple<f0: int64>")
    except clutch.Error:
        return False
    return True


@unittest.skipUnless(has_objects(), "this build has no types pickle and tuple")
class OnObjects(Jobs):
    """Elements and keys without a type, and tuples."""

    def test_values_keep_their_types(self) -> None:
        cases = [
            ([(1, "a"), (2, None)], Types.TUPLE([LONG, STRING])),
            ([(1, ("a", 2.5))], Types.TUPLE([LONG, Types.TUPLE([STRING, Types.DOUBLE()])])),
            ([{"any": {1, 2}}, (1,), 2**70, "s"], None),
            ([Row(1, {"x"})], None),
        ]

        def test(env: StreamExecutionEnvironment) -> None:
            for values, of in cases:
                with self.subTest(type=of):
                    stream = env.from_collection(values, of)
                    self.assertEqual(self.collected(stream.map(same, of)), values)

        self.in_each(test)

    def test_keys_without_a_type(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_collection([("a", 1), ("b", 5), ("a", 3)]).key_by(first).sum(1)
            self.assertEqual(self.collected(stream), [("a", 1), ("b", 5), ("a", 4)])

        self.in_each(test)

    def test_functions_see_keys_without_a_type(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            keyed = env.from_collection([1, ("x", 2), None]).key_by(same)
            rows = self.collected(keyed.process(ShowKeys()))
            self.assertEqual(rows[:3], [("row", 1), ("row", ("x", 2)), ("row", None)])
            self.assertCountEqual(rows[3:], [("timer", 1), ("timer", ("x", 2)), ("timer", None)])
            rules = env.from_collection(["rule"], STRING).broadcast(RULES)
            counts = self.collected(keyed.connect(rules).process(CountKeys()))
            self.assertCountEqual(counts, [(1, 1), (("x", 2), 1), (None, 1)])
            strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
            timed = env.from_collection([("a", 1), ("b", 2), ("a", 3)]).assign_timestamps_and_watermarks(strategy)
            windows = timed.key_by(first).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
            self.assertCountEqual(self.collected(windows.apply(Show(), STRING)), ["a 0 [1, 3]", "b 0 [2]"])
            slow = timed.key_by(first).window(TumblingEventTimeWindows.of(Time.milliseconds(10))).trigger(AtEnd())
            self.assertCountEqual(self.collected(slow.apply(Show(), STRING)), ["a 0 [1, 3]", "b 0 [2]"])

        self.in_each(test)

    def test_partitions_by_hand(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_collection(list(range(20)), LONG).partition_custom(modulo, tens)
            placed = stream.map(Place(), Types.ROW([LONG, LONG]))
            found = self.collected(placed)
            self.assertEqual({(value // 10, place) for value, place in found}, {(0, 0), (1, 1)})

        self.in_each(test, 2)


if __name__ == "__main__":
    unittest.main()
