// Which row a batch fails with, and that a result is taken before the function is called again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int64_t kRows = 3000;

// Row `odd` gives something else than the others, row `bad` raises.
std::vector<int64_t> batch_with(int64_t odd, int64_t bad) {
  std::vector<int64_t> values(kRows, 5);
  values[static_cast<size_t>(odd)] = 1;
  values[static_cast<size_t>(bad)] = 2;
  return values;
}

struct Shape {
  const char* kind;
  const char* text;
  const char* out;
  const char* misfit;
};

// Row 1 of the values gives an odd result, 2 raises.
const Shape kShapes[] = {
    {"table.scalar", "def f(x):\n    if x == 2: raise KeyError(x)\n    return 'odd' if x == 1 else x\n", "int64",
     "result of type str does not fit int64: 'odd'"},
    {"table.scalar", "def f(x):\n    if x == 2: raise KeyError(x)\n    return 7.5 if x == 1 else str(x)\n", "string",
     "result of type float does not fit string: 7.5"},
    {"table.scalar", "def f(x):\n    if x == 2: raise KeyError(x)\n    return 'odd' if x == 1 else [x]\n",
     "list<int64>", "result of type str does not fit list<int64>: 'odd'"},
    {"stream.flat_map", "def f(x):\n    yield x\n    if x == 2: raise KeyError(x)\n    yield 'odd' if x == 1 else x\n",
     "int64", "result of type str does not fit int64: 'odd'"},
    {"stream.flat_map", "def f(x):\n    if x == 2: raise KeyError(x)\n    return [x, 'odd' if x == 1 else x]\n",
     "int64", "result of type str does not fit int64: 'odd'"},
};

class Order : public ::testing::TestWithParam<Shape> {
 protected:
  SpecText spec(int32_t on_error) const {
    SpecText made = source(GetParam().kind, GetParam().text, "int64", GetParam().out);
    made.on_error = on_error;
    return made;
  }
};

INSTANTIATE_TEST_SUITE_P(Shapes, Order, ::testing::ValuesIn(kShapes));

TEST_P(Order, TheFirstBadRowIsTold) {
  Session session;
  OpenFunction f = session.open(spec(CLUTCH_ON_ERROR_FAIL));
  ASSERT_EQ(f.submit(ints(std::vector<int64_t>(kRows, 5))).status, CLUTCH_OK);
  // Within eight rows, within sixteen, across both, and far apart.
  for (auto [odd, bad] : {std::pair{3, 5}, {0, 1}, {3, 14}, {15, 16}, {14, 18}, {1023, 1024}, {1030, 2050}}) {
    Outcome outcome = f.submit(ints(batch_with(odd, bad)));
    EXPECT_EQ(outcome.status, CLUTCH_ERR_VALUE);
    EXPECT_THAT(outcome.error.message, StartsWith("function \"f\" row " + std::to_string(odd) + ": "));
    EXPECT_THAT(outcome.error.message, HasSubstr(GetParam().misfit));
    outcome = f.submit(ints(batch_with(bad, odd)));
    EXPECT_EQ(outcome.status, CLUTCH_ERR_USER);
    EXPECT_EQ(outcome.error.message, "function \"f\" row " + std::to_string(odd) + ": KeyError: 2");
    EXPECT_EQ(outcome.error.details["row"], std::to_string(odd));
    EXPECT_TRUE(outcome.context->emitted.empty());
  }
  EXPECT_EQ(f.submit(ints(std::vector<int64_t>(kRows, 5))).status, CLUTCH_OK);
}

TEST_P(Order, BadRowsBecomeDeadLettersInTheirOrder) {
  Session session;
  OpenFunction f = session.open(spec(CLUTCH_ON_ERROR_DEAD_LETTER));
  for (auto [odd, bad] : {std::pair{3, 5}, {1030, 2050}}) {
    Outcome outcome = f.submit(ints(batch_with(odd, bad)));
    ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
    const auto& letters = outcome.context->dead_letters;
    ASSERT_THAT(letters, SizeIs(2));
    EXPECT_THAT(letters.at(odd)->message, HasSubstr(GetParam().misfit));
    EXPECT_EQ(letters.at(bad)->message, "function \"f\" row " + std::to_string(bad) + ": KeyError: 2");
    const size_t each = std::string(GetParam().kind) == "table.scalar" ? 1 : 2;
    ASSERT_THAT(outcome.rows, SizeIs(each * (kRows - 2)));
    EXPECT_THAT(outcome.origin, SizeIs(each * (kRows - 2)));
    EXPECT_EQ(std::count(outcome.origin.begin(), outcome.origin.end(), odd), 0);
    EXPECT_EQ(std::count(outcome.origin.begin(), outcome.origin.end(), bad), 0);
  }
}

