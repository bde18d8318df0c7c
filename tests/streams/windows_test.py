"""Random streams through random windows, where no element is late: the same as in the model, in every setting."""

from __future__ import annotations

import random
import unittest
from typing import Any, List

from model.times import Element, watermarks_of
from model.windows import run
from proof.generators import behind, seeds, shape_of, stream_of
from proof.machine import Stamped
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
        stamped = collected(together(streams).process(Stamped()))
        for said, time in stamped:
            if time != self.time_of(said, time):
                return "%r has the time %r, and not %r" % (said, time, self.time_of(said, time))
        got = [normal(said, self.windows[said[0]]) for said, _ in stamped]
        return difference_in_order(expected, got, lambda said: said[:2])

    def time_of(self, said: Any, time: Any) -> Any:
        """What a window gives has the last time of the window, or `time` where nobody promises that."""
        windows = self.windows[said[0]]
        in_python = windows.in_python or (windows.spec.evictor or ("",))[0] == "delta"
        if in_python or windows.spec.assigner[0] in ("count", "global"):
            return time
        return said[2][1] - 1

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
