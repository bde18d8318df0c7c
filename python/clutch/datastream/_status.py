"""The live status of a job, on standard error."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional

from clutch.datastream._orders import ordered_status
from clutch.datastream._progress import Meter, Progress
from clutch.datastream._status_screen import Screen
from clutch.datastream._status_text import line, table

_REDRAW_S = 0.25  # four times a second at most
_LOG_S = 1.0


class Status:
    """Tells how a job gets on, by a thread of its own, until it is ended."""

    def __init__(self, name: str, metrics: Callable[[], List[Dict[str, Any]]], screen: Optional[Screen]) -> None:
        self._name = name
        self._meter = Meter(metrics)
        self._screen = screen
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="clutch-status", daemon=True)
        self._thread.start()

    def end(self, outcome: str) -> None:
        """Leave the last numbers, and how it ended. Rates are those of the whole job."""
        self._over.set()
        try:
            self._thread.join()
        finally:  # one more Ctrl-C does not wait, but the terminal is given back
            self._leave(outcome)

    def _leave(self, outcome: str) -> None:
        operators = self._meter.look(since_start=True)
        title = self._title(outcome)
        if self._screen is None:
            self._log(title, operators)
            return
        try:
            self._screen.end([title, *table(operators, self._screen.width())])
        except OSError:
            return  # the terminal is gone, and with it whoever looked

    def _tell(self) -> None:
        while not self._over.wait(_LOG_S if self._screen is None else _REDRAW_S):
            operators = self._meter.look()
            title = self._title("running")
            if self._screen is None:
                self._log(title, operators)
                continue
            try:
                self._screen.show(self._some(title, operators, self._screen))
            except OSError:
                return  # the terminal is gone; the job goes on

    def _title(self, outcome: str) -> str:
        return 'job "%s": %s, %.1f s' % (self._name, outcome, self._meter.seconds())

    @staticmethod
    def _some(title: str, operators: List[Progress], screen: Screen) -> List[str]:
        """As many operators as there is room for."""
        room = max(1, screen.room() - 2)
        if len(operators) <= room:
            return [title, *table(operators, screen.width())]
        shown = operators[: room - 1]
        return [title, *table(shown, screen.width()), "and %d more operators" % (len(operators) - len(shown))]

    @staticmethod
    def _log(title: str, operators: List[Progress]) -> None:
        sys.stderr.write("".join(text + "\n" for text in [title, *map(line, operators)]))
        sys.stderr.flush()


def _terminal_of(stream: Any) -> Optional[int]:
    """The descriptor of the terminal that a stream writes to."""
    try:
        descriptor: int = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None  # there is none, it is an object of the program's, or it is closed
    return descriptor if os.isatty(descriptor) else None


@contextmanager
def status_of(name: str, metrics: Callable[[], List[Dict[str, Any]]]) -> Iterator[None]:
    """Tell how a job gets on while the block runs: on a terminal, or if that is asked for."""
    when = ordered_status()
    terminal = _terminal_of(sys.stderr)
    if when == "never" or (when == "auto" and terminal is None):
        yield
        return
    sys.stderr.flush()
    status = Status(name, metrics, Screen(terminal) if terminal is not None and Screen.fits(terminal) else None)
    outcome = "failed"
    try:
        yield
        outcome = "finished"
    except KeyboardInterrupt:
        outcome = "cancelled"
        raise
    finally:
        status.end(outcome)
