"""How the operators of a job get on: what their counters come to between two looks."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple


class Progress(NamedTuple):
    """One operator, all of its subtasks together. None: there is no such number, or nobody knows it."""

    name: str
    mode: str
    workers: Optional[int]
    rows_in: int
    rows_out: int
    rows_per_second: Optional[float]
    backlog_bytes: Optional[int]
    kept: Optional[int]
    busy: Optional[float]  # of the time of its subtasks


class _Sums(NamedTuple):
    first: Dict[str, Any]
    subtasks: int
    rows_in: int
    rows_out: int
    busy_ns: int
    backlog_bytes: Optional[int]
    kept: Optional[int]


def _plus(left: Optional[int], right: Optional[int]) -> Optional[int]:
    return right if left is None else left if right is None else left + right


def _sums(found: List[Dict[str, Any]]) -> Dict[Tuple[int, str], _Sums]:
    """By operator, in the order of the plan."""
    sums: Dict[Tuple[int, str], _Sums] = {}
    for of in found:
        key = (of["node"], of["name"])
        old = sums.get(key, _Sums(of, 0, 0, 0, 0, None, None))
        sums[key] = _Sums(
            old.first,
            old.subtasks + 1,
            old.rows_in + of["rows_in"],
            old.rows_out + of["rows_out"],
            old.busy_ns + of["busy_ns"],
            _plus(old.backlog_bytes, of["backlog_bytes"]),
            _plus(old.kept, of["kept"]),
        )
    return sums


class Meter:
    """Looks at a job's metrics; rates are those since the look before."""

    def __init__(self, metrics: Callable[[], List[Dict[str, Any]]]) -> None:
        self._metrics = metrics
        self._began = self._then = time.monotonic()
        self._before: Dict[Tuple[int, str], _Sums] = {}

    def seconds(self) -> float:
        """Since the meter was made."""
        return time.monotonic() - self._began

    def look(self, since_start: bool = False) -> List[Progress]:
        """How the operators get on."""
        now = time.monotonic()
        sums = _sums(self._metrics())
        before = {} if since_start else self._before
        passed = now - (self._began if since_start else self._then)
        found = [self._progress(of, before.get(key), passed) for key, of in sums.items()]
        self._before, self._then = sums, now
        return found

    @staticmethod
    def _progress(of: _Sums, before: Optional[_Sums], passed: float) -> Progress:
        rows = of.rows_in - (before.rows_in if before is not None else 0)
        busy_ns = of.busy_ns - (before.busy_ns if before is not None else 0)
        share = min(1.0, busy_ns / (passed * 1e9 * of.subtasks)) if passed > 0 else None
        return Progress(
            of.first["name"],
            of.first["mode"],
            of.first["workers"],
            of.rows_in,
            of.rows_out,
            rows / passed if passed > 0 else None,
            of.backlog_bytes,
            of.kept,
            share if of.busy_ns > 0 else None,  # nothing is measured of sources
        )
