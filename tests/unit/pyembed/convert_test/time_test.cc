// Dates, times, timestamps, durations and intervals. Every case runs twice: reading the memory of datetime objects,
// and by their attributes.
#include "support.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayBuilder;

struct Case {
  const char* type;
  const char* value;  // a Python expression
  const char* back;   // repr of what is read again; nullptr: the same text as `value`
};

class Time : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    EXPECT_TRUE(test_module().datetime().has_layout()) << "this interpreter's datetime objects look different";
    if (GetParam()) const_cast<Module&>(test_module()).forget_datetime_layout();
  }
  void TearDown() override { const_cast<Module&>(test_module()).check_datetime_layout(); }

  void expect_round_trips(std::initializer_list<Case> cases) {
    for (const Case& c : cases) {
      EXPECT_EQ(round_trip(c.type, c.value), c.back != nullptr ? c.back : c.value) << c.type << " <- " << c.value;
    }
  }
  void expect_refusals(std::initializer_list<Case> cases) {
    for (const Case& c : cases) EXPECT_EQ(written(c.type, c.value), c.back) << c.type << " <- " << c.value;
  }
};

INSTANTIATE_TEST_SUITE_P(Layout, Time, testing::Values(false, true),
                         [](const auto& instance) { return instance.param ? "Attributes" : "Memory"; });

TEST_P(Time, Dates) {
  expect_round_trips({
      {"date32", "date(1970, 1, 1)", "datetime.date(1970, 1, 1)"},
      {"date32", "date(1, 1, 1)", "datetime.date(1, 1, 1)"},
      {"date32", "date(9999, 12, 31)", "datetime.date(9999, 12, 31)"},
      {"date32", "date(2024, 2, 29)", "datetime.date(2024, 2, 29)"},
      {"date32", "date(1900, 3, 1)", "datetime.date(1900, 3, 1)"},
      {"date64", "date(1969, 12, 31)", "datetime.date(1969, 12, 31)"},
      {"date64", "date(1, 1, 1)", "datetime.date(1, 1, 1)"},
      {"date32", "datetime.datetime(2024, 5, 6)", "datetime.date(2024, 5, 6)"},
      {"date32", "Moment(2024, 5, 6)", "datetime.date(2024, 5, 6)"},
  });
  expect_refusals({
      {"date32", "datetime.datetime(2024, 5, 6, 0, 0, 1)",
       "result of type datetime.datetime does not fit date32: datetime.datetime(2024, 5, 6, 0, 0, 1) has a time of "
       "day; "
       "return x.date(), or change the result type to timestamp"},
      {"date64", "'2024-05-06'",
       "result of type str does not fit date64: '2024-05-06'; return a datetime.date or change the result type"},
  });
}

TEST_P(Time, TimesOfDay) {
  expect_round_trips({
      {"time32[s]", "time(23, 59, 58)", "datetime.time(23, 59, 58)"},
      {"time32[s]", "time(23, 59, 58, 999999)", "datetime.time(23, 59, 58)"},
      {"time32[ms]", "time(1, 2, 3, 4999)", "datetime.time(1, 2, 3, 4000)"},
      {"time64[us]", "time(1, 2, 3, 456789)", "datetime.time(1, 2, 3, 456789)"},
      {"time64[ns]", "time(23, 59, 59, 999999)", "datetime.time(23, 59, 59, 999999)"},
      {"time64[ns]", "time()", "datetime.time(0, 0)"},
  });
  expect_refusals({
      {"time32[s]", "time(1, 2, tzinfo=timezone.utc)",
       "result of type datetime.time does not fit time32[s]: datetime.time(1, 2, tzinfo=datetime.timezone.utc) has a "
       "time "
       "zone; return x.replace(tzinfo=None)"},
      {"time64[us]", "datetime.datetime(2024, 5, 6)",
       "result of type datetime.datetime does not fit time64[us]: datetime.datetime(2024, 5, 6, 0, 0); return x.time() "
       "or "
       "change the result type to timestamp"},
      {"time64[us]", "5",
       "result of type int does not fit time64[us]: 5; return a datetime.time or change the result type"},
  });
}

