"""Interfaces whose instances are told by their methods."""

from __future__ import annotations


def has_methods(cls: type, interface: type, other: type) -> bool:
    """The answer of a __subclasshook__: True if `other` has all abstract methods of `interface`.

    The runtime's objects stand in a shared object that knows nothing of this package, so they cannot derive from it.
    """
    if cls is not interface:
        return NotImplemented  # a subclass of the interface may ask for more
    names = interface.__abstractmethods__  # type: ignore[attr-defined]
    return True if all(callable(getattr(other, name, None)) for name in names) else NotImplemented
