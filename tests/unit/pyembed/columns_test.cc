// Functions of whole columns: memory, errors, and what is refused. Types and values are in
// tests/conformance/cases/columns.toml.
#include "columns.h"

#include <gmock/gmock.h>

#include "clutch/pyembed.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Columns, NumpyArraysComeAndGo) {
  SKIP_WITHOUT("numpy");
  Session session;
  OpenFunction f = session.open(vectorized("numpy",
                                           "def f(x):\n"
                                           "    assert x.dtype == 'int64' and not x.flags.writeable, x.flags\n"
                                           "    return x * 2\n"));
  Outcome outcome = f.submit(ints({1, 2, 3}));
  EXPECT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 2}", "{'y': 4}", "{'y': 6}"));
  EXPECT_THAT(f.submit(ints({})).rows, IsEmpty());
}

TEST(Columns, InputIsNotCopiedAndTheResultIsTheFunctionsOwnBuffer) {
  SKIP_WITHOUT("numpy");
  Session session;
  OpenFunction f = session.open(vectorized("numpy",
                                           "import numpy\n"
                                           "def f(x):\n"
                                           "    out = x * 0 + x.__array_interface__['data'][0]\n"
                                           "    out[1] = out.__array_interface__['data'][0]\n"
                                           "    return out\n"));
  columnar::Array rows = ints({0, 0, 0});
  const auto* in = static_cast<const int64_t*>(rows->children[0]->buffers[1]);
  Outcome outcome = f.submit(columnar::slice(*rows, 1, 2));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  const auto* out = static_cast<const int64_t*>(outcome.context->emitted[0].rows->children[0]->buffers[1]);
  EXPECT_EQ(out[0], reinterpret_cast<intptr_t>(in + 1));
  EXPECT_EQ(out[1], reinterpret_cast<intptr_t>(out));
}

TEST(Columns, AResultThatTheFunctionKeepsIsCopied) {
  SKIP_WITHOUT("numpy");
  for (const char* gives : {"buffer[:len(x)]", "buffer", "x"}) {
    Session session;
    OpenFunction f =
        session.open(vectorized("numpy", std::string("import numpy\nbuffer = numpy.empty(2, dtype='int64')\n"
                                                     "def f(x):\n    numpy.multiply(x, 2, out=buffer)\n") +
                                             "    return " + gives + "\n"));
    Outcome first = f.submit(ints({1, 2}));
    ASSERT_EQ(first.status, CLUTCH_OK) << first.error.message;
    ASSERT_EQ(f.submit(ints({5, 6})).status, CLUTCH_OK);
    EXPECT_EQ(columnar::row_to_string(column("y", "int64"), *first.context->emitted[0].rows->children[0], 0),
              std::string(gives) == "x" ? "1" : "2");
  }
}

TEST(Columns, WhatIsKeptOfTheInputKeepsItsLease) {
  SKIP_WITHOUT("numpy");
  const int64_t before = FakeHost().leases();
  {
    Session session;
    OpenFunction f = session.open(vectorized("numpy",
                                             "kept = []\n"
                                             "def f(x):\n"
                                             "    if x[0] < 0: kept.clear()\n"
                                             "    elif x[0] > 0: kept.append(x[1:])\n"
                                             "    return x + sum(int(k.sum()) for k in kept)\n"));
    EXPECT_THAT(f.submit(ints({0, 5})).rows, ElementsAre("{'y': 0}", "{'y': 5}"));
    EXPECT_EQ(session.host().leases(), before);
    columnar::Array rows = ints({1, 40});
    EXPECT_THAT(f.submit(columnar::slice(*rows, 0, 2)).rows, ElementsAre("{'y': 41}", "{'y': 80}"));
    EXPECT_EQ(session.host().leases(), before + 1);
    EXPECT_THAT(f.submit(ints({0, 5})).rows, ElementsAre("{'y': 40}", "{'y': 45}"));
    EXPECT_THAT(f.submit(ints({-1, 5})).rows, ElementsAre("{'y': -1}", "{'y': 5}"));
    EXPECT_EQ(session.host().leases(), before);
  }
}

