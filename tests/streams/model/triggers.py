"""When windows fire. A trigger is a tuple: ("event",), ("count", n), ("continuous", ms), ("never",), or
("purging", trigger)."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Protocol, Tuple


class Place(Protocol):
    """What a trigger sees: one window of one key."""

    watermark: int
    last: int  # of the window's times
    state: Dict[str, Any]  # of the trigger, for this window

    def register(self, time: int) -> None: ...
    def delete(self, time: int) -> None: ...


class Trigger:
    """Methods tell whether the window fires."""

    purges = False

    def element(self, place: Place, time: int) -> bool:
        return False

    def timer(self, place: Place, time: int) -> bool:
        return False

    def merge(self, place: Place, parts: List[Dict[str, Any]]) -> None:
        """`parts` are the states of the windows that became this one."""

    def clear(self, place: Place) -> None:
        """The window is gone, or part of another."""


class EventTime(Trigger):
    def element(self, place: Place, time: int) -> bool:
        if place.last <= place.watermark:
            return True
        place.register(place.last)
        return False

    def timer(self, place: Place, time: int) -> bool:
        return time == place.last

    def merge(self, place: Place, parts: List[Dict[str, Any]]) -> None:
        if place.last > place.watermark:
            place.register(place.last)

    def clear(self, place: Place) -> None:
        place.delete(place.last)


class Count(Trigger):
    def __init__(self, most: int) -> None:
        self._most = most

    def element(self, place: Place, time: int) -> bool:
        count = place.state.get("count", 0) + 1
        place.state["count"] = 0 if count >= self._most else count
        return count >= self._most

    def merge(self, place: Place, parts: List[Dict[str, Any]]) -> None:
        place.state["count"] = sum(part.get("count", 0) for part in parts)

    def clear(self, place: Place) -> None:
        place.state.clear()


class Continuous(Trigger):
    """Fires every so often in event time from the first element on, and at the end of the window."""

    def __init__(self, interval: int) -> None:
        self._interval = interval

    def _next(self, place: Place, time: int) -> None:
        place.state["next"] = min(time + self._interval, place.last)
        place.register(place.state["next"])

    def element(self, place: Place, time: int) -> bool:
        if place.last <= place.watermark:
            return True
        place.register(place.last)
        if place.state.get("next") is None:
            self._next(place, time - time % self._interval)
        return False

    def timer(self, place: Place, time: int) -> bool:
        if time == place.last:
            return True
        if place.state.get("next") != time:
            return False
        self._next(place, time)
        return True

    def merge(self, place: Place, parts: List[Dict[str, Any]]) -> None:
        times = [part["next"] for part in parts if part.get("next") is not None]
        if times:
            place.state["next"] = min(times)
            place.register(place.state["next"])

    def clear(self, place: Place) -> None:
        if place.state.get("next") is not None:
            place.delete(place.state["next"])
        place.state.clear()


def trigger_of(trigger: Tuple[Any, ...]) -> Trigger:
    if trigger[0] == "purging":
        made = trigger_of(trigger[1])
        made.purges = True
        return made
    sorts = {"event": EventTime, "count": Count, "continuous": Continuous, "never": Trigger}
    return sorts[trigger[0]](*trigger[1:])


def default_trigger(sort: str, size: Optional[int]) -> Tuple[Any, ...]:
    """What an assigner has without being told."""
    if sort == "count":
        return ("purging", ("count", size))
    return ("never",) if sort == "global" else ("event",)
