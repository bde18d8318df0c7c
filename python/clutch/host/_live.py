"""Functions that cannot be pickled, for thread mode in the interpreter that made them: it imports them from here."""

from __future__ import annotations

import itertools
from typing import Any

_numbers = itertools.count()


def keep(function: Any) -> str:
    """Keep a function under a name of its own, and give the text of an import of it."""
    name = "function_%d" % next(_numbers)
    globals()[name] = function
    return "%s:%s" % (__name__, name)


def forget(text: str) -> None:
    """Let go of a function that was kept."""
    globals().pop(text.rpartition(":")[2], None)
