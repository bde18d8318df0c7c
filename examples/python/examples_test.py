"""Run each example and compare what it prints. usage: examples_test.py PYTHON"""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

PYTHON = sys.argv.pop(1)
HERE = Path(__file__).resolve().parent

PRINTED = {
    "prices.py": """\
thread tea for 3.81 3.81
thread milk for 1.30 1.30
process tea for 3.81 3.81
process milk for 1.30 1.30
""",
    "parallel.py": """\
[25, 46]
[62, 78]
[95, 109]
[125, 139]
row 1: there are no primes below -1
""",
}


class Examples(unittest.TestCase):
    def test_each(self) -> None:
        there = [path.name for path in HERE.glob("*.py") if not path.name.endswith("_test.py")]
        self.assertEqual(sorted(PRINTED), sorted(there))
        for name, printed in PRINTED.items():
            with self.subTest(name):
                command = [PYTHON, "-B", str(HERE / name)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
                self.assertEqual((done.stdout, done.returncode), (printed, 0), done.stderr)


if __name__ == "__main__":
    unittest.main()
