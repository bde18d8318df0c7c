"""State, timers, reductions and aggregations by key, over random streams."""

from __future__ import annotations

import random
import unittest
from typing import Any, Dict, List

from model.states import run_keyed
from model.times import Element, watermarks_of
from proof.feed import Built, fed, node_of
from proof.generators import behind, seeds, shape_of, stream_of
from proof.machine import FOLDS, Machine, Stamped
from proof.running import Setting, collected, difference_in_order, environment, proves, settings, source, together

from clutch.common import Types
from clutch.datastream import DataStream, RuntimeExecutionMode


class Programs(unittest.TestCase):
    """Random actions on state and timers."""

    def setUp(self) -> None:
        self.bound = 0

    def build(self, stream: DataStream) -> Built:
        given = stream.key_by(lambda element: element[0], Types.LONG()).process(Machine())
        return Built([given.process(Stamped())], [node_of(given)])

    def case(self, elements: List[Element], setting: Setting) -> str:
        model = run_keyed(Machine(), elements, watermarks_of(elements, self.bound), FOLDS)
        got = fed(setting, self.build, elements, self.bound, one_by_one=False)
        return difference_in_order(model.given, got, lambda given: given[0][1])

    def test_all(self) -> None:
        for seed in seeds(5):
            choose = random.Random(2000 + seed)
            elements = stream_of(choose, shape_of(choose, 50))
            self.bound = choose.choice([0, 4, 20])
            for setting in settings(seed):
                with self.subTest(seed=seed, setting=setting):
                    said = proves(self.case, elements, setting, seed)
                    if said:
                        self.fail(said)


def added(one: Any, other: Any) -> Any:
    return one[0], max(one[1], other[1]), one[2] + other[2]


def small(one: Element, other: Element) -> bool:
    return bool(one.value < other.value)


def large(one: Element, other: Element) -> bool:
    return bool(one.value > other.value)


class Reductions(unittest.TestCase):
    """reduce, sum, min, max, min_by and max_by: an update for each element, in batch mode one a key."""

    NAMES = ("reduce", "sum", "min", "max", "min_by", "max_by")

    def setUp(self) -> None:
        self.batch = False

    def folded(self, name: str, so_far: Element, element: Element) -> Element:
        if name == "reduce":
            return Element(*added(so_far, element))
        if name == "sum":
            return so_far._replace(value=so_far.value + element.value)
        better = (small if name.startswith("min") else large)(element, so_far)
        if name.endswith("_by"):
            return element if better else so_far
        return so_far._replace(value=element.value) if better else so_far

    def expected(self, elements: List[Element]) -> List[Any]:
        found: List[Any] = []
        for name in self.NAMES:
            state: Dict[Any, Element] = {}
            for element in elements:
                before = state.get(element.key)
                state[element.key] = element if before is None else self.folded(name, before, element)
                if not self.batch:
                    found.append((name, tuple(state[element.key])))
            if self.batch:
                found.extend((name, tuple(last)) for last in state.values())
        return found

    def case(self, elements: List[Element], setting: Setting) -> str:
        env = environment(setting)
        if self.batch:
            env.set_runtime_mode(RuntimeExecutionMode.BATCH)
        keyed = source(env, setting, elements, behind(elements)).key_by(lambda element: element[0], Types.LONG())
        streams = [keyed.reduce(added).map(lambda value: ("reduce", tuple(value)))]
        for name in self.NAMES[1:]:
            reduced = getattr(keyed, name)(2)
            streams.append(reduced.map(lambda value, name=name: (name, tuple(value))))
        got = collected(together(streams))
        return difference_in_order(self.expected(elements), got, lambda given: (given[0], given[1][0]))

    def test_all(self) -> None:
        for seed in seeds(2):
            choose = random.Random(3000 + seed)
            elements = stream_of(choose, shape_of(choose, 60)._replace(nulls=0.0))
            self.batch = seed % 2 == 1
            for setting in settings(seed):
                with self.subTest(seed=seed, setting=setting, batch=self.batch):
                    said = proves(self.case, elements, setting, seed)
                    if said:
                        self.fail(said)


if __name__ == "__main__":
    unittest.main()
