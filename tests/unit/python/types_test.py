"""DataTypes: text forms, equality, ranges, and the grammar of type texts."""

from __future__ import annotations

import ast
import copy
import os
import pickle
import re
import unittest
from typing import List, Tuple

from support import ROOT, TestCase

# isort: split
from clutch.table import DataTypes
from clutch.table.types import ArrowType, RowType, parse

D = DataTypes
TEXTS = {
    "NULL": D.NULL(),
    "CHAR(5)": D.CHAR(5),
    "VARCHAR(10)": D.VARCHAR(10),
    "STRING": D.STRING(),
    "BOOLEAN": D.BOOLEAN(),
    "BINARY(4)": D.BINARY(4),
    "VARBINARY(8)": D.VARBINARY(8),
    "BYTES": D.BYTES(),
    "DECIMAL(38, 18)": D.DECIMAL(38, 18),
    "TINYINT": D.TINYINT(),
    "SMALLINT": D.SMALLINT(),
    "INT": D.INT(),
    "BIGINT": D.BIGINT(),
    "FLOAT": D.FLOAT(),
    "DOUBLE": D.DOUBLE(),
    "DATE": D.DATE(),
    "TIME(0)": D.TIME(),
    "TIME(3)": D.TIME(3),
    "TIMESTAMP(6)": D.TIMESTAMP(),
    "TIMESTAMP(3) NOT NULL": D.TIMESTAMP(3).not_null(),
    "TIMESTAMP_LTZ(6)": D.TIMESTAMP_WITH_LOCAL_TIME_ZONE(),
    "TIMESTAMP_LTZ(3)": D.TIMESTAMP_LTZ(3),
    "ARRAY<BIGINT NOT NULL>": D.ARRAY(D.BIGINT(False)),
    "MAP<STRING, DOUBLE>": D.MAP(D.STRING(), D.DOUBLE()),
    "MULTISET<INT>": D.MULTISET(D.INT()),
    "ROW<f0 INT, f1 STRING>": D.ROW([D.INT(), D.STRING()]),
    "ROW<a INT NOT NULL, `b c` ROW<`x``y` DATE>> NOT NULL": D.ROW(
        [D.FIELD("a", D.INT().not_null()), D.FIELD("b c", D.ROW([D.FIELD("x`y", D.DATE())]))], False
    ),
    "ROW<a INT 'it''s'>": D.ROW([D.FIELD("a", D.INT(), "it's")]),
    "ROW<>": D.ROW(),
    "INTERVAL DAY(2) TO SECOND(3)": D.INTERVAL(D.DAY(), D.SECOND(3)),
    "INTERVAL DAY(3) TO HOUR": D.INTERVAL(D.DAY(3), D.HOUR()),
    "INTERVAL MINUTE TO SECOND(6)": D.INTERVAL(D.MINUTE(), D.SECOND()),
    "INTERVAL YEAR(4) TO MONTH": D.INTERVAL(D.YEAR(4), D.MONTH()),
    "INTERVAL MONTH": D.INTERVAL(D.MONTH()),
    "ROW<a LIST_VIEW<INT>, b MAP_VIEW<STRING, INT>>": D.ROW(
        [D.FIELD("a", D.LIST_VIEW(D.INT())), D.FIELD("b", D.MAP_VIEW(D.STRING(), D.INT()))]
    ),
}
# Other ways to write a type, with its own.
SYNONYMS = {
    "integer": "INT",
    "bool": "BOOLEAN",
    "int64 not null": "BIGINT NOT NULL",
    "float64": "DOUBLE",
    "double precision": "DOUBLE",
    "utf8": "STRING",
    "char": "CHAR(1)",
    "varchar": "VARCHAR(1)",
    "binary": "BYTES",
    "fixed_size_binary[3]": "BINARY(3)",
    "decimal": "DECIMAL(10, 0)",
    "numeric(5)": "DECIMAL(5, 0)",
    "decimal128(10, 2)": "DECIMAL(10, 2)",
    "date32[day]": "DATE",
    "time": "TIME(0)",
    "time64[ns]": "TIME(9)",
    "timestamp": "TIMESTAMP(6)",
    "timestamp(3) without time zone": "TIMESTAMP(3)",
    "timestamp(3) with local time zone": "TIMESTAMP_LTZ(3)",
    "timestamp[us]": "TIMESTAMP(6)",
    "timestamp[ms, tz=UTC]": "TIMESTAMP_LTZ(3)",
    "interval day": "INTERVAL DAY(2)",
    "month_interval": "INTERVAL MONTH",
    "list<item: int32>": "ARRAY<INT>",
    "Row(a Int, B String)": "ROW<a INT, B STRING>",
    'struct<a: int64, "b c": array<string> null>': "ROW<a BIGINT, `b c` ARRAY<STRING>>",
    " map < string , int > ": "MAP<STRING, INT>",
}
ARROW = [
    "uint8",
    "float16",
    "large_string",
    "large_binary",
    "date64",
    "duration[us]",
    "timestamp[us, Europe/Berlin]",
    "day_time_interval",
    "month_day_nano_interval",
    "large_list<INT NOT NULL>",
    "fixed_size_list<DOUBLE>[3]",
    "map<STRING, INT, keys_sorted>",
    "dictionary<int32, STRING>",
    "dictionary<uint8, STRING, ordered>",
    "decimal128(5, 10)",
    "fixed_size_binary[0]",
]


