"""Lines that stay at the bottom of a terminal while everything else scrolls above them."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any, List, Optional

from clutch.datastream._status_text import fitted

_LEAST_ROWS, _LEAST_COLUMNS = 8, 40


def _at(row: int, text: str) -> str:
    return "\x1b[%d;1H\x1b[2K%s" % (row, text)


class Screen:
    """The bottom lines are taken out of the region that scrolls, so what the program prints goes on above, wherever in
    the program that is. Every change is one write: a terminal takes it whole, and no other text gets in between.

    SIGTERM, where nothing else answers it, gives the terminal back before it ends the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.RLock()  # the handler of a signal may interrupt its holder
        self._taken = 0  # lines at the bottom
        self._over = False
        self._rows = self._columns = 0
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._handler = signal.signal(signal.SIGTERM, self._ended)

    @staticmethod
    def fits(descriptor: int) -> bool:
        """Whether a terminal has room, and a cursor that can be moved."""
        if os.environ.get("TERM", "dumb") in ("", "dumb"):
            return False
        size = os.get_terminal_size(descriptor)
        return size.lines >= _LEAST_ROWS and size.columns >= _LEAST_COLUMNS

    def width(self) -> int:
        return os.get_terminal_size(self._descriptor).columns - 1

    def room(self) -> int:
        """How many lines it may show: half of the terminal."""
        return os.get_terminal_size(self._descriptor).lines // 2

    def show(self, lines: List[str]) -> None:
        """Show these lines in the place of those before."""
        with self._lock:
            if self._over:
                return
            size = os.get_terminal_size(self._descriptor)
            lines = [fitted(text, size.columns - 1) for text in lines[: max(1, size.lines - 2)]]
            out = ""
            if len(lines) != self._taken or (size.lines, size.columns) != (self._rows, self._columns):
                out = self._given_back() + self._take(len(lines), size.lines)
                self._rows, self._columns, self._taken = size.lines, size.columns, len(lines)
            first = size.lines - len(lines) + 1
            out += "\x1b7" + "".join(_at(first + i, text) for i, text in enumerate(lines)) + "\x1b8"
            self._write(out)

    def end(self, lines: List[str]) -> None:
        """Give the terminal back, and leave these lines behind what was printed. Nothing is shown any more."""
        with self._lock:
            columns = os.get_terminal_size(self._descriptor).columns
            # As many blanks as the terminal is wide go to the next line only from within a line.
            fresh = " " * columns + "\r\x1b[K" if lines else ""
            out = self._given_back() + fresh + "".join(fitted(text, columns - 1) + "\r\n" for text in lines)
            self._taken, self._over = 0, True
            self._write(out)
        if self._handler is not None:
            signal.signal(signal.SIGTERM, self._handler)
            self._handler = None

    @staticmethod
    def _take(count: int, rows: int) -> str:
        # Down without a new line, so that a line which the program has begun stays where it is; scrolls if need be.
        return "\x1bD" * count + "\x1b7\x1b[1;%dr\x1b8\x1b[%dA" % (rows - count, count)

    def _given_back(self) -> str:
        if self._taken == 0:
            return ""
        first = self._rows - self._taken + 1
        return "\x1b7\x1b[r" + "".join(_at(first + i, "") for i in range(self._taken)) + "\x1b8"

    def _ended(self, number: int, _frame: Optional[FrameType]) -> None:
        self.end([])
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._descriptor, data) :]
