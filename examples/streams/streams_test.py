"""Run each example of streams in both modes and compare what it prints. usage: streams_test.py PYTHON

Lines are compared sorted where several streams print, because nobody promises which of them comes first.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Dict, List

PYTHON = sys.argv.pop(1)
HERE = Path(__file__).resolve().parent

TEXT = "To be, or not to be:\nthat is the question.\n"

PRINTED: Dict[str, List[str]] = {
    "batch.py": ["BATCH ['a5', 'b2']", "STREAMING ['a3', 'a5', 'a5', 'b1', 'b2']"],
    "collatz.py": ["27 takes 111 steps", "6 takes 8 steps", "7 takes 16 steps"],
    "connected.py": [
        "device 3 9.9",
        "ice box 3.0",
        "number 1",
        "number 2",
        "oven 20.5",
        "oven 21.0",
        "text a",
    ],
    "joins.py": [
        "a joined in one window",
        "a paid after 2 s",
        "b joined in one window",
        "c joined in one window",
        "c paid after 1 s",
        "d not paid in its window",
    ],
    "lookups.py": ["number %d, asked %d times" % (number, 2 if number % 3 == 0 else 1) for number in range(7)],
    "own_ends.py": ["['1', '2', '5', '10', '17']"],
    "rules.py": ["ada ends with 115, over ['high', 'low']", "alan ends with 25, over nothing"],
    "silence.py": [
        "lathe was silent from second 2 on",
        "lathe was silent from second 14 on",
        "lathe was silent from second 39 on",
        "press was silent from second 5 on",
        "press was silent from second 30 on",
    ],
    "top_speed.py": [
        "blue: 25 at second 3",
        "blue: 5 at second 20",
        "red: 30 at second 2",
        "red: 12 at second 14",
    ],
    "windows.py": [
        "session north 1-14: 3 sales",
        "session north 21-32: 2 sales",
        "session south 2-15: 3 sales",
        "sum of north up to second 4: 13",
        "sum of north up to second 6: 8",
        "sum of north up to second 24: 6",
        "sum of south up to second 2: 5",
        "sum of south up to second 7: 101",
    ],
    "word_count.py": [
        "(to,1)",
        "(be,1)",
        "(or,1)",
        "(not,1)",
        "(to,2)",
        "(be,2)",
        "(that,1)",
        "(is,1)",
        "(the,1)",
        "(question,1)",
    ],
}


class Streams(unittest.TestCase):
    def run_example(self, name: str, mode: str, folder: str) -> List[str]:
        arguments = [PYTHON, "-B", str(HERE / name), mode]
        if name == "word_count.py":
            path = os.path.join(folder, "text")
            Path(path).write_text(TEXT, encoding="utf-8")
            arguments.append(path)
        if name == "own_ends.py":
            arguments.append(os.path.join(folder, "lines"))
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.splitlines()

    def test_all_are_there(self) -> None:
        there = [path.name for path in HERE.glob("*.py") if not path.name.endswith("_test.py")]
        self.assertEqual(sorted(PRINTED), sorted(there))

    def test_each(self) -> None:
        for name, printed in sorted(PRINTED.items()):
            for mode in ("thread", "process"):
                with self.subTest(name, mode=mode), tempfile.TemporaryDirectory() as folder:
                    self.assertEqual(sorted(self.run_example(name, mode, folder)), sorted(printed))


if __name__ == "__main__":
    unittest.main()