TEST_P(Order, BadRowsBecomeNull) {
  Session session;
  OpenFunction f = session.open(spec(CLUTCH_ON_ERROR_NULL));
  Outcome outcome = f.submit(ints(batch_with(3, 5)));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_TRUE(outcome.context->dead_letters.empty());
  if (std::string(GetParam().kind) != "table.scalar") {
    EXPECT_THAT(outcome.rows, SizeIs(2 * (kRows - 2)));
    return;
  }
  ASSERT_THAT(outcome.rows, SizeIs(kRows));
  EXPECT_EQ(outcome.rows[3], "{'y': null}");
  EXPECT_EQ(outcome.rows[5], "{'y': null}");
  EXPECT_EQ(std::count(outcome.rows.begin(), outcome.rows.end(), "{'y': null}"), 2);
}

TEST_P(Order, EachRowIsCalledOnce) {
  for (int32_t policy : {CLUTCH_ON_ERROR_NULL, CLUTCH_ON_ERROR_DEAD_LETTER}) {
    Session session;
    SpecText made = spec(policy);
    made.steps[0].payload = "calls = []\ndef g():\n    return len(calls)\n" + made.steps[0].payload;
    const std::string called = "):\n    calls.append(x)\n    if len(calls) == 3001: print(len(calls))\n";
    const size_t at = made.steps[0].payload.find("f(x):\n");
    made.steps[0].payload.replace(at + 3, 3, called);
    OpenFunction f = session.open(made);
    ASSERT_EQ(f.submit(ints(batch_with(3, 5))).status, CLUTCH_OK);
    EXPECT_THAT(session.host().lines(), SizeIs(0)) << "called more often than there are rows";
    ASSERT_EQ(f.submit(ints({5})).status, CLUTCH_OK);
    EXPECT_THAT(session.host().lines(), SizeIs(1));
  }
}

TEST(Order, ARowThatCannotBeReadComesAfterThoseBeforeIt) {
  Session session;
  SpecText spec = source("table.scalar",
                         "def f(t):\n"
                         "    if t is not None and t.year == 1971: raise KeyError(t.year)\n"
                         "    return 1\n",
                         "timestamp[s]", "int64");
  OpenFunction f = session.open(spec);
  const auto submit = [&f](int64_t unreadable, int64_t raising) {
    columnar::ArrayBuilder builder(column("x", "timestamp[s]"));
    for (int64_t row = 0; row < kRows; ++row) {
      builder.append(row == unreadable ? int64_t{1} << 60 : row == raising ? int64_t{86400} * 400 : row);
    }
    std::vector<columnar::Array> columns;
    columns.push_back(builder.finish());
    return f.submit(batch_of(std::move(columns)));
  };
  ASSERT_EQ(submit(-1, -1).status, CLUTCH_OK);
  for (auto [unreadable, raising] : {std::pair{2005, 2003}, {2003, 2005}, {100, 2005}}) {
    Outcome outcome = submit(unreadable, raising);
    const std::string row = "function \"f\" row " + std::to_string(std::min(unreadable, raising)) + ": ";
    EXPECT_THAT(outcome.error.message, StartsWith(row + (raising < unreadable ? "KeyError" : "input column \"x\"")));
  }
}

// The text of the function, its result type, and what the last three rows of a thousand give.
struct Reused {
  const char* text;
  const char* out;
  std::vector<std::string> rows;
};

TEST(Order, AResultIsTakenBeforeTheNextCallCanChangeIt) {
  const Reused kCases[] = {
      {"buffer = []\ndef f(x):\n    buffer[:] = [x, x]\n    return buffer\n",
       "list<int64>",
       {"{'y': [997, 997]}", "{'y': [998, 998]}", "{'y': [999, 999]}"}},
      {"class Counter:\n"
       "    n = 0\n"
       "    def __index__(self): return self.n\n"
       "counter = Counter()\n"
       "def f(x):\n    counter.n += 1\n    return counter\n",
       "int64",
       {"{'y': 998}", "{'y': 999}", "{'y': 1000}"}},
      {"class Reading:\n"
       "    v = 0.0\n"
       "    def __float__(self): return self.v\n"
       "reading = Reading()\n"
       "def f(x):\n    reading.v = x / 2\n    return reading\n",
       "float64",
       {"{'y': 498.5}", "{'y': 499.0}", "{'y': 499.5}"}},
  };
  for (const Reused& each : kCases) {
    Session session;
    OpenFunction f = session.open(source("table.scalar", each.text, "int64", each.out));
    std::vector<int64_t> values;
    for (int64_t i = 0; i < 1000; ++i) values.push_back(i);
    Outcome outcome = f.submit(ints(values));
    ASSERT_THAT(outcome.rows, SizeIs(1000)) << outcome.error.message;
    EXPECT_EQ(std::vector<std::string>(outcome.rows.end() - 3, outcome.rows.end()), each.rows);
  }
}

}  // namespace
}  // namespace clutch::pyembed::testing
