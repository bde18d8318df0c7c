"""JobID: which job it is."""

from __future__ import annotations

import os

__all__ = ["JobID"]


class JobID:
    """16 random bytes, written as 32 hexadecimal digits."""

    def __init__(self) -> None:
        self._text = os.urandom(16).hex()

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, JobID) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return self._text
