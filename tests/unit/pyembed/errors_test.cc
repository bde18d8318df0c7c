// What a row that fails leaves behind: its sentence, its details, and the other rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Errors, ARaisedExceptionTellsFunctionRowTypeAndText) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "def helper(x):\n"
                                       "    if x == 3:\n"
                                       "        raise ValueError('three is bad')\n"
                                       "    return x\n"
                                       "def f(x):\n"
                                       "    return helper(x)\n"));
  Outcome outcome = f.submit(ints({1, 2, 3, 4}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_USER);
  EXPECT_EQ(outcome.error.origin, CLUTCH_ORIGIN_USER);
  EXPECT_EQ(outcome.error.message, "function \"f\" row 2: ValueError: three is bad");
  EXPECT_EQ(outcome.error.details["function"], "f");
  EXPECT_EQ(outcome.error.details["row"], "2");
  EXPECT_EQ(outcome.error.details["batch"], "1");
  EXPECT_EQ(outcome.error.details["value"], "3");
  EXPECT_EQ(outcome.error.details["exception.type"], "ValueError");
  EXPECT_EQ(outcome.error.details["exception.text"], "three is bad");
  EXPECT_EQ(outcome.error.details["frames"], "clutch-source:f:6:f\nclutch-source:f:3:helper");
  const std::string traceback = outcome.error.details["traceback"];
  EXPECT_THAT(traceback, StartsWith("Traceback (most recent call last):\n  File \"clutch-source:f\", line 6, in f\n"));
  EXPECT_THAT(traceback, HasSubstr("raise ValueError('three is bad')"));
  EXPECT_THAT(traceback, Not(HasSubstr("<clutch")));
  EXPECT_TRUE(outcome.context->emitted.empty());
  EXPECT_EQ(f.submit(ints({1})).status, CLUTCH_OK);
}

TEST(Errors, TheRowIsExactAmongMany) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "bad = {}\n"
                                       "def f(x):\n"
                                       "    if x in (0, 700, 1024, 2500, 3999, 4000): raise KeyError(x)\n"
                                       "    return 'text' if x == 5000 else x\n"));
  for (int64_t bad : {0, 700, 1024, 2500, 3999, 4000}) {
    std::vector<int64_t> values(4001, 7);
    values[static_cast<size_t>(bad)] = bad;
    Outcome outcome = f.submit(ints(values));
    EXPECT_EQ(outcome.error.message,
              "function \"f\" row " + std::to_string(bad) + ": KeyError: " + std::to_string(bad));
    EXPECT_EQ(outcome.error.details["frames"], "clutch-source:f:3:f");
    EXPECT_THAT(outcome.error.details["traceback"], Not(HasSubstr("<clutch")));
  }
  std::vector<int64_t> values(4001, 7);
  values[2222] = 5000;
  EXPECT_THAT(f.submit(ints(values)).error.message, StartsWith("function \"f\" row 2222: result of type str does not"));
  EXPECT_EQ(f.submit(ints({1})).status, CLUTCH_OK);
}

TEST(Errors, CausesAreShown) {
  Session session;
  OpenFunction f = session.open(source("stream.map",
                                       "class Bad(Exception): pass\n"
                                       "def f(x):\n"
                                       "    try:\n"
                                       "        return 1 // x\n"
                                       "    except ZeroDivisionError as error:\n"
                                       "        raise Bad('no inverse') from error\n"));
  Outcome outcome = f.submit(ints({0}));
  EXPECT_THAT(outcome.error.details["exception.type"], EndsWith("_f.Bad"));
  EXPECT_THAT(outcome.error.details["traceback"], HasSubstr("ZeroDivisionError"));
  EXPECT_THAT(outcome.error.details["traceback"], HasSubstr("direct cause"));
}

