"""The state of a job in words: a table for people at a terminal, lines for those who read a log."""

from __future__ import annotations

import unicodedata
from typing import List, Optional

from clutch.datastream._progress import Progress

_HEAD = ("operator", "mode", "workers", "rows in", "rows out", "rows/s", "backlog", "state", "busy")
_LEAST_NAME = 8


def _count(value: Optional[float]) -> str:
    return "-" if value is None else "{:,}".format(int(value))


def _bytes(value: Optional[int]) -> str:
    if value is None:
        return "-"
    amount = float(value)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return "%.*f %s" % (0 if unit == "B" else 1, amount, unit)
        amount /= 1024
    return "%.1f GiB" % amount


def _share(value: Optional[float]) -> str:
    return "-" if value is None else "%d %%" % round(100 * value)


def _wide(char: str) -> int:
    return 0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(map(_wide, text))


def fitted(text: str, room: int) -> str:
    """The text, cut to so many columns, without characters that a terminal would obey."""
    text = "".join(char if char.isprintable() else " " for char in text)
    if columns(text) <= room:
        return text
    while text and columns(text) > room - 1:
        text = text[:-1]
    return text + "…" if room > 0 else ""


def _cells(of: Progress) -> List[str]:
    return [
        of.mode or "-",
        _count(of.workers),
        _count(of.rows_in),
        _count(of.rows_out),
        _count(of.rows_per_second),
        _bytes(of.backlog_bytes),
        _count(of.kept),
        _share(of.busy),
    ]


def table(operators: List[Progress], width: int) -> List[str]:
    """A head and a line for each operator, none longer than `width`."""
    rows = [list(_HEAD[1:])] + [_cells(of) for of in operators]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    names = [_HEAD[0]] + [of.name for of in operators]
    room = width - sum(widths) - 2 * len(widths)
    room = max(_LEAST_NAME, min(room, max(map(columns, names))))
    lines = []
    for name, row in zip(names, rows):
        name = fitted(name, room)
        cells = [row[0].ljust(widths[0])] + [cell.rjust(size) for cell, size in zip(row[1:], widths[1:])]
        lines.append(fitted("  ".join([name + " " * (room - columns(name)), *cells]), width))
    return lines


def line(of: Progress) -> str:
    """One operator in a line of its own."""
    words = ["%s=%s" % (head.replace(" ", "-"), cell) for head, cell in zip(_HEAD[1:], _cells(of))]
    return "%s: %s" % (fitted(of.name, 200), ", ".join(words))
