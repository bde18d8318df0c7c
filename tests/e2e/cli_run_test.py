"""`clutch run`: scripts of jobs, their settings, their ends, and what is refused.

usage: cli_run_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from run_case import CLUTCH, ENDLESS, MODES, NUMBERS, PACKAGE, PYTHON, RunCase


class CliRunTest(RunCase):
    def test_a_script_runs_with_its_arguments(self) -> None:
        done = self.run_script(self.script(NUMBERS), "-x", "-D", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "1 False\n2 False\n3 False\narguments ['-x', '-D', '--json']\n")

    def test_the_command_line_wins_over_the_script(self) -> None:
        define = "python.execution-mode=process"
        script = self.script(NUMBERS)
        for arguments in (
            ["-D", define, script],
            [script, "-D", define],
            [script, f"-D{define}"],
            [script, "--define", define, f"--define={define}", "--"],
        ):
            with self.subTest(arguments=arguments):
                done = self.run_script(*arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout, "1 True\n2 True\n3 True\narguments []\n")
        done = self.run_script(script, "--", "-D", "x")
        self.assertIn("arguments ['-D', 'x']\n", done.stdout)

    def test_what_code_sets_later_does_not_win(self) -> None:
        script = self.script(
            "from clutch.datastream import RuntimeExecutionMode\n"
            "env.set_parallelism(1).set_runtime_mode(RuntimeExecutionMode.STREAMING)\n"
            "env.configure(configuration)\n"
            "print(env.get_parallelism(), env._mode())\n"
            "env.from_sequence(1, 4).map(lambda x: x, output_type=LONG).print()\n"
            "print(env.explain().splitlines()[:2])\n"
        )
        options = ["-D", "parallelism.default=2", "-D", "execution.runtime-mode=batch", "-D", "pipeline.name=mine"]
        done = self.run_script(*options, script)
        self.assertEqual(done.stdout, "2 batch\n['job \"mine\", batch', 'task 0, parallelism 2']\n", done.stderr)

    def test_without_the_command_a_script_runs_as_well(self) -> None:
        done = self.run_command([PYTHON, self.script(NUMBERS), "one"], PYTHONPATH=str(PACKAGE))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "1 False\n2 False\n3 False\narguments ['one']\n")

    def test_a_package_that_is_there_is_taken(self) -> None:
        script = self.script("import clutch\nprint(os.environ.get('PYTHONPATH'))\n")
        self.assertEqual(self.run_script(script).stdout, f"{PACKAGE}\n")
        self.assertEqual(self.run_script(script, PYTHONPATH="/nowhere").stdout, f"{PACKAGE}:/nowhere\n")
        self.assertEqual(self.run_script(script, PYTHONPATH=f"/nowhere:{PACKAGE}").stdout, f"/nowhere:{PACKAGE}\n")

    def test_a_virtual_environment_needs_no_package(self) -> None:
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(self.folder / "bare")], check=True, timeout=60)
        bare = str(self.folder / "bare" / "bin" / "python3")
        (self.folder / "beside.py").write_text("def twice(x):\n    return 2 * x\n")  # there is no cloudpickle either
        body = "from beside import twice\nenv.from_sequence(1, 2).map(twice, output_type=LONG).print()\nenv.execute()\n"
        script = self.script(body + "print(sys.executable)\n")
        for mode in MODES:
            done = self.run_command([CLUTCH, "run", "--python", bare, "-D", f"python.execution-mode={mode}", script])
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout, f"2\n4\n{bare}\n")

    def test_a_job_that_fails(self) -> None:
        script = self.script(
            "env.from_sequence(1, 3).map(lambda x: 1 // (x - 2), output_type=LONG).print()\nenv.execute()\n"
        )
        for mode in MODES:
            done = self.run_script("-D", f"python.execution-mode={mode}", script)
            self.assertEqual(done.returncode, 1)
            self.assertIn("ZeroDivisionError", done.stderr)
        self.assertEqual(self.run_script(self.script("sys.exit(7)\n")).returncode, 7)

    def test_a_script_that_ends_before_its_job(self) -> None:
        body = ENDLESS.replace('env.execute("endless")', "client = env.execute_async()\n")
        for leave in ("os.sys.keep = client\nsys.exit(3)\n", "sys.exit(3)\n", "os.sys.keep = client\nnext(iter(()))\n"):
            for mode in MODES:
                with self.subTest(leave=leave, mode=mode):
                    script = self.script(body + leave)
                    done = self.run_script("-D", f"python.execution-mode={mode}", script, str(self.folder))
                    expected = 3 if "exit" in leave else 1
                    self.assertEqual(done.returncode, expected, done.stderr)

    def test_wrong_usage(self) -> None:
        script = self.script(NUMBERS)
        cases = [
            ([], "SCRIPT is required; `clutch run --help` lists the options"),
            (["nowhere.py"], "the script nowhere.py does not exist; name the Python file of a job"),
            ([str(self.folder)], f"the script {self.folder} is a folder; name the Python file of a job"),
            (["--plam", script], "unknown option --plam; did you mean --plan?"),
            (["--zzzzzzz=1", script], "unknown option --zzzzzzz; `clutch run --help` lists the options"),
            (["-D", "x", script], "-D x: write KEY=VALUE"),
            ([script, "-D", "x"], "-D x: write KEY=VALUE"),
            ([script, "-D"], "-D: write KEY=VALUE behind it"),
            (["--plan=png", script], "--plan png: there are text, json, svg and html"),
            (["--status", "often", script], "--status often: there are auto, always and never"),
            (["--output", "x", script], "--output x: it takes a plan; say --plan too"),
        ]
        for arguments, sentence in cases:
            with self.subTest(arguments=arguments):
                done = self.run_script(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(sentence, done.stderr)

    def test_wrong_values_are_told_before_anything_runs(self) -> None:
        done = self.run_script("-D", "python.process.depth=9", self.script("print('ran')\n"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Aclutch: .*python\.process\.depth.*\n\Z")

    def test_interpreters_that_cannot_serve(self) -> None:
        script = self.script(NUMBERS)
        done = self.run_command([CLUTCH, "run", "--python", "/nowhere/python3", script])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr,
            "clutch: the interpreter /nowhere/python3 is not there or not executable; name one with --python\n",
        )
        done = self.run_command([CLUTCH, "run", "--python", "/bin/true", script])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr, "clutch: /bin/true does not answer as a Python does; name an interpreter with --python\n"
        )

    def test_an_interpreter_that_cannot_import_the_package(self) -> None:
        (self.folder / "sitecustomize.py").write_text(
            "import sys\n"
            "class Refuse:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == 'clutch': raise ImportError('not here')\n"
            "sys.meta_path.insert(0, Refuse())\n"
        )
        done = self.run_script(self.script(NUMBERS), PYTHONPATH=str(self.folder))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(
            done.stderr,
            f"clutch: {PYTHON} cannot import clutch (ImportError: not here); name another interpreter with --python, "
            "or put the package into its PYTHONPATH\n",
        )

    def test_orders_that_nobody_can_read(self) -> None:
        script = self.script(NUMBERS)
        for variable, value, sentence in [
            ("CLUTCH_JOB_OPTIONS", "[]", "CLUTCH_JOB_OPTIONS must be a JSON object with a text for each key, got '[]'"),
            ("CLUTCH_JOB_PLAN", "svg", "CLUTCH_JOB_PLAN must be a JSON object with the texts format and output"),
            ("CLUTCH_JOB_PLAN", '{"format": "x"}', "the format in CLUTCH_JOB_PLAN must be one of text, json, svg, "),
            ("CLUTCH_JOB_STATUS", "often", "CLUTCH_JOB_STATUS must be one of auto, always, never, got 'often'"),
        ]:
            with self.subTest(variable=variable, value=value):
                done = self.run_command([PYTHON, script], PYTHONPATH=str(PACKAGE), **{variable: value})
                self.assertEqual(done.returncode, 1)
                self.assertIn(sentence, done.stderr)

    def test_an_interrupt_leaves_nothing(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                told = self.folder / mode
                told.mkdir()
                command = [CLUTCH, "run", "--python", PYTHON, "-D", f"python.execution-mode={mode}"]
                with subprocess.Popen(
                    [*command, self.script(ENDLESS), str(told)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=self.environment(),
                ) as job:
                    self.addCleanup(self.kill, job)
                    assert job.stdout is not None
                    self.assertEqual(job.stdout.readline(), "100\n")
                    workers = [os.pidfd_open(int(name)) for name in os.listdir(told) if int(name) != job.pid]
                    self.assertEqual(len(workers) > 0, mode == "process")
                    job.send_signal(signal.SIGINT)
                    _, stderr = job.communicate(timeout=60)
                self.assertEqual(job.returncode, -signal.SIGINT, stderr)  # 130 in a shell
                self.assertIn("KeyboardInterrupt", stderr)
                for worker in workers:
                    ended, _, _ = select.select([worker], [], [], 60)
                    self.assertEqual(ended, [worker], "a worker outlived its job")
                    os.close(worker)

    def test_help_tells_the_codes(self) -> None:
        done = self.run_command([CLUTCH, "run", "--help"])
        self.assertIn("Exit code: 0 done; 1 failed", done.stdout)
        self.assertIn("clutch run [OPTIONS] SCRIPT [-D KEY=VALUE]... [ARGUMENTS]", done.stdout)

    def test_other_options_reach_the_job(self) -> None:
        (self.folder / "clutch.toml").write_text("[python.process]\nworkers = 2\n")
        script = self.script("print(os.environ['CLUTCH_CONFIG'], os.environ['CLUTCH_LOG_LEVEL'])\n")
        done = self.run_script("--config", "clutch.toml", "--log", "error", script)
        self.assertEqual(done.stdout, f"{Path(self.folder) / 'clutch.toml'} error\n", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
