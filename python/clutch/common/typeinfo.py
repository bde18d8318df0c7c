"""Types: what the elements and states of a stream are, with the column types of ``clutch.table`` that carry them.

A type is a value: equal types are interchangeable, hashable and picklable. Where no column type keeps every value as it
is, ``type_text()`` is None and values travel pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

if TYPE_CHECKING:
    from clutch.table.types import DataType

__all__ = [
    "BasicArrayTypeInfo",
    "BasicTypeInfo",
    "InstantTypeInfo",
    "ListTypeInfo",
    "MapTypeInfo",
    "ObjectArrayTypeInfo",
    "PickledBytesTypeInfo",
    "PrimitiveArrayTypeInfo",
    "RowTypeInfo",
    "SqlTimeTypeInfo",
    "TupleTypeInfo",
    "TypeInformation",
    "Types",
]


class TypeInformation:
    """Base of all types."""

    def _arguments(self) -> Tuple[Any, ...]:
        """The constructor's arguments; with the class, what makes the type."""
        return ()

    def data_type(self) -> Optional[DataType]:
        """The column type of ``clutch.table`` for the values; None where they travel pickled, also in a part."""
        return None

    def type_text(self) -> Optional[str]:
        """The text of `data_type`, as plugins parse it: ``ROW<f0 INT, f1 STRING>``."""
        data_type = self.data_type()
        return None if data_type is None else str(data_type)

    def plain(self) -> Dict[str, Any]:
        """The type as dicts, lists and texts: ``sort``, ``text``, and what the sort has (names, parts)."""
        return {"sort": self._sort(), "text": self.type_text()}

    def _sort(self) -> str:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TypeInformation):
            return NotImplemented
        return type(self) is type(other) and self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._arguments()))

    def __repr__(self) -> str:
        return str(self)


