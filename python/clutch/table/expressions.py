"""Makers of expressions: col, lit and call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

from clutch.table._datatypes import DataType
from clutch.table.expression import CallExpression, ColumnExpression, Expression, LiteralExpression

if TYPE_CHECKING:
    from clutch.table._wrappers import UserDefinedFunctionWrapper

__all__ = ["call", "col", "lit"]


def col(name: str) -> Expression:
    """A column of the input by its name."""
    return ColumnExpression(name)


def lit(v: Any, data_type: Optional[DataType] = None) -> Expression:
    """A constant, of that type if one is given."""
    return LiteralExpression(v, data_type)


def call(f: Union[str, "UserDefinedFunctionWrapper"], *args: Any) -> Expression:
    """A call of a function that was declared with udf, udtf, udaf or udtaf, or is registered under a name.

    Args:
        f: The declared function, or the name of a registered one.
        args: Expressions; everything else is a constant.

    Raises:
        TypeError: `f` is neither.
    """
    if not isinstance(f, str) and not hasattr(type(f), "__clutch_function__"):
        raise TypeError(
            "call() takes a function declared with udf, udtf, udaf or udtaf, or a name, not %r of type %s"
            % (f, type(f).__name__)
        )
    arguments = tuple(arg if isinstance(arg, Expression) else LiteralExpression(arg) for arg in args)
    result = CallExpression(f, arguments)
    names = getattr(f, "_alias_names", ())
    return result.alias(*names) if names else result