TEST_P(Time, NaiveTimestamps) {
  expect_round_trips({
      {"timestamp[us]", "datetime.datetime(1970, 1, 1, 0, 0)", nullptr},
      {"timestamp[us]", "datetime.datetime(1, 1, 1, 0, 0)", nullptr},
      {"timestamp[us]", "datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)", nullptr},
      {"timestamp[ns]", "datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)", nullptr},
      {"timestamp[ns]", "datetime.datetime(2262, 4, 11, 23, 47, 16, 854775)", nullptr},
      {"timestamp[ms]", "datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)",
       "datetime.datetime(1969, 12, 31, 23, 59, 59, 999000)"},
      {"timestamp[s]", "datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)",
       "datetime.datetime(1969, 12, 31, 23, 59, 59)"},
      {"timestamp[us]", "Moment(2024, 5, 6, 7, 8, 9, 10)", "datetime.datetime(2024, 5, 6, 7, 8, 9, 10)"},
  });
  expect_refusals({
      {"timestamp[us]", "datetime.datetime(2024, 5, 6, tzinfo=timezone.utc)",
       "result of type datetime.datetime does not fit timestamp[us]: datetime.datetime(2024, 5, 6, 0, 0, "
       "tzinfo=datetime.timezone.utc) has a time zone, the column has none; return x.replace(tzinfo=None) for its wall "
       "clock, or change the result type to a timestamp with zone"},
      {"timestamp[us]", "date(2024, 5, 6)",
       "result of type datetime.date does not fit timestamp[us]: datetime.date(2024, 5, 6); return "
       "datetime.datetime.combine(x, datetime.time()), or change the result type to date32"},
      {"timestamp[us]", "1.5",
       "result of type float does not fit timestamp[us]: 1.5; return a datetime.datetime or change the result type"},
      {"timestamp[ns]", "datetime.datetime(2263, 1, 1)",
       "result of type datetime.datetime does not fit timestamp[ns]: datetime.datetime(2263, 1, 1, 0, 0) is outside of "
       "1677-09-21 to 2262-04-11, which nanoseconds can hold; change the result type to timestamp[us]"},
  });
}

TEST_P(Time, TimestampsWithFixedZones) {
  expect_round_trips({
      {"timestamp[us, UTC]", "datetime.datetime(2024, 5, 6, 7, 8, tzinfo=timezone.utc)",
       "datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.timezone.utc)"},
      // A naive value is the wall clock of the column's zone.
      {"timestamp[us, UTC]", "datetime.datetime(2024, 5, 6, 7, 8)",
       "datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.timezone.utc)"},
      {"timestamp[ms, +05:30]", "datetime.datetime(2024, 5, 6, 20, 0, tzinfo=timezone.utc)",
       "datetime.datetime(2024, 5, 7, 1, 30, tzinfo=datetime.timezone(datetime.timedelta(seconds=19800)))"},
      {"timestamp[ms, +05:30]", "datetime.datetime(2024, 5, 7, 1, 30)",
       "datetime.datetime(2024, 5, 7, 1, 30, tzinfo=datetime.timezone(datetime.timedelta(seconds=19800)))"},
      {"timestamp[s, -0800]", "datetime.datetime(2024, 5, 6, 7, 8, tzinfo=timezone.utc)",
       "datetime.datetime(2024, 5, 5, 23, 8, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=57600)))"},
      {"timestamp[us, UTC]", "datetime.datetime(2024, 5, 6, 7, 8, tzinfo=timezone(timedelta(hours=2)))",
       "datetime.datetime(2024, 5, 6, 5, 8, tzinfo=datetime.timezone.utc)"},
  });
}