class TextTest(TestCase):
    def test_every_type_has_a_text_that_reads_back(self) -> None:
        for text, data_type in TEXTS.items():
            self.assertEqual(data_type.to_sql(), text)
            self.assertEqual(str(data_type), text)
            self.assertEqual(parse(text), data_type)
            self.assertEqual(parse(text.lower()).to_sql().lower(), text.lower())

    def test_other_ways_to_write_them(self) -> None:
        for text, sql in SYNONYMS.items():
            self.assertEqual(parse(text).to_sql(), sql)

    def test_types_that_only_arrow_has(self) -> None:
        for text in ARROW:
            self.assertIsInstance(parse(text), ArrowType)
            self.assertEqual(parse(text).to_sql(), text)
            self.assertEqual(parse(text + " NOT NULL").to_sql(), text + " NOT NULL")
        pyarrow = "dictionary<values=string, indices=int32, ordered=0>"
        self.assertEqual(parse(pyarrow).to_sql(), "dictionary<int32, STRING>")

    def test_refused_texts(self) -> None:
        for text, column, expected in (
            ("", 1, "a type, found the end"),
            ("BIGNIT", 1, 'the name of a type, found "BIGNIT"'),
            ("INT NULLS", 5, 'the end of the type, found "NULLS"'),
            ("INT NOT", 8, '"null", found the end'),
            ("CHAR(0)", 6, 'a length from 1 to 2147483647, found "0"'),
            ("DECIMAL(39)", 9, 'a precision from 1 to 38, found "39"'),
            ("DECIMAL(5, 99)", 12, 'a scale from -38 to 38, found "99"'),
            ("TIMESTAMP(10)", 11, 'a precision from 0 to 9, found "10"'),
            ("TIMESTAMP(3) WITH TIME ZONE", 19, '"local", found "TIME"'),
            ("ARRAY<INT", 10, "'>', found the end"),
            ("ROW<a INT; b INT>", 10, "',' or '>', found \";\""),
            ("ROW<`a INT>", 5, 'a name that ends with `, found "`"'),
            ("ROW<a INT 'x>", 11, "a comment that ends with ', found \"'\""),
            ("MAP<ß, INT>", 5, 'a type, found "ß"'),
            ("ROW<`ß` INTT>", 10, 'the name of a type, found "INTT"'),
            ("INTERVAL WEEK", 10, 'year, month, day, hour, minute or second, found "WEEK"'),
            ("time32[us]", 8, 'a unit (s, ms), found "us"'),
            ("dictionary<string, int32>", 12, 'an integer type, found "string"'),
        ):
            self.refused(
                ValueError, 'type "%s", column %d: expected %s' % (text, column, expected), lambda t=text: parse(t)
            )
        deep = "ARRAY<" * 65 + "INT" + ">" * 65
        with self.assertRaisesRegex(ValueError, 'column 391: expected at most 64 levels of nesting, found "INT"'):
            parse(deep)
        self.assertEqual(parse(deep[6:-1]).to_sql(), deep[6:-1])
        self.refused(ValueError, "the text of a type is not UTF-8", lambda: parse("\ud800"))
        self.refused(ValueError, "the text of a type contains a NUL character", lambda: parse("INT\0"))
        self.refused(TypeError, "the text of a type must be a str, got 3 of type int", lambda: parse(3))


