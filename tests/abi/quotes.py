"""Check that what a page quotes stands in the files it quotes from.

Usage: quotes.py PAGE FOLDER. Every block of C in the page must occur in one file of the folder; blanks do not count.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import List

BLOCK = re.compile(r"^```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def squeeze(text: str) -> str:
    """Return text without differences in blanks and line ends."""
    return re.sub(r"\s+", " ", text).strip()


def stale(page: str, files: List[str]) -> List[str]:
    """Return the blocks of a page that stand in none of the files."""
    known = [squeeze(text) for text in files]
    return [block for block in BLOCK.findall(page) if not any(squeeze(block) in text for text in known)]


def main(arguments: List[str]) -> int:
    """Print the stale blocks; 1 if there are any, or if there is nothing to compare."""
    page = Path(arguments[0]).read_text(encoding="utf-8")
    files = [path.read_text(encoding="utf-8") for path in sorted(Path(arguments[1]).glob("*.[ch]"))]
    blocks = BLOCK.findall(page)
    wrong = stale(page, files)
    for block in wrong:
        print(f"{arguments[0]} quotes what stands in no file of {arguments[1]}:\n{block}")
    print(f"{len(blocks) - len(wrong)} of {len(blocks)} quotes are right")
    return 1 if wrong or not blocks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
