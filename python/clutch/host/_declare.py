"""From a function as the user has it to what libclutch opens: steps, and columns in and out as text."""

from __future__ import annotations

import inspect
import json
import pickle
import platform
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from clutch.host import _live
from clutch.table._wrappers import UserDefinedFunctionWrapper
from clutch.table.typehints import _function_of, _hints_of, from_hint
from clutch.table.udf import udf, udtf

Options = List[Tuple[str, str]]
# Name, kind, payload format, payload, options.
Step = Tuple[str, str, str, bytes, Options]

ROWS = ("table.scalar", "table.scalar.vectorized", "table.scalar.async", "table.table")
AGGREGATES = ("table.aggregate", "table.table_aggregate", "table.aggregate.vectorized")


class Declared(NamedTuple):
    """What libclutch opens."""

    name: str
    steps: List[Step]
    inputs: str
    outputs: str
    kept: List[str]  # functions in clutch.host._live, to be forgotten when this one closes


def wrap(f: Any, input_types: Any, result_type: Any, name: Optional[str], kind: Optional[str]) -> Any:
    """A declared function for `f`, which may be one."""
    if isinstance(f, UserDefinedFunctionWrapper):
        if input_types is not None or result_type is not None or kind is not None:
            raise TypeError(
                "the function %r is declared already; give input_types, result_type and kind there" % f._name
            )
        return f
    if not callable(f) and not hasattr(f, "eval"):
        raise TypeError(
            "a function is a callable or what udf, udtf, udaf and udtaf return, not %r of type %s" % (f, _type(f))
        )
    if kind is None:
        kind = "table.table" if inspect.isgeneratorfunction(_function_of(f, "eval")) else "table.scalar"
    if kind == "table.table":
        return udtf(f, input_types=input_types, result_types=result_type, name=name)
    if kind in ("table.scalar", "table.scalar.vectorized", "table.scalar.async"):
        func_type = "pandas" if kind == "table.scalar.vectorized" else "general"
        declared = udf(f, input_types=input_types, result_type=result_type, func_type=func_type, name=name)
        if declared.kind != kind:
            raise ValueError(
                "the function %r is of kind %s, and kind=%r was asked for" % (declared._name, declared.kind, kind)
            )
        return declared
    raise ValueError("a function that is not declared is of a kind among %s, not kind=%r" % (", ".join(ROWS), kind))


def _type(value: Any) -> str:
    return type(value).__name__


def _method_of(function: Any) -> Tuple[str, int]:
    """The method whose parameters are the columns, and how many parameters come before the columns."""
    aggregate = function.kind in AGGREGATES and hasattr(function._entry, "accumulate")
    return ("accumulate", 1) if aggregate else ("eval", 0)


def arguments_of(function: Any) -> List[Tuple[str, str]]:
    """Names and type texts of the arguments of a declared function, from its declaration or its type hints."""
    parameters = _parameters(function)
    declared = function._input_types
    if declared is None:
        return _from_hints(function, parameters)
    texts = [str(item) for item in declared]
    names = [item.name for item in parameters or ()][: len(texts)]
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if len(names) < len(texts) or any(item.kind in variable for item in parameters or ()):
        names = ["f%d" % i for i in range(len(texts))]
    return list(zip(names, texts))


def _parameters(function: Any) -> Optional[List[inspect.Parameter]]:
    entry = function._entry
    method, before = _method_of(function)
    try:
        return list(inspect.signature(getattr(entry, method, entry)).parameters.values())[before:]
    except (TypeError, ValueError):  # a builtin that does not tell
        return None


def _from_hints(function: Any, parameters: Optional[Sequence[inspect.Parameter]]) -> List[Tuple[str, str]]:
    name = function._name
    if parameters is None:
        raise TypeError("the function %r does not tell its parameters; give input_types" % name)
    hints = _hints_of(_function_of(function._entry, _method_of(function)[0])) if parameters else {}
    found = []
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError("the function %r takes any number of arguments; give input_types" % name)
        if parameter.name not in hints:
            raise TypeError(
                "the parameter %r of the function %r has no type hint; add one, or give input_types"
                % (parameter.name, name)
            )
        found.append((parameter.name, str(from_hint(hints[parameter.name]))))
    return found


def results_of(function: Any) -> List[Tuple[str, str]]:
    """Names and type texts of the result columns of a declared function."""
    columns = function._result_columns()
    names = list(function._alias_names) or [name for name, _ in columns]
    if len(names) != len(columns):
        raise ValueError(
            "the function %r gives %d columns, and its alias has %d names" % (function._name, len(columns), len(names))
        )
    if len(columns) == 1:
        return [(names[0] or "result", str(columns[0][1]))]
    return [(name or "f%d" % i, str(columns[i][1])) for i, name in enumerate(names)]


def columns_text(columns: Sequence[Tuple[str, str]]) -> str:
    """Columns as libclutch reads them."""
    return ", ".join("%s: %s" % column for column in columns)


def _style_options(function: Any) -> Options:
    """How the kind of a function passes columns, and what it keeps between batches."""
    found: Options = []
    if function.kind in AGGREGATES:
        declaration = function.declaration()
        if declaration["accumulator"] is not None:
            found.append(("accumulator", declaration["accumulator"]))
        if declaration["views"]:
            found.append(("views", json.dumps(declaration["views"])))
    if getattr(function, "_style", None) is not None:
        found.append(("style", function._style))
    return found


def make_step(function: Any, options: Options, kept: List[str], may_keep: bool) -> Step:
    """One step of a function. With `may_keep` a function that cannot be pickled is kept in this interpreter."""
    options = [*options, *_style_options(function)]
    try:
        payload = function.payload()
    except pickle.PicklingError:
        if not may_keep:
            raise
        text = _live.keep(function.__clutch_function__)
        kept.append(text)
        return (function._name, function.kind, "import", text.encode(), options)
    stamp = ("python.version", platform.python_version())
    return (function._name, function.kind, "pickle", payload, [*options, stamp])


def declare(function: Any, name: Optional[str], may_keep: bool) -> Declared:
    """What libclutch opens for one declared function."""
    kept: List[str] = []
    inputs, outputs = columns_text(arguments_of(function)), columns_text(results_of(function))
    step = make_step(function, [], kept, may_keep)
    return Declared(name or function._name, [step], inputs, outputs, kept)

