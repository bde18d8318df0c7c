"""Text to DataType: the grammar of clutch::columnar::parse_type, which every plugin uses, with nullability and views.

    type    = name [ "(" numbers ")" | "[" words "]" ] [ "<" ... ">" ]
    element = [ name ":" ] type [ [ "not" ] "null" ]
    field   = name [ ":" ] type [ [ "not" ] "null" ] [ 'comment' ]

SQL names and Arrow names are both taken, without regard to case. What SQL has no name for becomes an ArrowType. It
refuses what the C++ side refuses, with the same sentences; in addition what SQL does not have: a DECIMAL whose scale
is outside of its precision, a BINARY of no bytes, more digits than an interval's unit has, and an interval from a fine
unit to a coarse one.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, NoReturn, Optional, Tuple

from clutch.table import _datatypes as d
from clutch.table._intervals import IntervalUnit, Resolution, interval

MAX_NESTING = 64
_WORD = re.compile(r"[A-Za-z0-9_]+")
_NUMBER = re.compile(r"-?[0-9]+")
_UNITS = ("s", "ms", "us", "ns")
_PRECISION_OF_UNIT = {"s": 0, "ms": 3, "us": 6, "ns": 9}

# Types that are a name and nothing else.
_SIMPLE: Dict[str, d.DataType] = {
    "null": d.NullType(),
    "pickle": d.PickleType(),
    "bool": d.BooleanType(),
    "boolean": d.BooleanType(),
    "int8": d.TinyIntType(),
    "tinyint": d.TinyIntType(),
    "int16": d.SmallIntType(),
    "smallint": d.SmallIntType(),
    "int32": d.IntType(),
    "int": d.IntType(),
    "integer": d.IntType(),
    "int64": d.BigIntType(),
    "bigint": d.BigIntType(),
    "uint8": d.ArrowType("uint8"),
    "uint16": d.ArrowType("uint16"),
    "uint32": d.ArrowType("uint32"),
    "uint64": d.ArrowType("uint64"),
    "float16": d.ArrowType("float16"),
    "halffloat": d.ArrowType("float16"),
    "float32": d.FloatType(),
    "float": d.FloatType(),
    "real": d.FloatType(),
    "float64": d.DoubleType(),
    "utf8": d.VarCharType(d.MAX_LENGTH),
    "string": d.VarCharType(d.MAX_LENGTH),
    "large_utf8": d.ArrowType("large_string"),
    "large_string": d.ArrowType("large_string"),
    "bytes": d.VarBinaryType(d.MAX_LENGTH),
    "large_binary": d.ArrowType("large_binary"),
    "date": d.DateType(),
    "month_interval": interval(Resolution(IntervalUnit.MONTH)),
    "day_time_interval": d.ArrowType("day_time_interval"),
    "month_day_nano_interval": d.ArrowType("month_day_nano_interval"),
}
_MONTHS = (IntervalUnit.YEAR, IntervalUnit.MONTH)
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_INDEX_OF = {"tinyint": "int8", "smallint": "int16", "int": "int32", "integer": "int32", "bigint": "int64"}


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._parametric: Dict[str, Callable[[int], d.DataType]] = {
            "double": self._double,
            "char": lambda _: d.CharType(self._length()),
            "varchar": lambda _: d.VarCharType(self._length()),
            "varbinary": lambda _: d.VarBinaryType(self._length()),
            "binary": self._binary,
            "fixed_size_binary": self._fixed_binary,
            "decimal": self._decimal,
            "numeric": self._decimal,
            "dec": self._decimal,
            "decimal128": self._arrow_decimal,
            "timestamp": self._timestamp,
            "timestamp_ltz": lambda _: self._local_timestamp(),
            "time": lambda _: d.TimeType(self._precision(0)),
            "interval": self._interval,
            "date32": lambda _: self._date("day", d.DateType()),
            "date64": lambda _: self._date("ms", d.ArrowType("date64")),
            "time32": lambda _: d.TimeType(_PRECISION_OF_UNIT[self._unit(_UNITS[:2])]),
            "time64": lambda _: d.TimeType(_PRECISION_OF_UNIT[self._unit(_UNITS[2:])]),
            "duration": lambda _: d.ArrowType("duration[%s]" % self._unit(_UNITS)),
            "list": self._array,
            "array": self._array,
            "large_list": lambda depth: d.ArrowType("large_list<%s>" % self._item(depth)),
            "fixed_size_list": self._fixed_list,
            "struct": self._row,
            "row": self._row,
            "tuple": self._tuple,
            "map": self._map,
            "multiset": lambda depth: d.MultisetType(self._item(depth + 1)),
            "dictionary": self._dictionary,
            "list_view": lambda depth: d.ListViewType(self._item(depth)),
            "map_view": self._map_view,
        }

    # The text.

    def _peek(self) -> str:
        while self._at < len(self._text) and self._text[self._at] in " \t\n":
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _accept(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self._at += 1
        return True

    def _peek_word(self) -> str:
        self._peek()
        found = _WORD.match(self._text, self._at)
        return found.group() if found else ""

    def _accept_word(self, word: str) -> bool:
        found = self._peek_word()
        if found.lower() != word:
            return False
        self._at += len(found)
        return True

    def _expected(self, what: str, at: Optional[int] = None) -> NoReturn:
        if at is not None:
            self._at = at
        found = self._peek_word() or self._peek()
        # Columns are counted as plugins count them: in bytes.
        column = len(self._text[: self._at].encode()) + 1
        raise ValueError(
            'type "%s", column %d: expected %s, found %s'
            % (self._text, column, what, '"%s"' % found if found else "the end")
        )

    def _require(self, char: str) -> None:
        if not self._accept(char):
            self._expected("'%s'" % char)

    def _require_word(self, word: str) -> None:
        if not self._accept_word(word):
            self._expected('"%s"' % word)

    def _number(self, low: int, high: int, what: str) -> int:
        self._peek()
        found = _NUMBER.match(self._text, self._at)
        if not found or not low <= int(found.group()) <= high:
            self._expected("%s from %d to %d" % (what, low, high))
        self._at = found.end()
        return int(found.group())

    # The grammar.

    def whole(self) -> d.DataType:
        if any("\ud800" <= char <= "\udfff" for char in self._text):
            raise ValueError("the text of a type is not UTF-8")
        if "\0" in self._text:
            raise ValueError("the text of a type contains a NUL character")
        result = self._nullability(self._type(0))
        if self._peek():
            self._expected("the end of the type")
        return result

    def _nullability(self, bare: d.DataType) -> d.DataType:
        if self._accept_word("null") or not self._accept_word("not"):
            return bare
        self._require_word("null")
        return bare.not_null()

    def _type(self, depth: int) -> d.DataType:
        self._peek()
        begin = self._at
        if depth > MAX_NESTING:
            self._expected("at most %d levels of nesting" % MAX_NESTING)
        word = self._peek_word()
        if not word:
            self._expected("a type")
        self._at += len(word)
        name = word.lower()
        if name in _SIMPLE:
            return _SIMPLE[name]
        if name not in self._parametric:
            self._expected("the name of a type", begin)
        return self._parametric[name](depth)

    def _double(self, _depth: int) -> d.DataType:
        self._accept_word("precision")
        return d.DoubleType()

    def _length(self) -> int:
        """The number of "(n)", or SQL's default of 1."""
        if not self._accept("("):
            return 1
        length = self._number(1, d.MAX_LENGTH, "a length")
        self._require(")")
        return length

    def _bracketed(self, what: str) -> int:
        self._require("[")
        number = self._number(0, d.MAX_LENGTH, what)
        self._require("]")
        return number

    def _fixed_binary(self, _depth: int) -> d.DataType:
        width = self._bracketed("a number of bytes")
        return d.BinaryType(width) if width else d.ArrowType("fixed_size_binary[0]")

    def _binary(self, _depth: int) -> d.DataType:
        # Without a length it is Arrow's binary, of any length, as for plugins.
        if not self._accept("("):
            return d.VarBinaryType(d.MAX_LENGTH)
        length = self._number(0, d.MAX_LENGTH, "a number of bytes")
        self._require(")")
        return d.BinaryType(length)

    def _digits(self) -> Tuple[int, int]:
        precision, scale = 10, 0
        if self._accept("("):
            precision = self._number(1, 38, "a precision")
            if self._accept(","):
                scale = self._number(-38, 38, "a scale")
            self._require(")")
        return precision, scale

    def _decimal(self, _depth: int) -> d.DataType:
        return d.DecimalType(*self._digits())

    def _arrow_decimal(self, _depth: int) -> d.DataType:
        precision, scale = self._digits()
        if not 0 <= scale <= precision:
            return d.ArrowType("decimal128(%d, %d)" % (precision, scale))
        return d.DecimalType(precision, scale)

    def _precision(self, default: int) -> int:
        if not self._accept("("):
            return default
        digits = self._number(0, 9, "a precision")
        self._require(")")
        return digits

    def _one_unit(self, units: Tuple[str, ...]) -> str:
        for unit in units:
            if self._accept_word(unit):
                return unit
        self._expected("a unit (%s)" % ", ".join(units))

    def _unit(self, units: Tuple[str, ...]) -> str:
        self._require("[")
        unit = self._one_unit(units)
        self._require("]")
        return unit

    def _date(self, unit: str, result: d.DataType) -> d.DataType:
        if self._accept("["):
            self._require_word(unit)
            self._require("]")
        return result

    def _timestamp(self, _depth: int) -> d.DataType:
        if self._accept("["):
            return self._arrow_timestamp()
        digits = self._precision(6)
        if self._accept_word("with"):
            self._require_word("local")
            self._time_zone()
            return d.LocalZonedTimestampType(digits)
        if self._accept_word("without"):
            self._time_zone()
        return d.TimestampType(digits)

    def _local_timestamp(self) -> d.DataType:
        return d.LocalZonedTimestampType(self._precision(6))

    def _time_zone(self) -> None:
        self._require_word("time")
        self._require_word("zone")

    def _arrow_timestamp(self) -> d.DataType:
        unit = self._one_unit(_UNITS)
        zone = ""
        if self._accept(","):
            if self._peek_word() == "tz" and self._text[self._at + 2 : self._at + 3] == "=":
                self._at += 3
            self._peek()
            end = self._text.find("]", self._at)
            if end < 0:
                self._expected("a time zone and ']'")
            zone = self._text[self._at : end].rstrip(" ")
            if not zone or "=" in zone:
                self._expected("a time zone")
            self._at = end
        self._require("]")
        if zone not in ("", "UTC"):
            return d.ArrowType("timestamp[%s, %s]" % (unit, zone))
        digits = _PRECISION_OF_UNIT[unit]
        return d.LocalZonedTimestampType(digits) if zone else d.TimestampType(digits)

    def _interval(self, _depth: int) -> d.DataType:
        upper = self._resolution()
        if not self._accept_word("to"):
            return interval(upper)
        self._peek()
        begin = self._at
        lower = self._resolution()
        months = upper.unit in _MONTHS
        if months != (lower.unit in _MONTHS):
            self._expected("month" if months else "hour, minute or second", begin)
        return interval(upper, lower)

    def _resolution(self) -> Resolution:
        for unit in IntervalUnit:
            if not self._accept_word(unit.name.lower()):
                continue
            if not self._accept("("):
                return Resolution.default(unit)
            digits = self._number(0, 9, "a precision")
            self._require(")")
            return Resolution(unit, digits)
        self._expected("year, month, day, hour, minute or second")

    def _element(self, depth: int) -> d.DataType:
        """A type with nullability; pyarrow writes the name of the item in front of it."""
        begin = self._at
        word = self._peek_word()
        if word:
            self._at += len(word)
            if not self._accept(":"):
                self._at = begin
        return self._nullability(self._type(depth))

    def _item(self, depth: int) -> d.DataType:
        self._require("<")
        item = self._element(depth + 1)
        self._require(">")
        return item

    def _array(self, depth: int) -> d.DataType:
        return d.ArrayType(self._item(depth))

    def _fixed_list(self, depth: int) -> d.DataType:
        item = self._item(depth)
        return d.ArrowType("fixed_size_list<%s>[%d]" % (item, self._bracketed("a number of items")))

    def _pair(self, depth: int) -> Tuple[d.DataType, d.DataType]:
        self._require("<")
        key = self._element(depth + 2)
        self._require(",")
        return key, self._element(depth + 2)

    def _map(self, depth: int) -> d.DataType:
        key, value = self._pair(depth)
        if self._accept(","):
            self._require_word("keys_sorted")
            self._require(">")
            return d.ArrowType("map<%s, %s, keys_sorted>" % (key, value))
        self._require(">")
        return d.MapType(key, value)

    def _map_view(self, depth: int) -> d.DataType:
        key, value = self._pair(depth)
        self._require(">")
        return d.MapViewType(key, value)

    def _dictionary_index(self) -> str:
        self._peek()
        begin = self._at
        word = self._peek_word().lower()
        self._at += len(word)
        index = _INDEX_OF.get(word, word)
        if index not in _INTEGERS:
            self._expected("an integer type", begin)
        return index

    def _dictionary(self, depth: int) -> d.DataType:
        """Ours is dictionary<INDEX, VALUES[, ordered]>; pyarrow's dictionary<values=V, indices=I, ordered=0>."""
        self._require("<")
        if self._accept_word("values"):
            self._require("=")
            values = self._type(depth + 1)
            self._require(",")
            self._require_word("indices")
            self._require("=")
            index = self._dictionary_index()
        else:
            index = self._dictionary_index()
            self._require(",")
            values = self._type(depth + 1)
        ordered = False
        if self._accept(","):
            self._require_word("ordered")
            ordered = not self._accept("=") or self._number(0, 1, "a flag") == 1
        self._require(">")
        return d.ArrowType("dictionary<%s, %s%s>" % (index, values, ", ordered" if ordered else ""))

    def _row(self, depth: int) -> d.DataType:
        close = ")" if self._accept("(") else ">"
        if close == ">":
            self._require("<")
        fields: List[d.RowField] = []
        if self._accept(close):
            return d.RowType(fields)
        while True:
            fields.append(self._field(depth + 1))
            if not self._accept(","):
                break
        if not self._accept(close):
            self._expected("',' or '%s'" % close)
        return d.RowType(fields)

    def _tuple(self, depth: int) -> d.DataType:
        row = self._row(depth)
        return d.TupleType(list(row)) if isinstance(row, d.RowType) else row

    def _field(self, depth: int) -> d.RowField:
        name = self._field_name()
        self._accept(":")
        data_type = self._nullability(self._type(depth))
        return d.RowField(name, data_type, self._quoted("a comment that ends with '") if self._peek() == "'" else None)

    def _field_name(self) -> str:
        quote = self._peek()
        if quote in ("`", '"') and quote:
            return self._quoted("a name that ends with " + quote)
        word = self._peek_word()
        if not word:
            self._expected("the name of a field")
        self._at += len(word)
        return word

    def _quoted(self, what: str) -> str:
        """What stands between the quotes here; a doubled quote is one of the text."""
        quote, begin, text = self._peek(), self._at, ""
        self._at += 1
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == quote:
                if self._text[self._at : self._at + 1] != quote:
                    return text
                self._at += 1
            text += char
        self._expected(what, begin)


def parse(text: str) -> d.DataType:
    """Read a type's text. ValueError names the column of the text and what was expected there."""
    if not isinstance(text, str):
        raise TypeError("the text of a type must be a str, got %r of type %s" % (text, type(text).__name__))
    return _Parser(text).whole()