class SameGrammarTest(TestCase):
    """The cases of the C++ parser's own test, so that the two cannot drift apart."""

    def pairs(self, table: str) -> List[Tuple[str, str]]:
        path = os.path.join(ROOT, "tests", "unit", "columnar", "type_text_test.cc")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        begin = text.index(table + "[] = {")
        literal = r'"(?:[^"\\]|\\.)*"'
        found = re.findall(r"\{(%s),\s*(%s)\}" % (literal, literal), text[begin : text.index("};", begin)])
        self.assertGreater(len(found), 20)
        # What is not UTF-8 becomes lone surrogates, which are not UTF-8 either.
        return [
            tuple(ast.literal_eval("b" + item).decode("utf-8", "surrogateescape") for item in pair) for pair in found
        ]

    def test_what_plugins_take_is_taken(self) -> None:
        for text, canonical in self.pairs("kNames"):
            self.assertEqual(parse(parse(text).to_sql()), parse(text))
            parse(canonical)

    def test_what_plugins_refuse_is_refused_with_their_sentence(self) -> None:
        for text, message in self.pairs("kErrors"):
            self.refused(ValueError, message, lambda t=text: parse(t))


class TypeTest(TestCase):
    def test_equality_and_copies(self) -> None:
        types = list(TEXTS.values())
        self.assertEqual(len(set(types)), len(types))
        for data_type in types:
            for other in (pickle.loads(pickle.dumps(data_type)), copy.deepcopy(data_type)):
                self.assertEqual(other, data_type)
                self.assertEqual(hash(other), hash(data_type))
        self.assertNotEqual(D.INT(), D.BIGINT())
        self.assertNotEqual(D.INT(), D.INT(False))
        self.assertNotEqual(D.CHAR(1), D.VARCHAR(1))
        self.assertNotEqual(D.INT(), "INT")

    def test_nullability(self) -> None:
        data_type = D.ROW([D.INT()])
        self.assertEqual(data_type.not_null().nullable(), data_type)
        self.assertEqual(data_type.not_null(), D.ROW([D.INT()], nullable=False))
        data_type.not_null().add("x", D.INT())
        self.assertEqual(len(data_type), 1)

    def test_repr(self) -> None:
        self.assertEqual(repr(D.BIGINT()), "BigIntType(true)")
        self.assertEqual(repr(D.CHAR(3, False)), "CharType(3, false)")
        self.assertEqual(repr(D.DECIMAL(4, 2)), "DecimalType(4, 2, true)")
        self.assertEqual(repr(D.ROW([D.FIELD("a", D.INT())])), "RowType([RowField(a, IntType(true))], true)")
        self.assertEqual(D.BIGINT().type_name(), "bigint")

    def test_row_types(self) -> None:
        row = RowType().add("a", D.INT()).add(D.FIELD("b", D.STRING()))
        self.assertEqual(row.field_names(), ["a", "b"])
        self.assertEqual(row.names, ["a", "b"])
        self.assertEqual(row.field_types(), [D.INT(), D.STRING()])
        self.assertEqual((row["a"], row[1].name, row[0:1]), (row.fields[0], "b", D.ROW([D.FIELD("a", D.INT())])))
        self.assertEqual([field.name for field in row], ["a", "b"])
        self.refused(KeyError, "'c'", lambda: row["c"])
        self.refused(ValueError, "the field 'c' needs a type: add(name, data_type)", lambda: row.add("c"))

    def test_ranges(self) -> None:
        for text, call in (
            ("the length of CHAR must be an int from 1 to 2147483647, got 0", lambda: D.CHAR(0)),
            ("the length of VARBINARY must be an int from 1 to 2147483647, got '3'", lambda: D.VARBINARY("3")),
            ("the precision of DECIMAL must be an int from 1 to 38, got 39", lambda: D.DECIMAL(39, 0)),
            ("the scale of DECIMAL with precision 5 must be an int from 0 to 5, got 6", lambda: D.DECIMAL(5, 6)),
            ("the precision of TIME must be an int from 0 to 9, got 10", lambda: D.TIME(10)),
            ("the precision of TIMESTAMP must be an int from 0 to 9, got -1", lambda: D.TIMESTAMP(-1)),
            ("the precision of TIMESTAMP_LTZ must be an int from 0 to 9, got 10", lambda: D.TIMESTAMP_LTZ(10)),
            ("the precision of YEAR in an INTERVAL must be an int from 1 to 4, got 5", lambda: D.YEAR(5)),
            ("the precision of DAY in an INTERVAL must be an int from 1 to 6, got 7", lambda: D.DAY(7)),
            ("the precision of SECOND in an INTERVAL must be an int from 0 to 9, got True", lambda: D.SECOND(True)),
            ("the scale of DECIMAL with precision 5 must be an int from 0 to 5, got 6", lambda: parse("decimal(5, 6)")),
            ("the length of BINARY must be an int from 1 to 2147483647, got 0", lambda: parse("binary(0)")),
            ("HOUR in an INTERVAL has no precision, got 2", lambda: parse("interval hour(2)")),
        ):
            self.refused(ValueError, text, call)

    def test_intervals_that_do_not_exist(self) -> None:
        text = "there is no INTERVAL %s; the second unit is a finer one, and YEAR and MONTH stand alone"
        self.refused(ValueError, text % "HOUR TO DAY(2)", lambda: D.INTERVAL(D.HOUR(), D.DAY()))
        self.refused(ValueError, text % "MONTH TO DAY(2)", lambda: D.INTERVAL(D.MONTH(), D.DAY()))
        self.refused(ValueError, text % "DAY(2) TO DAY(2)", lambda: D.INTERVAL(D.DAY(), D.DAY()))
        self.refused(
            TypeError, "INTERVAL takes resolutions such as DataTypes.DAY(), got 'DAY'", lambda: D.INTERVAL("DAY")
        )

    def test_parts_that_are_no_types(self) -> None:
        text = "%s must be a DataType, got 'INT' of type str"
        self.refused(TypeError, text % "the element type of ARRAY", lambda: D.ARRAY("INT"))
        self.refused(TypeError, text % "the element type of MULTISET", lambda: D.MULTISET("INT"))
        self.refused(TypeError, text % "the element type of LIST_VIEW", lambda: D.LIST_VIEW("INT"))
        self.refused(TypeError, text % "the key type of MAP", lambda: D.MAP("INT", D.INT()))
        self.refused(TypeError, text % "the value type of MAP_VIEW", lambda: D.MAP_VIEW(D.INT(), "INT"))
        self.refused(TypeError, text % "the type of field 'a'", lambda: D.FIELD("a", "INT"))
        self.refused(TypeError, "the name of a field must be a str, got 3 of type int", lambda: D.FIELD(3, D.INT()))
        self.refused(
            ValueError,
            "the field 'a\\x00' has a NUL character or a lone surrogate in its name or text",
            lambda: D.FIELD("a\0", D.INT()),
        )
        self.refused(TypeError, "a field of ROW must be a RowField or a DataType, got 'INT'", lambda: D.ROW(["INT"]))


if __name__ == "__main__":
    unittest.main()
