"""Check which symbols a shared object exports.

Usage: exports.py LIBRARY PATTERN... Each exported symbol must match one of the patterns (of fnmatch), and each pattern
must match a symbol, so that an export can neither appear nor vanish unseen.
"""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from typing import List


def exported(library: str) -> List[str]:
    """Return the defined dynamic symbols, without version nodes."""
    command = ["nm", "-D", "--defined-only", "--format=posix", library]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in output.splitlines()]
    return [row[0].split("@")[0] for row in rows if row[1] != "A"]


def check(symbols: List[str], patterns: List[str]) -> List[str]:
    """Return what is exported and should not be, or should be and is not."""
    wrong = [symbol for symbol in symbols if not any(fnmatch.fnmatchcase(symbol, pattern) for pattern in patterns)]
    missing = [pattern for pattern in patterns if not fnmatch.filter(symbols, pattern)]
    return [f"exports {symbol}" for symbol in wrong] + [f"does not export {pattern}" for pattern in missing]


def main(arguments: List[str]) -> int:
    """Print the problems of one library; 1 if there are any."""
    library, *patterns = arguments
    symbols = exported(library)
    problems = check(symbols, patterns)
    for problem in problems:
        print(f"{library}: {problem}")
    if not problems:
        print(f"{library}: {len(symbols)} symbols, as allowed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
