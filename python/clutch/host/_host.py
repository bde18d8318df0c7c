"""clutch.Host: configuration and plugins, and the functions that are opened on them."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

import clutch._host as _native
from clutch.host import _declare
from clutch.host._declare import Options
from clutch.host._environment import interpreter_options
from clutch.host._expressions import ExpressionPlan
from clutch.host._function import Function, SinglePlan, Stage, check_policy
from clutch.host._groups import GroupFunction
from clutch.table.expression import Expression

LOG_LEVELS = ("trace", "debug", "info", "warn", "error", "off")

Value = Union[str, int, float, bool]


def _text(key: Any, value: Any) -> str:
    if not isinstance(key, str):
        raise TypeError("the name of an option is a str, got %r of type %s" % (key, type(key).__name__))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TypeError(
        "the option %r is a str, a number or a bool, got %r of type %s" % (key, value, type(value).__name__)
    )


class Host:
    """An open libclutch.

    Without other orders functions run in this interpreter's Python: ``python.executable`` is sys.executable, and
    workers find modules where this process does.

    Args:
        options: Configuration by key, such as ``{"python.execution-mode": "process"}``; it wins over the environment.
        plugin_path: Folders with plugins, to be searched first.
        log_level: trace, debug, info, warn (if None), error or off.

    Raises:
        clutch.Error: A key or value is not legal.
    """

    def __init__(
        self,
        options: Optional[Mapping[str, Value]] = None,
        *,
        plugin_path: Union[None, str, List[str]] = None,
        log_level: Optional[str] = None,
    ) -> None:
        if options is not None and not isinstance(options, Mapping):
            raise TypeError(
                "options are a mapping of keys to values, got %r of type %s" % (options, type(options).__name__)
            )
        if log_level is not None and log_level not in LOG_LEVELS:
            raise ValueError("log_level must be one of %s, got %r" % (", ".join(LOG_LEVELS), log_level))
        pairs = [(key, _text(key, value)) for key, value in (options or {}).items()]
        path = ":".join(plugin_path) if isinstance(plugin_path, (list, tuple)) else plugin_path
        self._native: Any = _native.Host(pairs, path, log_level)
        self._pid = os.getpid()
        self._functions: "weakref.WeakSet[Function]" = weakref.WeakSet()
        # A future may keep stages open whose function is gone.
        self._stages: "weakref.WeakSet[Stage]" = weakref.WeakSet()
        _open_hosts.add(self)

    def function(
        self,
        f: Any,
        input_types: Any = None,
        result_type: Any = None,
        *,
        name: Optional[str] = None,
        mode: Optional[str] = None,
        on_error: str = "fail",
        kind: Optional[str] = None,
    ) -> Function:
        """Open a function; also of an expression, as expression() does.

        Args:
            f: What udf, udtf, udaf or udtaf returned, or a function, whose types come from its hints or the arguments here.
            input_types: Data types of the columns, as in udf.
            result_type: Data type of the result; of a table function, a type or a list of them.
            name: For messages, metrics and logs; the function's own name if None.
            mode: The execution mode of this function alone.
            on_error: What to do with a row that fails: 'fail' the batch, give 'null', or put it aside as 'dead_letter'.
            kind: 'table.scalar', 'table.scalar.vectorized', 'table.scalar.async' or 'table.table'; found out if None.

        Raises:
            TypeError, ValueError: The declaration is wrong.
            clutch.Error: No plugin can serve the function, or its code cannot be loaded.
        """
        if isinstance(f, Expression):
            if input_types is not None or result_type is not None or kind is not None:
                raise TypeError("an expression has its types from the functions it calls; give none")
            return self.expression(f, name=name, mode=mode, on_error=on_error)
        native = self._live()
        check_policy(on_error)
        wrapped = _declare.wrap(f, input_types, result_type, name, kind)
        declared = _declare.declare(wrapped, name, self._may_keep(mode))
        stage = Stage(native, declared, on_error, self._options(mode))
        plan = SinglePlan(stage)
        if wrapped.kind in _declare.AGGREGATES:
            return self._opened(GroupFunction(plan, declared.name, wrapped.kind == "table.table_aggregate"))
        return self._opened(Function(plan, declared.name))

    def expression(
        self,
        expressions: Union[Expression, Sequence[Expression]],
        functions: Optional[Mapping[str, Any]] = None,
        *,
        name: Optional[str] = None,
        mode: Optional[str] = None,
        on_error: str = "fail",
    ) -> Function:
        """Open expressions over declared functions, such as ``f(g(col("x")), 3)``, as one function.

        Scalar calls run on live objects in one crossing, equal deterministic calls run once, and constants are bound
        when the function opens. The function takes the columns in the order in which they occur (see its input_types),
        or a table that has them by name.

        Args:
            expressions: One, or several for as many result columns, which an alias names.
            functions: Registered functions, for calls by name.
            name: For messages, metrics and logs.
            mode: The execution mode of this function alone.
            on_error: As in function().

        Raises:
            TypeError, ValueError: An expression is wrong.
            clutch.Error: No plugin can serve it, or its code cannot be loaded.
        """
        native = self._live()
        check_policy(on_error)
        trees = [expressions] if isinstance(expressions, Expression) else list(expressions)
        plan = ExpressionPlan(trees, functions, name, self._may_keep(mode))
        plan.open(native, on_error, self._options(mode))
        return self._opened(Function(plan, plan.name))

    def _opened(self, function: Function) -> Function:
        self._functions.add(function)
        self._stages.update(function._plan.stages)
        return function

    def _live(self) -> Any:
        if self._native is None:
            raise ValueError("the Host is closed")
        return self._native

    def _is_default(self, key: str) -> bool:
        found = self._native.get(key)
        return found is None or found[1] == "default"

    def _mode(self, mode: Optional[str]) -> str:
        found = self._native.get("python.execution-mode")
        return str(mode or (found[0] if found else "")).lower()

    def _may_keep(self, mode: Optional[str]) -> bool:
        """Whether a function may stay an object of this interpreter, because it runs in it."""
        return self._mode(mode) == "thread" and self._is_default("python.thread.interpreters")

    def _options(self, mode: Optional[str]) -> Options:
        options: Options = []
        if mode is not None:
            options.append(("python.execution-mode", mode))
        return options + interpreter_options(self._mode(mode), self._is_default)

    def get(self, key: str) -> Optional[str]:
        """The value of a configuration key, or None if it has none."""
        found = self._live().get(key)
        return found[0] if found else None

    def plugins(self) -> str:
        """The plugins found, then every place looked at and what was refused, why."""
        return str(self._live().plugins())

    def describe(self, mode: str) -> Dict[str, str]:
        """Facts about the runtime behind a mode; opens it if need be."""
        import json

        found: Dict[str, str] = json.loads(self._live().describe(mode))
        return found

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._native is None

    def close(self) -> None:
        """Close all functions, then the runtimes: worker processes end. Once is enough."""
        if self._native is None:
            return
        for function in list(self._functions):
            function.close()
        for stage in list(self._stages):
            stage.close()
        self._native.close()
        self._native = None

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<clutch host, %s>" % ("closed" if self.closed else "open")


_open_hosts: "weakref.WeakSet[Host]" = weakref.WeakSet()


def _close_all() -> None:
    """Before the interpreter goes, so that close() of users' objects can still run. Not in a forked child."""
    for host in list(_open_hosts):
        if host._pid == os.getpid():
            host.close()


atexit.register(_close_all)
