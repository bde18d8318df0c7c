"""Type hints to DataType. Everything is NOT NULL except Optional[...] and Any."""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import functools
import sys
import typing
from typing import Any, Dict, List, Optional, Tuple, Union

from clutch.table import _datatypes as d

_SIMPLE: Dict[Any, d.DataType] = {
    bool: d.BooleanType(False),
    int: d.BigIntType(False),
    float: d.DoubleType(False),
    str: d.VarCharType(d.MAX_LENGTH, False),
    bytes: d.VarBinaryType(d.MAX_LENGTH, False),
    bytearray: d.VarBinaryType(d.MAX_LENGTH, False),
    decimal.Decimal: d.DecimalType(38, 18, False),
    datetime.date: d.DateType(False),
    datetime.time: d.TimeType(3, False),
    datetime.datetime: d.TimestampType(6, False),
    Any: d.VarCharType(d.MAX_LENGTH),
}
_AWAITABLES = (collections.abc.Awaitable, collections.abc.Coroutine)
_MANY = (
    collections.abc.Iterable,
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.Collection,
    collections.abc.Sequence,
    list,
)
_NONE = type(None)


def _name(hint: Any) -> str:
    if isinstance(hint, type) or hasattr(hint, "__code__"):
        return str(getattr(hint, "__qualname__", hint))
    return str(hint)


def _is_union(hint: Any) -> bool:
    # The second is `int | None` of Python 3.10.
    return getattr(hint, "__origin__", None) is typing.Union or type(hint).__name__ == "UnionType"


def _refuse(hint: Any, reason: str) -> TypeError:
    return TypeError("the type hint %s has no data type: %s; give the type in the declaration" % (_name(hint), reason))


def from_hint(hint: Any) -> d.DataType:
    """The data type of one type hint. TypeError, which names the hint, for what has none."""
    return _convert(hint, ())


def _convert(hint: Any, inside: Tuple[Any, ...]) -> d.DataType:
    hint = _bare(hint)
    try:
        if hint in _SIMPLE:
            return _SIMPLE[hint]
    except TypeError:  # not hashable, so no type hint
        raise _refuse(hint, "it is no type") from None
    if _is_union(hint):
        return _convert_union(hint, inside)
    origin = getattr(hint, "__origin__", None)
    arguments: Tuple[Any, ...] = getattr(hint, "__args__", ()) or ()
    if hint in (list, typing.List) or hint in (dict, typing.Dict):
        raise _refuse(hint, "it does not say what is in it, as List[int] and Dict[str, int] do")
    if origin is list and len(arguments) == 1 and not isinstance(arguments[0], typing.TypeVar):
        return d.ArrayType(_convert(arguments[0], inside), False)
    if origin is dict and len(arguments) == 2 and not isinstance(arguments[0], typing.TypeVar):
        return d.MapType(_convert(arguments[0], inside), _convert(arguments[1], inside), False)
    if origin in _AWAITABLES and arguments:
        return _convert(arguments[-1], inside)
    if isinstance(hint, type):
        fields = _fields(hint)
        if fields is not None:
            return _convert_row(hint, fields, inside)
    raise _refuse(hint, "there is no rule for it")


def _bare(hint: Any) -> Any:
    while hasattr(hint, "__metadata__"):  # Annotated[T, ...]
        hint = hint.__origin__
    return hint


def _convert_union(hint: Any, inside: Tuple[Any, ...]) -> d.DataType:
    others = [item for item in hint.__args__ if item is not _NONE]
    if len(others) != 1:
        raise _refuse(hint, "a Union may be of one type and None only")
    return _convert(others[0], inside).nullable()


def _convert_row(hint: Any, fields: Dict[str, Tuple[Any, bool]], inside: Tuple[Any, ...]) -> d.DataType:
    if hint in inside:
        raise _refuse(hint, "it contains itself")
    row = d.RowType(nullable=False)
    for name, (field_hint, required) in fields.items():
        data_type = _convert(field_hint, (*inside, hint))
        row.add(name, data_type if required else data_type.nullable())
    return row


