"""CSV: schemas, and how files are read and written by them."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from clutch.common.typeinfo import BasicTypeInfo, RowTypeInfo, TypeInformation, Types
from clutch.datastream._code import check_instance
from clutch.datastream._not_served import not_served
from clutch.datastream._sinks import check_text
from clutch.datastream.connectors.file_system import BulkWriterFactory, StreamFormat

__all__ = ["CsvBulkWriter", "CsvBulkWriters", "CsvReaderFormat", "CsvSchema", "CsvSchemaBuilder"]

_NUMBERS = {
    "TINYINT": "BYTE", "SMALLINT": "SHORT", "INT": "INT", "BIGINT": "LONG", "FLOAT": "FLOAT", "DOUBLE": "DOUBLE",
}  # fmt: skip


def _one(what: str, char: Any) -> str:
    if not isinstance(char, str) or len(char) != 1:
        raise ValueError("%s must be a single char, got %r" % (what, char))
    return char


class CsvSchema:
    """The columns of a file and how it is written. Made by builder()."""

    def __init__(self, columns: List[Tuple[str, TypeInformation]], options: Dict[str, Any]) -> None:
        self._columns = list(columns)
        self._options = dict(options)

    @staticmethod
    def builder() -> CsvSchemaBuilder:
        return CsvSchemaBuilder()

    def get_type_info(self) -> RowTypeInfo:
        """The type of the rows."""
        return RowTypeInfo([of for _, of in self._columns], [name for name, _ in self._columns])

    def size(self) -> int:
        return len(self._columns)

    def __len__(self) -> int:
        return self.size()

    def __repr__(self) -> str:
        return "CsvSchema(%s)" % ", ".join("%s: %s" % column for column in self._columns)

    def members(self) -> Dict[str, Any]:
        """What a source or sink of a job's description says of CSV."""
        return {"format": "csv", "csv": dict(self._options)}


class CsvSchemaBuilder:
    """Collects what build() makes a CsvSchema of."""

    def __init__(self) -> None:
        self._columns: List[Tuple[str, TypeInformation]] = []
        self._options: Dict[str, Any] = {}

    def build(self) -> CsvSchema:
        return CsvSchema(self._columns, self._options)

    def _add(self, name: str, of: TypeInformation) -> CsvSchemaBuilder:
        self._columns.append((check_text("the name of a CSV column", name), of))
        return self

    def add_string_column(self, name: str) -> CsvSchemaBuilder:
        return self._add(name, Types.STRING())

    def add_boolean_column(self, name: str) -> CsvSchemaBuilder:
        return self._add(name, Types.BOOLEAN())

    def add_number_column(self, name: str, number_type: Any = None) -> CsvSchemaBuilder:
        """`number_type` is a type of numbers of DataTypes, BIGINT() if it is left out."""
        word = "BIGINT" if number_type is None else str(number_type).split()[0]
        if word not in _NUMBERS:
            raise ValueError(
                "the column %r of a CSV schema must be one of %s, got %s" % (name, ", ".join(_NUMBERS), number_type)
            )
        return self._add(name, BasicTypeInfo(_NUMBERS[word]))

    def add_array_column(self, name: str, separator: str = ";", element_type: Any = None) -> CsvSchemaBuilder:
        """Refused: arrays in CSV are not served."""
        raise NotImplementedError(
            "array columns of CSV are not served; read %r as text and split it in a map" % (name,)
        )

    def set_array_element_separator(self, separator: str) -> CsvSchemaBuilder:
        """Refused, as add_array_column is."""
        raise NotImplementedError("array columns of CSV are not served, got the separator %r" % (separator,))

    def disable_array_element_separator(self) -> CsvSchemaBuilder:
        """Accepted: there are no arrays."""
        return self

    def add_columns_from(self, schema: CsvSchema) -> CsvSchemaBuilder:
        self._columns.extend(check_instance(schema, "add_columns_from", CsvSchema)._columns)
        return self

    def clear_columns(self) -> CsvSchemaBuilder:
        self._columns.clear()
        return self

    def _set(self, name: str, value: Any) -> CsvSchemaBuilder:
        self._options[name] = value
        return self

    def set_allow_comments(self, allow: bool = True) -> CsvSchemaBuilder:
        """Pass over lines that begin with ``#``."""
        return self._set("comment", "#") if allow else self._without("comment")

    def _without(self, name: str) -> CsvSchemaBuilder:
        self._options.pop(name, None)
        return self

    def set_column_separator(self, char: str) -> CsvSchemaBuilder:
        return self._set("delimiter", _one("Column separator", char))

    def set_quote_char(self, char: str) -> CsvSchemaBuilder:
        return self._set("quote", _one("Quote char", char))

    def disable_quote_char(self) -> CsvSchemaBuilder:
        return self._set("quote", "")

    def set_escape_char(self, char: str) -> CsvSchemaBuilder:
        """Refused: a quote inside of quotes is doubled, as RFC 4180 has it."""
        raise NotImplementedError(
            "escape chars of CSV are not served, got %r; double a quote inside of quotes instead"
            % (_one("Escape char", char),)
        )

    def disable_escape_char(self) -> CsvSchemaBuilder:
        """The default."""
        return self

    def set_line_separator(self, separator: str) -> CsvSchemaBuilder:
        """Accepted for a line feed, which is written; all ends of lines are read."""
        if separator != "\n":
            raise ValueError("lines of CSV are written with a line feed, and not with %r" % (separator,))
        return self

    def set_null_value(self, null_value: str) -> CsvSchemaBuilder:
        return self._set("null", check_text("the null_value", null_value))

    def set_use_header(self, use: bool = True) -> CsvSchemaBuilder:
        """The first line has the names of the columns."""
        return self._set("header", True) if use else self._without("header")

    def set_skip_first_data_row(self, skip: bool = True) -> CsvSchemaBuilder:
        """The first line is passed over."""
        return self.set_use_header(skip)

    def set_strict_headers(self, strict: bool = True) -> CsvSchemaBuilder:
        """Accepted: a header whose names are not those of the schema is an error anyway."""
        return self

    def size(self) -> int:
        return len(self._columns)

    def __len__(self) -> int:
        return self.size()


class CsvReaderFormat(StreamFormat):
    """Rows of CSV files."""

    @staticmethod
    def for_schema(schema: CsvSchema) -> CsvReaderFormat:
        check_instance(schema, "for_schema", CsvSchema)
        return CsvReaderFormat(schema.members(), schema.get_type_info())


class CsvBulkWriter:
    """Writes rows to CSV files."""

    @staticmethod
    def for_schema(schema: CsvSchema) -> BulkWriterFactory:
        check_instance(schema, "for_schema", CsvSchema)
        return BulkWriterFactory(schema.members(), schema.get_type_info())


CsvBulkWriters = CsvBulkWriter  # its newer name

__getattr__ = not_served(
    __name__,
    "messages of a broker have no schemas here; read lines of text and use the module csv in a map",
    ["CsvRowDeserializationSchema", "CsvRowSerializationSchema"],
)
