"""Which windows an element belongs to. An assigner is a tuple: what sort it is, and its numbers.

("tumbling", size, offset), ("sliding", size, slide, offset), ("session", gap), ("count", size, slide), ("global",).
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

from model.times import LAST


class Span(NamedTuple):
    """A window: from `start` up to and without `end`. Count windows have their number twice."""

    start: int
    end: int


GLOBAL = Span(0, 0)


class Assigner:
    """The windows of elements, which for count windows depend on how many their key had before."""

    def __init__(self, assigner: Tuple[Any, ...]) -> None:
        self.sort = assigner[0]
        self._numbers = assigner[1:]
        self._seen: Dict[Any, int] = {}

    @property
    def merges(self) -> bool:
        return bool(self.sort == "session")

    @property
    def of_time(self) -> bool:
        return self.sort in ("tumbling", "sliding", "session")

    def last_of(self, window: Span) -> int:
        """The last time that belongs to a window."""
        return window.end - 1 if self.of_time else LAST

    def windows(self, key: Any, time: int) -> List[Span]:
        return list(getattr(self, "_" + self.sort)(key, time, *self._numbers))

    def _tumbling(self, _: Any, time: int, size: int, offset: int) -> List[Span]:
        return self._sliding(_, time, size, size, offset)

    def _sliding(self, _: Any, time: int, size: int, slide: int, offset: int) -> List[Span]:
        start = time - (time - offset) % slide
        found = []
        while start + size > time:
            found.append(Span(start, start + size))
            start -= slide
        return found

    def _session(self, _: Any, time: int, gap: int) -> List[Span]:
        return [Span(time, time + gap)]

    def _count(self, key: Any, _: int, size: int, slide: int) -> List[Span]:
        seen = self._seen.get(key, 0)
        self._seen[key] = seen + 1
        return [Span(number, number) for number in range(seen // slide + 1) if seen < number * slide + size]

    def _global(self, _key: Any, _: int) -> List[Span]:
        return [GLOBAL]


def merged(windows: List[Span]) -> List[Tuple[Span, List[Span]]]:
    """Windows that touch or overlap as one, each with those it was made of."""
    found: List[Tuple[Span, List[Span]]] = []
    for window in sorted(windows):
        if found and window.start <= found[-1][0].end:
            whole, parts = found[-1]
            found[-1] = (Span(whole.start, max(whole.end, window.end)), [*parts, window])
        else:
            found.append((window, [window]))
    return found
