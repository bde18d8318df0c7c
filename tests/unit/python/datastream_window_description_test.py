"""Windows of clutch.datastream as nodes: native ones, and those that the operator in Python serves."""

from __future__ import annotations

import pickle
import unittest
from typing import Any, Dict, Iterable

from support import TestCase

# isort: split
from clutch.common import Time, Types
from clutch.datastream import (
    AggregateFunction,
    AllWindowFunction,
    CoGroupFunction,
    FlatJoinFunction,
    OutputTag,
    ProcessWindowFunction,
    StreamExecutionEnvironment,
    Trigger,
    WindowFunction,
)
from clutch.datastream.functions import ProcessAllWindowFunction
from clutch.datastream.window import (
    ContinuousEventTimeTrigger,
    CountEvictor,
    CountTrigger,
    DeltaEvictor,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindows,
    NeverTrigger,
    ProcessingTimeSessionWindows,
    PurgingTrigger,
    SessionWindowTimeGapExtractor,
    SlidingProcessingTimeWindows,
    TimeEvictor,
    TumblingEventTimeWindows,
)

LONG = Types.LONG()


def parity(value: int) -> int:
    return value % 2


def add(left: int, right: int) -> int:
    return left + right


class Apply(WindowFunction):
    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Iterable[Any]:
        return list(inputs)


class ApplyAll(AllWindowFunction):
    def apply(self, window: Any, inputs: Iterable[Any]) -> Iterable[Any]:
        return list(inputs)


