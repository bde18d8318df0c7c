"""The exception of everything that a host reports. It stands alone, so that it can be caught without the extension."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple


class Error(RuntimeError):
    """Why a function could not be opened, or a batch failed.

    The text is the whole story: what failed and what to do, and below it the traceback of the user's code if there is
    one.

    Attributes:
        code: The status as a number, such as -7.
        name: The status by name, such as ``CLUTCH_ERR_USER``; docs/errors.md lists them.
        message: The sentence alone, without the traceback.
        details: Everything else that is known, by name: ``row``, ``value``, ``traceback``, ``decision``, ...
    """

    def __init__(self, code: int, name: str, message: str, details: Dict[str, str]) -> None:
        super().__init__(code, name, message, details)
        self.code = code
        self.name = name
        self.message = message
        self.details = details

    @property
    def function(self) -> Optional[str]:
        """The function, or the step of a chain, that failed."""
        return self.details.get("function")

    @property
    def row(self) -> Optional[int]:
        """The row of the input that is to blame, counted from 0."""
        text = self.details.get("row")
        return int(text) if text is not None else None

    @property
    def traceback(self) -> Optional[str]:
        """The traceback of the user's code, as Python prints it."""
        return self.details.get("traceback")

    def __str__(self) -> str:
        return "%s\n\n%s" % (self.message, self.traceback.rstrip()) if self.traceback else self.message

    def __reduce__(self) -> "Tuple[Any, ...]":
        return type(self), (self.code, self.name, self.message, self.details)


Error.__module__ = "clutch"


def make(code: int, name: str, message: str, details: Dict[str, str]) -> Error:
    """What the extension calls to tell of a failure."""
    return Error(code, name, message, details)
