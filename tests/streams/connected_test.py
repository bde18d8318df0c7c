"""Two streams of which the order is known: shared state and timers, broadcast state, and maps of two inputs."""

from __future__ import annotations

import random
import unittest
from typing import Any, Dict, Iterator, List, Tuple

from model.states import KeyedModel
from model.times import LAST, Element, watermarks_of
from proof.feed import Built, fed, node_of
from proof.generators import seeds, shape_of, stream_of
from proof.machine import FOLDS, Stamped, TwoInputs
from proof.running import Setting, difference, difference_in_order, proves, settings

from clutch.common import Types
from clutch.datastream import DataStream
from clutch.datastream.functions import (
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    KeyedBroadcastProcessFunction,
)
from clutch.datastream.state import MapStateDescriptor

FOUR = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG(), Types.LONG()])
RULES = MapStateDescriptor("rules", Types.LONG(), Types.PICKLED_BYTE_ARRAY())


class Numbers(CoMapFunction):
    """None is no result."""

    def map1(self, value: Any) -> Any:
        return ("one", tuple(value)[:3]) if value[2] is not None else None

    def map2(self, value: Any) -> Any:
        return ("two", tuple(value)[:3]) if value[1] % 2 else None


class Times(CoFlatMapFunction):
    def flat_map1(self, value: Any) -> Iterator[Any]:
        yield from (("flat one", tuple(value)[:3], number) for number in range((value[2] or 0) % 3))

    def flat_map2(self, value: Any) -> List[Any]:
        return [("flat two", tuple(value)[:3])]


def put(value: Any, ctx: Any) -> Iterator[Any]:
    """A rule for the element's number; without one the rule is gone."""
    rules = ctx.get_broadcast_state(RULES)
    if value[2] is None:
        rules.remove(value[0] % 3)
    else:
        rules.put(value[0] % 3, (value[1], value[2]))
    yield "rule", tuple(value)[:3], sorted(rules.items())


def look(value: Any, ctx: Any) -> Iterator[Any]:
    rules = ctx.get_broadcast_state(RULES)
    yield "element", tuple(value)[:3], rules.get(value[1] % 3), sorted(rules.items())


class Rules(BroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        return look(value, ctx)

    def process_broadcast_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        return put(value, ctx)


class KeyedRules(KeyedBroadcastProcessFunction):
    """Also with timers, which see the rules that there are when they fire."""

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        ctx.timer_service().register_event_time_timer(value[1] + (value[2] or 0))
        yield from (("keyed", ctx.get_current_key(), *said) for said in look(value, ctx))

    def process_broadcast_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        yield from (("keyed", *said) for said in put(value, ctx))

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        yield "timer", ctx.get_current_key(), timestamp, sorted(ctx.get_broadcast_state(RULES).items())


class Broadcasts(Rules):
    """In the model: open() is called there, and the plain function has no keys."""

    def open(self, runtime_context: Any) -> None:
        """Nothing."""


class Connected(unittest.TestCase):
    def setUp(self) -> None:
        self.bound = 0
        self.parallelism = 1

    def sides(self, stream: DataStream) -> Tuple[DataStream, DataStream]:
        first, second = (stream.filter(lambda element, side=side: element[3] == side) for side in (0, 1))
        return first, second

    def build_shared(self, stream: DataStream) -> Built:
        first, second = self.sides(stream)
        keyed = first.connect(second).key_by(lambda one: one[0], lambda two: two[0], Types.LONG())
        given = keyed.process(TwoInputs())
        return Built([given.process(Stamped())], [node_of(given)])

    def build_rules(self, stream: DataStream) -> Built:
        first, second = self.sides(stream)
        plain = first.connect(second.broadcast(RULES)).process(Rules())
        keyed = first.key_by(lambda one: one[0], Types.LONG()).connect(second.broadcast(RULES)).process(KeyedRules())
        watched = [node_of(plain), node_of(keyed)]
        return Built([plain, keyed], watched, lambda element: self.parallelism if element[3] == 1 else 1)

    def build_maps(self, stream: DataStream) -> Built:
        first, second = self.sides(stream)
        mapped, flat = first.connect(second).map(Numbers()), first.connect(second).flat_map(Times())
        whole = first.union(second).map(lambda element: ("union", tuple(element)[:3]))
        return Built([mapped, flat, whole], [])

    def model(self, function: Any, elements: List[Any], methods: Tuple[str, str]) -> KeyedModel:
        model = KeyedModel(function, FOLDS)
        for element, watermark in zip(elements, watermarks_of(elements, self.bound)):
            model.element(Element(*element[:3]), methods[element[3]])
            model.advance(watermark)
        model.advance(LAST)
        return model

    def case_shared(self, elements: List[Any], setting: Setting) -> str:
        model = self.model(TwoInputs(), elements, ("process_element1", "process_element2"))
        got = fed(setting, self.build_shared, elements, self.bound, one_by_one=True, of=FOUR)
        return difference_in_order(model.given, got, lambda given: given[0][1])

    def case_rules(self, elements: List[Any], setting: Setting) -> str:
        self.parallelism = setting.parallelism
        methods = ("process_element", "process_broadcast_element")
        expected: List[Any] = []
        for function in (Broadcasts(), KeyedRules()):
            for given, _ in self.model(function, elements, methods).given:
                expected += [given] * (setting.parallelism if "rule" in given[:2] else 1)
        return difference(expected, fed(setting, self.build_rules, elements, self.bound, one_by_one=True, of=FOUR))

    def case_maps(self, elements: List[Any], setting: Setting) -> str:
        expected: List[Any] = []
        methods: Dict[int, Any] = {0: (Numbers().map1, Times().flat_map1), 1: (Numbers().map2, Times().flat_map2)}
        for element in elements:
            mapped, flat = (method(element) for method in methods[element[3]])
            expected += [] if mapped is None else [mapped]
            expected += [*flat, ("union", element[:3])]
        return difference(expected, fed(setting, self.build_maps, elements, self.bound, one_by_one=False, of=FOUR))

    def test_all(self) -> None:
        cases = {"shared": self.case_shared, "rules": self.case_rules, "maps": self.case_maps}
        for seed in seeds(2):
            choose = random.Random(5000 + seed)
            elements: List[Any] = []
            for element in stream_of(choose, shape_of(choose, 40)):
                elements.append((*element, choose.choice([0, 0, 1])))
            self.bound = choose.choice([0, 4, 20])
            for name, case in cases.items():
                for setting in settings(seed):
                    with self.subTest(name, seed=seed, setting=setting):
                        said = proves(case, elements, setting, seed)
                        if said:
                            self.fail(said)


if __name__ == "__main__":
    unittest.main()