class Process(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Iterable[Any]:
        return [(key, context.window(), list(elements))]


class ProcessAll(ProcessAllWindowFunction):
    def process(self, context: Any, elements: Iterable[Any]) -> Iterable[Any]:
        return [list(elements)]


class Total(AggregateFunction):
    def create_accumulator(self) -> Any:
        return 0

    def add(self, value: Any, accumulator: Any) -> Any:
        return accumulator + value

    def get_result(self, accumulator: Any) -> Any:
        return str(accumulator)

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return acc_a + acc_b


class Gap(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return int(element)


class Custom(EventTimeTrigger):
    """A class of users, though its base is built in."""


class NotMerging(CountTrigger):
    def can_merge(self) -> bool:
        return False


class Both(CoGroupFunction):
    def co_group(self, first: Any, second: Any) -> Any:
        return [(list(first), list(second))]


class Flat(FlatJoinFunction):
    def join(self, first: Any, second: Any) -> Any:
        return [first, second]


class Window:
    """The context of a window function."""

    def window(self) -> str:
        return "w"


def seconds(count: int) -> Time:
    return Time.seconds(count)


class WindowsTest(TestCase):
    def setUp(self) -> None:
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.numbers = self.env.from_collection([1, 2], LONG)
        self.keyed = self.numbers.key_by(parity, LONG)

    def node(self, stream: Any) -> Dict[str, Any]:
        description = self.env._description(None, self.env._operators)
        self.blobs = description.blobs
        self.edges = description.document["edges"]
        number = stream._origins[0].node.id
        return next(node for node in description.document["nodes"] if node["id"] == number)

    def code(self, code: Dict[str, Any]) -> Any:
        return pickle.loads(self.blobs[code["blob"]])

    def test_a_whole_node(self) -> None:
        late = OutputTag("late", LONG)
        windows = self.keyed.window(TumblingEventTimeWindows.of(seconds(5))).allowed_lateness(7)
        stream = windows.side_output_late_data(late).evictor(CountEvictor.of(3)).process(Process(), Types.STRING())
        node = self.node(stream)
        self.assertTrue(hasattr(self.code(node.pop("code")), "process"))
        node.pop("id")
        self.assertEqual(
            node,
            {
                "type": "window",
                "name": "WINDOW",
                "function": "process",
                "output": "string",
                "assigner": {"type": "tumbling", "domain": "event", "size_ms": 5000, "offset_ms": 0},
                "trigger": {"type": "event_time", "purging": False},
                "evictor": {"type": "count", "count": 3, "after": False},
                "allowed_lateness_ms": 7,
                "late_tag": "late",
                "side_outputs": {"late": "int64"},
            },
        )

    def test_functions(self) -> None:
        windows = self.keyed.window(TumblingEventTimeWindows.of(seconds(5)))
        node = self.node(windows.reduce(add))
        self.assertEqual((node["function"], node["output"], "window_code" in node), ("reduce", "int64", False))
        node = self.node(windows.reduce(add, Apply(), Types.STRING()))
        self.assertEqual((node["window_function"], node["output"]), ("apply", "string"))
        node = self.node(windows.aggregate(Total(), Process(), LONG, Types.STRING()))
        self.assertEqual(
            (node["function"], node["accumulator"], node["window_function"], node["output"]),
            ("aggregate", "int64", "process", "string"),
        )
        self.assertEqual(self.node(windows.aggregate(Total()))["accumulator"], "pickle")
        self.assertEqual(self.node(windows.apply(Apply()))["function"], "apply")
        with self.assertRaisesRegex(TypeError, "^apply of windows takes an instance of WindowFunction, got"):
            windows.apply(Process())
        with self.assertRaisesRegex(
            TypeError, "^the window_function takes an instance of WindowFunction or ProcessWindowFunction, got 5"
        ):
            windows.reduce(add, 5)

    def test_assigners_and_triggers(self) -> None:
        for assigner, trigger, expected_assigner, expected_trigger in (
            (
                SlidingProcessingTimeWindows.of(seconds(4), seconds(2), seconds(1)),
                None,
                {"type": "sliding", "domain": "processing", "size_ms": 4000, "slide_ms": 2000, "offset_ms": 1000},
                {"type": "processing_time", "purging": False},
            ),
            (
                EventTimeSessionWindows.with_gap(seconds(3)),
                PurgingTrigger.of(CountTrigger.of(2)),
                {"type": "session", "domain": "event", "gap_ms": 3000},
                {"type": "count", "purging": True, "count": 2},
            ),
            (
                GlobalWindows.create(),
                ContinuousEventTimeTrigger.of(seconds(2)),
                {"type": "global"},
                {"type": "continuous_event_time", "purging": False, "interval_ms": 2000},
            ),
            (GlobalWindows.create(), NeverTrigger(), {"type": "global"}, {"type": "never", "purging": False}),
        ):
            windows = self.keyed.window(assigner)
            node = self.node((windows.trigger(trigger) if trigger else windows).reduce(add))
            self.assertEqual((node["assigner"], node["trigger"]), (expected_assigner, expected_trigger))

    def test_gaps_by_element(self) -> None:
        node = self.node(self.keyed.window(ProcessingTimeSessionWindows.with_dynamic_gap(Gap())).reduce(add))
        self.assertEqual((node["type"], node["kind"]), ("python", "stream.keyed_process"))  # gaps are for Python to say

    def test_counts(self) -> None:
        for stream, size, slide in ((self.keyed.count_window(3), 3, 3), (self.keyed.count_window(3, 2), 3, 2)):
            node = self.node(stream.reduce(add))
            self.assertEqual(node["assigner"], {"type": "count", "size": size, "slide": slide})
            self.assertEqual(node["trigger"], {"type": "count", "purging": False, "count": 3})
        self.assertEqual(self.node(self.numbers.count_window_all(4).reduce(add))["all"], True)

    def test_windows_of_all_elements(self) -> None:
        self.env.set_parallelism(4)
        windows = self.numbers.window_all(TumblingEventTimeWindows.of(seconds(5)))
        for stream in (windows.apply(ApplyAll(), LONG), windows.process(ProcessAll(), LONG)):
            node = self.node(stream)
            self.assertEqual((node["all"], node["parallelism"]), (True, 1))
        with self.assertRaisesRegex(TypeError, "^apply of windows takes an instance of AllWindowFunction, got"):
            windows.apply(Apply())

    def test_parts_of_users_run_in_python(self) -> None:
        windows = self.keyed.window(TumblingEventTimeWindows.of(seconds(5)))
        late = OutputTag("late")
        for configured in (
            windows.trigger(Custom()),
            self.keyed.window(GlobalWindows.create()).trigger(PurgingTrigger.of(Custom())),
            self.keyed.window(GlobalWindows.create()).evictor(DeltaEvictor.of(1.0, parity)),
        ):
            stream = configured.side_output_late_data(late).reduce(add)
            node = self.node(stream)
            self.assertEqual((node["type"], node["kind"], node["output"]), ("python", "stream.keyed_process", "int64"))
            self.assertEqual(node["side_outputs"], {"late": "int64"})
            self.assertTrue(hasattr(self.code(node["code"]), "on_timer"))

    def test_late_data_has_the_type_of_its_tag(self) -> None:
        tag = OutputTag("late")
        stream = self.keyed.window(TumblingEventTimeWindows.of(seconds(5))).side_output_late_data(tag).reduce(add)
        late = stream.get_side_output(tag)
        self.assertEqual(self.node(stream)["side_outputs"], {"late": "int64"})
        self.assertEqual((self.node(late)["kind"], self.node(late)["output"]), ("stream.map", "pickle"))
        same = OutputTag("late", LONG)
        stream = self.keyed.window(TumblingEventTimeWindows.of(seconds(5))).side_output_late_data(same).reduce(add)
        self.assertEqual(stream.get_side_output(same)._origins[0].side, "late")

    def test_evicted_windows_are_folded_as_a_whole(self) -> None:
        windows = self.keyed.window(TumblingEventTimeWindows.of(seconds(5))).evictor(TimeEvictor.of(seconds(1)))
        node = self.node(windows.reduce(add, Process()))
        self.assertEqual((node["function"], node["evictor"]["window_ms"]), ("process", 1000))
        folded = self.code(node["code"])
        self.assertEqual(list(folded.process("k", Window(), [1, 2, 3])), [("k", "w", [6])])
        self.assertEqual(list(folded.process("k", Window(), [])), [])
        node = self.node(windows.aggregate(Total()))
        self.assertEqual(list(self.code(node["code"]).process("k", Window(), [1, 2])), ["3"])
        everything = self.numbers.window_all(TumblingEventTimeWindows.of(seconds(5))).evictor(CountEvictor.of(1))
        self.assertEqual(list(self.code(self.node(everything.reduce(add))["code"]).process(Window(), [1, 2])), [3])

    def test_joins_with_parts_of_users(self) -> None:
        windows = GlobalWindows.create()
        for stream, function, expected in (
            (self.numbers.join(self.numbers), add, [11, 21, 12, 22]),
            (self.numbers.join(self.numbers), Flat(), [1, 10, 1, 20, 2, 10, 2, 20]),
            (self.numbers.co_group(self.numbers), Both(), [([1, 2], [10, 20])]),
        ):
            windowed = stream.where(parity, LONG).equal_to(parity).window(windows).trigger(Custom())  # type: ignore[attr-defined]
            node = self.node(windowed.apply(function, LONG))
            self.assertEqual(node["kind"], "stream.keyed_process")
            meet = self.code(node["code"])._function
            self.assertEqual(list(meet.apply("k", None, [(0, 1), (1, 10), (0, 2), (1, 20)])), expected)

    def test_wrong_settings(self) -> None:
        windows = self.keyed.window(EventTimeSessionWindows.with_gap(seconds(1)))
        with self.assertRaisesRegex(
            TypeError, "^A merging window assigner cannot be used with a trigger that does not support merging: "
        ):
            windows.trigger(NotMerging(2))
        self.refused(
            ValueError,
            "the allowed lateness of windows must be an int of at least 0 ms, got -1",
            lambda: windows.allowed_lateness(-1),
        )
        self.refused(
            TypeError,
            "trigger takes an instance of Trigger, got 5 of type int",
            lambda: windows.trigger(5),  # type: ignore[arg-type]
        )
        self.refused(
            TypeError,
            "window takes an instance of WindowAssigner, got 5 of type int",
            lambda: self.keyed.window(5),  # type: ignore[arg-type]
        )
        self.assertTrue(issubclass(Custom, Trigger))


if __name__ == "__main__":
    unittest.main()
