"""A terminal for tests: a pseudo terminal of a size, and what would be on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import Callable

_SEQUENCE = re.compile(r"\x1b(?:\[([\d;]*)([A-Za-z])|([78D]))")


class Screen:
    """Understands the sequences that Clutch sends, and refuses all others."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.scrolled: list[str] = []  # lines that left at the top
        self._cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._top, self._bottom = 0, rows - 1
        self._saved = (0, 0)
        self._rest = ""

    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._cells]

    def region(self) -> tuple[int, int]:
        """First and last line that scroll, from 1."""
        return self._top + 1, self._bottom + 1

    def text(self) -> list[str]:
        """All lines there were and are."""
        return self.scrolled + self.lines()

    def feed(self, text: str) -> None:
        text = self._rest + text
        self._rest = ""
        i = 0
        while i < len(text):
            if text[i] != "\x1b":
                self._put(text[i])
                i += 1
                continue
            found = _SEQUENCE.match(text, i)
            if found is None:
                if len(text) - i > 12:
                    raise AssertionError(f"a sequence that no test knows: {text[i:i + 12]!r}")
                self._rest = text[i:]
                return
            self._obey(found)
            i = found.end()

    def _down(self) -> None:
        if self._row == self._bottom:
            line = "".join(self._cells[self._top]).rstrip()
            if self._top == 0:
                self.scrolled.append(line)
            del self._cells[self._top]
            self._cells.insert(self._bottom, [" "] * self.columns)
        elif self._row < self.rows - 1:
            self._row += 1

    def _put(self, char: str) -> None:
        if char == "\n":
            self._down()
        elif char == "\r":
            self._column = 0
        elif char.isprintable():
            if self._column == self.columns:  # as terminals do it: the next line begins with what does not fit
                self._column = 0
                self._down()
            self._cells[self._row][self._column] = char
            self._column += 1
        else:
            raise AssertionError(f"a character that no terminal shows: {char!r}")

    def _obey(self, found: re.Match[str]) -> None:
        numbers = [int(number or 0) for number in (found[1] or "").split(";")]
        kind = found[2] or found[3]
        if kind == "7":
            self._saved = (self._row, self._column)
        elif kind == "8":
            self._row, self._column = self._saved
        elif kind == "D":
            self._down()
        elif kind == "r":
            self._top, self._bottom = (numbers[0] or 1) - 1, (numbers[1] if len(numbers) > 1 else self.rows) - 1
            self._row = self._column = 0
        elif kind == "H":
            self._row, self._column = numbers[0] - 1, numbers[1] - 1
        elif kind == "A":
            self._row = max(self._row - (numbers[0] or 1), self._top)
        elif kind == "K":
            first = 0 if numbers[0] == 2 else min(self._column, self.columns - 1)
            for column in range(first, self.columns):
                self._cells[self._row][column] = " "
        else:
            raise AssertionError(f"a sequence that no test knows: {found[0]!r}")


class Terminal:
    """A program on a terminal: standard output and standard error, and standard input with Ctrl-C."""

    def __init__(self, command: list[str], environment: dict[str, str], rows: int = 24, columns: int = 120) -> None:
        self.screen = Screen(rows, columns)
        self._ours, theirs = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def until(self, seen: Callable[[Screen], bool], timeout_s: float = 60) -> None:
        """Read until the screen is as wanted. AssertionError if that does not come."""
        end = time.monotonic() + timeout_s
        while not seen(self.screen):
            if not self._read(end):
                raise AssertionError("the screen never was as wanted:\n" + "\n".join(self.screen.text()))

    def wait(self, timeout_s: float = 60) -> int:
        """Read to the end of the program; its exit code."""
        end = time.monotonic() + timeout_s
        while self._read(end):
            pass
        code = self.process.wait(timeout=timeout_s)
        os.close(self._ours)
        return code

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._ours, 1 << 16)
        except OSError:  # all who had the terminal are gone
            return False
        self.screen.feed(data.decode())
        return bool(data)
