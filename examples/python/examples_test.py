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
    "tokens.py": """\
thread to:2 be:2 or:2 not:3
process to:2 be:2 or:2 not:3
""",
    "balance.py": """\
thread {'ada': '9.50 in 2', 'alan': '8.00 in 1'}
thread {'ada': '9.00 in 2'}
process {'ada': '9.50 in 2', 'alan': '8.00 in 1'}
process {'ada': '9.00 in 2'}
""",
    "podium.py": """\
thread 100 m 1. 11.8, 2. 11.9, 3. 12.0
thread 400 m 1. 49.9, 2. 50.2
process 100 m 1. 11.8, 2. 11.9, 3. 12.0
process 400 m 1. 49.9, 2. 50.2
""",
    "columns.py": """\
thread [23.0, 59.0, 37.4]
thread [ 5. 13.]
thread {'Oslo': -1.0, 'Rome': 15.0}
process [23.0, 59.0, 37.4]
process [ 5. 13.]
process {'Oslo': -1.0, 'Rome': 15.0}
""",
    "lookup.py": """\
thread row 199, up to 50 at a time
process row 199, up to 50 at a time
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
