"""What the tests of clutch.Host share."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import unittest
from typing import Any, Callable, Iterator

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # workers look here for functions.py

import clutch

MODES = ("thread", "process")
HAS_NUMPY = importlib.util.find_spec("numpy") is not None
HAS_PANDAS = importlib.util.find_spec("pandas") is not None


@contextlib.contextmanager
def host_of(mode: str, **options: Any) -> Iterator[Any]:
    """An open Host of one mode, which takes no other one."""
    keys = {"python.execution-mode": mode, "python.execution-mode.fallback": "forbid"}
    with clutch.Host({**keys, **options}, log_level="error") as host:
        yield host


class TestCase(unittest.TestCase):
    """Compares refusals by their whole sentence, and runs a test in each mode."""

    def in_each_mode(self, test: Callable[[Any], None]) -> None:
        """Run the test with a Host of each mode."""
        for mode in MODES:
            with self.subTest(mode=mode), host_of(mode) as host:
                test(host)

    def refused(self, error: type, text: str, call: Callable[[], Any]) -> Any:
        """Assert that the call raises exactly this type of error with exactly this text; the error."""
        with self.assertRaises(error) as caught:
            call()
        self.assertIs(type(caught.exception), error)
        message = caught.exception.message if isinstance(caught.exception, clutch.Error) else str(caught.exception)
        self.assertEqual(message, text)
        return caught.exception
