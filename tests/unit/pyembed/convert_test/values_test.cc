// The specification of docs/conversions.md, as values: what comes back after writing and reading, what is refused and
// in which words.
#include "support.h"

namespace clutch::pyembed {
namespace {

struct Case {
  const char* type;
  const char* value;  // a Python expression
  const char* back;   // repr of what is read again; nullptr: the same text as `value`
};

void expect_round_trips(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(round_trip(c.type, c.value), c.back != nullptr ? c.back : c.value) << c.type << " <- " << c.value;
  }
}

struct Refusal {
  const char* type;
  const char* value;
  const char* sentence;
};

void expect_refusals(std::initializer_list<Refusal> cases) {
  for (const Refusal& c : cases) EXPECT_EQ(written(c.type, c.value), c.sentence) << c.type << " <- " << c.value;
}

TEST(Convert, NoneIsNullInEveryType) {
  for (const char* type : {"null",
                           "bool",
                           "int8",
                           "uint64",
                           "float16",
                           "float64",
                           "decimal128(10, 2)",
                           "string",
                           "large_string",
                           "binary",
                           "large_binary",
                           "fixed_size_binary[4]",
                           "date32",
                           "date64",
                           "time32[ms]",
                           "time64[ns]",
                           "timestamp[us]",
                           "timestamp[ns, UTC]",
                           "duration[s]",
                           "list<int64>",
                           "large_list<string>",
                           "fixed_size_list<int8>[2]",
                           "struct<a: int64, b: string not null>",
                           "map<string, int64>",
                           "month_interval",
                           "day_time_interval",
                           "month_day_nano_interval"}) {
    EXPECT_EQ(round_trip(type, "None"), "None") << type;
  }
}

TEST(Convert, NoneIsRefusedWhereAValueIsDeclared) {
  expect_refusals({
      {"int64 not null", "None",
       "result of type NoneType does not fit int64 not null: None; return a value, or declare the result type "
       "nullable"},
      {"struct<a: int64 not null>", "(None,)",
       "result at .a of type NoneType does not fit int64 not null: None; return a value, or declare the result type "
       "nullable"},
      {"list<int64 not null>", "[1, None]",
       "result at [1] of type NoneType does not fit int64 not null: None; return a value, or declare the result type "
       "nullable"},
      {"map<string, int64>", "{None: 1}",
       "result at .key of type NoneType does not fit string not null: None; return a value, or declare the result type "
       "nullable"},
      {"null", "1", "result of type int does not fit null: 1; return None, or change the result type"},
  });
}

TEST(Convert, Bools) {
  expect_round_trips({{"bool", "True", nullptr}, {"bool", "False", nullptr}});
  expect_refusals({
      {"bool", "1",
       "result of type int does not fit bool: 1; return a bool, for instance bool(x), or change the result type"},
      {"bool", "'yes'",
       "result of type str does not fit bool: 'yes'; return a bool, for instance bool(x), or change the result type"},
  });
}

TEST(Convert, Integers) {
  expect_round_trips({
      {"int8", "-128", nullptr},
      {"int8", "127", nullptr},
      {"int16", "-32768", nullptr},
      {"int16", "32767", nullptr},
      {"int32", "-2147483648", nullptr},
      {"int32", "2147483647", nullptr},
      {"int32", "-1", nullptr},
      {"int64", "-9223372036854775808", nullptr},
      {"int64", "9223372036854775807", nullptr},
      {"int64", "-1", nullptr},
      {"uint8", "255", nullptr},
      {"uint16", "65535", nullptr},
      {"uint32", "4294967295", nullptr},
      {"uint64", "18446744073709551615", nullptr},
      {"uint64", "0", nullptr},
      {"int64", "True", "1"},
      {"int8", "Color.RED", "1"},
      {"int32", "Number(12)", "12"},
      {"int64", "HasIndex()", "7"},
      {"uint64", "HasIndex()", "7"},
  });
  expect_refusals({
      {"int8", "128",
       "result of type int does not fit int8: 128 is outside of -128 to 127; return a number in that range, or change "
       "the result type to a wider one"},
      {"int32", "5000000000",
       "result of type int does not fit int32: 5000000000 is outside of -2147483648 to 2147483647; return a number in "
       "that range, or change the result type to a wider one"},
      {"int64", "2**63",
       "result of type int does not fit int64: 9223372036854775808 is outside of -9223372036854775808 to "
       "9223372036854775807; return a number in that range, or change the result type to decimal128(38, 0)"},
      {"uint8", "-1",
       "result of type int does not fit uint8: -1 is outside of 0 to 255; return a number in that range, or change the "
       "result type to a wider one"},
      {"uint64", "-1",
       "result of type int does not fit uint64: -1 is outside of 0 to 18446744073709551615; return a number in that "
       "range, or change the result type to decimal128(38, 0)"},
  });
}

TEST(Convert, WhatIsNoIntegerIsNotTruncatedToOne) {
  expect_refusals({
      {"int64", "1.0",
       "result of type float does not fit int64: 1.0; return int(x) if cutting off the fraction is meant, or change "
       "the "
       "result type to float64"},
      {"int64", "float('nan')",
       "result of type float does not fit int64: nan; return None for a missing value, or change the result type to "
       "float64"},
      {"int64", "'abc'", "result of type str does not fit int64: 'abc'; return an int or change the result type"},
      {"int64", "Decimal(1)",
       "result of type decimal.Decimal does not fit int64: Decimal('1'); return an int or change the result type"},
      {"int64", "[1]", "result of type list does not fit int64: [1]; return an int or change the result type"},
      {"int64", "BadIndex()", "raised ValueError: no index today"},
  });
}

TEST(Convert, Floats) {
  expect_round_trips({
      {"float64", "1.5", nullptr},
      {"float64", "0.1", nullptr},
      {"float64", "-0.0", nullptr},
      {"float64", "float('inf')", "inf"},
      {"float64", "float('nan')", "nan"},
      {"float64", "3", "3.0"},
      {"float64", "2**60", "1.152921504606847e+18"},
      {"float64", "True", "1.0"},
      {"float64", "Real(2.5)", "2.5"},
      {"float64", "HasFloat()", "2.5"},
      {"float64", "HasIndex()", "7.0"},
      {"float32", "0.5", nullptr},
      {"float32", "0.1", "0.10000000149011612"},
      {"float32", "16777216", "16777216.0"},
      {"float32", "float('-inf')", "-inf"},
      {"float16", "1.0", nullptr},
      {"float16", "-2.5", nullptr},
      {"float16", "65504.0", nullptr},
      {"float16", "65519.0", "65504.0"},
      {"float16", "5.960464477539063e-08", nullptr},
      {"float16", "6.103515625e-05", nullptr},
      {"float16", "6.097555160522461e-05", nullptr},
      {"float16", "1e-10", "0.0"},
      {"float16", "-0.0", nullptr},
      {"float16", "float('inf')", "inf"},
      {"float16", "float('nan')", "nan"},
      {"float16", "2048", "2048.0"},
      {"float16", "1.00048828125", "1.0"},          // half way: to even
      {"float16", "1.00146484375", "1.001953125"},  // half way: to even
      {"float16", "1.000488281250001", "1.0009765625"},
  });
  expect_refusals({
      {"float64", "2**53 + 1",
       "result of type int does not fit float64: 9007199254740993 has no exact float64; return float(x) if rounding is "
       "meant, or change the result type"},
      {"float32", "16777217",
       "result of type int does not fit float32: 16777217 has no exact float32; return float(x) if rounding is meant, "
       "or "
       "change the result type"},
      {"float32", "1e39",
       "result of type float does not fit float32: 1e+39 is outside of -3.4028235e+38 to 3.4028235e+38; return a "
       "number "
       "in that range, float('inf'), or change the result type"},
      {"float16", "65520.0",
       "result of type float does not fit float16: 65520.0 is outside of -65504 to 65504; return a number in that "
       "range, "
       "float('inf'), or change the result type"},
      {"float64", "'1.5'", "result of type str does not fit float64: '1.5'; return a float or change the result type"},
      {"float64", "Decimal('1.5')",
       "result of type decimal.Decimal does not fit float64: Decimal('1.5'); return a float or change the result type"},
      {"float64", "1j", "result of type complex does not fit float64: 1j; return a float or change the result type"},
  });
}

TEST(Convert, Decimals) {
  expect_round_trips({
      {"decimal128(10, 2)", "Decimal('1.25')", nullptr},
      {"decimal128(10, 2)", "Decimal('1')", "Decimal('1.00')"},
      {"decimal128(10, 2)", "Decimal('-0.05')", nullptr},
      {"decimal128(10, 2)", "Decimal('1.005')", "Decimal('1.01')"},
      {"decimal128(10, 2)", "Decimal('-1.005')", "Decimal('-1.01')"},
      {"decimal128(10, 2)", "Decimal('1.00499999999')", "Decimal('1.00')"},
      {"decimal128(10, 2)", "Decimal('0.004')", "Decimal('0.00')"},
      {"decimal128(10, 2)", "Decimal('0.0005')", "Decimal('0.00')"},
      {"decimal128(10, 2)", "Decimal('0.005')", "Decimal('0.01')"},
      {"decimal128(10, 2)", "Decimal('1E+5')", "Decimal('100000.00')"},
      {"decimal128(10, 2)", "Decimal('1E-999999')", "Decimal('0.00')"},
      {"decimal128(10, 2)", "Decimal('0E+999')", "Decimal('0.00')"},
      {"decimal128(10, 2)", "Decimal('99999999.99')", nullptr},
      {"decimal128(10, 2)", "42", "Decimal('42.00')"},
      {"decimal128(10, 2)", "True", "Decimal('1.00')"},
      {"decimal128(10, 2)", "Color.RED", "Decimal('1.00')"},
      {"decimal128(38, 18)", "Decimal('2.0599999999999999995')", "Decimal('2.060000000000000000')"},
      {"decimal128(38, 18)", "Decimal('1.0599999999999999991')", "Decimal('1.059999999999999999')"},
      {"decimal128(38, 0)", "10**38 - 1", "Decimal('99999999999999999999999999999999999999')"},
      {"decimal128(38, 0)", "-(10**38 - 1)", "Decimal('-99999999999999999999999999999999999999')"},
      {"decimal128(38, 38)", "Decimal('0.1')", "Decimal('0.10000000000000000000000000000000000000')"},
      {"decimal128(5, 5)", "Decimal('-0.00001')", "Decimal('-0.00001')"},
  });
  expect_refusals({
      {"decimal128(4, 2)", "Decimal('123.45')",
       "result of type decimal.Decimal does not fit decimal128(4, 2): Decimal('123.45') has more than 2 digits before "
       "the "
       "point; return a smaller number, or change the result type to one with more digits (38 at most)"},
      {"decimal128(4, 2)", "Decimal('99.995')",
       "result of type decimal.Decimal does not fit decimal128(4, 2): Decimal('99.995') has more than 2 digits before "
       "the "
       "point; return a smaller number, or change the result type to one with more digits (38 at most)"},
      {"decimal128(38, 0)", "10**38",
       "result of type int does not fit decimal128(38, 0): 100000000000000000000000000000000000000 has more than 38 "
       "digits before the point; return a smaller number, or change the result type to one with more digits (38 at "
       "most)"},
      {"decimal128(4, 2)", "Decimal('NaN')",
       "result of type decimal.Decimal does not fit decimal128(4, 2): Decimal('NaN') is not finite; return None for a "
       "missing value"},
      {"decimal128(4, 2)", "Decimal('-Infinity')",
       "result of type decimal.Decimal does not fit decimal128(4, 2): Decimal('-Infinity') is not finite; return None "
       "for "
       "a missing value"},
      {"decimal128(4, 2)", "1.5",
       "result of type float does not fit decimal128(4, 2): 1.5; return decimal.Decimal(str(x)), which has the digits "
       "that are shown"},
      {"decimal128(4, 2)", "'1.5'",
       "result of type str does not fit decimal128(4, 2): '1.5'; return a decimal.Decimal or an int, or change the "
       "result "
       "type"},
  });
}

TEST(Convert, DecimalContextDoesNotMatter) {
  test_module();
  run_python(
      "saved = decimal.getcontext().copy(); decimal.getcontext().prec = 2; decimal.getcontext().rounding = "
      "decimal.ROUND_DOWN");
  EXPECT_EQ(round_trip("decimal128(10, 3)", "Decimal('1234.5675')"), "Decimal('1234.568')");
  run_python("decimal.setcontext(saved)");
}

TEST(Convert, Text) {
  expect_round_trips({
      {"string", "''", nullptr},
      {"string", "'abc'", nullptr},
      {"string", "'grüße'", nullptr},
      {"string", "'日本語 🐍'", nullptr},
      {"string", "'a\\x00b'", nullptr},
      {"large_string", "'abc'", nullptr},
      {"string", "Text('sub')", "'sub'"},
  });
  expect_refusals({
      {"string", "'ab\\ud800c'",
       "result of type str does not fit string: 'ab\\ud800c' has the lone surrogate U+D800 at index 2, which UTF-8 "
       "cannot "
       "hold; return x.encode('utf-8', 'replace').decode(), or change the result type to binary"},
      {"string", "b'abc'",
       "result of type bytes does not fit string: b'abc'; return x.decode() or change the result type to binary"},
      {"large_string", "5",
       "result of type int does not fit large_string: 5; return a str, for instance str(x), or change the result type"},
  });
}

TEST(Convert, Bytes) {
  expect_round_trips({
      {"binary", "b''", nullptr},
      {"binary", "b'a\\x00\\xff'", nullptr},
      {"binary", "bytearray(b'xy')", "b'xy'"},
      {"binary", "memoryview(b'abcdef')[::2]", "b'ace'"},
      {"binary", "Raw(b'sub')", "b'sub'"},
      {"large_binary", "b'abc'", nullptr},
      {"fixed_size_binary[3]", "b'abc'", nullptr},
      {"fixed_size_binary[3]", "bytearray(3)", "b'\\x00\\x00\\x00'"},
  });
  expect_refusals({
      {"fixed_size_binary[4]", "b'abc'",
       "result of type bytes does not fit fixed_size_binary[4]: b'abc' has 3 bytes, not 4; return exactly that many, "
       "or "
       "change the result type to binary"},
      {"binary", "'abc'",
       "result of type str does not fit binary: 'abc'; return x.encode() or change the result type to string"},
      {"binary", "5",
       "result of type int does not fit binary: 5; return bytes, for instance bytes(x), or change the result type"},
  });
}

TEST(Convert, ReprsInMessagesAreCutAndNeverFail) {
  test_module();
  const std::string cut = written("int64", "'x' * 1000");
  EXPECT_EQ(cut, "result of type str does not fit int64: '" + std::string(196, 'x') +
                     "...; return an int or change the result type");
  EXPECT_EQ(
      written("int64", "BadRepr()"),
      "result of type BadRepr does not fit int64: <BadRepr whose repr raised ValueError>; return an int or change "
      "the result type");
  EXPECT_EQ(written("int64", "Quit()"), "raised KeyboardInterrupt: stop") << "an interrupt is not ours to swallow";
}

}  // namespace
}  // namespace clutch::pyembed