TEST_P(Time, TimestampsWithNamedZones) {
  if (!importable("zoneinfo") && !importable("backports.zoneinfo")) {
    EXPECT_EQ(written("timestamp[us, Europe/Berlin]", "datetime.datetime(2024, 5, 6)"),
              "result: this interpreter has no database of time zones, which the zone Europe/Berlin needs; use Python "
              "3.9 or later, install the package backports.zoneinfo, or use UTC or an offset such as +01:00");
    return;
  }
  const std::string berlin = ", tzinfo=zoneinfo.ZoneInfo(key='Europe/Berlin'))";
  const char* type = "timestamp[us, Europe/Berlin]";
  EXPECT_EQ(round_trip(type, "datetime.datetime(2024, 7, 1, 10, 0, tzinfo=timezone.utc)"),
            "datetime.datetime(2024, 7, 1, 12, 0" + berlin);
  EXPECT_EQ(round_trip(type, "datetime.datetime(2024, 1, 1, 10, 0)"), "datetime.datetime(2024, 1, 1, 10, 0" + berlin);
  // The hour that happens twice: fold tells the instants apart.
  EXPECT_EQ(written(type, "datetime.datetime(2024, 10, 27, 2, 30).replace(tzinfo=timezone.utc) - timedelta(hours=2)"),
            written(type, "datetime.datetime(2024, 10, 27, 2, 30)"));
  EXPECT_EQ(written(type, "datetime.datetime(2024, 10, 27, 2, 30).replace(tzinfo=timezone.utc) - timedelta(hours=1)"),
            written(type, "datetime.datetime(2024, 10, 27, 2, 30, fold=1)"));
  EXPECT_EQ(round_trip(type, "datetime.datetime(2024, 10, 27, 1, 30, tzinfo=timezone.utc)"),
            "datetime.datetime(2024, 10, 27, 2, 30, fold=1" + berlin);
  EXPECT_NE(written("timestamp[us, Nowhere/Land]", "None").find("does not know the time zone Nowhere/Land"),
            std::string::npos);
}

TEST_P(Time, Durations) {
  expect_round_trips({
      {"duration[us]", "timedelta(days=-3, seconds=4, microseconds=5)",
       "datetime.timedelta(days=-3, seconds=4, microseconds=5)"},
      {"duration[ns]", "timedelta(microseconds=-1)", "datetime.timedelta(days=-1, seconds=86399, microseconds=999999)"},
      {"duration[ms]", "timedelta(microseconds=1999)", "datetime.timedelta(microseconds=1000)"},
      {"duration[s]", "timedelta(microseconds=-1)", "datetime.timedelta(days=-1, seconds=86399)"},
      {"duration[s]", "timedelta.max", "datetime.timedelta(days=999999999, seconds=86399)"},
      {"duration[ms]", "timedelta.min", "datetime.timedelta(days=-999999999)"},
  });
  expect_refusals({
      {"duration[ns]", "timedelta(days=200000)",
       "result of type datetime.timedelta does not fit duration[ns]: datetime.timedelta(days=200000) is longer than 64 "
       "bits of its unit can hold; change the result type to duration[us]"},
      {"duration[us]", "timedelta.max",
       "result of type datetime.timedelta does not fit duration[us]: datetime.timedelta(days=999999999, seconds=86399, "
       "microseconds=999999) is longer than 64 bits of its unit can hold; change the result type to duration[ms]"},
      {"duration[s]", "5",
       "result of type int does not fit duration[s]: 5; return a datetime.timedelta or change the result type"},
  });
}

TEST_P(Time, Intervals) {
  expect_round_trips({
      {"month_interval", "-14", nullptr},
      {"month_interval", "Color.RED", "1"},
      {"day_time_interval", "(3, -4)", nullptr},
      {"day_time_interval", "[3, 4]", "(3, 4)"},
      {"day_time_interval", "timedelta(days=2, seconds=3, microseconds=4999)", "(2, 3004)"},
      {"month_day_nano_interval", "(1, -2, 3000000000000)", nullptr},
  });
  expect_refusals({
      {"month_interval", "2**31",
       "result of type int does not fit month_interval: 2147483648 is outside of -2147483648 to 2147483647; return "
       "smaller "
       "numbers"},
      {"month_interval", "'x'",
       "result of type str does not fit month_interval: 'x'; return the number of months as an int"},
      {"day_time_interval", "(1, 2, 3)",
       "result of type tuple does not fit day_time_interval: (1, 2, 3); return a tuple (days, milliseconds) or a "
       "datetime.timedelta"},
      {"month_day_nano_interval", "(1, 2, 'x')",
       "result of type tuple does not fit month_day_nano_interval: (1, 2, 'x'); return a tuple (months, days, "
       "nanoseconds)"},
  });
}

