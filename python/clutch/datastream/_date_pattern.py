"""Patterns of dates in Java's letters as those of strftime."""

from __future__ import annotations

import itertools

# Runs of letters, and what they are called in C.
_LETTERS = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "DDD": "%j",
}  # fmt: skip


def strftime_of(pattern: str) -> str:
    """ValueError for letters that have no counterpart."""
    found, quoted = "", False
    for char, run in itertools.groupby(pattern):
        text = "".join(run)
        if char == "'":
            found += "'" * (len(text) // 2)
            quoted ^= len(text) % 2 == 1
        elif quoted or not (char.isascii() and char.isalpha()):
            found += text.replace("%", "%%")
        elif text in _LETTERS:
            found += _LETTERS[text]
        else:
            raise ValueError(
                "the pattern %r has %r, which means no part of a date or time here; there are %s, and texts in quotes"
                % (pattern, text, ", ".join(_LETTERS))
            )
    return found
