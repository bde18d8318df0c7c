"""clutch.common: types and their columns, lengths of time, configuration, watermark strategies, texts as bytes."""

from __future__ import annotations

import copy
import io
import pickle
import unittest

from support import TestCase

# isort: split
from clutch.common import (
    Configuration,
    Duration,
    Encoder,
    Instant,
    SimpleStringSchema,
    Time,
    TimestampAssigner,
    Types,
    WatermarkStrategy,
)
from clutch.common.constants import MAX_LONG_VALUE, MIN_LONG_VALUE
from clutch.common.serializer import VoidNamespaceSerializer
from clutch.common.time import to_millis
from clutch.common.typeinfo import RowTypeInfo, TupleTypeInfo, type_or_row
from clutch.table.types import parse

# Types as users write them, their str(), and the texts of their columns.
TYPES = (
    (Types.STRING(), "String", "STRING"),
    (Types.BYTE(), "Byte", "TINYINT"),
    (Types.BOOLEAN(), "Boolean", "BOOLEAN"),
    (Types.SHORT(), "Short", "SMALLINT"),
    (Types.INT(), "Integer", "INT"),
    (Types.LONG(), "Long", "BIGINT"),
    (Types.FLOAT(), "Float", "FLOAT"),
    (Types.DOUBLE(), "Double", "DOUBLE"),
    (Types.CHAR(), "Character", "CHAR(1)"),
    (Types.BIG_INT(), "BigInteger", None),
    (Types.BIG_DEC(), "BigDecimal", None),
    (Types.INSTANT(), "Instant", None),
    (Types.SQL_DATE(), "SqlTimeTypeInfo(DATE)", "DATE"),
    (Types.SQL_TIME(), "SqlTimeTypeInfo(TIME)", "TIME(3)"),
    (Types.SQL_TIMESTAMP(), "SqlTimeTypeInfo(TIMESTAMP)", "TIMESTAMP(6)"),
    (Types.PICKLED_BYTE_ARRAY(), "PickledByteArrayTypeInfo", None),
    (
        Types.ROW([Types.STRING(), Types.LONG()]),
        "RowTypeInfo(f0: String, f1: Long)",
        "ROW<f0 STRING, f1 BIGINT>",
    ),
    (
        Types.ROW_NAMED(["a", "b c"], [Types.STRING(), Types.ROW([])]),
        "RowTypeInfo(a: String, b c: RowTypeInfo())",
        "ROW<a STRING, `b c` ROW<>>",
    ),
    (Types.TUPLE([Types.STRING(), Types.INT()]), "TupleTypeInfo(String, Integer)", "ROW<f0 STRING, f1 INT>"),
    (Types.PRIMITIVE_ARRAY(Types.BYTE()), "PrimitiveArrayTypeInfo<Byte>", "BYTES"),
    (Types.PRIMITIVE_ARRAY(Types.INT()), "PrimitiveArrayTypeInfo<Integer>", "ARRAY<INT NOT NULL>"),
    (Types.BASIC_ARRAY(Types.STRING()), "BasicArrayTypeInfo<String>", "ARRAY<STRING>"),
    (Types.OBJECT_ARRAY(Types.SQL_DATE()), "ObjectArrayTypeInfo<SqlTimeTypeInfo(DATE)>", "ARRAY<DATE>"),
    (Types.LIST(Types.LIST(Types.INT())), "ListTypeInfo<ListTypeInfo<Integer>>", "ARRAY<ARRAY<INT>>"),
    (Types.MAP(Types.STRING(), Types.DOUBLE()), "MapTypeInfo<String, Double>", "MAP<STRING, DOUBLE>"),
    # One pickled part makes the whole travel pickled.
    (
        Types.ROW([Types.INT(), Types.PICKLED_BYTE_ARRAY()]),
        "RowTypeInfo(f0: Integer, f1: PickledByteArrayTypeInfo)",
        None,
    ),
    (Types.MAP(Types.STRING(), Types.LIST(Types.BIG_INT())), "MapTypeInfo<String, ListTypeInfo<BigInteger>>", None),
)


