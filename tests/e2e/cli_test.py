"""The clutch command as a user runs it, in both modes.

usage: cli_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CLUTCH, PYTHON = sys.argv[1:3]
MODES = ("thread", "process")

FUNCTIONS = '''
def upper(line):
    return line.upper()

def split(line):
    return line.split()

def longer(a, b):
    return (a, b + 1) if a else None

def ratio(n):
    return 10 // int(n)
'''


class CliTest(unittest.TestCase):
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

    def test_lines(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("upper", mode, stdin="to be\nor not\n\nżółw\n")
                self.assertEqual((done.returncode, done.stdout), (0, "TO BE\nOR NOT\n\nŻÓŁW\n"), done.stderr)
                self.assertIn(f"4 rows in, 4 out, 0 dead letters", done.stderr)
                self.assertIn(f"mode {mode}", done.stderr)

    def test_many_batches_keep_their_order(self) -> None:
        source = self.folder / "numbers.txt"
        source.write_text("".join(f"line {i}\n" for i in range(20000)))
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("upper", mode, "--input", str(source), "--batch-rows", "777", "--quiet")
                self.assertEqual(done.stdout, source.read_text().upper(), done.stderr)
                self.assertEqual(done.stderr, "")

    def test_csv_to_json_lines(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply(
                    "longer", mode, "--input-format", "csv", "--input-type", "a: string, b: int64",
                    "--output-format", "jsonl", "--result-type", "name: string, n: int64",
                    stdin='b,a\n1,"x,y"\n41,z\n',
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(
                    [json.loads(line) for line in done.stdout.splitlines()],
                    [{"name": "x,y", "n": 2}, {"name": "z", "n": 42}],
                )

    def test_flat_map_of_json_lines_with_guessed_columns(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply(
                    "split", mode, "--kind", "stream.flat_map", "--input-format", "jsonl", "--output-format", "csv",
                    "--result-type", "word: string", stdin='{"line": "to be"}\n{"line": ""}\n{"line": "or"}\n',
                )
                self.assertEqual((done.returncode, done.stdout), (0, "word\nto\nbe\nor\n"), done.stderr)

    def test_a_failing_row_stops_with_its_traceback(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("ratio", mode, "--result-type", "int64", stdin="5\n0\n")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn('function "ratio" row 1: ZeroDivisionError: integer division or modulo by zero', done.stderr)
                self.assertIn("return 10 // int(n)", done.stderr)

    def test_dead_letters_are_told_and_the_rest_is_written(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("ratio", mode, "--result-type", "int64", "--on-error", "dead_letter", stdin="5\n0\nx\n2\n")
                self.assertEqual((done.returncode, done.stdout), (0, "2\n5\n"), done.stderr)
                self.assertIn("clutch: input row 1: function", done.stderr)
                self.assertIn("clutch: input row 2: function", done.stderr)
                self.assertIn("2 dead letters", done.stderr)

    def test_json_summary(self) -> None:
        done = self.apply("upper", "process", "--json", stdin="a\n")
        summary = json.loads(done.stderr)
        self.assertEqual((summary["rows_in"], summary["rows_out"], summary["mode"]), (1, 1, "process"))

    def test_refusals(self) -> None:
        cases = [
            (["--input", str(self.folder / "missing.txt")], "cannot open", "No such file"),
            (["--input-format", "xml"], 'unknown format "xml"; there are lines, csv and jsonl', ""),
            (["--mode", "threads"], "threads", "process"),
            (["--result-type", "int65"], "int65", ""),
            (["--kind", "table.scaler"], "table.scaler", ""),
            (["-D", "python.process.depth=9"], "python.process.depth", "9"),
        ]
        for arguments, first, second in cases:
            with self.subTest(arguments=arguments):
                done = self.clutch("apply", f"{self.functions}:upper", "--python", PYTHON, *arguments, stdin="a\n")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(first, done.stderr)
                self.assertIn(second, done.stderr)

    def test_input_that_is_not_utf8_names_its_line(self) -> None:
        source = self.folder / "latin1.txt"
        source.write_bytes(b"good\nb\xe4d\n")
        done = self.apply("upper", "thread", "--input", str(source))
        self.assertEqual(done.returncode, 1)
        self.assertIn("latin1.txt:2: not UTF-8", done.stderr)

    def test_plugins_explain_and_config(self) -> None:
        found = json.loads(self.clutch("plugins", "--json").stdout)
        self.assertLessEqual({"thread", "process", "native"}, {plugin["mode"] for plugin in found["plugins"]})
        for arguments in (["plugins"], ["explain"], ["explain", "table.scalar"], ["config"]):
            done = self.clutch(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(len(done.stdout.splitlines()), 1)
        decision = self.clutch(
            "explain", "table.scalar", "--function", "math:floor", "--mode", "thread", "--python", PYTHON, "--json"
        )
        self.assertEqual(json.loads(decision.stdout)["mode"], "thread", decision.stdout)

    def test_doctor(self) -> None:
        done = self.clutch("doctor", "--python", PYTHON, "--json")
        report = json.loads(done.stdout)
        self.assertTrue(report["usable"], report)
        for mode in MODES:
            self.assertTrue(report["modes"][mode]["kinds"]["table.scalar"]["served"], report)

    def test_doctor_of_what_is_no_python(self) -> None:
        missing = self.clutch("doctor", "--python", str(self.folder / "python3"))
        self.assertEqual(missing.returncode, 1)
        self.assertIn("does not exist", missing.stdout)
        other = self.clutch("doctor", "--python", "/bin/ls")
        self.assertEqual(other.returncode, 1)
        self.assertIn("not", other.stdout)

    def test_doctor_of_a_python_that_is_too_old(self) -> None:
        root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
        old = sorted(glob.glob(f"{root}/versions/3.7.*/bin/python3"))
        if not old:
            self.skipTest("there is no CPython 3.7 on this machine")
        done = self.clutch("doctor", "--python", old[0])
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs 3.8 or later", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
