"""What a bad function or a bad batch does to a host: a sentence, and nothing else. In both modes.

usage: bad_functions_test.py HOST BROKEN_BATCHES [unittest arguments]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import unittest
from collections.abc import Callable
from typing import Any

HOST, BROKEN_BATCHES = sys.argv[1:3]
MODES = ("thread", "process")
HEALTHY = {"rows": ["{'result': 2}", "{'result': 42}"]}


def limit_memory(size: int) -> Callable[[], None]:
    """What a child does first to live in this much memory."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))


class BadFunctions(unittest.TestCase):
    """Each function serves 0 and fails on what comes after it."""

    def host(
        self, mode: str, options: dict[str, str] | None = None, memory: int = 0, **request: Any
    ) -> subprocess.CompletedProcess[str]:
        request["options"] = {
            "python.execution-mode": mode,
            "python.execution-mode.fallback": "forbid",
            **(options or {}),
        }
        return subprocess.run(
            [HOST],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=limit_memory(memory) if memory else None,
        )

    def report(self, mode: str, **request: Any) -> dict[str, Any]:
        """What the host reports, which has lived, and has served another function afterwards."""
        done = self.host(mode, **request)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["other"], HEALTHY)
        report["stderr"] = done.stderr
        return report

    def fails_at_row_one(self, mode: str, status: str, sentence: str, **request: Any) -> dict[str, Any]:
        """Check that row 1 fails with this, that nothing of row 0 came out, and that the function goes on."""
        good = request.pop("good", {"rows": ["{'result': 0}"]})
        report = self.report(mode, bad=[0, 1], good=[0], **request)
        self.assertEqual(list(report["bad"]), ["error"], "nothing of a failed batch is given")
        error = report["bad"]["error"]
        self.assertEqual((error["code"], error["row"]), (status, 1), error)
        self.assertRegex(error["message"], sentence)
        self.assertEqual(report["good"], good)
        return report

    def test_that_does_not_import(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                report = self.report(mode, format="import", code="no_such_module:f")
                self.assertEqual(report["error"]["code"], "CLUTCH_ERR_FUNCTION")
                self.assertIn(
                    "function \"f\": there is no module 'no_such_module'; put its folder into python.pythonpath",
                    report["error"]["message"],
                )

    def test_that_is_not_callable(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                report = self.report(mode, format="import", code="math:pi")
                self.assertEqual(report["error"]["code"], "CLUTCH_ERR_FUNCTION")
                self.assertEqual(
                    report["error"]["message"],
                    'function "pi": 3.141592653589793 of type float is not callable and has no method '
                    "eval(); table.scalar needs a function or an object with one",
                )

    def test_that_raises(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                report = self.fails_at_row_one(
                    mode,
                    "CLUTCH_ERR_USER",
                    '^function "f" row 1: ValueError: one is too many$',
                    code="def f(x):\n    if x: raise ValueError('one is too many')\n    return x\n",
                )
                self.assertEqual(report["bad"]["error"]["details"]["value"], "1")

    def test_that_returns_the_wrong_type(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                self.fails_at_row_one(
                    mode,
                    "CLUTCH_ERR_VALUE",
                    "^function \"f\" row 1: result of type str does not fit int64: 'one'; return",
                    code="def f(x): return 'one' if x else x",
                )

    def test_that_returns_too_few_or_too_many_columns(self) -> None:
        for mode in MODES:
            for returned, what in (
                ("(1,)", r"\(1,\) has 1 field, not 2"),
                ("(1, 2, 3)", r"\(1, 2, 3\) has 3 fields, not 2"),
            ):
                with self.subTest(mode=mode, returned=returned):
                    self.fails_at_row_one(
                        mode,
                        "CLUTCH_ERR_VALUE",
                        f"row 1: result of type tuple does not fit .*: {what}; return the fields a, b",
                        code=f"def f(x): return {returned} if x else (0, 0)",
                        output="a: int64, b: int64",
                        good={"rows": ["{'a': 0, 'b': 0}"]},
                    )

    def test_that_calls_sys_exit(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                self.fails_at_row_one(
                    mode,
                    "CLUTCH_ERR_USER",
                    '^function "f" row 1: SystemExit: 3$',
                    code="import sys\ndef f(x):\n    if x: sys.exit(3)\n    return x\n",
                )

    def test_that_loops_for_ever(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                self.fails_at_row_one(
                    mode,
                    "CLUTCH_ERR_DEADLINE",
                    '^function "f" row 1: interrupted because the batch was not done by its deadline',
                    code="def f(x):\n    while x: pass\n    return x\n",
                    timeout_ms=300,
                )

    def test_that_waits_for_ever_where_python_cannot_interrupt_it(self) -> None:
        # A mutex locked twice: sleep and its like return early when the signal for the stack finds their thread.
        code = (
            "import ctypes\nlock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)\n"
            "def f(x):\n    if x: lock(mutex), lock(mutex)\n    return x\n"
        )
        report = self.report("process", code=code, bad=[0, 1], good=[0], timeout_ms=1000)
        error = report["bad"]["error"]
        self.assertEqual((error["code"], error["details"]["stage"]), ("CLUTCH_ERR_DEADLINE", "kill"))
        self.assertRegex(
            error["message"], '^function "f".* was not done by its deadline; its worker did not stop by itself'
        )
        self.assertIn('File "clutch-source:f", line 4 in f', error["details"]["python.stack"])
        self.assertEqual(report["good"], {"rows": ["{'result': 0}"]})

    def test_that_prints_without_end(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                report = self.fails_at_row_one(
                    mode,
                    "CLUTCH_ERR_DEADLINE",
                    '^function "f" row 1: ',
                    code="def f(x):\n    while x: print('again and again')\n    return x\n",
                    timeout_ms=300,
                    options={"clutch.log.level": "info", "clutch.log.rate": "50"},
                )
                lines = [line for line in report["stderr"].splitlines() if "again and again" in line]
                self.assertGreater(len(lines), 0)
                self.assertLess(len(lines), 50 * 60, "the log is bounded by its rate, whatever a function prints")

    def test_that_allocates_without_end(self) -> None:
        code = "def f(x):\n    hoard = []\n    while x: hoard.append(bytearray(1 << 24))\n    return x\n"
        report = self.fails_at_row_one(
            "process",
            "CLUTCH_ERR_USER",
            '^function "f" row 1: MemoryError',
            code=code,
            options={"python.process.memory-limit": "300mb"},
        )
        self.assertEqual(report["bad"]["error"]["details"]["exception.type"], "MemoryError")
        # In the host's own process the limit is the host's own.
        self.fails_at_row_one(
            "thread", "CLUTCH_ERR_USER", '^function "f" row 1: MemoryError', code=code, memory=2 << 30
        )

    def test_that_ends_its_process(self) -> None:
        code = "import os\ndef f(x):\n    if x: os._exit(7)\n    return x\n"
        report = self.fails_at_row_one(
            "process",
            "CLUTCH_ERR_WORKER_LOST",
            r'^function "f" row 1: worker process \d+ \(pid \d+\) ended with exit code 7 while it ran batch 1 '
            r"\(attempt 2\); the function, or a library that it uses, must not end the process",
            code=code,
        )
        self.assertEqual(report["bad"]["error"]["details"]["exit_code"], "7")
        # As README.md says of mode thread: there is one process, and the function ended it.
        self.assertEqual(self.host("thread", code=code, bad=[0, 1], good=[0]).returncode, 7)

    def test_that_crashes(self) -> None:
        code = "import ctypes\ndef f(x):\n    if x: ctypes.string_at(0)\n    return x\n"
        report = self.fails_at_row_one(
            "process",
            "CLUTCH_ERR_WORKER_LOST",
            r'^function "f" row 1: worker process \d+ \(pid \d+\) was ended by signal SIGSEGV',
            code=code,
        )
        details = report["bad"]["error"]["details"]
        self.assertEqual(details["signal"], "SIGSEGV")
        self.assertIn("Segmentation fault", details["python.stack"])

    def test_that_crashes_while_it_opens(self) -> None:
        code = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\ndef f(x): return x\n"
        error = self.report("process", code=code)["error"]
        self.assertIn(error["code"], ("CLUTCH_ERR_WORKER_LOST", "CLUTCH_ERR_FUNCTION", "CLUTCH_ERR_LOAD"))
        self.assertIn('function "f"', error["message"])
        self.assertIn("SIGKILL", error["message"])


class BadBatches(unittest.TestCase):
    """Arrow data that breaks its own rules, and rows that do not fit the schema."""

    SENTENCES = {
        "falling offsets": 'column "s" row 1: offset 2 is smaller than the one before it, 5',
        "negative offset": 'column "s" row 0: offset -1 is negative',
        "offsets missing": 'column "s": buffer 1 is a NULL pointer; it needs 12 bytes',
        "values missing": 'column "s": the last offset, 5, is over the 0 bytes there are',
        "not UTF-8": "column \"s\" row 1: b'\\xff\\xfe\\xfd' is not UTF-8; use binary for bytes that are no text",
        "column too short": 'column "s": has 1 row; it needs 2',
        "negative length": "batch: length -1 is negative",
        "negative start": 'column "s": offset -1 is negative',
        "nulls without a bitmap": 'column "s": null_count is 1, but there is no validity bitmap',
        "column missing": "batch: has 0 children; struct<s: string> has 1",
    }

    def test_are_refused_by_their_sentence_and_good_ones_go_on(self) -> None:
        for mode in MODES:
            done = subprocess.run([BROKEN_BATCHES, mode], capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            answers = dict(line.split("\t", 1) for line in done.stdout.splitlines())
            for name in ("good", "good again"):
                self.assertEqual(answers.pop(name), "{'n': 2}{'n': 3}")
            self.assertEqual(
                answers,
                {
                    name: f'CLUTCH_ERR_DATA: function "size": input: {sentence}'
                    for name, sentence in self.SENTENCES.items()
                },
            )


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
