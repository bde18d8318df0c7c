"""Declaring functions: udf, udtf, udaf and udtaf, and the classes that functions may derive from.

Each works as a function, ``f = udf(lambda x: x + 1, result_type="BIGINT")``, and as a decorator with or without
arguments. A declared function is called with columns and constants and gives an expression.
"""

from __future__ import annotations

import functools
from typing import Any, Optional, Sequence, Union

from clutch.table._functions import (
    AggregateFunction,
    AsyncScalarFunction,
    DelegatingAsyncScalarFunction,
    DelegatingPandasAggregateFunction,
    DelegatingScalarFunction,
    DelegatingTableFunction,
    FunctionContext,
    ImperativeAggregateFunction,
    ScalarFunction,
    TableAggregateFunction,
    TableFunction,
    UserDefinedFunction,
)
from clutch.table._wrappers import (
    TypeOrText,
    UserDefinedAggregateFunctionWrapper,
    UserDefinedFunctionWrapper,
    UserDefinedScalarFunctionWrapper,
    UserDefinedTableFunctionWrapper,
)

__all__ = [
    "AggregateFunction",
    "AsyncScalarFunction",
    "DelegatingAsyncScalarFunction",
    "DelegatingPandasAggregateFunction",
    "DelegatingScalarFunction",
    "DelegatingTableFunction",
    "FunctionContext",
    "ImperativeAggregateFunction",
    "ScalarFunction",
    "TableAggregateFunction",
    "TableFunction",
    "UserDefinedAggregateFunctionWrapper",
    "UserDefinedFunction",
    "UserDefinedFunctionWrapper",
    "UserDefinedScalarFunctionWrapper",
    "UserDefinedTableFunctionWrapper",
    "udaf",
    "udf",
    "udtaf",
    "udtf",
]

InputTypes = Union[None, TypeOrText, Sequence[TypeOrText]]


def _check_func_type(func_type: str) -> None:
    if func_type not in ("general", "pandas"):
        raise ValueError("The func_type must be one of 'general, pandas', got %s." % func_type)


def udf(
    f: Any = None,
    input_types: InputTypes = None,
    result_type: Optional[TypeOrText] = None,
    deterministic: Optional[bool] = None,
    name: Optional[str] = None,
    func_type: str = "general",
    *,
    style: Optional[str] = None,
) -> Any:
    """Declare a scalar function: one value for each row.

    Args:
        f: Function, callable, partial, or instance of ScalarFunction or AsyncScalarFunction. An ``async def`` makes the
            function asynchronous. Without it, the result is a decorator.
        input_types: A DataType or type text, or a list of them, or a ROW of them. May be left out.
        result_type: A DataType or type text. Without it, the type hint of the result counts.
        deterministic: Whether equal arguments give equal results; by default what the class says, else True.
        name: By default the function's own name.
        func_type: 'general' calls for each row; 'pandas' once with whole columns, and takes back a column.
        style: For 'pandas', what a column is: 'pandas' (Series, the default), 'numpy' (array) or 'arrow' (an object
            with the Arrow PyCapsule interface).

    Raises:
        TypeError: `f` cannot be called, is a class, or a type is none.
        ValueError: An unknown func_type or style, a type text that does not parse, async with 'pandas', or a
            contradiction about deterministic.
    """
    _check_func_type(func_type)
    if f is None:
        return functools.partial(
            udf,
            input_types=input_types,
            result_type=result_type,
            deterministic=deterministic,
            name=name,
            func_type=func_type,
            style=style,
        )
    return UserDefinedScalarFunctionWrapper(f, input_types, result_type, func_type, deterministic, name, style)


def udtf(
    f: Any = None,
    input_types: InputTypes = None,
    result_types: InputTypes = None,
    deterministic: Optional[bool] = None,
    name: Optional[str] = None,
) -> Any:
    """Declare a table function: any number of rows for each row.

    Args:
        f: Function or generator, callable, partial, or instance of TableFunction. Without it, a decorator.
        input_types: As for udf.
        result_types: The columns: a type or type text for one, a list of them, or a ROW. Without it, the type hint of
            the result counts: ``Iterator[Tuple[int, str]]``.
        deterministic: As for udf.
        name: As for udf.

    Raises:
        TypeError, ValueError: As udf.
    """
    if f is None:
        return functools.partial(
            udtf, input_types=input_types, result_types=result_types, deterministic=deterministic, name=name
        )
    return UserDefinedTableFunctionWrapper(f, input_types, result_types, deterministic, name)


def udaf(
    f: Any = None,
    input_types: InputTypes = None,
    result_type: Optional[TypeOrText] = None,
    accumulator_type: Optional[TypeOrText] = None,
    deterministic: Optional[bool] = None,
    name: Optional[str] = None,
    func_type: str = "general",
    *,
    style: Optional[str] = None,
) -> Any:
    """Declare an aggregate function: one value for each group.

    Args:
        f: An instance of AggregateFunction; with func_type 'pandas' also a function of the group's whole columns.
            Without it, a decorator.
        input_types: As for udf.
        result_type: As for udf; without it, get_result_type() of the class, else the hint of get_value.
        accumulator_type: Type of the accumulator, in the same form as result_type; without it, get_accumulator_type()
            of the class, else the hint of create_accumulator. LIST_VIEW and MAP_VIEW only as fields of its ROW.
        deterministic: As for udf.
        name: As for udf.
        func_type: 'general' accumulates row by row; 'pandas' calls once with all rows of the group.
        style: As for udf.

    Raises:
        TypeError: As udf; a nested view, a MAP result with 'pandas', or one type as DataType and one as text.
        RuntimeError: A type is given neither here nor by the class.
        ValueError: As udf.
    """
    _check_func_type(func_type)
    if f is None:
        return functools.partial(
            udaf,
            input_types=input_types,
            result_type=result_type,
            accumulator_type=accumulator_type,
            deterministic=deterministic,
            name=name,
            func_type=func_type,
            style=style,
        )
    return UserDefinedAggregateFunctionWrapper(
        f, input_types, result_type, accumulator_type, func_type, deterministic, name, False, style
    )


def udtaf(
    f: Any = None,
    input_types: InputTypes = None,
    result_type: Optional[TypeOrText] = None,
    accumulator_type: Optional[TypeOrText] = None,
    deterministic: Optional[bool] = None,
    name: Optional[str] = None,
    func_type: str = "general",
) -> Any:
    """Declare a table aggregate function: any number of rows for each group.

    Args and errors are those of udaf, with an instance of TableAggregateFunction. Without result_type,
    get_result_type() of the class counts and no type hint. func_type is 'general'; anything else is a ValueError.
    """
    if func_type != "general":
        raise ValueError("The func_type must be 'general' for a table aggregate function, got %s." % func_type)
    if f is None:
        return functools.partial(
            udtaf,
            input_types=input_types,
            result_type=result_type,
            accumulator_type=accumulator_type,
            deterministic=deterministic,
            name=name,
            func_type=func_type,
        )
    return UserDefinedAggregateFunctionWrapper(
        f, input_types, result_type, accumulator_type, func_type, deterministic, name, True
    )
