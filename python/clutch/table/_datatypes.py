"""The classes behind DataTypes: what a value is, and its name in the type grammar that every plugin parses.

A type is a value: equal types are interchangeable, hashable and picklable. ``str(t)`` is the text form
(``BIGINT NOT NULL``); ``parse`` in ``clutch.table.types`` reads it back.
"""

from __future__ import annotations

import copy
import re
from typing import Any, Iterator, List, Optional, Sequence, Tuple, Union

MAX_LENGTH = 0x7FFFFFFF
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _within(what: str, value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError("%s must be an int from %d to %d, got %r" % (what, low, high, value))
    return value


def _data_type(what: str, value: Any) -> "DataType":
    if not isinstance(value, DataType):
        raise TypeError("%s must be a DataType, got %r of type %s" % (what, value, type(value).__name__))
    return value


class DataType:
    """Base of all types. `nullable` says whether None is a value of the type."""

    def __init__(self, nullable: bool = True) -> None:
        self._nullable = bool(nullable)

    def _arguments(self) -> Tuple[Any, ...]:
        """The constructor's arguments in front of `nullable`; with the class, what makes the type."""
        return ()

    def _text(self) -> str:
        """The text form without nullability."""
        raise NotImplementedError

    def to_sql(self) -> str:
        """The text form, as plugins parse it: ``ROW<a INT NOT NULL, b ARRAY<STRING>>``."""
        return self._text() if self._nullable else self._text() + " NOT NULL"

    @classmethod
    def type_name(cls) -> str:
        """The class's name without Type, in lower case: ``bigint``."""
        return cls.__name__[: -len("Type")].lower()

    def not_null(self) -> "DataType":
        """The same type without None."""
        return self._with_nullable(False)

    def nullable(self) -> "DataType":
        """The same type with None."""
        return self._with_nullable(True)

    def _with_nullable(self, nullable: bool) -> "DataType":
        changed = copy.copy(self)
        changed._nullable = nullable
        return changed

    def __str__(self) -> str:
        return self.to_sql()

    def __repr__(self) -> str:
        parts = ["[%s]" % ", ".join(map(repr, a)) if isinstance(a, tuple) else repr(a) for a in self._arguments()]
        return "%s(%s)" % (type(self).__name__, ", ".join([*parts, str(self._nullable).lower()]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DataType):
            return NotImplemented
        same = type(self) is type(other) and self._nullable == other._nullable
        return same and self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._nullable, self._arguments()))


class AtomicType(DataType):
    """A type whose values have no parts."""

    _NAME = ""

    def _text(self) -> str:
        return self._NAME


class NullType(AtomicType):
    _NAME = "NULL"


class BooleanType(AtomicType):
    _NAME = "BOOLEAN"


class NumericType(AtomicType):
    """A type of numbers."""


class IntegralType(NumericType):
    """A type of whole numbers."""


class FractionalType(NumericType):
    """A type of numbers that may have a fraction."""


class TinyIntType(IntegralType):
    _NAME = "TINYINT"


class SmallIntType(IntegralType):
    _NAME = "SMALLINT"


class IntType(IntegralType):
    _NAME = "INT"


class BigIntType(IntegralType):
    _NAME = "BIGINT"


class FloatType(FractionalType):
    _NAME = "FLOAT"


class DoubleType(FractionalType):
    _NAME = "DOUBLE"


class DecimalType(FractionalType):
    """Numbers of `precision` digits, `scale` of them behind the point. ValueError outside of 1..38 and 0..precision."""

    def __init__(self, precision: int = 10, scale: int = 0, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.precision = _within("the precision of DECIMAL", precision, 1, 38)
        self.scale = _within("the scale of DECIMAL with precision %d" % precision, scale, 0, precision)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.precision, self.scale)

    def _text(self) -> str:
        return "DECIMAL(%d, %d)" % (self.precision, self.scale)


class _LengthType(AtomicType):
    """A type with a length, which has a name of its own at the longest."""

    _LONGEST = ""

    def __init__(self, length: int = 1, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.length = _within("the length of %s" % self._NAME, length, 1, MAX_LENGTH)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.length,)

    def _text(self) -> str:
        if self._LONGEST and self.length == MAX_LENGTH:
            return self._LONGEST
        return "%s(%d)" % (self._NAME, self.length)


class CharType(_LengthType):
    _NAME = "CHAR"


class VarCharType(_LengthType):
    _NAME, _LONGEST = "VARCHAR", "STRING"


class BinaryType(_LengthType):
    _NAME = "BINARY"


class VarBinaryType(_LengthType):
    _NAME, _LONGEST = "VARBINARY", "BYTES"


class PickleType(AtomicType):
    """Any Python object, as its pickle."""

    _NAME = "PICKLE"


class DateType(AtomicType):
    _NAME = "DATE"


class _PrecisionType(AtomicType):
    """A type of times with `precision` digits of a second."""

    def __init__(self, precision: int = 6, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.precision = _within("the precision of %s" % self._NAME, precision, 0, 9)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.precision,)

    def _text(self) -> str:
        return "%s(%d)" % (self._NAME, self.precision)


class TimeType(_PrecisionType):
    _NAME = "TIME"

    def __init__(self, precision: int = 0, nullable: bool = True) -> None:
        super().__init__(precision, nullable)


class TimestampType(_PrecisionType):
    """Wall clock without a zone; its values are naive datetimes."""

    _NAME = "TIMESTAMP"


class LocalZonedTimestampType(_PrecisionType):
    """Instants; their values are aware datetimes in the zone of the session."""

    _NAME = "TIMESTAMP_LTZ"