class TypesTest(TestCase):
    def test_texts(self) -> None:
        for made, text, column in TYPES:
            with self.subTest(text):
                self.assertEqual(str(made), text)
                self.assertEqual(made.type_text(), column)
                if column is not None:
                    self.assertEqual(parse(column), made.data_type())

    def test_types_are_values(self) -> None:
        for i, (left, _, _) in enumerate(TYPES):
            again = pickle.loads(pickle.dumps(left))
            self.assertEqual((again, hash(again)), (left, hash(left)))
            for j, (right, _, _) in enumerate(TYPES):
                self.assertEqual(left == right, i == j, (left, right))
        self.assertNotEqual(Types.ROW([Types.INT()]), Types.ROW_NAMED(["a"], [Types.INT()]))
        self.assertNotEqual(Types.INT(), "Integer")

    def test_rows_and_tuples(self) -> None:
        row = RowTypeInfo([Types.STRING(), Types.INT()], ["a", "b"])
        self.assertEqual((row.get_field_names(), row.get_field_types()), (["a", "b"], [Types.STRING(), Types.INT()]))
        self.assertEqual((row.get_field_index("b"), row.get_field_index("c")), (1, -1))
        self.assertEqual(RowTypeInfo([Types.INT(), Types.INT()]).get_field_names(), ["f0", "f1"])
        self.assertEqual(TupleTypeInfo([Types.INT()]).get_field_types(), [Types.INT()])

    def test_plain_tells_tuples_from_rows(self) -> None:
        self.assertEqual(
            Types.LIST(Types.TUPLE([Types.INT()])).plain(),
            {
                "sort": "list",
                "text": "ARRAY<ROW<f0 INT>>",
                "parts": [{"sort": "tuple", "text": "ROW<f0 INT>", "parts": [{"sort": "int", "text": "INT"}]}],
            },
        )
        self.assertEqual(
            Types.ROW_NAMED(["a"], [Types.PICKLED_BYTE_ARRAY()]).plain(),
            {"sort": "row", "text": None, "names": ["a"], "parts": [{"sort": "pickled", "text": None}]},
        )

    def test_a_list_is_a_row_and_nothing_is_pickled(self) -> None:
        self.assertEqual(type_or_row("it", [Types.INT()]), Types.ROW([Types.INT()]))
        self.assertEqual(type_or_row("it", None), Types.PICKLED_BYTE_ARRAY())

    def test_refusals(self) -> None:
        self.refused(
            TypeError,
            "a field type of ROW must be a type such as Types.STRING(), got 'INT' of type str",
            lambda: Types.ROW(["INT"]),
        )
        self.refused(
            ValueError,
            "ROW has 1 names but 2 types; give each field one of both",
            lambda: Types.ROW_NAMED(["a"], [Types.INT(), Types.INT()]),
        )
        self.refused(
            ValueError,
            "the field name 'a' of a ROW is there twice; give each field a name of its own",
            lambda: Types.ROW_NAMED(["a", "a"], [Types.INT(), Types.INT()]),
        )
        self.refused(
            TypeError,
            "the element type of PRIMITIVE_ARRAY must be one of BOOLEAN, BYTE, SHORT, INT, LONG, FLOAT, DOUBLE, CHAR, "
            "got String; use OBJECT_ARRAY or LIST for others",
            lambda: Types.PRIMITIVE_ARRAY(Types.STRING()),
        )
        self.refused(
            TypeError,
            "the element type of BASIC_ARRAY must be one of BOOLEAN, BYTE, SHORT, INT, LONG, FLOAT, DOUBLE, CHAR, "
            "STRING, got SqlTimeTypeInfo(TIME); use OBJECT_ARRAY or LIST for others",
            lambda: Types.BASIC_ARRAY(Types.SQL_TIME()),
        )
        self.refused(
            TypeError,
            "the output type must be a type such as Types.STRING(), or a list of types for a ROW, got <class 'int'> of "
            "type type",
            lambda: type_or_row("the output type", int),
        )


class TimeTest(TestCase):
    def test_lengths(self) -> None:
        lengths = (Time.milliseconds(7), Time.seconds(2), Time.minutes(2), Time.hours(2), Time.days(2))
        self.assertEqual([t.to_milliseconds() for t in lengths], [7, 2000, 120000, 7200000, 172800000])
        durations = (
            Duration.of_nanos(1999999),
            Duration.of_millis(7),
            Duration.of_seconds(2),
            Duration.of_minutes(2),
            Duration.of_hours(2),
            Duration.of_days(2),
        )
        self.assertEqual([d.to_millis() for d in durations], [1, 7, 2000, 120000, 7200000, 172800000])
        self.assertEqual(str(Time.seconds(1)), "1000 ms")
        self.assertEqual((to_millis("it", Time(5)), to_millis("it", Duration.of_millis(5))), (5, 5))

    def test_lengths_are_values(self) -> None:
        self.assertEqual(Time.seconds(60), Time.minutes(1))
        self.assertEqual(len({Duration.of_seconds(60), Duration.of_minutes(1)}), 1)
        self.assertNotEqual(Time(1), Duration.of_millis(1))
        for value in (Time(3), Duration.of_nanos(3), Instant(1, 2)):
            self.assertEqual(pickle.loads(pickle.dumps(value)), value)
        self.assertEqual(
            repr([Duration.of_nanos(3), Duration.of_seconds(3)]), "[Duration.of_nanos(3), Duration.of_millis(3000)]"
        )

    def test_instants(self) -> None:
        for millis in (0, 1, 999, 1000, 123456789, -1, -1000, -1001):
            instant = Instant.of_epoch_milli(millis)
            self.assertEqual(instant.to_epoch_milli(), millis)
            self.assertTrue(0 <= instant.nanos < 10**9)
        self.assertEqual(repr(Instant.of_epoch_milli(1500)), "Instant<1, 500000000>")
        self.assertLess(Instant(1, 5), Instant(1, 6))

    def test_refusals(self) -> None:
        self.refused(TypeError, "seconds must be an int, got 1.5 of type float", lambda: Time.seconds(1.5))
        self.refused(TypeError, "days must be an int, got True of type bool", lambda: Duration.of_days(True))
        self.refused(
            TypeError,
            "the gap must be a Time or a Duration, such as Time.seconds(5), got 5 of type int",
            lambda: to_millis("the gap", 5),
        )
        self.refused(
            ValueError,
            "the nanoseconds of an Instant must be from 0 to 999999999, got 1000000000",
            lambda: Instant(0, 10**9),
        )