TEST(Columns, WithoutLeasesWhatIsKeptIsACopy) {
  SKIP_WITHOUT("numpy");
  for (const char* style : {"numpy", "pandas", "arrow"}) {
    if (std::string(style) == "pandas" && !has_package("pandas")) continue;
    Session session;
    session.host().hide(CLUTCH_HOST_MEMORY);
    OptionList options{{CLUTCH_PYEMBED_PROGRAM, program()}};
    const clutch_options view = options.view();
    clutch_runtime* runtime = nullptr;
    clutch_error error;
    ASSERT_EQ(table()->runtime_open(session.host().table(), &view, &runtime, &error), CLUTCH_OK);
    SpecText spec = vectorized(style,
                               "kept = []\n"
                               "def f(x):\n"
                               "    kept.append(x)\n"
                               "    return x if len(kept) == 1 else kept[0]\n");
    clutch_function_context context{"f"};
    clutch_function* function = nullptr;
    clutch_function_info info{sizeof(info), 0};
    ASSERT_EQ(table()->function_open(runtime, spec.view(), &context, &function, &info, &error), CLUTCH_OK);
    std::vector<std::string> seen;
    for (int64_t round = 1; round < 3; ++round) {
      std::vector<int64_t> values = {round * 10};
      ArrowArray child{1, 0, 0, 2, 0, nullptr, nullptr, nullptr, nullptr, nullptr};
      const void* buffers[2] = {nullptr, values.data()};
      child.buffers = buffers;
      ArrowArray* children[1] = {&child};
      const void* none[1] = {nullptr};
      ArrowArray rows{1, 0, 0, 1, 1, none, children, nullptr, nullptr, nullptr};
      clutch_batch_context batch_context;
      clutch_batch batch{};
      batch.struct_size = sizeof(batch);
      batch.context = &batch_context;
      batch.sequence = static_cast<uint64_t>(round);
      batch.rows = &rows;
      ASSERT_EQ(table()->function_submit(function, &batch, &error), CLUTCH_OK) << error.message;
      values[0] = -1;  // the host writes the next batch there
      seen.push_back(columnar::row_to_string(column("y", "int64"), *batch_context.emitted[0].rows->children[0], 0));
    }
    EXPECT_THAT(seen, ElementsAre("10", "10")) << style;
    EXPECT_EQ(table()->function_close(function, &error), CLUTCH_OK);
    table()->runtime_close(runtime);
  }
}

TEST(Columns, ResultsOutliveTheFunctionAndAreFreedByTheNext) {
  SKIP_WITHOUT("numpy");
  Session session;
  const std::string text =
      "import weakref\n"
      "alive = []\n"
      "def f(x):\n"
      "    left = sum(r() is not None for r in alive)\n"
      "    out = x * 0 + left\n"
      "    alive.append(weakref.ref(out))\n"
      "    return out\n";
  OpenFunction f = session.open(vectorized("numpy", text));
  Outcome first = f.submit(ints({1, 2}));
  Outcome second = f.submit(ints({1, 2}));
  EXPECT_THAT(second.rows, ElementsAre("{'y': 1}", "{'y': 1}"));  // the first is still there
  first.context.reset();
  second.context.reset();
  EXPECT_THAT(f.submit(ints({1, 2})).rows, ElementsAre("{'y': 0}", "{'y': 0}"));
  Outcome last = f.submit(ints({7, 7}));
  f.close();
  EXPECT_EQ(columnar::row_to_string(column("y", "int64"), *last.context->emitted[0].rows->children[0], 1), "0");
}