TEST(Errors, ExceptionsThatEndAProgramAreData) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "import sys\n"
                                       "def f(x):\n"
                                       "    if x == 0: sys.exit(3)\n"
                                       "    if x == 1: raise KeyboardInterrupt()\n"
                                       "    if x == 2: raise GeneratorExit()\n"
                                       "    if x == 3: raise MemoryError()\n"
                                       "    if x == 4: return f(x)\n"
                                       "    raise StopIteration()\n"));
  const std::vector<std::string> sentences = {"SystemExit: 3",
                                              "KeyboardInterrupt",
                                              "GeneratorExit",
                                              "MemoryError",
                                              "RecursionError: maximum recursion depth exceeded",
                                              "StopIteration"};
  for (size_t i = 0; i < sentences.size(); ++i) {
    Outcome outcome = f.submit(ints({static_cast<int64_t>(i)}));
    EXPECT_EQ(outcome.status, CLUTCH_ERR_USER);
    EXPECT_THAT(outcome.error.message, StartsWith("function \"f\" row 0: " + sentences[i]));
  }
}

TEST(Errors, AnExceptionWhoseTextRaisesIsStillTold) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "class Odd(Exception):\n"
                                       "    def __str__(self): raise RuntimeError('no')\n"
                                       "def f(x):\n"
                                       "    raise Odd()\n"));
  EXPECT_THAT(f.submit(ints({1})).error.message, HasSubstr("its text is not available: __str__ raised RuntimeError"));
}

TEST(Errors, AResultThatDoesNotFitTellsValueAndType) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return 'abc' if x == 2 else x\n"));
  Outcome outcome = f.submit(ints({1, 2}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_VALUE);
  EXPECT_EQ(outcome.error.message,
            "function \"f\" row 1: result of type str does not fit int64: 'abc'; return an int or change the result "
            "type");
  EXPECT_EQ(outcome.error.details["column"], "y");
  EXPECT_EQ(outcome.error.details["value"], "'abc'");
}

TEST(Errors, AColumnThatDoesNotFitIsNamed) {
  Session session;
  SpecText spec = source("table.scalar", "def f(x):\n    return 1, 'b'\n");
  spec.output = {column("u", "int64"), column("v", "int64")};
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_VALUE);
  EXPECT_THAT(outcome.error.message, StartsWith("function \"f\" row 0: column \"v\": result of type str does not fit"));
  EXPECT_EQ(outcome.error.details["column"], "v");
}

TEST(Errors, NullPolicyKeepsTheOtherRows) {
  Session session;
  SpecText spec = source("table.scalar", "def f(x):\n    return 10 // x if x < 5 else 'no int'\n");
  spec.on_error = CLUTCH_ON_ERROR_NULL;
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({0, 2, 7, 5, 1}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': null}", "{'y': 5}", "{'y': null}", "{'y': null}", "{'y': 10}"));
  EXPECT_THAT(outcome.origin, IsEmpty());
}

TEST(Errors, NullPolicyOfSeveralColumnsMakesARowOfNulls) {
  Session session;
  SpecText spec = source("table.scalar", "def f(x):\n    return 1 // x, 'v'\n");
  spec.output = {column("u", "int64"), column("v", "string")};
  spec.on_error = CLUTCH_ON_ERROR_NULL;
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({0, 1}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'u': null, 'v': null}", "{'u': 1, 'v': 'v'}"));
}

TEST(Errors, NullPolicyNeedsANullableResult) {
  Session session;
  SpecText spec = source("table.scalar", "def f(x):\n    return x\n");
  spec.output = {column("y", "int64", false)};
  spec.on_error = CLUTCH_ON_ERROR_NULL;
  EXPECT_EQ(session.refuse(spec).message,
            "function \"f\": on_error is null, but result column \"y\" cannot be null; make it nullable or choose fail "
            "or dead_letter");
}

TEST(Errors, DeadLettersNameTheRowsAndTheOthersGoOn) {
  Session session;
  SpecText spec = source("table.scalar", "def f(x):\n    return 10 // x\n");
  spec.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({0, 2, 0, 1}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 5}", "{'y': 10}"));
  EXPECT_THAT(outcome.origin, ElementsAre(1, 3));
  ASSERT_EQ(outcome.context->dead_letters.size(), 2u);
  EXPECT_THAT(outcome.context->dead_letters[2]->message, StartsWith("function \"f\" row 2: ZeroDivisionError: "));
  EXPECT_EQ(outcome.context->dead_letters[2]->details["row"], "2");
}

TEST(Errors, ARowThatFailsHalfwayGivesNoRows) {
  Session session;
  SpecText spec = source("stream.flat_map",
                         "def f(x):\n"
                         "    for i in range(1000 if x == 3 else 2):\n"
                         "        if x == 2 and i == 1: raise ValueError('halfway')\n"
                         "        yield 'x' if x == 3 and i == 999 else x\n");
  spec.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1, 2, 3, 4}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 1}", "{'y': 1}", "{'y': 4}", "{'y': 4}"));
  EXPECT_THAT(outcome.origin, ElementsAre(0, 0, 3, 3));
  EXPECT_EQ(outcome.context->dead_letters.size(), 2u);

  spec.on_error = CLUTCH_ON_ERROR_NULL;
  OpenFunction g = session.open(spec);
  EXPECT_THAT(g.submit(ints({1, 2, 4})).origin, ElementsAre(0, 0, 2, 2));
}

