"""Random streams through random windows where the watermark rises behind each element: late elements, allowed lateness,
the side output of late elements, and triggers that fire as event time goes on."""

from __future__ import annotations

import random
import unittest
from typing import Any, List

from model.times import Element, watermarks_of
from model.windows import run
from proof.feed import Built, fed, node_of
from proof.generators import seeds, shape_of, stream_of
from proof.running import Setting, difference_in_order, proves, settings
from proof.windowing import Windows, normal, random_windows, said_of
from proof.windowing import stream_of as windows_of

from clutch.common import Types
from clutch.datastream import DataStream, OutputTag
from clutch.datastream.functions import MapFunction

WINDOWS_A_JOB = 4


class Late(MapFunction):
    """Says which windows an element came too late for."""

    def __init__(self, number: int) -> None:
        self._number = number

    def map(self, value: Any) -> Any:
        return "late", self._number, value[0], tuple(value)


class LateElements(unittest.TestCase):
    seeds = 5

    def setUp(self) -> None:
        self.windows: List[Windows] = []
        self.bound = 0

    def build(self, stream: DataStream) -> Built:
        keyed = stream.key_by(lambda element: element[0], Types.LONG())
        outputs, watched = [], []
        for number, windows in enumerate(self.windows):
            tag = OutputTag("late%d" % number, stream.get_type())
            given = windows_of(keyed, windows, number, tag)
            watched.append(node_of(given))
            outputs += [given, given.get_side_output(tag).map(Late(number))]
        return Built(outputs, watched)

    def feed(self, setting: Setting, elements: List[Element]) -> List[Any]:
        return fed(setting, self.build, elements, self.bound, one_by_one=False)

    def case(self, elements: List[Element], setting: Setting) -> str:
        expected: List[Any] = []
        for number, windows in enumerate(self.windows):
            model = run(windows.spec, elements, watermarks_of(elements, self.bound))
            expected.extend(said_of(model, windows, number))
            expected.extend(("late", number, element.key, tuple(element)) for element in model.late)
        got = self.feed(setting, elements)
        got = [said if said[0] == "late" else normal(said, self.windows[said[0]]) for said in got]
        # Where a trigger fires as time goes on, several windows of a key may do so at once.
        return difference_in_order(expected, got, lambda said: said[:3])

    def test_all(self) -> None:
        for seed in seeds(self.seeds):
            choose = random.Random(1000 + seed)
            shape = shape_of(choose, 40)
            elements = stream_of(choose, shape._replace(disorder=max(shape.disorder, 15), step=max(shape.step, 1)))
            self.windows = [random_windows(choose, fed=True) for _ in range(WINDOWS_A_JOB)]
            self.bound = choose.choice([0, 0, 4, 20])
            for setting in settings(seed):
                with self.subTest(seed=seed, setting=setting):
                    said = proves(self.case, elements, setting, seed)
                    if said:
                        self.fail("%s\n%s" % (said, self.windows))


if __name__ == "__main__":
    unittest.main()