# The name of each simple type, the word for it in str(), and the text of its column type.
_BASIC = {
    "STRING": ("String", "STRING"),
    "BYTE": ("Byte", "TINYINT"),
    "BOOLEAN": ("Boolean", "BOOLEAN"),
    "SHORT": ("Short", "SMALLINT"),
    "INT": ("Integer", "INT"),
    "LONG": ("Long", "BIGINT"),
    "FLOAT": ("Float", "FLOAT"),
    "DOUBLE": ("Double", "DOUBLE"),
    "CHAR": ("Character", "CHAR(1)"),
    # Numbers of any length, and decimals that keep their own scale: no column holds all of them.
    "BIG_INT": ("BigInteger", None),
    "BIG_DEC": ("BigDecimal", None),
}
_SQL_TIME = {"DATE": "DATE", "TIME": "TIME(3)", "TIMESTAMP": "TIMESTAMP(6)"}
_PRIMITIVE = ("BOOLEAN", "BYTE", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE", "CHAR")


def _parsed(text: str) -> DataType:
    from clutch.table.types import parse

    return parse(text)


class BasicTypeInfo(TypeInformation):
    """Texts, booleans and numbers."""

    def __init__(self, name: str) -> None:
        if name not in _BASIC:
            raise ValueError("no basic type is called %r; there are %s" % (name, ", ".join(_BASIC)))
        self._name = name

    def _arguments(self) -> Tuple[Any, ...]:
        return (self._name,)

    def data_type(self) -> Optional[DataType]:
        text = _BASIC[self._name][1]
        return None if text is None else _parsed(text)

    def _sort(self) -> str:
        return self._name.lower()

    def __str__(self) -> str:
        return _BASIC[self._name][0]

    @staticmethod
    def STRING_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("STRING")

    @staticmethod
    def BOOLEAN_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("BOOLEAN")

    @staticmethod
    def BYTE_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("BYTE")

    @staticmethod
    def SHORT_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("SHORT")

    @staticmethod
    def INT_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("INT")

    @staticmethod
    def LONG_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("LONG")

    @staticmethod
    def FLOAT_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("FLOAT")

    @staticmethod
    def DOUBLE_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("DOUBLE")

    @staticmethod
    def CHAR_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("CHAR")

    @staticmethod
    def BIG_INT_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("BIG_INT")

    @staticmethod
    def BIG_DEC_TYPE_INFO() -> BasicTypeInfo:
        return BasicTypeInfo("BIG_DEC")


class SqlTimeTypeInfo(TypeInformation):
    """Dates, times of day in milliseconds, and timestamps without a zone."""

    def __init__(self, name: str) -> None:
        if name not in _SQL_TIME:
            raise ValueError("no SQL time type is called %r; there are %s" % (name, ", ".join(_SQL_TIME)))
        self._name = name

    def _arguments(self) -> Tuple[Any, ...]:
        return (self._name,)

    def data_type(self) -> Optional[DataType]:
        return _parsed(_SQL_TIME[self._name])

    def _sort(self) -> str:
        return "sql_" + self._name.lower()

    def __str__(self) -> str:
        return "SqlTimeTypeInfo(%s)" % self._name

    @staticmethod
    def DATE() -> SqlTimeTypeInfo:
        return SqlTimeTypeInfo("DATE")

    @staticmethod
    def TIME() -> SqlTimeTypeInfo:
        return SqlTimeTypeInfo("TIME")

    @staticmethod
    def TIMESTAMP() -> SqlTimeTypeInfo:
        return SqlTimeTypeInfo("TIMESTAMP")


class InstantTypeInfo(TypeInformation):
    """Instants of ``clutch.common.time``. They have nanoseconds, so they travel pickled."""

    def _sort(self) -> str:
        return "instant"

    def __str__(self) -> str:
        return "Instant"


class PickledBytesTypeInfo(TypeInformation):
    """Any Python object, pickled. It is the type of what was not given one."""

    def _sort(self) -> str:
        return "pickled"

    def __str__(self) -> str:
        return "PickledByteArrayTypeInfo"


class _PartsTypeInfo(TypeInformation):
    """A type made of others."""

    def __init__(self, parts: Sequence[TypeInformation], what: str) -> None:
        self._parts = tuple(parts)
        for part in self._parts:
            if not isinstance(part, TypeInformation):
                raise TypeError(
                    "%s must be a type such as Types.STRING(), got %r of type %s" % (what, part, type(part).__name__)
                )

    def _arguments(self) -> Tuple[Any, ...]:
        return self._parts

    def data_type(self) -> Optional[DataType]:
        parts = [part.data_type() for part in self._parts]
        found = [part for part in parts if part is not None]
        return self._of_parts(found) if len(found) == len(parts) else None

    def _of_parts(self, parts: List[DataType]) -> DataType:
        raise NotImplementedError

    def plain(self) -> Dict[str, Any]:
        return {**super().plain(), "parts": [part.plain() for part in self._parts]}


class _CollectionTypeInfo(_PartsTypeInfo):
    _LABEL = ""

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__([element_type], "the element type of %s" % self._LABEL)

    @property
    def elem_type(self) -> TypeInformation:
        """The type of the elements."""
        return self._parts[0]

    def _of_parts(self, parts: List[DataType]) -> DataType:
        from clutch.table.types import ArrayType

        return ArrayType(parts[0])

    def _sort(self) -> str:
        return self._LABEL.lower()

    def __str__(self) -> str:
        return "%s<%s>" % (type(self).__name__, self.elem_type)


class PrimitiveArrayTypeInfo(_CollectionTypeInfo):
    """Arrays of numbers or booleans without nulls; of BYTE, the values are bytes. TypeError for other elements."""

    _LABEL = "PRIMITIVE_ARRAY"

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__(element_type)
        if getattr(element_type, "_name", None) not in _PRIMITIVE or not isinstance(element_type, BasicTypeInfo):
            raise TypeError(
                "the element type of PRIMITIVE_ARRAY must be one of %s, got %s; use OBJECT_ARRAY or LIST for others"
                % (", ".join(_PRIMITIVE), element_type)
            )

    def _of_parts(self, parts: List[DataType]) -> DataType:
        from clutch.table.types import ArrayType

        return _parsed("BYTES") if self.elem_type == BasicTypeInfo("BYTE") else ArrayType(parts[0].not_null())


class BasicArrayTypeInfo(_CollectionTypeInfo):
    """Arrays of texts, numbers or booleans, with nulls. TypeError for other elements."""

    _LABEL = "BASIC_ARRAY"

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__(element_type)
        if getattr(element_type, "_name", None) not in (*_PRIMITIVE, "STRING") or not isinstance(
            element_type, BasicTypeInfo
        ):
            raise TypeError(
                "the element type of BASIC_ARRAY must be one of %s, STRING, got %s; use OBJECT_ARRAY or LIST for others"
                % (", ".join(_PRIMITIVE), element_type)
            )


class ObjectArrayTypeInfo(_CollectionTypeInfo):
    """Arrays of elements of any type."""

    _LABEL = "OBJECT_ARRAY"


class ListTypeInfo(_CollectionTypeInfo):
    """Lists."""

    _LABEL = "LIST"


class MapTypeInfo(_PartsTypeInfo):
    """Dicts."""

    def __init__(self, key_type_info: TypeInformation, value_type_info: TypeInformation) -> None:
        super().__init__([key_type_info, value_type_info], "the key and value type of MAP")

    def _of_parts(self, parts: List[DataType]) -> DataType:
        from clutch.table.types import MapType

        return MapType(parts[0], parts[1])

    def _sort(self) -> str:
        return "map"

    def __str__(self) -> str:
        return "MapTypeInfo<%s, %s>" % self._parts


class TupleTypeInfo(_PartsTypeInfo):
    """Tuples. Their columns are those of a ROW; ``plain()["sort"]`` tells them apart."""

    def __init__(self, field_types: Sequence[TypeInformation]) -> None:
        super().__init__(field_types, "a field type of TUPLE")

    def get_field_types(self) -> List[TypeInformation]:
        return list(self._parts)

    def _of_parts(self, parts: List[DataType]) -> DataType:
        from clutch.table.types import RowType

        return RowType(parts)

    def _sort(self) -> str:
        return "tuple"

    def __str__(self) -> str:
        return "TupleTypeInfo(%s)" % ", ".join(map(str, self._parts))


class RowTypeInfo(_PartsTypeInfo):
    """Rows. Fields without names are called f0, f1 and so on. ValueError for names that do not fit the types."""

    def __init__(self, field_types: Sequence[TypeInformation], field_names: Optional[Sequence[str]] = None) -> None:
        super().__init__(field_types, "a field type of ROW")
        if field_names is None:
            field_names = ["f%d" % position for position in range(len(self._parts))]
        self._names = tuple(field_names)
        for name in self._names:
            if not isinstance(name, str) or self._names.count(name) > 1:
                problem = "is there twice" if isinstance(name, str) else "is no str"
                raise ValueError("the field name %r of a ROW %s; give each field a name of its own" % (name, problem))
        if len(self._names) != len(self._parts):
            raise ValueError(
                "ROW has %d names but %d types; give each field one of both" % (len(self._names), len(self._parts))
            )

    def _arguments(self) -> Tuple[Any, ...]:
        return (self._names, self._parts)

    def get_field_names(self) -> List[str]:
        return list(self._names)

    def get_field_index(self, field_name: str) -> int:
        """The position of a field; -1 where no field has the name."""
        return self._names.index(field_name) if field_name in self._names else -1

    def get_field_types(self) -> List[TypeInformation]:
        return list(self._parts)

    def _of_parts(self, parts: List[DataType]) -> DataType:
        from clutch.table.types import RowField, RowType

        return RowType([RowField(name, part) for name, part in zip(self._names, parts)])

    def plain(self) -> Dict[str, Any]:
        return {**super().plain(), "names": list(self._names)}

    def _sort(self) -> str:
        return "row"

    def __str__(self) -> str:
        return "RowTypeInfo(%s)" % ", ".join("%s: %s" % pair for pair in zip(self._names, self._parts))


class Types:
    """Makes types."""

    @staticmethod
    def STRING() -> TypeInformation:
        return BasicTypeInfo("STRING")

    @staticmethod
    def BYTE() -> TypeInformation:
        """Whole numbers of 8 bits."""
        return BasicTypeInfo("BYTE")

    @staticmethod
    def BOOLEAN() -> TypeInformation:
        return BasicTypeInfo("BOOLEAN")

    @staticmethod
    def SHORT() -> TypeInformation:
        """Whole numbers of 16 bits."""
        return BasicTypeInfo("SHORT")

    @staticmethod
    def INT() -> TypeInformation:
        """Whole numbers of 32 bits."""
        return BasicTypeInfo("INT")

    @staticmethod
    def LONG() -> TypeInformation:
        """Whole numbers of 64 bits."""
        return BasicTypeInfo("LONG")

    @staticmethod
    def FLOAT() -> TypeInformation:
        """Floating-point numbers of 32 bits."""
        return BasicTypeInfo("FLOAT")

    @staticmethod
    def DOUBLE() -> TypeInformation:
        """Floating-point numbers of 64 bits, as Python's float."""
        return BasicTypeInfo("DOUBLE")

    @staticmethod
    def CHAR() -> TypeInformation:
        """Texts of one character."""
        return BasicTypeInfo("CHAR")

    @staticmethod
    def BIG_INT() -> TypeInformation:
        """Whole numbers of any length."""
        return BasicTypeInfo("BIG_INT")

    @staticmethod
    def BIG_DEC() -> TypeInformation:
        """Decimals of any precision, each with a scale of its own."""
        return BasicTypeInfo("BIG_DEC")

    @staticmethod
    def INSTANT() -> TypeInformation:
        return InstantTypeInfo()

    @staticmethod
    def SQL_DATE() -> TypeInformation:
        return SqlTimeTypeInfo("DATE")

    @staticmethod
    def SQL_TIME() -> TypeInformation:
        return SqlTimeTypeInfo("TIME")

    @staticmethod
    def SQL_TIMESTAMP() -> TypeInformation:
        return SqlTimeTypeInfo("TIMESTAMP")

    @staticmethod
    def PICKLED_BYTE_ARRAY() -> TypeInformation:
        """Any Python object, pickled."""
        return PickledBytesTypeInfo()

    @staticmethod
    def ROW(field_types: List[TypeInformation]) -> RowTypeInfo:
        return RowTypeInfo(field_types)

    @staticmethod
    def ROW_NAMED(field_names: List[str], field_types: List[TypeInformation]) -> RowTypeInfo:
        return RowTypeInfo(field_types, field_names)

    @staticmethod
    def TUPLE(field_types: List[TypeInformation]) -> TupleTypeInfo:
        return TupleTypeInfo(field_types)

    @staticmethod
    def PRIMITIVE_ARRAY(element_type: TypeInformation) -> TypeInformation:
        return PrimitiveArrayTypeInfo(element_type)

    @staticmethod
    def BASIC_ARRAY(element_type: TypeInformation) -> TypeInformation:
        return BasicArrayTypeInfo(element_type)

    @staticmethod
    def OBJECT_ARRAY(element_type: TypeInformation) -> TypeInformation:
        return ObjectArrayTypeInfo(element_type)

    @staticmethod
    def MAP(key_type_info: TypeInformation, value_type_info: TypeInformation) -> TypeInformation:
        return MapTypeInfo(key_type_info, value_type_info)

    @staticmethod
    def LIST(element_type_info: TypeInformation) -> TypeInformation:
        return ListTypeInfo(element_type_info)


def type_or_row(what: str, type_info: Any) -> TypeInformation:
    """A type as users give it: None means pickled, a list the fields of a ROW. TypeError for anything else."""
    if type_info is None:
        return PickledBytesTypeInfo()
    if isinstance(type_info, list):
        return RowTypeInfo(type_info)
    if not isinstance(type_info, TypeInformation):
        raise TypeError(
            "%s must be a type such as Types.STRING(), or a list of types for a ROW, got %r of type %s"
            % (what, type_info, type(type_info).__name__)
        )
    return type_info
