"""clutch.datastream.window: windows and their bytes, assigners, triggers in a small operator, evictors."""

from __future__ import annotations

import io
import pickle
import random
import unittest
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from support import TestCase

# isort: split
from clutch.common import Duration, Time
from clutch.common.constants import MAX_LONG_VALUE, MIN_LONG_VALUE
from clutch.datastream import window as w
from clutch.datastream.window import TimeWindow, TriggerResult

CONTINUE, FIRE, PURGE, FIRE_AND_PURGE = (
    TriggerResult.CONTINUE,
    TriggerResult.FIRE,
    TriggerResult.PURGE,
    TriggerResult.FIRE_AND_PURGE,
)


class Reducing:
    """Reducing and value state in memory."""

    def __init__(self, descriptor: Any) -> None:
        self.descriptor = descriptor
        self.held: Any = None

    def get(self) -> Any:
        return self.held

    value = get

    def add(self, value: Any) -> None:
        reduce = self.descriptor.get_reduce_function().reduce
        self.held = value if self.held is None else reduce(self.held, value)

    def update(self, value: Any) -> None:
        self.held = value

    def clear(self) -> None:
        self.held = None


class Context:
    """The clocks, timers and state that triggers and assigners of one key see."""

    def __init__(self) -> None:
        self.watermark = MIN_LONG_VALUE
        self.clock = 0
        self.timers: Set[Tuple[str, int]] = set()
        self.states: Dict[str, Reducing] = {}
        self.merged: List[str] = []

    def get_current_processing_time(self) -> int:
        return self.clock

    def get_current_watermark(self) -> int:
        return self.watermark

    def get_metric_group(self) -> None:
        pass

    def register_processing_time_timer(self, time: int) -> None:
        self.timers.add(("processing", time))

    def register_event_time_timer(self, time: int) -> None:
        self.timers.add(("event", time))

    def delete_processing_time_timer(self, time: int) -> None:
        self.timers.discard(("processing", time))

    def delete_event_time_timer(self, time: int) -> None:
        self.timers.discard(("event", time))

    def get_partitioned_state(self, descriptor: Any) -> Reducing:
        return self.states.setdefault(descriptor.name, Reducing(descriptor))

    get_state = get_partitioned_state

    def merge_partitioned_state(self, descriptor: Any) -> None:
        self.merged.append(descriptor.name)

    def get_runtime_context(self) -> Context:
        return self

    def advance(self, sort: str, to: int, trigger: Any, window: Any) -> List[Tuple[int, TriggerResult]]:
        """Move a clock and fire what is due; when the trigger fired, and what it said."""
        results = []
        while True:
            due = sorted(time for kind, time in self.timers if kind == sort and time <= to)
            if sort == "event":
                self.watermark = due[0] if due else to
            else:
                self.clock = due[0] if due else to
            if not due:
                return results
            self.timers.remove((sort, due[0]))
            call = trigger.on_event_time if sort == "event" else trigger.on_processing_time
            results.append((due[0], call(due[0], window, self)))


