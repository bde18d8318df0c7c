"""Event time: the ends of its range, and timers."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

FIRST = -(2**63)  # the watermark of a stream that has said nothing yet
LAST = 2**63 - 1  # the watermark behind the last element of a bounded stream


class Element(NamedTuple):
    """An element of the random streams."""

    key: Any
    time: int
    value: Any


class Timers:
    """Timers of event time: each of them is a time, a key and what it is for, and is there at most once."""

    def __init__(self) -> None:
        self._order: Dict[Tuple[int, Any, Any], int] = {}
        self._made = 0

    def register(self, time: int, key: Any, purpose: Any) -> None:
        self._made += 1
        self._order.setdefault((time, key, purpose), self._made)

    def delete(self, time: int, key: Any, purpose: Any) -> None:
        self._order.pop((time, key, purpose), None)

    def fire(self, watermark: int, call: Callable[[int, Any, Any], None]) -> None:
        """Call for each timer up to the watermark, by time; also for those that are registered meanwhile."""
        while True:
            due = [timer for timer in self._order if timer[0] <= watermark]
            if not due:
                return
            timer = min(due, key=lambda one: (one[0], self._order[one]))
            del self._order[timer]
            call(*timer)


def watermarks_of(elements: List[Element], bound: int) -> List[int]:
    """The watermark behind each element, where one is sent behind each that lifts it."""
    highest, found = None, []
    for element in elements:
        highest = element[1] if highest is None else max(highest, element[1])
        found.append(highest - bound - 1)
    return found
