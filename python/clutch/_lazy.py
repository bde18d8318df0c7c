"""Packages whose names are imported when they are first used."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Tuple


def lazy(package: str, names: "Dict[str, str]") -> "Tuple[Callable[[str], object], Callable[[], List[str]]]":
    """``__getattr__`` and ``__dir__`` for a package, of names and the modules of the package that define them."""

    def get(name: str) -> object:
        if name not in names:
            raise AttributeError("module %r has no attribute %r" % (package, name))
        module = package + "." + names[name]
        __import__(module)
        value = getattr(sys.modules[module], name)
        setattr(sys.modules[package], name, value)  # the next access does not come here
        return value

    def list_names() -> "List[str]":
        return sorted({*vars(sys.modules[package]), *names})

    return get, list_names