class ConfigurationTest(TestCase):
    def test_values_are_read_as_they_were_set(self) -> None:
        config = Configuration()
        config.set_string("s", "text").set_integer("i", 5).set_boolean("b", True)
        config.set_float("f", 2).set_bytearray("y", bytearray(b"\x00\xff"))
        self.assertEqual(config.get_string("s", ""), "text")
        self.assertEqual(config.get_integer("i", 0), 5)
        self.assertIs(config.get_boolean("b", False), True)
        self.assertEqual(repr(config.get_float("f", 0.0)), "2.0")
        self.assertEqual(config.get_bytearray("y", bytearray()), bytearray(b"\x00\xff"))
        self.assertEqual(config.to_dict(), {"s": "text", "i": "5", "b": "true", "f": "2.0", "y": "AP8="})
        self.assertEqual(str(config), "{b=true, f=2.0, i=5, s=text, y=AP8=}")

    def test_values_are_read_as_what_their_text_is(self) -> None:
        config = Configuration()
        for key, text in (("i", "-7"), ("b", "TRUE"), ("f", "1e3"), ("y", "AP8=")):
            config.set_string(key, text)
        found = (config.get_integer("i", 0), config.get_boolean("b", False), config.get_float("f", 0.0))
        self.assertEqual(found, (-7, True, 1000.0))
        self.assertEqual(config.get_bytearray("y", bytearray()), bytearray(b"\x00\xff"))
        self.assertEqual(Configuration().set_integer("i", 1).get_string("i", ""), "1")

    def test_defaults(self) -> None:
        config = Configuration()
        self.assertEqual(
            (config.get_string("k", "d"), config.get_integer("k", 3), config.get_float("k", 0.5)), ("d", 3, 0.5)
        )
        self.assertIs(config.get_boolean("k", True), True)
        self.assertEqual(config.get_bytearray("k", bytearray(b"x")), bytearray(b"x"))

    def test_keys_and_merging(self) -> None:
        one = Configuration().set_string("a", "1").set_string("b", "2")
        two = Configuration(one)
        two.add_all(Configuration().set_string("b", "3"))
        two.add_all(Configuration().set_string("c", "4"), "p.")
        self.assertEqual(two.to_dict(), {"a": "1", "b": "3", "p.c": "4"})
        self.assertEqual((one.key_set(), two.contains_key("p.c"), two.contains_key("c")), ({"a", "b"}, True, False))
        self.assertEqual((two.remove_config("a"), two.remove_config("a")), (True, False))
        target = {"x": "y"}
        one.add_all_to_dict(target)
        self.assertEqual(target, {"x": "y", "a": "1", "b": "2"})

    def test_configurations_are_values(self) -> None:
        one = Configuration().set_string("a", "1")
        two = copy.deepcopy(one)
        self.assertEqual((one, hash(one)), (two, hash(two)))
        two.set_string("a", "2")
        self.assertNotEqual(one, two)
        self.assertEqual(pickle.loads(pickle.dumps(two)), two)

    def test_refusals(self) -> None:
        config = Configuration().set_string("k", "many")
        self.refused(
            ValueError,
            "the configuration key 'k' is 'many', which is no whole number; set it to one",
            lambda: config.get_integer("k", 1),
        )
        self.refused(
            ValueError,
            "the configuration key 'k' is 'many', which is no boolean (true or false); set it to one",
            lambda: config.get_boolean("k", True),
        )
        self.refused(
            TypeError,
            "the value of configuration key 'k' must be a str, got 5 of type int",
            lambda: config.set_string("k", 5),
        )
        self.refused(
            TypeError,
            "the value of configuration key 'k' must be an int, got True of type bool",
            lambda: config.set_integer("k", True),
        )
        self.refused(TypeError, "a configuration key must be a str, got 1 of type int", lambda: config.contains_key(1))
        self.refused(TypeError, "add_all takes a Configuration, got {} of type dict", lambda: config.add_all({}))


