"""The two functions of the word count: a tokenizer (row to rows) and a normal form (row to row)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def tokenize(line: str) -> Iterator[str]:
    """Words of a line, in order: runs of letters, with inner apostrophes and hyphens."""
    for match in _WORD.finditer(line):
        yield match.group()


def normalize(word: str) -> str:
    """The form under which a word is counted: lower case, without a possessive ending."""
    word = word.casefold().replace("’", "'")
    return word[:-2] if word.endswith("'s") else word
