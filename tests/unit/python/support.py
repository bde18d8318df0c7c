"""What the tests of the Python package share. Importing it puts the source tree's package on the path."""

from __future__ import annotations

import os
import sys
import unittest
from typing import Any, Callable

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PACKAGE = os.path.join(ROOT, "python")
if PACKAGE not in sys.path:
    sys.path.insert(0, PACKAGE)


class TestCase(unittest.TestCase):
    """A test case that compares refusals by their whole sentence."""

    def refused(self, error: type, text: str, call: Callable[[], Any]) -> None:
        """Assert that the call raises exactly this type of error with exactly this text."""
        with self.assertRaises(error) as caught:
            call()
        self.assertIs(type(caught.exception), error)
        self.assertEqual(str(caught.exception), text)