// Arrays of raw integers, for values that no Python object can be written as.
template <typename T>
std::string read_raw(const char* type, std::initializer_list<T> values) {
  const columnar::Field field = field_of(type, "t");
  ArrayBuilder builder(field);
  for (T value : values) builder.append<T>(value);
  return read_all(field, *builder.finish());
}

TEST(TimeRead, FinerThanAMicrosecondIsCutTowardThePast) {
  EXPECT_EQ(read_raw<int64_t>("timestamp[ns]", {1999, -1}),
            "datetime.datetime(1970, 1, 1, 0, 0, 0, 1), datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)");
  EXPECT_EQ(read_raw<int64_t>("duration[ns]", {1999, -1}),
            "datetime.timedelta(microseconds=1), datetime.timedelta(days=-1, seconds=86399, microseconds=999999)");
  EXPECT_EQ(read_raw<int64_t>("time64[ns]", {1999}), "datetime.time(0, 0, 0, 1)");
  EXPECT_EQ(read_raw<int64_t>("date64", {86399999, -1}), "datetime.date(1970, 1, 1), datetime.date(1969, 12, 31)");
}

TEST(TimeRead, WhatPythonCannotHoldIsAnErrorThatNamesIt) {
  EXPECT_EQ(
      read_raw<int32_t>("date32", {2932897}),
      "raised OverflowError: column t: date32 2932897 is outside of what datetime.date (years 1 to 9999) can hold");
  EXPECT_EQ(
      read_raw<int64_t>("timestamp[s]", {-62135596801}),
      "raised OverflowError: column t: timestamp[s] -62135596801 s is outside of what datetime.datetime (years 1 to "
      "9999) can hold");
  EXPECT_EQ(read_raw<int64_t>("timestamp[s]", {INT64_MIN, INT64_MAX}).substr(0, 20), "raised OverflowError");
  EXPECT_EQ(read_raw<int64_t>("duration[s]", {INT64_MIN}),
            "raised OverflowError: column t: duration[s] -9223372036854775808 s is outside of what datetime.timedelta "
            "(999999999 days) can hold");
  EXPECT_EQ(read_raw<int32_t>("time32[s]", {86400}),
            "raised OverflowError: column t: time32[s] 86400 is outside of what datetime.time (one day) can hold");
}

TEST(TimeRead, EveryDayOfFourCenturiesRoundTrips) {
  const columnar::Field field = field_of("date32");
  ArrayBuilder builder(field);
  const int64_t first = days_from_civil({1880, 1, 1}), last = days_from_civil({2290, 1, 1});
  for (int64_t day = first; day < last; ++day) builder.append<int32_t>(static_cast<int32_t>(day));
  const columnar::Array array = builder.finish();
  auto reader = Reader::make(field, test_module());
  auto writer = Writer::make(field, test_module());
  ASSERT_TRUE(reader.ok() && writer.ok());
  ASSERT_TRUE((*reader)->bind(*array));
  PyRef ordinal = eval("date.toordinal");
  for (int64_t row = 0; row < array->length; ++row) {
    PyRef date = PyRef::steal((*reader)->read(row));
    ASSERT_TRUE((*writer)->write(date.get(), builder));
    PyRef number = PyRef::steal(PyObject_CallFunctionObjArgs(ordinal.get(), date.get(), nullptr));
    ASSERT_EQ(PyLong_AsLongLong(number.get()), first + row + 719163);
  }
  const columnar::Array again = builder.finish();
  EXPECT_TRUE(columnar::equal(field, *array, *again));
}

}  // namespace
}  // namespace clutch::pyembed
