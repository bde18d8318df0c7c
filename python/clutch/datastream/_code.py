"""The code of functions, as it travels with a job."""

from __future__ import annotations

import functools
import sys
from typing import Any, Dict, List

from clutch.datastream._basic_functions import Function

# What a runtime looks for on an object. A callable of the user may have such a method that means something else.
_METHODS = frozenset(("open", "close", "eval", "map", "flat_map", "filter", "get_key", "reduce", "partition", "join"))


class Blobs:
    """The byte strings of a job. Equal ones are kept once."""

    def __init__(self) -> None:
        self.items: List[bytes] = []
        self._numbers: Dict[bytes, int] = {}

    def add(self, blob: bytes) -> int:
        """The number of the blob."""
        number = self._numbers.setdefault(blob, len(self.items))
        if number == len(self.items):
            self.items.append(blob)
        return number


class Code:
    """A function, pickled at once: what the user changes later changes nothing."""

    def __init__(self, function: Any, name: str) -> None:
        """pickle.PicklingError, with the function's name and the reason, if it cannot be pickled."""
        from clutch.table._payload import dump_function  # a worker imports this module and pickles nothing

        self.payload = dump_function(runnable(function), name)

    def describe(self, blobs: Blobs) -> Dict[str, Any]:
        version = "%d.%d.%d" % sys.version_info[:3]
        return {"format": "pickle", "blob": blobs.add(self.payload), "python_version": version}


def runnable(function: Any) -> Any:
    """What a runtime is to run: a function object as it is, of other objects what calling them calls."""
    if isinstance(function, Function) or hasattr(function, "__code__"):
        return function
    if isinstance(function, type):
        return functools.partial(function)  # such as str: it is called, and is no function object to be made
    if callable(function) and any(hasattr(function, name) for name in _METHODS):
        return function.__call__
    return function


def name_of(function: Any) -> str:
    """The name for messages."""
    return getattr(function, "__name__", None) or type(function).__name__


def opens(function: Any) -> bool:
    """Whether the function has an open() of its own, in which it may ask for state."""
    return isinstance(function, Function) and type(function).open is not Function.open


def check_function(function: Any, interface: type, what: str) -> Any:
    """TypeError unless the object is of the interface, or can be called and is no class of functions."""
    if isinstance(function, interface):
        return function
    if not callable(function) or (isinstance(function, type) and issubclass(function, Function)):
        raise TypeError(
            "%s takes an instance of %s or a function, got %r of type %s"
            % (what, interface.__name__, function, type(function).__name__)
        )
    return function


def check_instance(function: Any, what: str, *interfaces: type) -> Any:
    """TypeError unless the object is of one of the interfaces."""
    if not isinstance(function, interfaces):
        raise TypeError(
            "%s takes an instance of %s, got %r of type %s"
            % (what, " or ".join(cls.__name__ for cls in interfaces), function, type(function).__name__)
        )
    return function
