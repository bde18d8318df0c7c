"""Methods that some sorts of streams have by their base and cannot serve."""

from __future__ import annotations

from typing import Any, Callable, Dict, NoReturn, Type, TypeVar

C = TypeVar("C")

# What belongs to operators, and which words PyFlink's refusals have for it.
OF_OPERATORS: Dict[str, str] = {
    "set_parallelism": "Set parallelism for %s is not supported",
    "name": "Set name for %s is not supported",
    "get_name": "Get name of %s is not supported",
    "uid": "Set uid for %s is not supported",
    "set_uid_hash": "Set uid hash for %s is not supported",
    "set_max_parallelism": "Set max parallelism for %s is not supported",
    "force_non_parallel": "Set force non-parallel for %s is not supported",
    "set_buffer_timeout": "Set buffer timeout for %s is not supported",
    "start_new_chain": "Start new chain for %s is not supported",
    "disable_chaining": "Disable chaining for %s is not supported",
    "slot_sharing_group": "Setting slot sharing group for %s is not supported",
    "set_description": "Set description for %s is not supported",
}


def refusing(names: Dict[str, str], advice: str) -> Callable[[Type[C]], Type[C]]:
    """Decorate a class: these methods raise a TypeError that ends with the advice."""

    def method(name: str, text: str) -> Callable[..., NoReturn]:
        def refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
            raise TypeError("%s; %s" % (text % type(self).__name__ if "%s" in text else text, advice))

        refuse.__name__ = name
        refuse.__doc__ = "Refused: " + advice
        return refuse

    def decorate(cls: Type[C]) -> Type[C]:
        for name, text in names.items():
            setattr(cls, name, method(name, text))
        return cls

    return decorate
