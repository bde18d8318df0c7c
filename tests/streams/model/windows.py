"""The window operator: windows by key, when they fire, with which contents, and which elements are late."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from model.assigners import Assigner, Span, merged
from model.evictors import evict
from model.times import FIRST, LAST, Element, Timers
from model.triggers import default_trigger, trigger_of


class WindowSpec(NamedTuple):
    """Windows as data, see the modules of the parts."""

    assigner: Tuple[Any, ...]
    trigger: Optional[Tuple[Any, ...]] = None
    lateness: int = 0
    evictor: Optional[Tuple[Any, ...]] = None


class Fired(NamedTuple):
    """A call of a window's function."""

    key: Any
    window: Span
    contents: List[Element]
    time: int  # of what the function gives


class _Place:
    """One window of one key, as its trigger sees it."""

    def __init__(self, model: WindowModel, key: Any, window: Span) -> None:
        self._model, self._key, self._window = model, key, window
        self.watermark = model.watermark
        self.last = model.assigner.last_of(window)
        self.state = model.states.setdefault((key, window), {})

    def register(self, time: int) -> None:
        self._model.timers.register(time, self._key, self._window)

    def delete(self, time: int) -> None:
        self._model.timers.delete(time, self._key, self._window)


class WindowModel:
    def __init__(self, spec: WindowSpec) -> None:
        self.assigner = Assigner(spec.assigner)
        size = spec.assigner[1] if len(spec.assigner) > 1 else None
        self._trigger = trigger_of(spec.trigger or default_trigger(self.assigner.sort, size))
        self._lateness = spec.lateness
        self._evictor = spec.evictor
        self.watermark = FIRST
        self.timers = Timers()
        self.states: Dict[Tuple[Any, Span], Dict[str, Any]] = {}
        self._contents: Dict[Tuple[Any, Span], List[Element]] = {}
        self._sessions: Dict[Any, List[Span]] = {}  # by key: those that are alive
        self.fired: List[Fired] = []
        self.late: List[Element] = []

    def element(self, element: Element) -> None:
        taken = False
        for window in self.assigner.windows(element.key, element.time):
            if self.assigner.merges:
                window = self._merge(element.key, window)
            if self._is_over(window):
                self._forget(element.key, window)
                continue
            taken = True
            self._contents.setdefault((element.key, window), []).append(element)
            if self._trigger.element(_Place(self, element.key, window), element.time):
                self._fire(element.key, window)
            if self._end_of(window) < LAST:
                self.timers.register(self._end_of(window), element.key, window)
        if not taken and self.assigner.of_time and element.time + self._lateness <= self.watermark:
            self.late.append(element)

    def advance(self, watermark: int) -> None:
        if watermark <= self.watermark:
            return
        self.watermark = watermark
        self.timers.fire(watermark, self._on_timer)

    def _end_of(self, window: Span) -> int:
        """When nothing is known of the window any more."""
        return min(self.assigner.last_of(window) + self._lateness, LAST)

    def _is_over(self, window: Span) -> bool:
        return self.assigner.of_time and self._end_of(window) <= self.watermark

    def _merge(self, key: Any, window: Span) -> Span:
        """The session that the window belongs to, which those that it joins have become."""
        alive = self._sessions.setdefault(key, [])
        for whole, parts in merged([*alive, window]):
            if window not in parts:
                continue
            old = [part for part in parts if part in alive]
            self._sessions[key] = [one for one in alive if one not in old] + [whole]
            if old and old != [whole]:
                self._become(key, whole, old)
            return whole
        raise AssertionError("a window is among those it was merged with")

    def _become(self, key: Any, whole: Span, old: List[Span]) -> None:
        contents = [element for part in old for element in self._contents.pop((key, part), [])]
        states = [self.states.pop((key, part), {}) for part in old]
        for part in old:
            self._trigger.clear(_Place(self, key, part))
            self.timers.delete(self._end_of(part), key, part)
            self.states.pop((key, part), None)
        if contents:
            self._contents[key, whole] = contents
        self._trigger.merge(_Place(self, key, whole), states)

    def _on_timer(self, time: int, key: Any, window: Span) -> None:
        if self.assigner.merges and window not in self._sessions.get(key, []):
            return
        if self._trigger.timer(_Place(self, key, window), time):
            self._fire(key, window)
        if self.assigner.of_time and time == self._end_of(window):
            self._trigger.clear(_Place(self, key, window))
            self._forget(key, window)

    def _fire(self, key: Any, window: Span) -> None:
        contents = self._contents.get((key, window), [])
        if contents:
            given = evict(self._evictor, contents, after=False)
            self.fired.append(Fired(key, window, list(given), self.assigner.last_of(window)))
            self._contents[key, window] = evict(self._evictor, given, after=True)
        if self._trigger.purges:
            self._contents.pop((key, window), None)

    def _forget(self, key: Any, window: Span) -> None:
        self._contents.pop((key, window), None)
        self.states.pop((key, window), None)
        if window in self._sessions.get(key, []):
            self._sessions[key].remove(window)


def run(spec: WindowSpec, elements: List[Element], watermarks: List[int]) -> WindowModel:
    """Elements, each followed by its watermark, and the end of the stream."""
    model = WindowModel(spec)
    for element, watermark in zip(elements, watermarks):
        model.element(element)
        model.advance(watermark)
    model.advance(LAST)
    return model
