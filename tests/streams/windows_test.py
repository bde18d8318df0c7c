"""Random streams through random windows, where no element is late: the same as in the model, in every setting."""

from __future__ import annotations

import random
import unittest
from typing import Any, List

from model.times import Element, watermarks_of
from model.windows import run
from proof.generators import behind, seeds, shape_of, stream_of
from proof.running import Setting, collected, difference_in_order, environment, proves, settings, source, together
from proof.windowing import Windows, normal, random_windows, said_of
from proof.windowing import stream_of as windows_of

from clutch.common import Types

WINDOWS_A_JOB = 4


class RandomWindows(unittest.TestCase):
    def setUp(self) -> None:
        self.windows: List[Windows] = []
        self.pickled = False

    def case(self, elements: List[Element], setting: Setting) -> str:
        bound = behind(elements)
        expected: List[Any] = []
        for number, windows in enumerate(self.windows):
            model = run(windows.spec, elements, watermarks_of(elements, bound))
            expected.extend(said_of(model, windows, number))
        env = environment(setting)
        key_type = Types.PICKLED_BYTE_ARRAY() if self.pickled else Types.LONG()
        keyed = source(env, setting, elements, bound, self.pickled).key_by(lambda element: element[0], key_type)
        streams = [windows_of(keyed, windows, number) for number, windows in enumerate(self.windows)]
        got = [normal(said, self.windows[said[0]]) for said in collected(together(streams))]
        return difference_in_order(expected, got, lambda said: said[:2])

    def test_all(self) -> None:
        for seed in seeds(6):
            choose = random.Random(seed)
            elements = stream_of(choose, shape_of(choose, 60))
            self.windows = [random_windows(choose, fed=False) for _ in range(WINDOWS_A_JOB)]
            self.pickled = choose.random() < 0.5
            for setting in settings(seed):
                with self.subTest(seed=seed, setting=setting):
                    said = proves(self.case, elements, setting, seed)
                    if said:
                        self.fail("%s\n%s" % (said, self.windows))


if __name__ == "__main__":
    unittest.main()
