"""The clutch command as a user runs it, in both modes.

usage: cli_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import glob
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Callable

CLUTCH, PYTHON = sys.argv[1:3]
MODES = ("thread", "process")
CASES = str(Path(__file__).resolve().parents[1] / "conformance" / "cases")

FUNCTIONS = '''
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
                self.assertIn("(nothing was written)", done.stderr)
                self.assertIn("return 10 // int(n)", done.stderr)

    def test_a_failing_row_is_named_by_its_place_in_the_whole_input(self) -> None:
        source = self.folder / "numbers.csv"
        source.write_text('n,text\n5,"two\nlines"\n2,x\n1,x\n0,x\n4,x\n')
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("ratio_of_column", mode, "--input", str(source), "--input-format", "csv", "--input-type",
                                  "n: int64", "--result-type", "int64", "--batch-rows", "2")
                self.assertEqual((done.returncode, done.stdout), (1, "result\n2\n5\n"))
                self.assertIn(f'clutch: {source}:6: function "ratio_of_column" row 3: ZeroDivisionError', done.stderr)
                self.assertIn("(standard output has the results of the first 2 input rows)", done.stderr)

    def test_an_output_file_is_written_whole_or_not_at_all(self) -> None:
        output = self.folder / "out.txt"
        arguments = ("ratio", "process", "--result-type", "int64", "--batch-rows", "1", "--output", str(output))
        done = self.apply(*arguments, stdin="5\n0\n")
        self.assertEqual(done.returncode, 1)
        self.assertFalse(output.exists())
        output.write_text("older\n")
        output.chmod(0o640)
        link = self.folder / "link.txt"
        link.symlink_to(output)
        done = self.apply(*arguments, stdin="5\n0\n")
        self.assertIn(f"({output} was left as it was)", done.stderr)
        self.assertEqual(output.read_text(), "older\n")
        done = self.apply(*arguments[:-1], str(link), stdin="5\n2\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((output.read_text(), output.stat().st_mode & 0o777), ("2\n5\n", 0o640))
        self.assertTrue(link.is_symlink())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["functions.py", "link.txt", "out.txt"])

    def test_an_output_that_cannot_be_written(self) -> None:
        done = self.apply("upper", "process", "--output", str(self.folder / "none" / "out.txt"), stdin="a\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot write {self.folder}/none/out.txt: No such file or directory", done.stderr)
        done = self.apply("upper", "process", "--output", "/dev/full", stdin="a\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write /dev/full: No space left on device", done.stderr)
        with open("/dev/full", "w", encoding="utf-8") as full:
            report = subprocess.run([CLUTCH, "plugins"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(report.returncode, 1)
        self.assertIn("cannot write standard output: No space left on device", report.stderr)

    def test_dead_letters_are_told_and_the_rest_is_written(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("ratio", mode, "--result-type", "int64", "--on-error", "dead_letter", "--batch-rows", "2",
                                  stdin="5\n0\nx\n2\n")
                self.assertEqual((done.returncode, done.stdout), (0, "2\n5\n"), done.stderr)
                self.assertIn('clutch: standard input:2: function "ratio" row 1: ZeroDivisionError', done.stderr)
                self.assertIn('clutch: standard input:3: function "ratio" row 2: ValueError', done.stderr)
                self.assertIn("2 dead letters", done.stderr)

    def test_a_batch_that_fails_as_a_whole_is_named_by_its_lines(self) -> None:
        functions = self.folder / "hang.py"
        functions.write_text("import ctypes\ndef hang(line):\n    return line if line != 'c' else ctypes.CDLL(None).sleep(1000)\n")
        done = self.clutch("apply", f"{functions}:hang", "--python", PYTHON, "--batch-rows", "2", "-D",
                           "python.process.batch-timeout=500ms", stdin="a\nb\nc\nd\n")
        self.assertEqual((done.returncode, done.stdout), (1, "a\nb\n"))
        self.assertRegex(done.stderr, r'clutch: standard input:3(-4)?: function "hang"')

    def test_json_of_apply(self) -> None:
        output = self.folder / "out.txt"
        done = self.apply("upper", "process", "--json", "--output", str(output), stdin="a\n")
        summary = json.loads(done.stdout)
        self.assertEqual((summary["rows_in"], summary["rows_out"], summary["mode"]), (1, 1, "process"))
        self.assertIn("1 rows in, 1 out", done.stderr)
        done = self.apply("upper", "process", "--json", stdin="a\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--json reports on standard output; send the rows elsewhere with --output FILE",
                      json.loads(done.stdout)["error"]["message"])
        done = self.apply("ratio", "process", "--json", "--output", str(output), "--result-type", "int64", stdin="5\n0\n")
        error = json.loads(done.stdout)["error"]
        self.assertEqual((done.returncode, error["code"]), (1, "CLUTCH_ERR_USER"))
        self.assertEqual((error["details"]["row"], error["details"]["line"], error["details"]["value"]), ("1", "2", "'0'"))
        self.assertIn("clutch: standard input:2: function", done.stderr)

    def test_json_of_every_subcommand(self) -> None:
        good = [["plugins"], ["explain"], ["explain", "table.scalar"], ["config"], ["config", "--all"],
                ["doctor", "--python", PYTHON], ["conform", "process", "--python", PYTHON, "--cases", CASES, "--filter", "os._exit"],
                ["bench", "--python", PYTHON, "--rows", "16", "--repeats", "1"]]
        for arguments in good:
            with self.subTest(arguments=arguments):
                done = self.clutch(*arguments, "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(json.loads(done.stdout))
        for command in ("plugins", "explain", "config", "doctor", "bench"):
            with self.subTest(failing=command):
                done = self.clutch(command, "--json", "-D", "python.process.depth=9")
                error = json.loads(done.stdout)["error"]
                self.assertEqual((done.returncode, error["code"]), (1, "CLUTCH_ERR_CONFIG"))
                self.assertEqual(done.stderr, f"clutch: {error['message']}\n", "standard error is for people")
                self.assertIn("python.process.depth", error["message"])
        done = self.clutch("conform", "no-such-mode", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["error"]["code"]), (1, "CLUTCH_ERR_NOT_FOUND"))

    def test_wrong_usage_names_what_was_meant(self) -> None:
        cases = [
            (["aplly"], 'unknown subcommand "aplly"; did you mean apply?'),
            (["frobnicate"], 'unknown subcommand "frobnicate"; there are apply, plugins, explain, config'),
            ([], "a subcommand is missing; say one of apply, plugins"),
            (["apply", "m:f", "--ouptut", "x"], "unknown option --ouptut; did you mean --output?"),
            (["plugins", "--jsn"], "unknown option --jsn; did you mean --json?"),
            (["bench", "--zzzzzzzz=1"], "unknown option --zzzzzzzz; `clutch bench --help` lists the options"),
            (["plugins", "more"], 'unexpected argument "more" of clutch plugins'),
            (["apply"], "FUNCTION is required; `clutch apply --help` lists the options"),
            (["apply", "m:f", "--input-format", "xml"], 'unknown format "xml"; there are lines, csv and jsonl'),
            (["apply", "m:f", "--on-error", "x"], "--on-error x: there are fail, null and dead_letter"),
            (["config", "-D", "x"], "-D x: write KEY=VALUE"),
        ]
        for arguments, sentence in cases:
            with self.subTest(arguments=arguments):
                done = self.clutch(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertIn(sentence, done.stderr)
        done = self.clutch("plugins", "--json", "--jsno")
        self.assertIn("did you mean --json?", json.loads(done.stdout)["error"]["message"])

    def test_help_tells_the_exit_codes(self) -> None:
        for arguments in (["--help"], ["apply", "--help"], ["bench", "--help"]):
            done = self.clutch(*arguments)
            self.assertEqual(done.returncode, 0)
            self.assertIn("Exit code: 0 done; 1 failed", done.stdout)

    def test_the_progress_bar_is_for_terminals(self) -> None:
        source = self.folder / "lines.txt"
        source.write_text("word\n" * 100)
        command = [CLUTCH, "apply", f"{self.functions}:nap", "--python", PYTHON, "--input", str(source), "--batch-rows", "10"]
        plain = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        self.assertRegex(plain.stderr, r"\A100 rows in, 100 out, 0 dead letters, [0-9.]+ s, \d+ rows/s, mode process\n\Z")
        terminal, other_end = pty.openpty()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=other_end) as child:
            os.close(other_end)
            seen = b""
            while select.select([terminal], [], [], 60)[0]:
                try:
                    seen += os.read(terminal, 65536)
                except OSError:  # What Linux says at the end of a terminal.
                    break
            self.assertEqual(child.wait(timeout=60), 0)
        os.close(terminal)
        self.assertRegex(seen.decode(), r"\r\[=* *\] +\d+%  \d+ rows  \d+ rows/s ")
        self.assertRegex(seen.decode(), r"\r\x1b\[K100 rows in, 100 out, .* rows/s, mode process")

    def test_a_reader_that_goes_away_ends_it_quietly(self) -> None:
        for arguments in (["apply", "builtins:str.upper", "--python", PYTHON, "--input", "/dev/stdin"], ["config", "--all"]):
            with self.subTest(arguments=arguments):
                reading, writing = os.pipe()
                os.close(reading)
                done = subprocess.run([CLUTCH, *arguments], input=b"word\n", stdout=writing, stderr=subprocess.PIPE,
                                      timeout=120, check=False)
                os.close(writing)
                self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))

    def test_an_interrupt_ends_it_with_its_workers(self) -> None:
        output = self.folder / "out.txt"
        for mode in MODES:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(mode=mode, signal=number):
                    command = [CLUTCH, "apply", f"{self.functions}:nap", "--python", PYTHON, "--mode", mode, "--batch-rows",
                               "10", "--output", str(output)]
                    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
                        assert child.stdin is not None
                        child.stdin.write(b"word\n" * 2000)
                        child.stdin.flush()
                        self.wait_until(lambda: any(self.folder.glob(".out.txt.unfinished-*")))
                        workers = self.children(child.pid)
                        self.assertEqual(bool(workers), mode == "process")
                        child.send_signal(number)
                        _, said = child.communicate(timeout=60)
                    self.assertEqual((child.returncode, said), (-number, b""))
                    self.assertEqual([worker for worker in workers if os.path.exists(f"/proc/{worker}")], [])
                    self.assertEqual([path.name for path in self.folder.glob("*out.txt*")], [])

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Look until it holds; the limit only ends a test that has failed."""
        end = time.monotonic() + 60
        while not holds():
            self.assertLess(time.monotonic(), end, "waited for a minute")
            time.sleep(0.01)

    @staticmethod
    def children(parent: int) -> list[int]:
        """Processes that a process has started, and that still are its children."""
        found = []
        for status in glob.glob("/proc/[0-9]*/status"):
            try:
                text = Path(status).read_text(encoding="utf-8")
            except OSError:  # It has ended meanwhile.
                continue
            if re.search(rf"^PPid:\s+{parent}$", text, re.MULTILINE):
                found.append(int(status.split("/")[2]))
        return found

    def test_refusals(self) -> None:
        cases = [
            (["--input", str(self.folder / "missing.txt")], "cannot open", "No such file"),
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

    def test_config_tells_what_is_set_and_all_there_is(self) -> None:
        file = self.folder / "clutch.toml"
        file.write_text('[python.process]\nworkers = 3\n')
        arguments = ["config", "--config", str(file), "-D", "python.process.depth=1"]
        text = self.clutch(*arguments).stdout
        self.assertIn(f'python.process.workers = "3"  # {file}:2', text.replace("file ", ""))
        self.assertIn('python.process.depth = "1"', text)
        self.assertNotIn("python.process.spares", text)
        every = self.clutch(*arguments, "--all").stdout.splitlines()
        self.assertIn('python.process.spares = "1"  # default', every)
        self.assertIn("clutch.plugin.pin  # not set", every)
        keys = [entry["key"] for entry in json.loads(self.clutch(*arguments, "--all", "--json").stdout)]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertLessEqual({"python.process.workers", "python.process.spares", "clutch.log.level", "python.requirements"},
                             set(keys))

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
