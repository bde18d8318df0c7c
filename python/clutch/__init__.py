"""Clutch: Python functions and stream operators inside data engines.

Importing the package imports nothing else: a worker that unpickles a function pays only for what the function uses.
The parts are modules: ``clutch.common``, ``clutch.datastream``, ``clutch.metrics``, ``clutch.table``, and
``clutch.host`` with the front door ``clutch.Host``, which needs the extension module that only an installation with
libclutch has.
"""

import sys

__all__ = ["common", "datastream", "host", "metrics", "table"]

# Names that stand here, and the modules they come from.
_NAMES = {"Host": "clutch.host", "Error": "clutch._error"}


def __getattr__(name: str) -> object:
    if name in _NAMES:
        __import__(_NAMES[name])
        return getattr(sys.modules[_NAMES[name]], name)
    if name in __all__:
        module = __name__ + "." + name
        __import__(module)
        return sys.modules[module]
    raise AttributeError("module %r has no attribute %r" % (__name__, name))


def __dir__() -> "list[str]":
    return sorted([*globals(), *__all__, *_NAMES])
