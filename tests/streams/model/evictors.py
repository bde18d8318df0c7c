"""What leaves a window before or after its function. An evictor is a tuple: ("count", n, after), ("time", ms, after)
or ("delta", threshold, after), whose distance is that of the elements' times."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

from model.times import Element


def evict(evictor: Optional[Tuple[Any, ...]], contents: List[Element], after: bool) -> List[Element]:
    """What stays."""
    if evictor is None or evictor[2] != after or not contents:
        return contents
    sort, number, _ = evictor
    if sort == "count":
        return contents[max(0, len(contents) - number) :]
    if sort == "time":
        youngest = max(element.time for element in contents)
        return [element for element in contents if element.time > youngest - number]
    return [element for element in contents if abs(element.time - contents[-1].time) < number]
