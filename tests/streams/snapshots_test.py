"""Snapshots of random windows and joins at a random place: a job of other parallelism that goes on from one, with
functions that move to the other mode on the way, gives what the models say of the whole stream."""

from __future__ import annotations

import unittest
from typing import Any, List, Tuple

import joins_test
import late_test
from model.times import Element
from proof.resuming import resumed
from proof.running import Setting


class Windows(late_test.LateElements):
    """With late elements, allowed lateness and triggers that fire as time goes on."""

    seeds = 3

    def feed(self, setting: Setting, elements: List[Element]) -> List[Any]:
        return resumed(setting, self.build, elements, self.bound, one_by_one=False)


class Joins(joins_test.Joins):
    """Interval joins, window joins and co-groups."""

    seeds = 2

    def feed(self, setting: Setting, elements: List[Tuple[Any, ...]]) -> List[Any]:
        return resumed(setting, self.build, elements, self.bound, one_by_one=True, of=joins_test.FOUR)


if __name__ == "__main__":
    unittest.main()
