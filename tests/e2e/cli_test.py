"""The reports of the clutch command, its JSON and its usage.

usage: cli_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
import unittest

from cli_case import CASES, MODES, PYTHON, CliCase


class CliTest(CliCase):
    def test_json_of_every_subcommand(self) -> None:
        good = [
            ["plugins"],
            ["explain"],
            ["explain", "table.scalar"],
            ["config"],
            ["config", "--all"],
            ["doctor", "--python", PYTHON],
            ["conform", "process", "--python", PYTHON, "--cases", CASES, "--filter", "os._exit"],
            ["bench", "--python", PYTHON, "--rows", "16", "--repeats", "1"],
        ]
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

    def test_native_cases_need_their_library(self) -> None:
        done = self.clutch("conform", "native", "--cases", CASES, "--filter", "scalar int64 plus one")
        self.assertEqual(done.returncode, 1, "a table of which nothing ran proves nothing")
        self.assertIn("the case is native code; name its library with --native-library", done.stdout)

    def test_wrong_usage_names_what_was_meant(self) -> None:
        cases = [
            (["aplly"], 'unknown subcommand "aplly"; did you mean apply?'),
            (["frobnicate"], 'unknown subcommand "frobnicate"; there are apply, run, plugins, explain, config'),
            ([], "a subcommand is missing; say one of apply, run, plugins"),
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

    def test_explain_of_what_nobody_serves(self) -> None:
        for more in ([], ["--json"]):
            done = self.clutch("explain", "--function", "builtins:abs", "--mode", "nope", *more)
            self.assertEqual((done.returncode, done.stderr), (1, ""))
            self.assertIn("no plugin has this mode; modes that exist: native, process, thread", done.stdout)

    def test_config_tells_what_is_set_and_all_there_is(self) -> None:
        file = self.folder / "clutch.toml"
        file.write_text("[python.process]\nworkers = 3\n")
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
        self.assertLessEqual(
            {"python.process.workers", "python.process.spares", "clutch.log.level", "python.requirements"}, set(keys)
        )

    def test_doctor(self) -> None:
        done = self.clutch("doctor", "--python", PYTHON, "--json")
        report = json.loads(done.stdout)
        self.assertTrue(report["usable"], report)
        for mode in MODES:
            self.assertTrue(report["modes"][mode]["kinds"]["table.scalar"]["served"], report)

    def test_missing_packages_are_told_before_the_first_row(self) -> None:
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(self.folder / "bare")], check=True, timeout=60)
        bare = str(self.folder / "bare" / "bin" / "python3")
        report = json.loads(self.clutch("doctor", "--python", bare, "--json").stdout)
        for mode in MODES:
            kinds = report["modes"][mode]["kinds"]
            for kind in ("table.scalar.vectorized", "table.aggregate.vectorized"):
                self.assertEqual(
                    kinds[kind],
                    {"served": False, "reason": f"the function needs pandas, which {bare} does not have; install it there"},
                )
            self.assertEqual([kind for kind in kinds if not kinds[kind]["served"] and "vectorized" not in kind], [])
            told = self.clutch(
                "explain", "table.scalar.vectorized", "--function", "math:floor", "--mode", mode, "--python", bare
            )
            self.assertEqual(told.returncode, 1)
            self.assertIn(f"the function needs pandas, which {bare} does not have; install it there", told.stdout)

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
