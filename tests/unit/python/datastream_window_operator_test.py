"""The window operator in Python, driven by hand, against a model that looks at all elements anew each time."""

from __future__ import annotations

import pickle
import random
import unittest
from enum import Enum
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from support import TestCase

# isort: split
from clutch.common import Duration, Time, Types
from clutch.common.constants import MAX_LONG_VALUE, MIN_LONG_VALUE
from clutch.datastream import _window_operator as operators
from clutch.datastream._window_lowering import WindowParts, WindowWork
from clutch.datastream.functions import AggregateFunction, ProcessWindowFunction, WindowFunction
from clutch.datastream.output_tag import OutputTag
from clutch.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from clutch.datastream.window import (
    CountEvictor,
    CountSlidingWindowAssigner,
    CountTrigger,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindows,
    MergingWindowAssigner,
    ProcessingTimeTrigger,
    PurgingTrigger,
    SlidingEventTimeWindows,
    TimeEvictor,
    TimeWindow,
    TimeWindowSerializer,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

LATE = OutputTag("late", Types.LONG())


class Domain(Enum):
    EVENT_TIME = 0
    PROCESSING_TIME = 1


class Entries:
    """A map state by key whose values are bytes, as those of a runtime are."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self.held: Dict[Any, Dict[bytes, bytes]] = {}

    def _here(self) -> Dict[bytes, bytes]:
        return self.held.setdefault(self._harness.key, {})

    def get(self, key: bytes) -> Any:
        found = self._here().get(key)
        return None if found is None else pickle.loads(found)

    def put(self, key: bytes, value: Any) -> None:
        self._here()[key] = pickle.dumps(value)

    def remove(self, key: bytes) -> None:
        self._here().pop(key, None)


class Harness:
    """Keys, clocks and timers of one operator. It is its own runtime context, ctx and timer service."""

    def __init__(self, operator: Any) -> None:
        self.key: Any = None
        self.watermark = MIN_LONG_VALUE
        self.clock = 0
        self.time: Optional[int] = None
        self.domain: Optional[Domain] = None
        self.timers: Set[Tuple[str, int, Any]] = set()
        self.entries = Entries(self)
        self.given: List[Any] = []
        self.operator = pickle.loads(pickle.dumps(operator))
        self.operator.open(self)

    # What the operator sees

    def get_map_state(self, descriptor: Any) -> Entries:
        assert descriptor.clutch_types == ("binary", None)
        return self.entries

    def get_metrics_group(self) -> str:
        return "metrics"

    def get_index_of_this_subtask(self) -> int:
        return 0

    def timer_service(self) -> Harness:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def current_processing_time(self) -> int:
        return self.clock

    def get_current_key(self) -> Any:
        return self.key

    def timestamp(self) -> Optional[int]:
        return self.time

    def time_domain(self) -> Any:
        return self.domain

    def register_event_time_timer(self, time: int) -> None:
        self.timers.add(("event", time, self.key))

    def register_processing_time_timer(self, time: int) -> None:
        self.timers.add(("processing", time, self.key))

    def delete_event_time_timer(self, time: int) -> None:
        self.timers.discard(("event", time, self.key))

    def delete_processing_time_timer(self, time: int) -> None:
        self.timers.discard(("processing", time, self.key))

    # What a test does

    def element(self, key: Any, value: Any, time: Optional[int]) -> None:
        self.key, self.time = key, time
        self.given.extend(self.operator.process_element(value, self) or ())

    def _fire(self, sort: str, until: int, domain: Domain) -> None:
        while True:
            due = sorted(timer for timer in self.timers if timer[0] == sort and timer[1] <= until)
            if not due:
                return
            self.timers.discard(due[0])
            _, self.time, self.key = due[0]
            self.domain = domain
            self.given.extend(self.operator.on_timer(self.time, self) or ())

    def advance(self, watermark: int) -> None:
        self.watermark = watermark
        self._fire("event", watermark, Domain.EVENT_TIME)

    def advance_clock(self, clock: int) -> None:
        self.clock = clock
        self._fire("processing", clock, Domain.PROCESSING_TIME)

    def take(self) -> List[Any]:
        given, self.given = self.given, []
        return given

    def is_empty(self) -> bool:
        """Whether no window has left anything."""
        return not any(self.entries.held.values()) and not self.timers


class Show(WindowFunction):
    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Iterable[Any]:
        span = (window.start, window.end) if isinstance(window, TimeWindow) else window
        return [(key, span, list(inputs))]


class Mean(AggregateFunction):
    def create_accumulator(self) -> Any:
        return (0, 0)

    def add(self, value: Any, accumulator: Any) -> Any:
        return (accumulator[0] + value, accumulator[1] + 1)

    def get_result(self, accumulator: Any) -> Any:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return (acc_a[0] + acc_b[0], acc_a[1] + acc_b[1])


def add(left: int, right: int) -> int:
    return left + right


def harness_of(
    assigner: Any,
    trigger: Any = None,
    evictor: Any = None,
    lateness: int = 0,
    late: Optional[OutputTag] = None,
    work: Optional[WindowWork] = None,
    all_windows: bool = False,
) -> Harness:
    parts = WindowParts(assigner, trigger or assigner.get_default_trigger(None), evictor, lateness, late)
    work = work or WindowWork("apply", Show(), None, Types.PICKLED_BYTE_ARRAY(), None)
    return Harness(operators.WindowOperator(parts, work, all_windows, Types.LONG()))


def seconds(count: int) -> Time:
    return Time.milliseconds(count)


class TimeWindowsTest(TestCase):
    def test_tumbling_windows_fire_at_their_end_and_leave_nothing(self) -> None:
        harness = harness_of(TumblingEventTimeWindows.of(seconds(10)))
        harness.element("a", 1, 3)
        harness.element("b", 2, 4)
        harness.element("a", 3, 12)
        harness.element("a", 4, 9)
        harness.advance(8)
        self.assertEqual(harness.take(), [])
        harness.advance(9)
        self.assertEqual(harness.take(), [("a", (0, 10), [1, 4]), ("b", (0, 10), [2])])
        harness.advance(MAX_LONG_VALUE)
        self.assertEqual(harness.take(), [("a", (10, 20), [3])])
        self.assertTrue(harness.is_empty())

    def test_an_element_without_a_timestamp_is_refused(self) -> None:
        harness = harness_of(TumblingEventTimeWindows.of(seconds(10)))
        with self.assertRaisesRegex(ValueError, "the element 1 has no timestamp, which TumblingEventTimeWindows needs"):
            harness.element("a", 1, None)

    def test_late_elements_fire_again_then_go_aside(self) -> None:
        harness = harness_of(TumblingEventTimeWindows.of(seconds(10)), lateness=5, late=LATE)
        harness.element("a", 1, 3)
        harness.advance(9)
        harness.element("a", 2, 4)
        self.assertEqual(harness.take(), [("a", (0, 10), [1]), ("a", (0, 10), [1, 2])])
        harness.advance(14)
        self.assertTrue(harness.is_empty())
        harness.element("a", 3, 5)
        self.assertEqual(harness.take(), [(LATE, 3)])
        dropping = harness_of(TumblingEventTimeWindows.of(seconds(10)))
        dropping.advance(14)
        dropping.element("a", 3, 5)
        self.assertEqual((dropping.take(), dropping.is_empty()), ([], True))

    def test_processing_time(self) -> None:
        harness = harness_of(TumblingProcessingTimeWindows.of(seconds(10)), ProcessingTimeTrigger())
        harness.element("a", 1, None)
        harness.clock = 5
        harness.element("a", 2, None)
        harness.advance_clock(9)
        self.assertEqual(harness.take(), [("a", (0, 10), [1, 2])])
        self.assertTrue(harness.is_empty())

    def test_purging_drops_the_elements_and_keeps_the_window(self) -> None:
        harness = harness_of(TumblingEventTimeWindows.of(seconds(10)), PurgingTrigger.of(CountTrigger.of(2)))
        for value in range(5):
            harness.element("a", value, value)
        self.assertEqual(harness.take(), [("a", (0, 10), [0, 1]), ("a", (0, 10), [2, 3])])
        harness.advance(9)
        self.assertEqual((harness.take(), harness.is_empty()), ([], True))

    def test_reduce_and_aggregate_keep_one_value(self) -> None:
        out = Types.PICKLED_BYTE_ARRAY()
        for work, expected in (
            (WindowWork("reduce", add, None, out, Types.LONG()), 6),
            (WindowWork("reduce", add, Show(), out, Types.LONG()), ("a", (0, 10), [6])),
            (WindowWork("aggregate", Mean(), None, out, out), 2.0),
            (WindowWork("aggregate", Mean(), Show(), out, out), ("a", (0, 10), [2.0])),
        ):
            harness = harness_of(TumblingEventTimeWindows.of(seconds(10)), work=work)
            for value in (1, 2, 3):
                harness.element("a", value, value)
            self.assertEqual(len(harness.entries.held["a"]), 2)  # the value, and who waits for the end
            harness.advance(9)
            self.assertEqual((harness.take(), harness.is_empty()), ([expected], True))

    def test_many_elements(self) -> None:
        harness = harness_of(GlobalWindows.create(), PurgingTrigger.of(CountTrigger.of(1000)))
        for value in range(1000):
            harness.element("a", value, None)
        self.assertEqual([len(values) for _, _, values in harness.take()], [1000])
        self.assertTrue(harness.is_empty())


class Loop(Trigger):
    """Fires, and asks for a time that a second trigger state tells."""

    def __init__(self) -> None:
        self._sum = ReducingStateDescriptor("sum", add, Types.LONG())
        self._seen = ListStateDescriptor("seen", Types.LONG())

    def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
        ctx.get_partitioned_state(self._sum).add(element)
        ctx.get_partitioned_state(self._seen).add(timestamp)
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.FIRE if ctx.get_partitioned_state(self._sum).get() >= 10 else TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.FIRE_AND_PURGE

    def on_processing_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: Any, ctx: Any) -> None:
        ctx.merge_partitioned_state(self._sum)
        ctx.merge_partitioned_state(self._seen)
        ctx.register_event_time_timer(window.max_timestamp())

    def clear(self, window: Any, ctx: Any) -> None:
        ctx.get_partitioned_state(self._sum).clear()
        ctx.get_partitioned_state(self._seen).clear()
        ctx.delete_event_time_timer(window.max_timestamp())


class MergingTest(TestCase):
    def test_sessions_merge_with_contents_and_trigger_state(self) -> None:
        harness = harness_of(EventTimeSessionWindows.with_gap(seconds(10)), Loop())
        harness.element("a", 4, 0)
        harness.element("a", 4, 15)
        harness.element("a", 1, 8)  # joins both
        self.assertEqual(harness.take(), [])
        harness.element("a", 1, 3)
        self.assertEqual(harness.take(), [("a", (0, 25), [4, 4, 1, 1])])
        harness.advance(24)
        self.assertEqual(harness.take(), [("a", (0, 25), [4, 4, 1, 1])])
        self.assertTrue(harness.is_empty())

    def test_a_window_that_exists_keeps_its_contents(self) -> None:
        harness = harness_of(EventTimeSessionWindows.with_gap(seconds(10)))
        for time in (0, 5, 5, 0, 2):
            harness.element("a", time, time)
        harness.advance(100)
        self.assertEqual(
            [(key, span, sorted(values)) for key, span, values in harness.take()], [("a", (0, 15), [0, 0, 2, 5, 5])]
        )
        self.assertTrue(harness.is_empty())

    def test_late_elements_that_merge_into_a_window_which_lives(self) -> None:
        harness = harness_of(EventTimeSessionWindows.with_gap(seconds(10)), late=LATE)
        harness.element("a", 1, 20)
        harness.advance(15)
        harness.element("a", 2, 12)  # its own window ended at 22, which is no end yet
        harness.element("a", 3, 1)  # would have ended at 11
        harness.advance(100)
        self.assertEqual(harness.take(), [(LATE, 3), ("a", (12, 30), [1, 2])])

    def test_state_that_cannot_merge(self) -> None:
        harness = harness_of(EventTimeSessionWindows.with_gap(seconds(10)), BadMerge())
        harness.element("a", 1, 0)
        with self.assertRaisesRegex(
            TypeError,
            "^state 'v' cannot be merged, as it is a value state; use list, reducing or aggregating state$",
        ):
            harness.element("a", 1, 5)

    def test_merging_into_the_past(self) -> None:
        harness = harness_of(Shrinking())
        harness.element("a", 1, 50)
        harness.advance(40)
        with self.assertRaisesRegex(
            RuntimeError,
            r"^the event-time windows \[.*\] were merged to TimeWindow\(start=0, end=5\), which ends at or before the "
            "watermark 40; an assigner must not make windows end earlier$",
        ):
            harness.element("a", 1, 55)


class BadMerge(Loop):
    def on_merge(self, window: Any, ctx: Any) -> None:
        ctx.merge_partitioned_state(ValueStateDescriptor("v", Types.LONG()))


class Shrinking(MergingWindowAssigner):
    def assign_windows(self, element: Any, timestamp: int, context: Any) -> Any:
        return [TimeWindow(timestamp, timestamp + 10)]

    def get_default_trigger(self, env: Any) -> Any:
        return EventTimeTrigger()

    def get_window_serializer(self) -> Any:
        return TimeWindowSerializer()

    def is_event_time(self) -> bool:
        return True

    def merge_windows(self, windows: Any, callback: Any) -> None:
        windows = list(windows)
        if len(windows) > 1:
            callback.merge(windows, TimeWindow(0, 5))


class Remember(ProcessWindowFunction):
    """Counts the firings of a window and of all windows."""

    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Any:
        own = context.window_state().get_state(ValueStateDescriptor("n", Types.LONG()))
        every = context.global_state().get_map_state(MapStateDescriptor("n", Types.STRING(), Types.LONG()))
        own.update((own.value() or 0) + 1)
        every["n"] = (every["n"] or 0) + 1
        yield own.value(), every["n"], sorted(elements), context.current_watermark(), context.window().start

    def clear(self, context: Any) -> None:
        context.window_state().get_state(ValueStateDescriptor("n", Types.LONG())).clear()


class FunctionTest(TestCase):
    def test_state_of_windows_and_of_keys(self) -> None:
        work = WindowWork("process", Remember(), None, Types.PICKLED_BYTE_ARRAY(), None)
        harness = harness_of(TumblingEventTimeWindows.of(seconds(10)), lateness=5, work=work)
        harness.element("a", 1, 1)
        harness.element("a", 5, 11)
        harness.advance(9)
        harness.element("a", 2, 2)
        harness.advance(30)
        self.assertEqual(harness.take(), [(1, 1, [1], 9, 0), (2, 2, [1, 2], 9, 0), (1, 3, [5], 30, 10)])
        self.assertEqual(list(harness.entries.held["a"]), [b"gn"])

    def test_state_with_a_time_to_live_is_refused(self) -> None:
        work = WindowWork("process", Expiring(), None, Types.PICKLED_BYTE_ARRAY(), None)
        harness = harness_of(TumblingEventTimeWindows.of(seconds(10)), work=work)
        harness.element("a", 1, 1)
        self.refused(
            ValueError,
            "state 'n' is kept with a window and has no time to live of its own; take the time to live away, and clear "
            "the state in clear()",
            lambda: harness.advance(9),
        )

    def test_assigners_have_state(self) -> None:
        harness = harness_of(CountSlidingWindowAssigner.of(3, 2), PurgingTrigger.of(CountTrigger.of(3)))
        for value in range(7):
            harness.element("a", value, None)
        self.assertEqual([values for _, _, values in harness.take()], [[0, 1, 2], [2, 3, 4], [4, 5, 6]])


class Expiring(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Any:
        descriptor = ValueStateDescriptor("n", Types.LONG())
        descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.seconds(1)).build())
        context.window_state().get_state(descriptor)
        return ()


class EvictorTest(TestCase):
    def test_before_and_after(self) -> None:
        for after, expected in ((False, [[0, 1], [1, 2], [2, 3]]), (True, [[0, 1], [0, 1, 2], [1, 2, 3]])):
            evictor = CountEvictor.of(2, after)
            harness = harness_of(GlobalWindows.create(), CountTrigger.of(1), evictor)
            for value in range(4):
                harness.element("a", value, None)
            self.assertEqual([values for _, _, values in harness.take()][1:], expected)

    def test_by_time(self) -> None:
        harness = harness_of(GlobalWindows.create(), CountTrigger.of(1), TimeEvictor.of(Duration.of_millis(10)))
        for time in (0, 5, 12, 30):
            harness.element("a", time, time)
        self.assertEqual([values for _, _, values in harness.take()], [[0], [0, 5], [5, 12], [30]])


class ModelTest(TestCase):
    """Random elements and watermarks; what fires is found anew from all elements that were in time."""

    def run_model(self, seed: int, assigner: Any, spans: Any, lateness: int) -> None:
        chance = random.Random(seed)
        harness = harness_of(assigner, lateness=lateness, late=LATE)
        kept: Dict[Any, List[Tuple[int, int]]] = {}  # key -> (time, value) of elements that were taken
        fired: List[Any] = []
        watermark, base = MIN_LONG_VALUE, 0
        for value in range(120):
            if chance.random() < 0.3:
                before, watermark = watermark, max(watermark, base - chance.randrange(15))
                fired += self.due(kept, spans, before, watermark)
                harness.advance(watermark)
                self.forget(kept, spans, watermark - lateness)
            base += chance.randrange(4)
            key, time = chance.choice("ab"), max(0, base - chance.randrange(30))
            harness.element(key, value, time)
            mine = kept.setdefault(key, [])
            windows = [w for w in spans([*mine, (time, value)]) if value in w[2]]
            living = [w for w in windows if w[1] - 1 + lateness > watermark]
            if living:
                mine.append((time, value))
                fired += [(key, w[:2], sorted(w[2])) for w in living if w[1] - 1 <= watermark]
            elif time + lateness <= watermark:
                fired.append((LATE, value))
            self.forget(kept, spans, watermark - lateness)
        fired += self.due(kept, spans, watermark, MAX_LONG_VALUE)
        harness.advance(MAX_LONG_VALUE)
        given = [item if item[0] == LATE else (item[0], item[1], sorted(item[2])) for item in harness.take()]
        self.assertEqual(sorted(given, key=repr), sorted(fired, key=repr), seed)
        self.assertTrue(harness.is_empty())

    def forget(self, kept: Any, spans: Any, until: int) -> None:
        """Drop elements all of whose windows are over."""
        for key, elements in kept.items():
            alive = {value for window in spans(elements) if window[1] - 1 > until for value in window[2]}
            kept[key] = [pair for pair in elements if pair[1] in alive]

    def due(self, kept: Any, spans: Any, before: int, until: int) -> List[Any]:
        return [
            (key, window[:2], sorted(window[2]))
            for key, elements in kept.items()
            for window in spans(elements)
            if before < window[1] - 1 <= until
        ]

    def test_tumbling_and_sliding(self) -> None:
        def spans(size: int, slide: int) -> Any:
            def of(elements: List[Tuple[int, int]]) -> List[Any]:
                found: Dict[int, List[int]] = {}
                for time, value in elements:
                    last = time - time % slide
                    for start in range(last, time - size, -slide):
                        found.setdefault(start, []).append(value)
                return [(start, start + size, values) for start, values in found.items()]

            return of

        for seed in range(40):
            lateness = (0, 7)[seed % 2]
            self.run_model(seed, TumblingEventTimeWindows.of(seconds(10)), spans(10, 10), lateness)
            self.run_model(seed, SlidingEventTimeWindows.of(seconds(10), seconds(4)), spans(10, 4), lateness)

    def test_sessions(self) -> None:
        def spans(elements: List[Tuple[int, int]]) -> List[Any]:
            found: List[Any] = []
            for time, value in sorted(elements):
                if found and time <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], time + 10), [*found[-1][2], value])
                else:
                    found.append((time, time + 10, [value]))
            return found

        for seed in range(40):
            self.run_model(seed, EventTimeSessionWindows.with_gap(seconds(10)), spans, (0, 7)[seed % 2])


if __name__ == "__main__":
    unittest.main()