class Field(TimestampAssigner):
    def extract_timestamp(self, value: tuple, record_timestamp: int) -> int:
        return value[1]


class WatermarkTest(TestCase):
    def test_plain(self) -> None:
        def plain(sort: str, bound: int = 0, idle: object = None, alignment: object = None) -> dict:
            return {"sort": sort, "bound_ms": bound, "idle_ms": idle, "alignment": alignment}

        self.assertEqual(WatermarkStrategy.no_watermarks().plain(), plain("none"))
        monotonous = WatermarkStrategy.for_monotonous_timestamps()
        self.assertEqual(monotonous.plain(), plain("monotonous"))
        bounded = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5))
        self.assertEqual(bounded.plain(), plain("bounded", 5000))
        self.assertEqual(bounded.with_idleness(Duration.of_millis(3)).plain(), plain("bounded", 5000, 3))
        self.assertEqual(
            monotonous.with_watermark_alignment("g", Duration.of_seconds(1)).plain(),
            plain("monotonous", alignment={"group": "g", "drift_ms": 1000, "update_ms": 1000}),
        )
        self.assertEqual(monotonous.plain(), plain("monotonous"))

    def test_the_assigner_stays_whatever_comes_after_it(self) -> None:
        strategy = WatermarkStrategy.for_monotonous_timestamps()
        assigner = Field()
        self.assertIsNone(strategy.timestamp_assigner())
        self.assertIs(strategy.with_timestamp_assigner(assigner), strategy)
        self.assertIs(strategy.with_idleness(Duration.of_seconds(1)).timestamp_assigner(), assigner)

    def test_refusals(self) -> None:
        strategy = WatermarkStrategy.for_monotonous_timestamps()
        self.refused(
            TypeError,
            "the timestamp assigner must be an object with a method extract_timestamp(value, record_timestamp), got "
            "%r; derive its class from TimestampAssigner and pass an instance" % Field,
            lambda: strategy.with_timestamp_assigner(Field),
        )
        self.refused(
            ValueError,
            "max_out_of_orderness must not be negative, got Duration.of_millis(-1)",
            lambda: WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(-1)),
        )
        self.refused(
            ValueError,
            "idle_timeout must be at least 1 ms, got Duration.of_nanos(5)",
            lambda: strategy.with_idleness(Duration.of_nanos(5)),
        )
        self.refused(
            TypeError,
            "max_out_of_orderness must be a Time or a Duration, such as Time.seconds(5), got 5 of type int",
            lambda: WatermarkStrategy.for_bounded_out_of_orderness(5),
        )
        self.refused(
            ValueError,
            "no watermark strategy is called 'x'; use WatermarkStrategy.for_monotonous_timestamps(), "
            "for_bounded_out_of_orderness(Duration) or no_watermarks()",
            lambda: WatermarkStrategy("x"),
        )
        with self.assertRaisesRegex(TypeError, "abstract"):
            TimestampAssigner()


class SerializationTest(TestCase):
    def test_texts(self) -> None:
        schema = SimpleStringSchema()
        self.assertEqual((schema.serialize("ä"), schema.deserialize(b"\xc3\xa4")), (b"\xc3\xa4", "ä"))
        self.assertEqual(SimpleStringSchema("latin-1").serialize("ä"), b"\xe4")
        self.assertEqual(Encoder.simple_string_encoder().encode(5), b"5\n")
        self.assertEqual(Encoder.simple_string_encoder("UTF-16-LE").encode("a"), b"a\0\n\0")

    def test_namespace(self) -> None:
        stream = io.BytesIO()
        VoidNamespaceSerializer().serialize(b"", stream)
        self.assertEqual((stream.getvalue(), VoidNamespaceSerializer().deserialize(io.BytesIO(b"\0x"))), (b"\0", b"\0"))

    def test_refusals(self) -> None:
        self.refused(
            ValueError,
            "no charset is called 'UTF-9'; use one that Python knows, such as 'UTF-8'",
            lambda: SimpleStringSchema("UTF-9"),
        )
        self.refused(
            TypeError,
            "SimpleStringSchema writes str, got 5 of type int; map the stream to texts before",
            lambda: SimpleStringSchema().serialize(5),
        )

    def test_constants(self) -> None:
        self.assertEqual((MAX_LONG_VALUE, MIN_LONG_VALUE), (2**63 - 1, -(2**63)))


if __name__ == "__main__":
    unittest.main()
