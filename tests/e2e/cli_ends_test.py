"""The clutch command on terminals, in pipes that break, and under signals.

usage: cli_ends_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import glob
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unittest
from collections.abc import Callable
from pathlib import Path

from cli_case import CLUTCH, MODES, PYTHON, CliCase


class EndsTest(CliCase):
    def test_the_progress_bar_is_for_terminals(self) -> None:
        source = self.folder / "lines.txt"
        source.write_text("word\n" * 100)
        command = [
            CLUTCH,
            "apply",
            f"{self.functions}:nap",
            "--python",
            PYTHON,
            "--input",
            str(source),
            "--batch-rows",
            "10",
        ]
        plain = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        self.assertRegex(
            plain.stderr, r"\A100 rows in, 100 out, 0 dead letters, [0-9.]+ s, \d+ rows/s, mode process\n\Z"
        )
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
        for arguments in (
            ["apply", "builtins:str.upper", "--python", PYTHON, "--input", "/dev/stdin"],
            ["config", "--all"],
        ):
            with self.subTest(arguments=arguments):
                reading, writing = os.pipe()
                os.close(reading)
                done = subprocess.run(
                    [CLUTCH, *arguments],
                    input=b"word\n",
                    stdout=writing,
                    stderr=subprocess.PIPE,
                    timeout=120,
                    check=False,
                )
                os.close(writing)
                self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))

    def test_an_interrupt_ends_it_with_its_workers(self) -> None:
        output = self.folder / "out.txt"
        for mode in MODES:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(mode=mode, signal=number):
                    command = [
                        CLUTCH,
                        "apply",
                        f"{self.functions}:nap",
                        "--python",
                        PYTHON,
                        "--mode",
                        mode,
                        "--batch-rows",
                        "10",
                        "--output",
                        str(output),
                    ]
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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
