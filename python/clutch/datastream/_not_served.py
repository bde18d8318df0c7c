"""Modules and names of PyFlink that are not served: importing one of them says so."""

from __future__ import annotations

from typing import Callable, Optional, Sequence


def not_served(module: str, reason: str, names: Optional[Sequence[str]] = None) -> Callable[[str], object]:
    """``__getattr__`` for a module. The names, or every public one, raise an ImportError that ends with the reason."""

    def get(name: str) -> object:
        if name.startswith("_") or (names is not None and name not in names):
            raise AttributeError("module %r has no attribute %r" % (module, name))
        raise ImportError("%s.%s is not served: %s" % (module, name, reason))

    return get
