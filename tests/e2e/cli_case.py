"""What tests of the clutch command share: functions to run, and a folder."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CLUTCH, PYTHON = sys.argv[1:3]
MODES = ("thread", "process")
CASES = str(Path(__file__).resolve().parents[1] / "conformance" / "cases")

FUNCTIONS = """
def upper(line):
    return line.upper()

def split(line):
    return line.split()

def longer(a, b):
    return (a, b + 1) if a else None

def ratio(n):
    return 10 // int(n)

def ratio_of_column(n):
    return 10 // n

def nap(line):
    import time
    time.sleep(0.02)
    return line
"""


class CliCase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.functions = self.folder / "functions.py"
        self.functions.write_text(FUNCTIONS)

    def clutch(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CLUTCH, *arguments], input=stdin, capture_output=True, text=True, timeout=120, check=False
        )

    def apply(self, function: str, mode: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self.clutch(
            "apply", f"{self.functions}:{function}", "--python", PYTHON, "--mode", mode, *arguments, stdin=stdin
        )