class Every(w.SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return element


class Alternating(w.Trigger):
    """A trigger of a user."""

    def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
        return FIRE if element % 2 else PURGE

    def on_processing_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return CONTINUE

    def on_event_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return FIRE

    def on_merge(self, window: Any, ctx: Any) -> None:
        pass

    def clear(self, window: Any, ctx: Any) -> None:
        pass


class Fixed(w.WindowAssigner):
    """An assigner of a user."""

    def assign_windows(self, element: Any, timestamp: int, context: Any) -> list:
        return [TimeWindow(0, 10)]

    def get_default_trigger(self, env: Any) -> w.Trigger:
        return Alternating()

    def get_window_serializer(self) -> Any:
        return w.TimeWindowSerializer()

    def is_event_time(self) -> bool:
        return True


class WindowTest(TestCase):
    def test_time_windows_are_values_in_order(self) -> None:
        window = TimeWindow(5, 10)
        self.assertEqual((window.max_timestamp(), repr(window)), (9, "TimeWindow(start=5, end=10)"))
        self.assertEqual(len({window, TimeWindow(5, 10), TimeWindow(5, 11)}), 2)
        self.assertEqual(
            sorted([TimeWindow(5, 11), TimeWindow(1, 20), window]), [TimeWindow(1, 20), window, TimeWindow(5, 11)]
        )
        self.assertTrue(window <= TimeWindow(5, 10))
        self.assertNotEqual(window, (5, 10))
        with self.assertRaises(TypeError):
            window < (5, 10)  # noqa: B015

    def test_other_windows(self) -> None:
        self.assertEqual(w.CountWindow(3), w.CountWindow(3))
        self.assertNotEqual(w.CountWindow(3), w.CountWindow(4))
        self.assertEqual({w.GlobalWindow(), w.GlobalWindow.get()}, {w.GlobalWindow()})
        self.assertEqual([repr(w.CountWindow(3)), repr(w.GlobalWindow())], ["CountWindow(id=3)", "GlobalWindow"])
        self.assertEqual(w.CountWindow(3).max_timestamp(), MAX_LONG_VALUE)
        self.assertEqual(w.GlobalWindow().max_timestamp(), MAX_LONG_VALUE)

    def test_bytes(self) -> None:
        for serializer, window, size in (
            (w.TimeWindowSerializer(), TimeWindow(-5, MAX_LONG_VALUE), 16),
            (w.CountWindowSerializer(), w.CountWindow(7), 8),
            (w.GlobalWindowSerializer(), w.GlobalWindow(), 1),
        ):
            stream = io.BytesIO()
            serializer.serialize(window, stream)
            self.assertEqual(len(stream.getvalue()), size)
            self.assertEqual(serializer.deserialize(io.BytesIO(stream.getvalue() + b"more")), window)
            self.assertEqual(pickle.loads(pickle.dumps(window)), window)
        self.refused(
            EOFError,
            "a TimeWindow has 16 bytes, but the stream ends after 3",
            lambda: w.TimeWindowSerializer().deserialize(io.BytesIO(b"abc")),
        )

    def test_touching_windows_intersect(self) -> None:
        self.assertTrue(TimeWindow(0, 5).intersects(TimeWindow(5, 6)))
        self.assertTrue(TimeWindow(5, 6).intersects(TimeWindow(0, 5)))
        self.assertFalse(TimeWindow(0, 5).intersects(TimeWindow(6, 7)))
        self.assertEqual(TimeWindow(0, 5).cover(TimeWindow(3, 9)), TimeWindow(0, 9))

    def test_merging_as_a_model_does(self) -> None:
        class Merges(w.MergingWindowAssigner.MergeCallback):
            def __init__(self) -> None:
                self.seen: Dict[TimeWindow, Set[TimeWindow]] = {}

            def merge(self, to_be_merged: Any, merge_result: TimeWindow) -> None:
                self.seen[merge_result] = set(to_be_merged)

        dice = random.Random(7)
        for _ in range(200):
            windows = [TimeWindow(s, s + dice.randint(1, 6)) for s in (dice.randint(-30, 30) for _ in range(8))]
            # The model: mark each moment that a window holds or ends with, and take what is connected.
            groups: List[Set[TimeWindow]] = []
            for window in windows:
                touching = [g for g in groups if any(window.intersects(o) for o in g)]
                groups = [g for g in groups if g not in touching] + [set().union({window}, *touching)]
            expected = {TimeWindow(min(m.start for m in g), max(m.end for m in g)): g for g in groups if len(g) > 1}
            merges = Merges()
            w.EventTimeSessionWindows.with_gap(Time(1)).merge_windows(windows, merges)
            self.assertEqual(merges.seen, expected)


class AssignerTest(TestCase):
    def assign(self, assigner: Any, timestamp: Optional[int], element: Any = None, clock: int = 0) -> list:
        context = Context()
        context.clock = clock
        return list(assigner.assign_windows(element, timestamp, context))

    def test_tumbling_and_sliding_as_a_model_does(self) -> None:
        dice = random.Random(11)
        for _ in range(300):
            size, slide = dice.randint(1, 12), dice.randint(1, 12)
            offset, now = dice.randint(1 - slide, slide - 1), dice.randint(-50, 50)
            starts = range(now, now - size, -1)
            expected = [TimeWindow(s, s + size) for s in starts if (s - offset) % slide == 0]
            arguments = (Time(size), Time(slide), Time(offset))
            self.assertEqual(self.assign(w.SlidingEventTimeWindows.of(*arguments), now), expected)
            self.assertEqual(self.assign(w.SlidingProcessingTimeWindows.of(*arguments), None, clock=now), expected)
            tumbling = [TimeWindow(s, s + slide) for s in range(now, now - slide, -1) if (s - offset) % slide == 0]
            arguments = (Duration.of_millis(slide), Duration.of_millis(offset))
            self.assertEqual(self.assign(w.TumblingEventTimeWindows.of(*arguments), now), tumbling)
            self.assertEqual(self.assign(w.TumblingProcessingTimeWindows.of(*arguments), None, clock=now), tumbling)

    def test_sessions(self) -> None:
        self.assertEqual(self.assign(w.EventTimeSessionWindows.with_gap(Time(5)), 7), [TimeWindow(7, 12)])
        self.assertEqual(
            self.assign(w.ProcessingTimeSessionWindows.with_gap(Time(5)), None, clock=8), [TimeWindow(8, 13)]
        )
        dynamic = w.EventTimeSessionWindows.with_dynamic_gap(Every())
        self.assertIsInstance(dynamic, w.DynamicEventTimeSessionWindows)
        self.assertEqual(self.assign(dynamic, 7, element=3), [TimeWindow(7, 10)])
        dynamic = w.DynamicProcessingTimeSessionWindows.with_dynamic_gap(Every())
        self.assertEqual(self.assign(dynamic, None, element=4, clock=1), [TimeWindow(1, 5)])

    def test_counts_as_a_model_does(self) -> None:
        for size in range(1, 6):
            for slide in range(1, 6):
                sliding, tumbling = w.CountSlidingWindowAssigner.of(size, slide), w.CountTumblingWindowAssigner.of(size)
                contexts = Context(), Context()
                for count in range(25):
                    expected = [i for i in range(count, -1, -1) if i * slide <= count < i * slide + size]
                    found = sliding.assign_windows(None, 0, contexts[0])
                    self.assertEqual([window.id for window in found], expected, (size, slide, count))
                    self.assertEqual(tumbling.assign_windows(None, 0, contexts[1]), [w.CountWindow(count // size)])

    def test_defaults(self) -> None:
        for assigner, trigger, serializer, event_time in (
            (w.TumblingEventTimeWindows.of(Time(5)), w.EventTimeTrigger, w.TimeWindowSerializer, True),
            (
                w.SlidingProcessingTimeWindows.of(Time(5), Time(5)),
                w.ProcessingTimeTrigger,
                w.TimeWindowSerializer,
                False,
            ),
            (w.ProcessingTimeSessionWindows.with_gap(Time(5)), w.ProcessingTimeTrigger, w.TimeWindowSerializer, False),
            (w.DynamicEventTimeSessionWindows(Every()), w.EventTimeTrigger, w.TimeWindowSerializer, True),
            (w.CountTumblingWindowAssigner.of(5), w.CountTrigger, w.CountWindowSerializer, False),
            (w.GlobalWindows.create(), w.NeverTrigger, w.GlobalWindowSerializer, False),
        ):
            self.assertIs(type(assigner.get_default_trigger(None)), trigger)
            self.assertIs(type(assigner.get_window_serializer()), serializer)
            self.assertIs(assigner.is_event_time(), event_time)
        self.assertEqual(self.assign(w.GlobalWindows.create(), None), [w.GlobalWindow()])
        self.assertEqual(w.CountSlidingWindowAssigner.of(4, 2).get_default_trigger(None).plain()["count"], 4)

    def test_plain(self) -> None:
        for assigner, plain, text in (
            (
                w.TumblingEventTimeWindows.of(Time(5), Time(-2)),
                {"sort": "tumbling", "event_time": True, "size_ms": 5, "offset_ms": -2},
                "TumblingEventTimeWindows(5, -2)",
            ),
            (
                w.SlidingProcessingTimeWindows.of(Time(5), Time(3)),
                {"sort": "sliding", "event_time": False, "size_ms": 5, "slide_ms": 3, "offset_ms": 0},
                "SlidingProcessingTimeWindows(5, 3, 0)",
            ),
            (
                w.EventTimeSessionWindows.with_gap(Time(5)),
                {"sort": "session", "event_time": True, "gap_ms": 5},
                "EventTimeSessionWindows(5)",
            ),
            (
                w.DynamicProcessingTimeSessionWindows(Every()),
                {"sort": "dynamic_session", "event_time": False},
                "DynamicProcessingTimeSessionWindows()",
            ),
            (
                w.CountTumblingWindowAssigner.of(3),
                {"sort": "count_tumbling", "event_time": False, "size": 3},
                "CountTumblingWindowAssigner(3)",
            ),
            (
                w.CountSlidingWindowAssigner.of(3, 2),
                {"sort": "count_sliding", "event_time": False, "size": 3, "slide": 2},
                "CountSlidingWindowAssigner(3, 2)",
            ),
            (w.GlobalWindows.create(), {"sort": "global", "event_time": False}, "GlobalWindows()"),
        ):
            self.assertEqual((assigner.plain(), repr(assigner)), (plain, text))
            self.assertEqual(pickle.loads(pickle.dumps(assigner)).plain(), plain)
        self.assertEqual(Fixed().plain(), {"sort": "custom", "event_time": True})

        class Shifted(w.TumblingEventTimeWindows):
            pass

        self.assertEqual(Shifted(5, 0).plain(), {"sort": "custom", "event_time": True})

    def test_refusals(self) -> None:
        cases: List[Tuple[type, str, Callable[[], Any]]] = [
            (
                TypeError,
                "the size of TumblingEventTimeWindows must be a Time or a Duration, such as Time.seconds(5), got 5 of "
                "type int",
                lambda: w.TumblingEventTimeWindows.of(5),
            ),
            (
                ValueError,
                "the size of TumblingProcessingTimeWindows must be at least 1 ms, got 0",
                lambda: w.TumblingProcessingTimeWindows.of(Time(0)),
            ),
            (
                ValueError,
                "the offset of TumblingEventTimeWindows must be smaller than the size of 5 ms, got -5 ms",
                lambda: w.TumblingEventTimeWindows.of(Time(5), Time(-5)),
            ),
            (
                ValueError,
                "the offset of SlidingEventTimeWindows must be smaller than the slide of 3 ms, got 3 ms",
                lambda: w.SlidingEventTimeWindows.of(Time(5), Time(3), Time(3)),
            ),
            (
                ValueError,
                "the slide of SlidingProcessingTimeWindows must be at least 1 ms, got -1",
                lambda: w.SlidingProcessingTimeWindows.of(Time(5), Time(-1)),
            ),
            (
                ValueError,
                "the gap of EventTimeSessionWindows must be at least 1 ms, got 0",
                lambda: w.EventTimeSessionWindows.with_gap(Time(0)),
            ),
            (
                ValueError,
                "the window_slide of CountSlidingWindowAssigner must be at least 1, got 0",
                lambda: w.CountSlidingWindowAssigner.of(5, 0),
            ),
            (
                TypeError,
                "DynamicEventTimeSessionWindows takes an object with a method extract(element), got %r; derive its "
                "class from SessionWindowTimeGapExtractor and pass an instance" % Every,
                lambda: w.EventTimeSessionWindows.with_dynamic_gap(Every),
            ),
            (
                ValueError,
                "the gap that Every.extract gave for the element 0 must be an int of at least 1 ms, got 0",
                lambda: self.assign(w.DynamicEventTimeSessionWindows(Every()), 7, element=0),
            ),
        ]
        for error, text, call in cases:
            self.refused(error, text, call)
        for missing in (None, MIN_LONG_VALUE):
            for name, assigner in (
                ("TumblingEventTimeWindows", w.TumblingEventTimeWindows.of(Time(5))),
                ("SlidingEventTimeWindows", w.SlidingEventTimeWindows.of(Time(5), Time(5))),
                ("EventTimeSessionWindows", w.EventTimeSessionWindows.with_gap(Time(5))),
            ):
                self.refused(
                    ValueError,
                    "the element 'x' has no timestamp, which %s needs; call assign_timestamps_and_watermarks(...) on "
                    "the stream before, or use windows of processing time" % name,
                    lambda a=assigner, t=missing: self.assign(a, t, element="x"),
                )


class TriggerTest(TestCase):
    def test_results(self) -> None:
        self.assertEqual(
            [(r.name, r.is_fire(), r.is_purge()) for r in TriggerResult],
            [
                ("CONTINUE", False, False),
                ("FIRE_AND_PURGE", True, True),
                ("FIRE", True, False),
                ("PURGE", False, True),
            ],
        )

    def test_contexts_are_told_by_their_methods(self) -> None:
        self.assertIsInstance(Context(), w.Trigger.OnMergeContext)
        self.assertIsInstance(Context(), w.WindowAssigner.WindowAssignerContext)
        self.assertNotIsInstance(object(), w.Trigger.TriggerContext)

    def test_event_time(self) -> None:
        trigger, context, window = w.EventTimeTrigger.create(), Context(), TimeWindow(0, 10)
        self.assertIs(trigger.on_element(1, 3, window, context), CONTINUE)
        self.assertEqual(context.timers, {("event", 9)})
        self.assertEqual(context.advance("event", 8, trigger, window), [])
        self.assertEqual(context.advance("event", 9, trigger, window), [(9, FIRE)])
        # An element that is late fires at once.
        self.assertIs(trigger.on_element(1, 4, window, context), FIRE)
        self.assertIs(trigger.on_event_time(15, window, context), CONTINUE)
        self.assertIs(trigger.on_processing_time(9, window, context), CONTINUE)
        self.assertEqual(context.timers, set())

    def test_event_time_merges_and_clears(self) -> None:
        trigger, context = w.EventTimeTrigger(), Context()
        context.watermark = 5
        trigger.on_merge(TimeWindow(0, 20), context)
        trigger.on_merge(TimeWindow(0, 6), context)
        self.assertEqual(context.timers, {("event", 19)})
        trigger.clear(TimeWindow(0, 20), context)
        self.assertEqual((context.timers, trigger.can_merge()), (set(), True))

    def test_processing_time(self) -> None:
        trigger, context, window = w.ProcessingTimeTrigger.create(), Context(), TimeWindow(0, 10)
        self.assertIs(trigger.on_element(1, 3, window, context), CONTINUE)
        self.assertEqual(context.advance("processing", 20, trigger, window), [(9, FIRE)])
        trigger.on_merge(TimeWindow(0, 40), context)
        trigger.on_merge(TimeWindow(0, 15), context)
        self.assertEqual(context.timers, {("processing", 39)})
        trigger.clear(TimeWindow(0, 40), context)
        self.assertEqual((context.timers, trigger.on_event_time(1, window, context)), (set(), CONTINUE))

    def test_continuous_event_time(self) -> None:
        trigger, context = w.ContinuousEventTimeTrigger.of(Time(10)), Context()
        window = TimeWindow(0, 35)
        self.assertIs(trigger.on_element(1, 13, window, context), CONTINUE)
        self.assertEqual(context.timers, {("event", 34), ("event", 20)})
        # A second element does not move what is due.
        trigger.on_element(1, 27, window, context)
        self.assertEqual(context.timers, {("event", 34), ("event", 20)})
        self.assertEqual(context.advance("event", 100, trigger, window), [(20, FIRE), (30, FIRE), (34, FIRE)])
        self.assertIs(trigger.on_element(1, 14, window, context), FIRE)

    def test_continuous_processing_time(self) -> None:
        trigger, context = w.ContinuousProcessingTimeTrigger.of(Duration.of_millis(10)), Context()
        context.clock = 13
        window = TimeWindow(0, 1000)
        self.assertIs(trigger.on_element(1, 0, window, context), CONTINUE)
        self.assertEqual(context.advance("processing", 45, trigger, window), [(20, FIRE), (30, FIRE), (40, FIRE)])
        self.assertIs(trigger.on_processing_time(47, window, context), CONTINUE)
        self.assertEqual(context.timers, {("processing", 50)})
        trigger.clear(window, context)
        self.assertEqual((context.timers, context.states["fire-time"].get()), (set(), None))

    def test_continuous_triggers_merge(self) -> None:
        for trigger, sort in (
            (w.ContinuousEventTimeTrigger(10), "event"),
            (w.ContinuousProcessingTimeTrigger(10), "processing"),
        ):
            context = Context()
            trigger.on_merge(TimeWindow(0, 50), context)
            self.assertEqual((context.merged, context.timers), (["fire-time"], set()))
            context.get_partitioned_state(trigger.state_desc).add(20)
            context.get_partitioned_state(trigger.state_desc).add(30)
            trigger.on_merge(TimeWindow(0, 50), context)
            self.assertEqual((context.timers, trigger.can_merge()), ({(sort, 20)}, True))

    def test_count(self) -> None:
        trigger, context, window = w.CountTrigger.of(3), Context(), w.GlobalWindow()
        results = [trigger.on_element(1, 0, window, context) for _ in range(7)]
        self.assertEqual([i for i, r in enumerate(results) if r is FIRE], [2, 5])
        self.assertEqual(context.states["count"].get(), 1)
        trigger.on_merge(window, context)
        trigger.clear(window, context)
        self.assertEqual((context.merged, context.states["count"].get(), trigger.can_merge()), (["count"], None, True))

    def test_purging(self) -> None:
        trigger, context, window = w.PurgingTrigger.of(w.CountTrigger.of(2)), Context(), w.GlobalWindow()
        results = [trigger.on_element(1, 0, window, context) for _ in range(4)]
        self.assertEqual(results, [CONTINUE, FIRE_AND_PURGE, CONTINUE, FIRE_AND_PURGE])
        timed = w.PurgingTrigger(w.EventTimeTrigger())
        self.assertIs(timed.on_event_time(9, TimeWindow(0, 10), context), FIRE_AND_PURGE)
        self.assertIs(
            w.PurgingTrigger(w.ProcessingTimeTrigger()).on_processing_time(9, window, context), FIRE_AND_PURGE
        )
        custom = w.PurgingTrigger(Alternating())
        self.assertEqual([custom.on_element(n, 0, window, context) for n in (1, 2)], [FIRE_AND_PURGE, PURGE])
        self.assertEqual([t.can_merge() for t in (trigger, timed, custom)], [True, True, False])
        timed.on_merge(TimeWindow(0, 30), context)
        self.assertEqual(context.timers, {("event", 29)})
        timed.clear(TimeWindow(0, 30), context)
        self.assertEqual(context.timers, set())

    def test_never(self) -> None:
        trigger, context = w.NeverTrigger(), Context()
        self.assertIs(trigger.on_element(1, 0, w.GlobalWindow(), context), CONTINUE)
        self.assertEqual((trigger.can_merge(), context.timers), (False, set()))

    def test_plain(self) -> None:
        for trigger, plain in (
            (w.EventTimeTrigger(), {"sort": "event_time"}),
            (w.ProcessingTimeTrigger(), {"sort": "processing_time"}),
            (w.ContinuousEventTimeTrigger.of(Time(5)), {"sort": "continuous_event_time", "interval_ms": 5}),
            (w.ContinuousProcessingTimeTrigger.of(Time(5)), {"sort": "continuous_processing_time", "interval_ms": 5}),
            (w.CountTrigger.of(5), {"sort": "count", "count": 5}),
            (w.NeverTrigger(), {"sort": "never"}),
            (w.PurgingTrigger.of(w.CountTrigger(2)), {"sort": "purging", "nested": {"sort": "count", "count": 2}}),
            (Alternating(), {"sort": "custom"}),
            (w.PurgingTrigger.of(Alternating()), {"sort": "custom"}),
        ):
            self.assertEqual(trigger.plain(), plain)
        self.assertEqual(repr(w.PurgingTrigger.of(w.CountTrigger(2))), "PurgingTrigger(CountTrigger(2))")

        class Louder(w.EventTimeTrigger):
            pass

        self.assertEqual(Louder().plain(), {"sort": "custom"})

    def test_refusals(self) -> None:
        self.refused(
            ValueError,
            "the interval of ContinuousEventTimeTrigger must be at least 1 ms, got 0; make it with "
            "of(Time.seconds(10))",
            lambda: w.ContinuousEventTimeTrigger.of(Time(0)),
        )
        self.refused(
            ValueError,
            "the window_size of CountTrigger must be an int of at least 1, got 0",
            lambda: w.CountTrigger.of(0),
        )
        self.refused(
            TypeError,
            "PurgingTrigger takes a trigger, such as CountTrigger.of(10), got 5 of type int",
            lambda: w.PurgingTrigger.of(5),
        )
        for cls in (w.Trigger, w.WindowAssigner, w.MergingWindowAssigner, w.Evictor, w.SessionWindowTimeGapExtractor):
            with self.assertRaisesRegex(TypeError, "abstract"):
                cls()


def evicted(evictor: w.Evictor, items: List[Tuple[Any, Optional[int]]], after: bool = False) -> List[Any]:
    elements = [w.TimestampedValue(value, timestamp) for value, timestamp in items]
    call = evictor.evict_after if after else evictor.evict_before
    call(elements, len(elements), TimeWindow(0, 10), Context())
    return [element.get_value() for element in elements]


class EvictorTest(TestCase):
    def test_count(self) -> None:
        items = [(n, None) for n in range(5)]
        self.assertEqual(evicted(w.CountEvictor.of(2), items), [3, 4])
        self.assertEqual(evicted(w.CountEvictor.of(9), items), [0, 1, 2, 3, 4])
        self.assertEqual(evicted(w.CountEvictor.of(0), items), [])

    def test_time(self) -> None:
        items = [("a", 10), ("b", 30), ("c", 21), ("d", 20)]
        self.assertEqual(evicted(w.TimeEvictor.of(Time(10)), items), ["b", "c"])
        self.assertEqual(evicted(w.TimeEvictor.of(Time(10)), [("a", None), ("b", 5)]), ["a", "b"])
        self.assertEqual(evicted(w.TimeEvictor.of(Time(10)), []), [])

    def test_delta(self) -> None:
        evictor = w.DeltaEvictor.of(3, lambda old, new: abs(new - old))
        self.assertEqual(evicted(evictor, [(n, None) for n in (1, 7, 2, 13, 5)]), [7, 5])
        self.assertEqual(evicted(evictor, []), [])

    def test_before_or_after(self) -> None:
        items = [(n, n) for n in range(3)]
        for before, after in (
            (w.CountEvictor.of(1), w.CountEvictor.of(1, True)),
            (w.TimeEvictor.of(Time(1)), w.TimeEvictor.of(Time(1), True)),
        ):
            self.assertEqual((evicted(before, items), evicted(before, items, after=True)), ([2], [0, 1, 2]))
            self.assertEqual((evicted(after, items), evicted(after, items, after=True)), ([0, 1, 2], [2]))

    def test_plain(self) -> None:
        self.assertEqual(w.CountEvictor.of(2).plain(), {"sort": "count", "after": False, "count": 2})
        self.assertEqual(w.TimeEvictor.of(Time(2), True).plain(), {"sort": "time", "after": True, "size_ms": 2})
        self.assertEqual(w.DeltaEvictor.of(0.5, max).plain(), {"sort": "delta", "after": False, "threshold": 0.5})

        class Mine(w.CountEvictor):
            pass

        self.assertEqual(Mine(1).plain(), {"sort": "custom"})

    def test_timestamped_values(self) -> None:
        value = w.TimestampedValue("a", 5)
        self.assertEqual(
            (value.get_timestamp(), value.has_timestamp(), repr(value)), (5, True, "TimestampedValue('a', 5)")
        )
        self.assertFalse(w.TimestampedValue("a").has_timestamp())
        self.assertEqual(value, pickle.loads(pickle.dumps(value)))

    def test_refusals(self) -> None:
        self.refused(
            ValueError,
            "the max_count of CountEvictor must be an int of at least 0, got -1",
            lambda: w.CountEvictor.of(-1),
        )
        self.refused(
            TypeError,
            "the delta_function of DeltaEvictor must be a function of two elements, got 5 of type int",
            lambda: w.DeltaEvictor.of(1, 5),
        )
        self.refused(
            TypeError,
            "the window_size of TimeEvictor must be a Time or a Duration, such as Time.seconds(5), got 5 of type int",
            lambda: w.TimeEvictor.of(5),
        )


if __name__ == "__main__":
    unittest.main()
