"""Functions as bytes, and what can be told of their code without running them."""

from __future__ import annotations

import functools
import pickle
from typing import Any

_ASYNC = 0x80 | 0x200  # CO_COROUTINE | CO_ASYNC_GENERATOR


def _code_flags(function: Any) -> int:
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__code__") and not isinstance(function, type):
        function = getattr(type(function), "__call__", None)
        function = getattr(function, "__func__", function)
    return getattr(getattr(function, "__code__", None), "co_flags", 0)


def entry_point(function: Any) -> Any:
    """What a runtime is to run of a callable that is no function class.

    A runtime calls eval(), open() and close() of an object that has them. A callable object of the user may have
    methods of these names that mean something else (a torch module has eval()), so its __call__ is handed over.
    """
    if not hasattr(function, "__code__") and any(hasattr(function, name) for name in ("eval", "open", "close")):
        return function.__call__
    return function


def is_async(function: Any, method: str) -> bool:
    """Whether a call gives something to await: of a function, a partial, an object's method, or its __call__."""
    found = getattr(function, method, None) if not hasattr(function, "__code__") else None
    return bool(_code_flags(found if callable(found) else function) & _ASYNC)


def dump_function(function: Any, name: str) -> bytes:
    """Pickle a function with cloudpickle, or with pickle where that is not installed and the function is importable.

    Raises:
        pickle.PicklingError: It cannot be pickled; the text names the function and the reason.
    """
    try:
        import cloudpickle  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        return _dump_importable(function, name)
    try:
        payload: bytes = cloudpickle.dumps(function)
        return payload
    except Exception as error:
        raise pickle.PicklingError(
            "the function %r cannot be pickled (%s: %s); make what it refers to in open()"
            % (name, type(error).__name__, error)
        ) from error


def _dump_importable(function: Any, name: str) -> bytes:
    try:
        return pickle.dumps(function, protocol=4)
    except Exception as error:
        raise pickle.PicklingError(
            "the function %r cannot be pickled without the package cloudpickle (%s: %s); install it, or put the "
            "function into a module under a name of its own" % (name, type(error).__name__, error)
        ) from error