TEST(Columns, InputIsReadOnly) {
  SKIP_WITHOUT("numpy");
  Session session;
  OpenFunction f = session.open(vectorized("numpy", "def f(x):\n    x[0] = 5\n    return x\n"));
  Outcome outcome = f.submit(ints({1, 2, 3}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_USER);
  EXPECT_EQ(outcome.error.message, "function \"f\" rows 0 to 2: ValueError: assignment destination is read-only");
  EXPECT_THAT(outcome.error.details["frames"], HasSubstr("clutch-source:f:2:f"));
  EXPECT_EQ(outcome.error.details["batch"], "1");
}

struct Wrong {
  const char* style;
  const char* body;
  const char* out;
  const char* sentence;
};

class WrongResults : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongResults, AreToldInASentence) {
  const Wrong& wrong = GetParam();
  if (std::string(wrong.style) != "arrow") SKIP_WITHOUT("numpy");
  if (std::string(wrong.style) == "pandas") SKIP_WITHOUT("pandas");
  Session session;
  const std::string imports = std::string(wrong.style) == "pandas"  ? "import numpy as np, pandas as pd\n"
                              : std::string(wrong.style) == "numpy" ? "import numpy as np\n"
                                                                    : "";
  SpecText spec = vectorized(wrong.style, imports + "def f(x):\n    return " + wrong.body + "\n");
  spec.output = columnar::parse_type("struct<" + std::string(wrong.out) + ">")->children;
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1, 2, 3, 4, 5}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_VALUE);
  EXPECT_EQ(outcome.error.message, std::string("function \"f\" ") + wrong.sentence);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongResults,
    ::testing::Values(
        Wrong{"numpy", "x[:3]", "y: int64", "rows 0 to 4: result of 3 values for 5 rows; return one value a row"},
        Wrong{"numpy", "list(x)", "y: int64",
              "rows 0 to 4: result of type list is no numpy.ndarray; return an array with one value a row"},
        Wrong{"numpy", "x / 2", "y: int64",
              "rows 0 to 4: result of dtype float64 does not fit int64; return a.astype('int64') or change the result "
              "type"},
        Wrong{"numpy", "x * 100", "y: int8",
              "row 1: result of dtype int64 does not fit int8: 200 is outside of -128 to 127; return a number in that "
              "range, or change the result type to a wider one"},
        Wrong{"numpy", "x - 3", "y: uint64",
              "row 0: result of dtype int64 does not fit uint64: -2 is outside of 0 to 18446744073709551615; return a "
              "number in that range, or change the result type to a wider one"},
        Wrong{
            "numpy", "x + 2**53", "y: float64",
            "row 0: result of dtype int64 does not fit float64: 9007199254740993 would be rounded; return a float, or "
            "change the result type"},
        Wrong{"numpy", "x * 1e300", "y: float32",
              "row 0: result of dtype float64 does not fit float32: 1e+300 is beyond its range; change the result type "
              "to a wider one"},
        Wrong{"numpy", "x", "y: bool",
              "rows 0 to 4: result of dtype int64 does not fit bool; return bools, as in a != 0, or change the result "
              "type"},
        Wrong{"numpy", "x.reshape(5, 1)", "y: int64",
              "rows 0 to 4: result array has 2 dimensions; return one of one dimension"},
        Wrong{"numpy", "x", "y: timestamp[us]",
              "rows 0 to 4: result of dtype int64 does not fit timestamp[us]; return datetime64 values or change the "
              "result type"},
        Wrong{"numpy", "x.astype('M8[h]')", "y: date32",
              "row 0: result of dtype datetime64[h] does not fit date32: 1970-01-01T01 has a time of day other than "
              "midnight; return a.astype('M8[D]')"},
        Wrong{"numpy", "(x + 10**12).astype('M8[s]')", "y: timestamp[ns]",
              "row 0: result of dtype datetime64[s] does not fit timestamp[ns]: 33658-09-27T01:46:41 is outside of its "
              "range; change the result type to a coarser unit"},
        Wrong{"numpy", "x", "y: string",
              "row 0: result of type int does not fit string: 1; return a str, for instance str(x), or change the "
              "result type"},
        Wrong{"numpy", "np.array([1, None, 3, 'x', 5], dtype=object)", "y: int64",
              "row 3: result of type str does not fit int64: 'x'; return an int or change the result type"},
        Wrong{"numpy", "np.ma.masked_equal(x, 3)", "y: int64 not null",
              "row 2: result of type NoneType does not fit int64 not null: None; return a value, or declare the "
              "result type nullable"},
        Wrong{"numpy", "(x, x, x)", "a: int64, b: int64",
              "rows 0 to 4: result of 3 columns for 2 result columns; return as many, in their order"},
        Wrong{"numpy", "5", "a: int64, b: int64",
              "rows 0 to 4: result of type int for 2 result columns; return a tuple of arrays"},
        Wrong{"pandas", "x[:3]", "y: int64", "rows 0 to 4: result of 3 values for 5 rows; return one value a row"},
        Wrong{"pandas", "x.sum()", "y: int64",
              "rows 0 to 4: result of type numpy.int64 is no pandas.Series; return a Series with one value a row"},
        Wrong{"pandas", "x / 2", "y: int64",
              "row 0: result of dtype float64 does not fit int64: 0.5 has a fraction; round it, as in s.round(), or "
              "change the result type"},
        Wrong{"pandas", "x * 1e30", "y: int64",
              "row 0: result of dtype float64 does not fit int64: 1e+30 is outside of -9223372036854775808 to "
              "9223372036854775807; return a number in that range, or change the result type to a wider one"},
        Wrong{
            "pandas", "pd.DataFrame({'a': x})", "a: int64, b: int64",
            "rows 0 to 4: result DataFrame has 1 columns for 2 result columns; return as many, in their order or with "
            "their names"},
        Wrong{"pandas", "pd.DataFrame({'a': x, 'b': x})[1:]", "a: int64, b: int64",
              "rows 0 to 4: result of 4 values for 5 rows; return one value a row"},
        Wrong{"pandas", "pd.DataFrame({'b': x * 100, 'a': x})", "a: int64, b: int8",
              "row 1: column \"b\": result of dtype int64 does not fit int8: 200 is outside of -128 to 127; return a "
              "number in that range, or change the result type to a wider one"},
        Wrong{"arrow", "[1]", "y: int64",
              "rows 0 to 4: result of type int has no __arrow_c_array__; return an Arrow array with one value a row"},
        Wrong{"arrow", "x", "y: string",
              "rows 0 to 4: result of Arrow type int64 does not fit string; cast it, or change the result type"},
        Wrong{"arrow", "(x, x, x)", "a: int64, b: int64",
              "rows 0 to 4: result of 3 columns for 2 result columns; return as many, in their order"}));

