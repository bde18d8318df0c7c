// Values of numpy and pandas, where the interpreter under test has them. The conversions import neither.
#include "support.h"

namespace clutch::pyembed {
namespace {

struct Case {
  const char* type;
  const char* value;
  const char* back;
};

void expect_round_trips(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(round_trip(c.type, c.value), c.back) << c.type << " <- " << c.value;
}
void expect_refusals(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(written(c.type, c.value), c.back) << c.type << " <- " << c.value;
}

TEST(Numpy, ScalarsCountAsPythonValues) {
  if (!importable("numpy")) GTEST_SKIP() << "no numpy in this interpreter";
  expect_round_trips({
      {"int64", "np.int64(5)", "5"},
      {"int8", "np.uint8(5)", "5"},
      {"uint64", "np.uint64(2**64 - 1)", "18446744073709551615"},
      {"float64", "np.float64(1.5)", "1.5"},
      {"float64", "np.float32(1.5)", "1.5"},
      {"float64", "np.float16(1.5)", "1.5"},
      {"float64", "np.longdouble(1.5)", "1.5"},
      {"float32", "np.int32(3)", "3.0"},
      {"bool", "np.bool_(True)", "True"},
      {"int64", "np.bool_(True)", "1"},
      {"string", "np.str_('abc')", "'abc'"},
      {"binary", "np.bytes_(b'abc')", "b'abc'"},
      {"decimal128(5, 2)", "np.int16(7)", "Decimal('7.00')"},
      {"date32", "np.datetime64('2024-05-06')", "datetime.date(2024, 5, 6)"},
      {"timestamp[us]", "np.datetime64('2024-05-06T07:08:09')", "datetime.datetime(2024, 5, 6, 7, 8, 9)"},
      {"timestamp[us]", "np.datetime64('2024-05-06T07:08:09.123456789')",
       "datetime.datetime(2024, 5, 6, 7, 8, 9, 123456)"},
      {"duration[us]", "np.timedelta64(1500, 'ms')", "datetime.timedelta(seconds=1, microseconds=500000)"},
      {"int64", "np.datetime64('NaT')", "None"},
      {"timestamp[us]", "np.datetime64('NaT')", "None"},
      {"duration[us]", "np.timedelta64('NaT', 'ns')", "None"},
      {"list<int64>", "[np.int64(1), np.int8(2)]", "[1, 2]"},
      {"struct<a: int64, b: float64>", "(np.int64(1), np.float32(0.5))", "Row(a=1, b=0.5)"},
      {"map<string, int64>", "{np.str_('k'): np.int64(1)}", "{'k': 1}"},
  });
  EXPECT_EQ(written("timestamp[ns]", "np.datetime64('2024-05-06T07:08:09.123456789')"),
            written("timestamp[ns]", "np.datetime64(1714979289123456789, 'ns')"));
  expect_refusals({
      {"int8", "np.int64(300)",
       "result of type int does not fit int8: 300 is outside of -128 to 127; return a number in that range, or change "
       "the "
       "result type to a wider one"},
      {"int64", "np.float64(1.5)",
       "result of type float does not fit int64: 1.5; return int(x) if cutting off the fraction is meant, or change "
       "the "
       "result type to float64"},
      {"float64", "np.complex128(1)",
       "result of type complex does not fit float64: (1+0j); return a float or change the result type"},
      {"int64", "np.array([1])",
       "result of type numpy.ndarray does not fit int64: array([1]); return an int or change the result type"},
      {"float64", "np.array([1.5])",
       "result of type numpy.ndarray does not fit float64: array([1.5]); return a float or change the result type"},
  });
  EXPECT_NE(written("int64", "np.datetime64(5, 'ns')").find("does not fit int64"), std::string::npos);
}

TEST(Numpy, ArraysAreLists) {
  if (!importable("numpy")) GTEST_SKIP() << "no numpy in this interpreter";
  expect_round_trips({
      {"list<int64>", "np.array([1, 2])", "[1, 2]"},
      {"list<float64>", "np.array([1.5, np.nan])", "[1.5, nan]"},
      {"list<list<int64>>", "np.array([[1, 2], [3, 4]])", "[[1, 2], [3, 4]]"},
      {"fixed_size_list<float32>[2]", "np.array([1, 2], dtype='f4')", "[1.0, 2.0]"},
      {"list<timestamp[us]>", "np.array(['2024-05-06', 'NaT'], dtype='M8[ns]')",
       "[datetime.datetime(2024, 5, 6, 0, 0), None]"},
      {"list<string>", "np.array(['a', 'b'])", "['a', 'b']"},
  });
  expect_refusals({
      {"list<int64>", "np.array(5)",
       "result of type numpy.ndarray does not fit list<int64>: array(5) has no length; return a list, for instance "
       "[x.item()], or change the result type"},
  });
}

TEST(Pandas, ValuesCountAsPythonValues) {
  if (!importable("pandas")) GTEST_SKIP() << "no pandas in this interpreter";
  expect_round_trips({
      {"int64", "pd.NA", "None"},
      {"string", "pd.NA", "None"},
      {"float64", "pd.NaT", "None"},
      {"timestamp[us]", "pd.NaT", "None"},
      {"date32", "pd.NaT", "None"},
      {"duration[us]", "pd.NaT", "None"},
      {"float64", "float('nan')", "nan"},
      {"date32", "pd.Timestamp('2024-05-06')", "datetime.date(2024, 5, 6)"},
      {"timestamp[us]", "pd.Timestamp('2024-05-06 07:08:09.123456789')",
       "datetime.datetime(2024, 5, 6, 7, 8, 9, 123456)"},
      {"timestamp[us, UTC]", "pd.Timestamp('2024-05-06 07:08', tz='Europe/Berlin')",
       "datetime.datetime(2024, 5, 6, 5, 8, tzinfo=datetime.timezone.utc)"},
      {"duration[us]", "pd.Timedelta('1 days 00:00:01.5')",
       "datetime.timedelta(days=1, seconds=1, microseconds=500000)"},
      {"list<int64>", "pd.Series([1, 2])", "[1, 2]"},
      {"list<timestamp[us]>", "pd.Series(pd.to_datetime(['2024-05-06', None]))",
       "[datetime.datetime(2024, 5, 6, 0, 0), None]"},
  });
  EXPECT_EQ(written("timestamp[ns]", "pd.Timestamp('2024-05-06 07:08:09.123456789')"),
            written("timestamp[ns]", "np.datetime64(1714979289123456789, 'ns')"));
  EXPECT_EQ(written("duration[ns]", "pd.Timedelta(1234567891, 'ns')"),
            written("duration[ns]", "np.timedelta64(1234567891, 'ns')"));
  EXPECT_EQ(
      written("int64 not null", "pd.NA"),
      "result of type pandas._libs.missing.NAType does not fit int64 not null: <NA>; return a value, or declare the "
      "result type nullable");
}

}  // namespace
}  // namespace clutch::pyembed
