"""clutch apply as a user runs it, in both modes.

usage: cli_apply_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import json
import subprocess
import sys
import unittest

from cli_case import CLUTCH, MODES, PYTHON, CliCase


class ApplyTest(CliCase):
    def test_lines(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("upper", mode, stdin="to be\nor not\n\nżółw\n")
                self.assertEqual((done.returncode, done.stdout), (0, "TO BE\nOR NOT\n\nŻÓŁW\n"), done.stderr)
                self.assertIn("4 rows in, 4 out, 0 dead letters", done.stderr)
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
                    "longer",
                    mode,
                    "--input-format",
                    "csv",
                    "--input-type",
                    "a: string, b: int64",
                    "--output-format",
                    "jsonl",
                    "--result-type",
                    "name: string, n: int64",
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
                    "split",
                    mode,
                    "--kind",
                    "stream.flat_map",
                    "--input-format",
                    "jsonl",
                    "--output-format",
                    "csv",
                    "--result-type",
                    "word: string",
                    stdin='{"line": "to be"}\n{"line": ""}\n{"line": "or"}\n',
                )
                self.assertEqual((done.returncode, done.stdout), (0, "word\nto\nbe\nor\n"), done.stderr)

    def test_a_failing_row_stops_with_its_traceback(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply("ratio", mode, "--result-type", "int64", stdin="5\n0\n")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(
                    'function "ratio" row 1: ZeroDivisionError: integer division or modulo by zero', done.stderr
                )
                self.assertIn("(nothing was written)", done.stderr)
                self.assertIn("return 10 // int(n)", done.stderr)

    def test_a_failing_row_is_named_by_its_place_in_the_whole_input(self) -> None:
        source = self.folder / "numbers.csv"
        source.write_text('n,text\n5,"two\nlines"\n2,x\n1,x\n0,x\n4,x\n')
        for mode in MODES:
            with self.subTest(mode=mode):
                done = self.apply(
                    "ratio_of_column",
                    mode,
                    "--input",
                    str(source),
                    "--input-format",
                    "csv",
                    "--input-type",
                    "n: int64",
                    "--result-type",
                    "int64",
                    "--batch-rows",
                    "2",
                )
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
                done = self.apply(
                    "ratio",
                    mode,
                    "--result-type",
                    "int64",
                    "--on-error",
                    "dead_letter",
                    "--batch-rows",
                    "2",
                    stdin="5\n0\nx\n2\n",
                )
                self.assertEqual((done.returncode, done.stdout), (0, "2\n5\n"), done.stderr)
                self.assertIn('clutch: standard input:2: function "ratio" row 1: ZeroDivisionError', done.stderr)
                self.assertIn('clutch: standard input:3: function "ratio" row 2: ValueError', done.stderr)
                self.assertIn("2 dead letters", done.stderr)

    def test_a_batch_that_fails_as_a_whole_is_named_by_its_lines(self) -> None:
        functions = self.folder / "hang.py"
        functions.write_text(
            "import ctypes\nlock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)\n"
            "def hang(line):\n    return line if line != 'c' else (lock(mutex), lock(mutex))\n"
        )
        done = self.clutch(
            "apply",
            f"{functions}:hang",
            "--python",
            PYTHON,
            "--batch-rows",
            "2",
            "-D",
            "python.process.batch-timeout=500ms",
            stdin="a\nb\nc\nd\n",
        )
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
        self.assertIn(
            "--json reports on standard output; send the rows elsewhere with --output FILE",
            json.loads(done.stdout)["error"]["message"],
        )
        done = self.apply(
            "ratio", "process", "--json", "--output", str(output), "--result-type", "int64", stdin="5\n0\n"
        )
        error = json.loads(done.stdout)["error"]
        self.assertEqual((done.returncode, error["code"]), (1, "CLUTCH_ERR_USER"))
        self.assertEqual(
            (error["details"]["row"], error["details"]["line"], error["details"]["value"]), ("1", "2", "'0'")
        )
        self.assertIn("clutch: standard input:2: function", done.stderr)

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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
