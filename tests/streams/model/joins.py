"""Joins of two streams. Elements come as (side, element), with side 0 for the left and 1 for the right stream."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

from model.times import FIRST, LAST, Element
from model.windows import Fired, WindowModel, WindowSpec

Sided = Tuple[int, Element]


class Interval(NamedTuple):
    """Which times of right elements are near a left one's, relative to it."""

    lower: int
    upper: int
    lower_exclusive: bool = False
    upper_exclusive: bool = False

    def joins(self, left: int, right: int) -> bool:
        low, high = left + self.lower, left + self.upper
        return (low < right if self.lower_exclusive else low <= right) and (
            right < high if self.upper_exclusive else right <= high
        )


class IntervalJoinModel:
    """Pairs of one key whose times are near. Elements behind the watermark are dropped; others are kept for as long as
    an element that is not behind the watermark could be near them, and are gone when the watermark gets there."""

    def __init__(self, interval: Interval) -> None:
        self._interval = interval
        upper = interval.upper - (1 if interval.upper_exclusive else 0)
        lower = interval.lower + (1 if interval.lower_exclusive else 0)
        self._reach = (max(0, upper), max(0, -lower))
        self._kept: Tuple[List[Element], List[Element]] = ([], [])
        self.watermark = FIRST
        self.pairs: List[Tuple[Element, Element]] = []

    def element(self, side: int, element: Element) -> None:
        if element.time < self.watermark:
            return
        self._kept[side].append(element)
        for other in self._kept[1 - side]:
            left, right = (element, other) if side == 0 else (other, element)
            if left.key == right.key and self._interval.joins(left.time, right.time):
                self.pairs.append((left, right))

    def advance(self, watermark: int) -> None:
        self.watermark = max(self.watermark, watermark)
        for kept, reach in zip(self._kept, self._reach):
            kept[:] = [element for element in kept if element.time + reach > self.watermark]


def run_interval(interval: Interval, elements: List[Sided], watermarks: List[int]) -> IntervalJoinModel:
    model = IntervalJoinModel(interval)
    for (side, element), watermark in zip(elements, watermarks):
        model.element(side, element)
        model.advance(watermark)
    model.advance(LAST)
    return model


def run_windows(
    spec: WindowSpec, elements: List[Sided], watermarks: List[int]
) -> List[Tuple[Fired, Tuple[List[Any], List[Any]]]]:
    """The windows of both streams together, each firing with its elements of the left and of the right stream."""
    model = WindowModel(spec)
    for (side, element), watermark in zip(elements, watermarks):
        model.element(element._replace(value=(side, element)))
        model.advance(watermark)
    model.advance(LAST)
    found = []
    for fired in model.fired:
        sides: Dict[int, List[Any]] = {0: [], 1: []}
        for side, element in (tagged.value for tagged in fired.contents):
            sides[side].append(element)
        found.append((fired, (sides[0], sides[1])))
    return found