TEST(Columns, ArrowObjectsHaveCapsulesAndALength) {
  Session session;
  OpenFunction f =
      session.open(vectorized("arrow",
                              "kept = []\n"
                              "def f(x):\n"
                              "    schema, array = x.__arrow_c_array__()\n"
                              "    assert type(x.__arrow_c_schema__()).__name__ == 'PyCapsule'\n"
                              "    assert 'arrow_schema' in repr(schema) and 'arrow_array' in repr(array)\n"
                              "    kept.append(x)\n"
                              "    return x if len(x) == 2 else kept[0]\n"));
  columnar::Array rows = some_ints({1, 2, std::nullopt, 4});
  EXPECT_THAT(f.submit(columnar::slice(*rows, 1, 2)).rows, ElementsAre("{'y': 2}", "{'y': null}"));
  Outcome outcome = f.submit(ints({7}));
  EXPECT_EQ(outcome.error.message, "function \"f\" row 0: result of 2 values for 1 rows; return one value a row");
}

TEST(Columns, ChainsHandArraysOn) {
  SKIP_WITHOUT("numpy");
  Session session;
  SpecText spec = vectorized("numpy", "def f(x): return x + 1\n");
  spec.steps.push_back({"g", "table.scalar.vectorized", "source", "def g(x): return x[:len(x) if x[0] else 1] * 10\n"});
  spec.steps[1].options.add("style", "numpy");
  spec.steps.push_back({"h", "table.scalar.vectorized", "source", "def h(x): return x - 1\n"});
  spec.steps[2].options.add("style", "numpy");
  OpenFunction f = session.open(spec);
  EXPECT_THAT(f.submit(ints({1, 2})).rows, ElementsAre("{'y': 19}", "{'y': 29}"));
  EXPECT_EQ(f.submit(ints({-1, 2})).error.message,
            "function \"g\" rows 0 to 1: result of 1 values for 2 rows; return one value a row");
}

TEST(Columns, WhatCannotBeServedIsRefusedWhenItOpens) {
  Session session;
  SpecText spec = vectorized("arrow", "def f(x): return x\n");
  spec.on_error = CLUTCH_ON_ERROR_NULL;
  EXPECT_EQ(session.refuse(spec).message,
            "function \"f\": table.scalar.vectorized is called for whole batches, so an error cannot be put down to a "
            "row; choose on_error fail");
  spec.on_error = CLUTCH_ON_ERROR_FAIL;
  spec.steps.push_back({"g", "table.scalar", "source", "def g(x): return x\n"});
  EXPECT_EQ(session.refuse(spec).message,
            "function \"f\": a chain cannot hold \"f\" of kind table.scalar.vectorized and \"g\" of kind table.scalar; "
            "make them functions of their own");
  EXPECT_EQ(session.refuse(vectorized("polars", "def f(x): return x\n")).message,
            "function \"f\": style \"polars\" is none of arrow, numpy, pandas");
  spec.steps[1].kind = "table.scalar.vectorized";
  EXPECT_EQ(session.refuse(spec).message,
            "function \"f\": step \"g\" has style pandas and the one before it arrow; all steps of a chain need one "
            "style");
  SpecText row = vectorized("numpy", "def f(x): return x\n");
  row.steps[0].options.add("takes_row", "true");
  EXPECT_EQ(session.refuse(row).message,
            "function \"f\": style numpy has no array of all columns; use style pandas or arrow");
  EXPECT_EQ(session.refuse(vectorized("arrow", "async def f(x): return x\n")).message,
            "function \"f\": it is an async function, and table.scalar.vectorized calls plain functions; remove "
            "'async'");
  if (!has_package("pandas")) {
    EXPECT_THAT(session.refuse(vectorized("pandas", "def f(x): return x\n")).message,
                ::testing::StartsWith("function \"f\": style pandas needs pandas, which "));
  }
}

TEST(Columns, ADeadlineStopsTheCall) {
  SKIP_WITHOUT("numpy");
  Session session;
  OpenFunction f = session.open(vectorized("numpy", "import time\ndef f(x):\n    while True: pass\n"));
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  Outcome outcome = f.submit(ints({1, 2}), now.tv_sec * 1'000'000'000 + now.tv_nsec + 50'000'000);
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE);
  EXPECT_THAT(outcome.error.message,
              HasSubstr("function \"f\" rows 0 to 1: interrupted because the batch was not done"));
}

}  // namespace
}  // namespace clutch::pyembed::testing