class ArrowType(AtomicType):
    """A type of the grammar that SQL has no name for, such as ``uint8`` or ``dictionary<int32, string>``.

    `text` is its canonical text. Made by ``parse``; it serves as an argument or result type like any other.
    """

    def __init__(self, text: str, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.text = text

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.text,)

    def _text(self) -> str:
        return self.text


class ArrayType(DataType):
    def __init__(self, element_type: DataType, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.element_type = _data_type("the element type of ARRAY", element_type)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.element_type,)

    def _text(self) -> str:
        return "ARRAY<%s>" % self.element_type


class MultisetType(DataType):
    """Values with how often each occurs: a dict from value to int."""

    def __init__(self, element_type: DataType, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.element_type = _data_type("the element type of MULTISET", element_type)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.element_type,)

    def _text(self) -> str:
        return "MULTISET<%s>" % self.element_type


class MapType(DataType):
    def __init__(self, key_type: DataType, value_type: DataType, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.key_type = _data_type("the key type of MAP", key_type)
        self.value_type = _data_type("the value type of MAP", value_type)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.key_type, self.value_type)

    def _text(self) -> str:
        return "MAP<%s, %s>" % (self.key_type, self.value_type)


class DataViewType(DataType):
    """Base of the views: collections in state, allowed as a field of a ROW accumulator only."""


class ListViewType(DataViewType):
    def __init__(self, element_type: DataType) -> None:
        super().__init__(False)
        self._element_type = _data_type("the element type of LIST_VIEW", element_type)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self._element_type,)

    def _text(self) -> str:
        return "LIST_VIEW<%s>" % self._element_type

    def to_sql(self) -> str:
        return self._text()  # a view is always there, so there is no nullability to write


class MapViewType(DataViewType):
    def __init__(self, key_type: DataType, value_type: DataType) -> None:
        super().__init__(False)
        self._key_type = _data_type("the key type of MAP_VIEW", key_type)
        self._value_type = _data_type("the value type of MAP_VIEW", value_type)

    def _arguments(self) -> Tuple[Any, ...]:
        return (self._key_type, self._value_type)

    def _text(self) -> str:
        return "MAP_VIEW<%s, %s>" % (self._key_type, self._value_type)

    def to_sql(self) -> str:
        return self._text()


class RowField:
    """One field of a ROW. ValueError for a name that no plugin can carry."""

    def __init__(self, name: str, data_type: DataType, description: Optional[str] = None) -> None:
        if not isinstance(name, str):
            raise TypeError("the name of a field must be a str, got %r of type %s" % (name, type(name).__name__))
        for text in (name, description or ""):
            if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
                raise ValueError("the field %r has a NUL character or a lone surrogate in its name or text" % name)
        self.name = name
        self.data_type = _data_type("the type of field %r" % name, data_type)
        self.description = description

    def _key(self) -> Tuple[Any, ...]:
        return (self.name, self.data_type, self.description)

    def to_sql(self) -> str:
        """``name TYPE 'description'``; the name in backquotes where it is no plain word."""
        name = self.name if _PLAIN_NAME.match(self.name) else "`%s`" % self.name.replace("`", "``")
        text = "%s %s" % (name, self.data_type)
        return text if self.description is None else "%s '%s'" % (text, self.description.replace("'", "''"))

    def __repr__(self) -> str:
        parts = [self.name, repr(self.data_type)] + ([self.description] if self.description is not None else [])
        return "RowField(%s)" % ", ".join(parts)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, RowField) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())


class RowType(DataType):
    """Fields in order. Fields without names, given as bare types, are called f0, f1 and so on."""

    def __init__(self, fields: Optional[Sequence[Union[RowField, DataType]]] = None, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.fields: List[RowField] = []
        for position, field in enumerate(fields or ()):
            if isinstance(field, DataType):
                field = RowField("f%d" % position, field)
            elif not isinstance(field, RowField):
                raise TypeError("a field of ROW must be a RowField or a DataType, got %r" % (field,))
            self.fields.append(field)

    @property
    def names(self) -> List[str]:
        return [field.name for field in self.fields]

    def add(self, field: Union[RowField, str], data_type: Optional[DataType] = None) -> "RowType":
        """Append a field, given whole or as name and type, and return the row type itself."""
        if isinstance(field, RowField):
            self.fields.append(field)
        elif data_type is None:
            raise ValueError("the field %r needs a type: add(name, data_type)" % (field,))
        else:
            self.fields.append(RowField(field, data_type))
        return self

    def field_names(self) -> List[str]:
        return self.names

    def field_types(self) -> List[DataType]:
        return [field.data_type for field in self.fields]

    def _with_nullable(self, nullable: bool) -> "DataType":
        return type(self)(self.fields, nullable)  # a list of its own: add() on one does not change the other

    def _arguments(self) -> Tuple[Any, ...]:
        return (tuple(self.fields),)

    def _text(self) -> str:
        return "ROW<%s>" % ", ".join(field.to_sql() for field in self.fields)

    def __iter__(self) -> Iterator[RowField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, key: Union[int, slice, str]) -> Any:
        """A field by name or position, or a row type of a slice. KeyError for an unknown name."""
        if isinstance(key, str):
            for field in self.fields:
                if field.name == key:
                    return field
            raise KeyError(key)
        return RowType(self.fields[key]) if isinstance(key, slice) else self.fields[key]


class TupleType(RowType):
    """A row that Python code sees as a tuple."""

    def _text(self) -> str:
        return "TUPLE" + super()._text()[len("ROW") :]
