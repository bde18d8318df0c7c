"""Trees of columns, constants and function calls. `clutch.table.expressions` makes them, `fusing` takes them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Tuple, Union

from clutch.table._datatypes import DataType

if TYPE_CHECKING:
    from clutch.table._wrappers import UserDefinedFunctionWrapper

__all__ = ["CallExpression", "ColumnExpression", "Expression", "LiteralExpression"]


class Expression:
    """One node of a tree. Immutable; `alias` makes another node."""

    __slots__ = ("_alias_names",)

    def __init__(self) -> None:
        self._alias_names: Tuple[str, ...] = ()

    def alias(self, name: str, *extra_names: str) -> "Expression":
        """The same expression under a name; a function with several output columns takes several names."""
        names = (name, *extra_names)
        for item in names:
            if not isinstance(item, str):
                raise TypeError("an alias is a str, got %r of type %s" % (item, type(item).__name__))
        changed = self._copy()
        changed._alias_names = names
        return changed

    def _copy(self) -> "Expression":
        raise NotImplementedError

    def _text(self) -> str:
        raise NotImplementedError

    def __str__(self) -> str:
        return self._text() + "".join(" AS " + ", ".join(self._alias_names) for _ in self._alias_names[:1])

    def __repr__(self) -> str:
        return "<%s %s>" % (type(self).__name__, self)


class ColumnExpression(Expression):
    """A column of the input by its name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        if not isinstance(name, str):
            raise TypeError("the name of a column is a str, got %r of type %s" % (name, type(name).__name__))
        self.name = name

    def _copy(self) -> Expression:
        return ColumnExpression(self.name)

    def _text(self) -> str:
        return self.name


class LiteralExpression(Expression):
    """A constant. `data_type` is its declared type, or None to take it from the value."""

    __slots__ = ("value", "data_type")

    def __init__(self, value: Any, data_type: Optional[DataType] = None) -> None:
        super().__init__()
        if data_type is not None and not isinstance(data_type, DataType):
            raise TypeError("the type of a literal is a DataType, got %r" % (data_type,))
        self.value = value
        self.data_type = data_type

    def _copy(self) -> Expression:
        return LiteralExpression(self.value, self.data_type)

    def _text(self) -> str:
        return repr(self.value)


class CallExpression(Expression):
    """A call of a declared function, or of one that is registered under a name. Arguments are expressions."""

    __slots__ = ("function", "arguments")

    def __init__(self, function: Union["UserDefinedFunctionWrapper", str], arguments: Tuple[Expression, ...]) -> None:
        super().__init__()
        self.function = function
        self.arguments = arguments

    @property
    def function_name(self) -> str:
        return self.function if isinstance(self.function, str) else self.function._name

    def _copy(self) -> Expression:
        return CallExpression(self.function, self.arguments)

    def _text(self) -> str:
        return "%s(%s)" % (self.function_name, ", ".join(map(str, self.arguments)))
