"""Workers that are killed all through a job: the same result as without. usage: kills_test.py"""

from __future__ import annotations

import random
import unittest
from typing import Any, Iterator, List

from proof.killing import KILLS, Job, run, without_kills
from proof.processes import descendants
from proof.running import difference

from clutch import Error
from clutch.common import Time, Types
from clutch.datastream import DataStream
from clutch.datastream.functions import (
    KeyedBroadcastProcessFunction,
    KeyedProcessFunction,
    ProcessJoinFunction,
    ProcessWindowFunction,
)
from clutch.datastream.state import ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor
from clutch.datastream.window import TumblingEventTimeWindows

RULES = MapStateDescriptor("rules", Types.LONG(), Types.LONG())
AFTER_ALL = 2**40


class Counts(KeyedProcessFunction):
    """Counts the elements of each key, and gives each element again 50 ms later."""

    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
        self.waiting = runtime_context.get_map_state(MapStateDescriptor("waiting", Types.LONG(), Types.LONG()))

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        self.waiting.put(value[1], value[2])
        ctx.timer_service().register_event_time_timer(value[1] + 50)
        yield "count", ctx.get_current_key(), self.count.value()

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        value = self.waiting.get(timestamp - 50)
        self.waiting.remove(timestamp - 50)
        yield "timer", ctx.get_current_key(), timestamp, value


class Sums(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Iterator[Any]:
        yield key, context.window().start, sum(element[2] for element in elements)


class Pairs(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: Any) -> Iterator[Any]:
        yield tuple(left), tuple(right)


class Ruled(KeyedBroadcastProcessFunction):
    """Keeps what it gets, and tells of it when all has come."""

    def open(self, runtime_context: Any) -> None:
        self.seen = runtime_context.get_list_state(ListStateDescriptor("seen", Types.LONG()))

    def process_element(self, value: Any, ctx: Any) -> None:
        self.seen.add(value[2])
        ctx.timer_service().register_event_time_timer(AFTER_ALL)

    def process_broadcast_element(self, value: Any, ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(value[1], value[2])

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        yield ctx.get_current_key(), list(self.seen.get()), sorted(ctx.get_broadcast_state(RULES).items())


def keyed(stream: DataStream) -> Any:
    return stream.key_by(lambda element: element[0], Types.LONG())


def halves(stream: DataStream) -> List[DataStream]:
    return [stream.filter(lambda element, side=side: element[1] % 2 == side) for side in (0, 1)]


def counts(stream: DataStream) -> DataStream:
    return keyed(stream).process(Counts())  # type: ignore[no-any-return]


def sums(stream: DataStream) -> DataStream:
    windows = keyed(stream).window(TumblingEventTimeWindows.of(Time.milliseconds(100)))
    reduced = windows.reduce(lambda one, other: (one[0], other[1], one[2] + other[2]), Sums())
    listed = keyed(stream).window(TumblingEventTimeWindows.of(Time.milliseconds(70))).process(Sums())
    return reduced.union(listed)  # type: ignore[no-any-return]


def pairs(stream: DataStream) -> DataStream:
    even, odd = map(keyed, halves(stream))
    bounds = Time.milliseconds(-30), Time.milliseconds(30)
    return even.interval_join(odd).between(*bounds).process(Pairs())  # type: ignore[no-any-return]


def rules(stream: DataStream) -> DataStream:
    even, odd = halves(stream)
    return keyed(even).connect(odd.broadcast(RULES)).process(Ruled())  # type: ignore[no-any-return]


def chain(stream: DataStream) -> DataStream:
    several = stream.map(tuple).flat_map(lambda value: [(value, number) for number in range(value[2] % 4)])
    return several.rebalance().filter(lambda value: value[1] != 1).map(lambda value: (value, -value[1]))


class Kills(unittest.TestCase):
    def proves(self, build: Any) -> None:
        job = Job(build)
        expected = without_kills(job)
        self.assertTrue(expected)
        got, killed = run(job, random.Random(1), KILLS)
        self.assertEqual(difference(expected, got), "")
        self.assertGreaterEqual(killed, KILLS)
        self.assertEqual(descendants(), {})

    def test_counts_and_timers(self) -> None:
        self.proves(counts)

    def test_sums_of_windows(self) -> None:
        self.proves(sums)

    def test_interval_join(self) -> None:
        self.proves(pairs)

    def test_broadcast_state(self) -> None:
        self.proves(rules)

    def test_chain(self) -> None:
        self.proves(chain)


def raises(value: Any) -> Any:
    if value[1] == 3000:
        raise ValueError("element %d is not wanted" % value[1])
    return value


class Failures(unittest.TestCase):
    def test_a_function_that_raises_while_workers_are_killed(self) -> None:
        job = Job(lambda stream: counts(stream).union(stream.map(raises)))
        with self.assertRaisesRegex(Error, "ValueError: element 3000 is not wanted"):
            run(job, random.Random(2), KILLS)
        self.assertEqual(descendants(), {})


if __name__ == "__main__":
    unittest.main()
