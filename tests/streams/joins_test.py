"""Random pairs of streams through interval joins, window joins and co-groups, with late elements on both sides."""

from __future__ import annotations

import random
import unittest
from typing import Any, Iterable, Iterator, List, Tuple

from model.joins import Interval, Sided, run_interval, run_windows
from model.times import Element, watermarks_of
from proof.feed import Built, fed, node_of
from proof.generators import seeds, shape_of, stream_of
from proof.running import Setting, difference, proves, settings
from proof.windowing import OfUser, Windows, assigner_of, evictor_of, random_windows, trigger_of

from clutch.common import Time, Types
from clutch.datastream import DataStream
from clutch.datastream.functions import CoGroupFunction, FlatJoinFunction, ProcessJoinFunction

FOUR = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG(), Types.LONG()])


class Pairs(ProcessJoinFunction):
    def __init__(self, number: int) -> None:
        self._number = number

    def process_element(self, left: Any, right: Any, ctx: Any) -> Iterator[Any]:
        times = ctx.get_left_timestamp(), ctx.get_right_timestamp(), ctx.get_timestamp()
        yield "interval", self._number, tuple(left)[:3], tuple(right)[:3], times


class Met(FlatJoinFunction):
    def __init__(self, number: int) -> None:
        self._number = number

    def join(self, first: Any, second: Any) -> List[Any]:
        return [("join", self._number, tuple(first)[:3], tuple(second)[:3])]


class Groups(CoGroupFunction):
    def __init__(self, number: int) -> None:
        self._number = number

    def co_group(self, first: Iterable[Any], second: Iterable[Any]) -> Iterator[Any]:
        sides = [sorted((tuple(element)[:3] for element in side), key=repr) for side in (first, second)]
        yield "group", self._number, sides[0], sides[1]


def random_interval(choose: random.Random) -> Interval:
    lower = choose.choice([-20, -5, 0, 3])
    upper = lower + choose.choice([1, 2, 5, 30])
    return Interval(lower, upper, choose.random() < 0.3, upper - lower > 1 and choose.random() < 0.3)


class Joins(unittest.TestCase):
    seeds = 4

    def setUp(self) -> None:
        self.intervals: List[Interval] = []
        self.windows: List[Windows] = []
        self.bound = 0

    def build(self, stream: DataStream) -> Built:
        left, right = (stream.filter(lambda element, side=side: element[3] == side) for side in (0, 1))
        outputs = [self._interval(left, right, *numbered) for numbered in enumerate(self.intervals)]
        outputs += [self._windows(left, right, *numbered) for numbered in enumerate(self.windows)]
        return Built(outputs, [node_of(output) for output in outputs])

    def _interval(self, left: DataStream, right: DataStream, number: int, interval: Interval) -> DataStream:
        keyed = [stream.key_by(lambda element: element[0], Types.LONG()) for stream in (left, right)]
        bounds = Time.milliseconds(interval.lower), Time.milliseconds(interval.upper)
        joined = keyed[0].interval_join(keyed[1]).between(*bounds)
        if interval.lower_exclusive:
            joined.lower_bound_exclusive()
        if interval.upper_exclusive:
            joined.upper_bound_exclusive()
        return joined.process(Pairs(number))

    def _windows(self, left: DataStream, right: DataStream, number: int, windows: Windows) -> DataStream:
        two: Any = left.co_group(right) if windows.function == "group" else left.join(right)
        spec = windows.spec
        joined = two.where(lambda element: element[0], Types.LONG()).equal_to(lambda element: element[0])
        joined = joined.window(assigner_of(spec.assigner))
        if windows.in_python:
            joined.trigger(OfUser())
        elif spec.trigger is not None:
            joined.trigger(trigger_of(spec.trigger))
        if spec.lateness:
            joined.allowed_lateness(spec.lateness)
        if spec.evictor is not None:
            joined.evictor(evictor_of(spec.evictor))
        function = Groups(number) if windows.function == "group" else Met(number)
        return joined.apply(function)  # type: ignore[no-any-return]

    def expected(self, elements: List[Sided], watermarks: List[int]) -> Iterator[Any]:
        for number, interval in enumerate(self.intervals):
            for left, right in run_interval(interval, elements, watermarks).pairs:
                times = left.time, right.time, max(left.time, right.time)
                yield "interval", number, tuple(left), tuple(right), times
        for number, windows in enumerate(self.windows):
            for _, sides in run_windows(windows.spec, elements, watermarks):
                found = [[tuple(element) for element in side] for side in sides]
                if windows.function == "group":
                    yield ("group", number, *(sorted(side, key=repr) for side in found))
                else:
                    yield from (("join", number, left, right) for left in found[0] for right in found[1])

    def feed(self, setting: Setting, elements: List[Tuple[Any, ...]]) -> List[Any]:
        return fed(setting, self.build, elements, self.bound, one_by_one=True, of=FOUR)

    def case(self, elements: List[Tuple[Any, ...]], setting: Setting) -> str:
        sided = [(element[3], Element(*element[:3])) for element in elements]
        watermarks = watermarks_of(elements, self.bound)  # type: ignore[arg-type]
        return difference(self.expected(sided, watermarks), self.feed(setting, elements))

    def random_join(self, choose: random.Random) -> Windows:
        windows = random_windows(choose, fed=True)
        evictor = None if windows.spec.evictor and windows.spec.evictor[0] == "delta" else windows.spec.evictor
        in_python = windows.in_python and windows.spec.trigger in (None, ("event",))
        spec = windows.spec._replace(evictor=evictor)
        return Windows(spec, choose.choice(["group", "join"]), in_python)

    def test_all(self) -> None:
        for seed in seeds(self.seeds):
            choose = random.Random(4000 + seed)
            shape = shape_of(choose, 40)
            shape = shape._replace(keys=min(shape.keys, 5), step=max(shape.step, 1))
            elements = [(*element, choose.randrange(2)) for element in stream_of(choose, shape)]
            self.intervals = [random_interval(choose) for _ in range(2)]
            self.windows = [self.random_join(choose) for _ in range(2)]
            self.bound = choose.choice([0, 4, 20])
            for setting in settings(seed):
                with self.subTest(seed=seed, setting=setting):
                    said = proves(self.case, elements, setting, seed)
                    if said:
                        self.fail("%s\n%s\n%s" % (said, self.intervals, self.windows))


if __name__ == "__main__":
    unittest.main()
