"""Interfaces whose instances are told by their methods."""

from __future__ import annotations

from typing import Type, TypeVar

C = TypeVar("C")


def has_methods(cls: type, interface: type, other: type) -> bool:
    """The answer of a __subclasshook__: True if `other` has all abstract methods of `interface`.

    The runtime's objects stand in a shared object that knows nothing of this package, so they cannot derive from it.
    """
    if cls is not interface:
        return NotImplemented  # a subclass of the interface may ask for more
    names = interface.__abstractmethods__  # type: ignore[attr-defined]
    return True if all(callable(getattr(other, name, None)) for name in names) else NotImplemented


def told_by_methods(interface: Type[C]) -> Type[C]:
    """Decorate an abstract class: isinstance holds for whatever has all of its abstract methods."""

    def hook(cls: type, other: type) -> bool:
        return has_methods(cls, interface, other)

    interface.__subclasshook__ = classmethod(hook)  # type: ignore[assignment, method-assign]
    return interface
