"""Run the example on a text in both modes, and with a function that fails.

usage: lines_test.py LINES
"""

from __future__ import annotations

import subprocess
import sys

PROGRAM = sys.argv[1]
WORDS = "".join(f"{number} to be or not\n" for number in range(3000))


def run(*arguments: str, text: str = WORDS) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, text=True, timeout=100, check=False)


for mode in ("thread", "process"):
    done = run("builtins:str.split", mode)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [*WORDS.split(), ""], done.stdout[:200]
    assert f"mode {mode}" in done.stderr, done.stderr
    failed = run("builtins:int", mode, text="1\n")
    assert failed.returncode == 1, failed.stderr
    assert 'lines: function "int" row 0: result of type int does not fit string: 1' in failed.stderr, failed.stderr
missing = run("no_such_module:f")
assert missing.returncode == 1 and "there is no module 'no_such_module'" in missing.stderr, missing.stderr
assert run().returncode == 2