def _fields(cls: type) -> Optional[Dict[str, Tuple[Any, bool]]]:
    """Names, hints and whether they are always there, of a TypedDict, NamedTuple or dataclass; None for others."""
    typed_dict = issubclass(cls, dict) and hasattr(cls, "__total__")
    named_tuple = issubclass(cls, tuple) and hasattr(cls, "_fields")
    if not (typed_dict or named_tuple or hasattr(cls, "__dataclass_fields__")):
        return None
    hints = _hints_of(cls)
    if named_tuple:
        missing = [name for name in cls._fields if name not in hints]  # type: ignore[attr-defined]
        if missing:
            raise _refuse(cls, "its field %r has no type hint" % missing[0])
        return {name: (hints[name], True) for name in cls._fields}  # type: ignore[attr-defined]
    if not typed_dict:
        return {name: (hints[name], True) for name in cls.__dataclass_fields__}  # type: ignore[attr-defined]
    # Classes of a hierarchy may differ in `total`. Annotations that are text hide NotRequired from
    # __optional_keys__, so the resolved hint is asked as well.
    optional = getattr(cls, "__optional_keys__", frozenset() if getattr(cls, "__total__", True) else frozenset(hints))
    found = {}
    for name, hint in hints.items():
        marker = getattr(getattr(_bare(hint), "__origin__", None), "_name", None)
        if marker in ("Required", "NotRequired"):
            found[name] = (_bare(hint).__args__[0], marker == "Required")
        else:
            found[name] = (hint, name not in optional)
    return found


def _hints_of(thing: Any) -> Dict[str, Any]:
    try:
        try:
            return typing.get_type_hints(thing, include_extras=True)
        except TypeError as error:
            if "include_extras" not in str(error):  # Python 3.8 does not know it
                raise
        return _hints_of_38(thing)
    except Exception as error:
        # Names behind TYPE_CHECKING, or `int | None` as text before Python 3.10.
        raise TypeError(
            "the type hints of %s cannot be evaluated (%s: %s); give the type in the declaration"
            % (_name(thing), type(error).__name__, error)
        ) from error


def _hints_of_38(thing: Any) -> Dict[str, Any]:
    """The hints in Python 3.8, which leaves a text inside of an annotation that is text itself as it is."""

    def holder() -> None:
        pass

    names = getattr(thing, "__globals__", None) or vars(sys.modules[thing.__module__])
    holder.__annotations__ = typing.get_type_hints(thing)
    return typing.get_type_hints(holder, names)


def _function_of(f: Any, method: str) -> Any:
    """The function that has the hints: of a partial what it calls, of an object its method or __call__."""
    while isinstance(f, functools.partial):
        f = f.func
    if callable(getattr(f, method, None)):
        return getattr(f, method)
    if not hasattr(f, "__code__") and not hasattr(f, "__func__") and not isinstance(f, type):
        return type(f).__call__ if callable(f) else f
    return f


def _return_hint(f: Any, method: str) -> Tuple[bool, Any]:
    function = _function_of(f, method)
    if "return" not in (getattr(function, "__annotations__", None) or {}):
        return False, None
    return True, _hints_of(function)["return"]


def from_hints(f: Any, method: str = "eval") -> Optional[d.DataType]:
    """The data type of what `f` returns, from its type hints; None if it has none.

    Args:
        f: A function, partial or callable object, or an object with `method`.
        method: The method whose hints count where `f` is an object that has it.

    Raises:
        TypeError: There is a hint for the result, and it has no data type or cannot be evaluated.
    """
    there, hint = _return_hint(f, method)
    return from_hint(hint) if there else None


def row_types_from_hints(f: Any, method: str = "eval") -> Union[None, d.RowType, List[d.DataType]]:
    """The column types of a table function, which gives Iterator[T], Iterable[T], Generator[T, ...] or List[T].

    T is a type, or Tuple[...] of one type a column, or a class of named fields, which gives a ROW. None if there is no
    hint; TypeError as from_hints.
    """
    there, hint = _return_hint(f, method)
    if not there:
        return None
    row = _bare(hint)
    if getattr(row, "__origin__", None) in _MANY and getattr(row, "__args__", None):
        row = _bare(row.__args__[0])
    else:
        raise _refuse(hint, "a table function gives Iterator[...] or another iterable of rows")
    if getattr(row, "__origin__", None) is tuple:
        if not row.__args__ or Ellipsis in row.__args__:
            raise _refuse(row, "it does not say how many columns there are, as Tuple[int, str] does")
        return [from_hint(column) for column in row.__args__]
    found = from_hint(row)
    return found if isinstance(found, d.RowType) else [found]