TEST(Errors, DeadLettersNeedAHostThatHasThem) {
  FakeHost host;
  host.hide(CLUTCH_HOST_DEAD_LETTER);
  OptionList none;
  const clutch_options options = none.view();
  clutch_runtime* runtime = nullptr;
  clutch_error error;
  ASSERT_EQ(table()->runtime_open(host.table(), &options, &runtime, &error), CLUTCH_OK);
  SpecText spec = source("table.scalar", "def f(x):\n    return x\n");
  spec.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  clutch_function* function = nullptr;
  clutch_function_info info{sizeof(info), 0};
  clutch_function_context context{"f"};
  EXPECT_EQ(table()->function_open(runtime, spec.view(), &context, &function, &info, &error), CLUTCH_ERR_UNSUPPORTED);
  EXPECT_EQ(error.message,
            "function \"f\": on_error is dead_letter, but this host has no dead letters; choose fail or null");
  table()->runtime_close(runtime);
}

TEST(Errors, AChainTellsTheStepThatFailed) {
  Session session;
  SpecText spec = source("stream.map", "def f(x):\n    return x\n");
  spec.name = "both";
  spec.steps.push_back({"second", "stream.map", "source", "def g(x):\n    return 1 // x\n"});
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1, 0}));
  EXPECT_THAT(outcome.error.message, StartsWith("function \"second\" row 1: ZeroDivisionError"));
  EXPECT_EQ(outcome.error.details["step"], "1");
  EXPECT_EQ(outcome.error.details["function"], "second");
}

TEST(Errors, ManyDeadLettersKeepTheirTextButNotAllTracebacks) {
  Session session;
  SpecText spec = source("table.scalar", "def f(x):\n    raise ValueError(x)\n");
  spec.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  OpenFunction f = session.open(spec);
  std::vector<int64_t> values(1500, 7);
  Outcome outcome = f.submit(ints(values));
  ASSERT_EQ(outcome.status, CLUTCH_OK);
  ASSERT_EQ(outcome.context->dead_letters.size(), 1500u);
  EXPECT_NE(outcome.context->dead_letters[0]->details["traceback"], "");
  EXPECT_EQ(outcome.context->dead_letters[1499]->details.count("traceback"), 0u);
  EXPECT_EQ(outcome.context->dead_letters[1499]->message, "function \"f\" row 1499: ValueError: 7");
  EXPECT_TRUE(outcome.rows.empty());
}

TEST(Errors, ABatchThatDoesNotFitTheSchemaIsRefused) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return x\n"));
  std::vector<columnar::Array> columns;
  columns.push_back(int64_column({1}));
  columns.push_back(int64_column({1}));
  Outcome outcome = f.submit(batch_of(std::move(columns)));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DATA);
  EXPECT_THAT(outcome.error.message, StartsWith("function \"f\": "));
}

}  // namespace
}  // namespace clutch::pyembed::testing
