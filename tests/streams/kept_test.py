"""Snapshots of each kind of window in the middle of the input: some windows are open, some have fired and wait for late
elements, timers are pending. A job that goes on gives what one gives that was never interrupted."""

from __future__ import annotations

import contextlib
import time
import unittest
from typing import Any, Callable, Collection, Dict, Iterable, Iterator, List

from proof.feed import PATIENCE, Built, fed, node_of
from proof.resuming import Plan, Running, resumed
from proof.running import Setting, difference, difference_in_order
from proof.windowing import Values, larger

from clutch.common import Time, Types
from clutch.datastream import DataStream
from clutch.datastream.functions import ProcessAllWindowFunction, ProcessWindowFunction
from clutch.datastream.state import ListStateDescriptor, ReducingStateDescriptor, ValueStateDescriptor
from clutch.datastream.window import (
    CountTrigger,
    EventTimeSessionWindows,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    TimeWindow,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

# Key, time and value; some are late, and the windows that they are late for have fired and are still there.
ELEMENTS = [
    (number % 3, number * 4 - (number % 5) * 6 - (40 if number % 11 == 7 else 0), number) for number in range(48)
]
CUT = 26
LATENESS = 30


def added(one: int, other: int) -> int:
    return one + other


class Remembers(ProcessWindowFunction):
    """How often the window and its key have fired, what fired before, and at the end of a window that it is over."""

    _FIRED = ValueStateDescriptor("fired", Types.LONG())
    _BEFORE = ListStateDescriptor("before", Types.PICKLED_BYTE_ARRAY())

    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Iterator[Any]:
        own, all_of_key = context.window_state().get_state(self._FIRED), context.global_state().get_state(self._FIRED)
        own.update((own.value() or 0) + 1)
        all_of_key.update((all_of_key.value() or 0) + 1)
        before = context.global_state().get_list_state(self._BEFORE)
        before.add((context.window().start, own.value()))
        said = own.value(), all_of_key.value(), list(before.get())[-3:]
        yield key, context.window().start, context.current_watermark(), said, [tuple(element) for element in elements]

    def clear(self, context: Any) -> None:
        context.window_state().get_state(self._FIRED).clear()


class RemembersAll(ProcessAllWindowFunction):
    def process(self, context: Any, elements: Iterable[Any]) -> Iterator[Any]:
        fired = context.global_state().get_state(ValueStateDescriptor("fired", Types.LONG()))
        fired.update((fired.value() or 0) + 1)
        yield "all", fired.value(), sorted(tuple(element) for element in elements)


class Own(TumblingEventTimeWindows):
    """An assigner of a user: windows of 20 ms, and for even values those of 50 ms, too."""

    def __init__(self) -> None:
        super().__init__(20, 0)

    def assign_windows(self, element: Any, timestamp: int, context: Any) -> Collection[TimeWindow]:
        sizes = (20, 50) if element[2] % 2 == 0 else (20,)
        return [TimeWindow(timestamp - timestamp % size, timestamp - timestamp % size + size) for size in sizes]

    def plain(self) -> Dict[str, Any]:
        return {"sort": "custom", "event_time": True}


class Stateful(Trigger[Any, TimeWindow]):
    """Fires at the end, and 7 ms behind every third element, for which it has a timer."""

    _SEEN = ReducingStateDescriptor("seen", added, Types.LONG())

    def on_element(self, element: Any, timestamp: int, window: TimeWindow, ctx: Any) -> TriggerResult:
        seen = ctx.get_partitioned_state(self._SEEN)
        seen.add(1)
        if seen.get() % 3 == 0:
            ctx.register_event_time_timer(timestamp + 7)
        if window.max_timestamp() <= ctx.get_current_watermark():
            return TriggerResult.FIRE
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: TimeWindow, ctx: Any) -> TriggerResult:
        return TriggerResult.FIRE

    def on_processing_time(self, time: int, window: TimeWindow, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_merge(self, window: TimeWindow, ctx: Any) -> None:
        ctx.merge_partitioned_state(self._SEEN)

    def clear(self, window: TimeWindow, ctx: Any) -> None:
        ctx.get_partitioned_state(self._SEEN).clear()


class Gap(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return 3 + element[2] % 9  # type: ignore[no-any-return]


def keyed(stream: DataStream) -> Any:
    return stream.key_by(lambda element: element[0], Types.LONG())


def sliding(stream: DataStream) -> Any:
    windows = SlidingEventTimeWindows.of(Time.milliseconds(40), Time.milliseconds(20))
    return keyed(stream).window(windows).allowed_lateness(LATENESS)


def sessions(stream: DataStream, assigner: Any) -> Any:
    return keyed(stream).window(assigner).allowed_lateness(LATENESS)


def of_all(stream: DataStream) -> Any:
    return stream.window_all(TumblingEventTimeWindows.of(Time.milliseconds(30))).allowed_lateness(LATENESS)


KINDS: Dict[str, Callable[[DataStream], DataStream]] = {
    "processed": lambda stream: sliding(stream).process(Remembers()),
    "reduced": lambda stream: sliding(stream).reduce(larger, Remembers()),
    "aggregated": lambda stream: sliding(stream).aggregate(Values(), Remembers()),
    "counted": lambda stream: keyed(stream).count_window(5, 2).reduce(larger),
    "fired by counts": lambda stream: sliding(stream).trigger(CountTrigger.of(3)).process(Remembers()),
    "sessions": lambda s: sessions(s, EventTimeSessionWindows.with_gap(Time.milliseconds(9))).process(Remembers()),
    "gaps of their own": lambda s: sessions(s, EventTimeSessionWindows.with_dynamic_gap(Gap())).process(Remembers()),
    "assigned by a user": lambda stream: keyed(stream).window(Own()).allowed_lateness(LATENESS).process(Remembers()),
    "fired by a user": lambda stream: sliding(stream).trigger(Stateful()).process(Remembers()),
    "of all": lambda stream: of_all(stream).process(RemembersAll()),
    "reduced of all": lambda stream: of_all(stream).reduce(larger),
    "counted of all": lambda stream: stream.count_window_all(5).reduce(larger),
}


class Kept(unittest.TestCase):
    def proves(self, kind: str, move: int, after: Setting) -> None:
        def build(stream: DataStream) -> Built:
            windows = KINDS[kind](stream)
            return Built([windows.map(lambda said: (kind, repr(said)))], [node_of(windows)])

        setting = Setting("thread" if after.mode == "process" else "process", 2, 7)
        expected = fed(setting, build, ELEMENTS, 3, one_by_one=True)
        self.assertTrue(expected)
        got = resumed(setting, build, ELEMENTS, 3, one_by_one=True, plan=Plan(CUT, after, move))
        if kind.endswith("of all"):  # one instance for many behind it, which are as fast as they are
            self.assertEqual(difference(expected, got), "")
        else:
            self.assertEqual(difference_in_order(expected, got, lambda said: said[1].split(",")[0]), "")

    def test_all(self) -> None:
        for number, kind in enumerate(KINDS):
            for after in (Setting("thread", 3, 4096), Setting("process", 1, 1)):
                with self.subTest(kind=kind, after=after):
                    # The functions move behind the snapshot, or before it.
                    self.proves(kind, CUT + 10 if number % 2 == 0 else CUT - 10, after)


class Told(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Iterator[Any]:
        yield from [tuple(element) for element in elements]


class ProcessingTime(unittest.TestCase):
    """Windows of the machine's clock: when they fire nobody promises, but each element is in one of them."""

    def test_what_was_open_fires_in_the_job_that_goes_on(self) -> None:
        def build(stream: DataStream) -> Built:
            windows = keyed(stream).window(TumblingProcessingTimeWindows.of(Time.milliseconds(300)))
            output = windows.process(Told())
            return Built([output], [node_of(output)])

        for mode, other in (("thread", "process"), ("process", "thread")):
            with self.subTest(mode=mode), contextlib.closing(Running(Setting(mode, 2, 7), build, 3)) as first:
                first.connect()
                kept: List[bytes] = []
                first.send(ELEMENTS[:CUT], 3, False, [(CUT, lambda: kept.append(first.job.snapshot(PATIENCE)))])
                got = list(first.stop())
                with contextlib.closing(Running(Setting(other, 3, 7), build, 3, snapshot=kept[0])) as second:
                    self.assertEqual(second.connect(), CUT)
                    second.send(ELEMENTS[CUT:], 3, False, [])
                    until = time.monotonic() + PATIENCE
                    while len(got) + len(second.got) < len(ELEMENTS) and time.monotonic() < until:
                        time.sleep(0.001)
                    self.assertEqual(sorted(got + second.end()), sorted(ELEMENTS))


if __name__ == "__main__":
    unittest.main()
