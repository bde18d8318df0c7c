"""Clutch: Python functions and stream operators inside data engines.

Importing the package imports nothing else: a worker that unpickles a function pays only for what the function uses.
The parts are modules: ``clutch.common``, ``clutch.metrics``, ``clutch.table``.
"""

import sys

__all__ = ["common", "metrics", "table"]


def __getattr__(name: str) -> object:
    if name in __all__:
        module = __name__ + "." + name
        __import__(module)
        return sys.modules[module]
    raise AttributeError("module %r has no attribute %r" % (__name__, name))


def __dir__() -> "list[str]":
    return sorted([*globals(), *__all__])
