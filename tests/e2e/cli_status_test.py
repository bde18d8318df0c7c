"""The live status of jobs: on a terminal, and as lines.

usage: cli_status_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import re
import signal
import sys
import unittest

from run_case import ENDLESS, MODES, NUMBERS, RunCase
from terminal import Screen, Terminal

# Prints a line of its own before, by the job and behind, and goes on until the file "go" is there.
WAITING = """
there = sys.argv[1]

def slow(value):
    while value == 300 and not os.path.exists(there):
        time.sleep(0.01)
    return value

sys.stdout.write("begun: ")
sys.stdout.flush()
numbers = env.from_sequence(1, 300).map(slow, output_type=LONG)
numbers.key_by(lambda x: x % 10, key_type=LONG).reduce(lambda a, b: a + b).print()
env.execute("waiting")
print("behind")
"""
COLUMNS = ["operator", "mode", "workers", "rows in", "rows out", "rows/s", "backlog", "state", "busy"]


def is_running(screen: Screen) -> bool:
    return any("running" in line for line in screen.lines())


class CliStatusTest(RunCase):
    def rows(self, lines: list[str]) -> dict[str, list[str]]:
        """The last table in these lines, by operator."""
        head = max(i for i, line in enumerate(lines) if line.startswith("operator"))
        self.assertEqual(re.split(r"  +", lines[head]), COLUMNS)
        found: dict[str, list[str]] = {}
        for line in lines[head + 1 :]:
            cells = re.split(r"  +", line)
            if len(cells) != len(COLUMNS):
                break
            found[cells[0]] = cells[1:]
        return found

    def test_nothing_without_a_terminal(self) -> None:
        for arguments in ([], ["--status", "auto"], ["--status", "never"]):
            done = self.run_script(*arguments, self.script(NUMBERS))
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_lines_without_a_terminal(self) -> None:
        for mode in MODES:
            done = self.run_script("--status", "always", self.script(NUMBERS), "-D", f"python.execution-mode={mode}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(done.stdout.splitlines()), 4)
            self.assertNotIn("\x1b", done.stderr)
            lines = done.stderr.splitlines()
            self.assertRegex(lines[-4], r'\Ajob "numbers": finished, \d+\.\d s\Z')
            self.assertRegex(lines[-3], r"\ASource: Sequence Source: mode=-, workers=-, rows-in=3, rows-out=3, ")
            workers = {"thread": "-", "process": "1"}[mode]
            self.assertRegex(
                lines[-2],
                rf"\AMap: mode={mode}, workers={workers}, rows-in=3, rows-out=3, rows/s=[\d,]+, backlog=-, state=-, "
                r"busy=\d+ %\Z",
            )
            self.assertRegex(lines[-1], r"\ASink: Print to Std. Out: mode=-, workers=-, rows-in=3, rows-out=0, ")

    def test_a_script_without_the_command_has_it_too(self) -> None:
        done = self.run_script(self.script(NUMBERS), CLUTCH_JOB_STATUS="always")
        self.assertIn('job "numbers": finished', done.stderr)

    def test_a_failed_job_leaves_its_last_line(self) -> None:
        script = self.script(
            "env.from_sequence(0, 3).map(lambda x: 1 // x, output_type=LONG).print()\nenv.execute('bad')\n"
        )
        done = self.run_script("--status", "always", script)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'job "bad": failed, \d')
        self.assertIn("ZeroDivisionError", done.stderr)

    def test_on_a_terminal(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                go = self.folder / f"go-{mode}"
                terminal = self.on_terminal("-D", f"python.execution-mode={mode}", self.script(WAITING), str(go))
                terminal.until(is_running)
                self.assertEqual(terminal.screen.region(), (1, 24 - 7))
                self.assertEqual(self.rows(terminal.screen.lines())["Map"][0], mode)
                self.assertEqual(terminal.screen.text()[0], "begun:")
                go.touch()
                self.assertEqual(terminal.wait(), 0)
                self.finished(terminal, mode)

    def finished(self, terminal: Terminal, mode: str) -> None:
        """What the program printed is whole and in order; the last status stands behind it."""
        lines = [line for line in terminal.screen.text() if line]
        end = next(i for i, line in enumerate(lines) if line.startswith("job "))
        printed = lines[:end]
        self.assertEqual(len(printed), 300)
        self.assertEqual(printed[0], "begun: 1")
        sums: dict[int, int] = {}
        expected = []
        for number in range(1, 301):
            sums[number % 10] = sums.get(number % 10, 0) + number
            expected.append(str(sums[number % 10]))
        self.assertEqual(["1", *printed[1:]], expected)
        self.assertRegex(lines[end], r'\Ajob "waiting": finished, \d+\.\d s\Z')
        self.assertFalse(any("running" in line for line in lines), "the lines that moved are gone")
        rows = self.rows(lines)
        self.assertEqual(rows["Map"][:4], [mode, "1" if mode == "process" else "-", "300", "300"])
        self.assertEqual(rows["Reduce"][6], "10", "entries of state")
        self.assertEqual(rows["Source: Sequence Source"][0], "-")
        self.assertEqual(lines[-1], "behind")
        self.assertEqual(terminal.screen.region(), (1, 24))

    def test_a_second_job_begins_anew(self) -> None:
        body = "for name in ('one', 'two'):\n    env.from_sequence(1, 3).print()\n    env.execute(name)\n"
        terminal = self.on_terminal(self.script(body))
        self.assertEqual(terminal.wait(), 0)
        titles = [line.split(",")[0] for line in terminal.screen.text() if line.startswith("job ")]
        self.assertEqual(titles, ['job "one": finished', 'job "two": finished'])

    def test_no_more_lines_than_there_is_room_for(self) -> None:
        body = "stream = env.from_sequence(1, 300).map(lambda x: x, output_type=LONG)\n" + "stream.print()\n" * 20
        body = body.replace("lambda x: x,", "slow,")
        script = self.script(WAITING.split("sys.stdout")[0] + body + "env.execute('wide')\n")
        terminal = self.on_terminal(script, str(self.folder / "go"), rows=20)
        terminal.until(is_running)
        first, last = terminal.screen.region()
        self.assertEqual((first, last), (1, 10))
        self.assertEqual(terminal.screen.lines()[-1], "and 15 more operators")
        (self.folder / "go").touch()
        self.assertEqual(terminal.wait(), 0)
        lines = terminal.screen.text()
        self.assertEqual(len([line for line in lines if line.startswith("Sink: Print")]), 20)

    def test_ctrl_c_cancels(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                told = self.folder / f"told-{mode}"
                told.mkdir()
                terminal = self.on_terminal("-D", f"python.execution-mode={mode}", self.script(ENDLESS), str(told))
                terminal.until(lambda screen: is_running(screen) and "100" in screen.text())
                terminal.press(b"\x03")
                self.assertEqual(terminal.wait(), -signal.SIGINT)
                self.assertEqual(terminal.screen.region(), (1, 24))
                self.assertTrue(any(re.match(r'job "endless": cancelled, \d', line) for line in terminal.screen.text()))

    def test_sigterm_gives_the_terminal_back(self) -> None:
        terminal = self.on_terminal(self.script(ENDLESS), str(self.folder))
        terminal.until(is_running)
        terminal.process.send_signal(signal.SIGTERM)
        self.assertEqual(terminal.wait(), -signal.SIGTERM)
        self.assertEqual(terminal.screen.region(), (1, 24))
        self.assertFalse(is_running(terminal.screen))

    def test_a_terminal_that_changes_its_size(self) -> None:
        go = self.folder / "go"
        terminal = self.on_terminal(self.script(WAITING), str(go))
        terminal.until(is_running)
        terminal.resize(20, 120)
        terminal.until(lambda screen: screen.region()[1] == 20 - 7)
        go.touch()
        self.assertEqual(terminal.wait(), 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
