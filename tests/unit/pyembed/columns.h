// Functions of whole columns under test.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "batches.h"
#include "clutch/columnar/ops.h"
#include "session.h"

namespace clutch::pyembed::testing {

// True if the interpreter under test has the package; asks by a function.
inline bool has_package(const std::string& name) {
  Session session;
  OpenFunction f =
      session.open(source("table.scalar", "import importlib.util\ndef f(x): return int(importlib.util.find_spec('" +
                                              name + "') is not None)\n"));
  return f.submit(ints({0})).rows == std::vector<std::string>{"{'y': 1}"};
}

#define SKIP_WITHOUT(package) \
  if (!has_package(package)) GTEST_SKIP() << "this interpreter has no " package

inline SpecText vectorized(const std::string& style, const std::string& text, const std::string& in = "int64",
                           const std::string& out = "int64") {
  SpecText spec = source("table.scalar.vectorized", text, in, out);
  spec.steps[0].options.add("style", style);
  return spec;
}

// A column of JSON-like pieces: what to append is said by the caller.
inline columnar::Array one_column(columnar::ArrayBuilder& builder) {
  std::vector<columnar::Array> columns;
  columns.push_back(builder.finish());
  return batch_of(std::move(columns));
}

// int64 with nulls where there is none.
inline columnar::Array some_ints(const std::vector<std::optional<int64_t>>& values) {
  columnar::ArrayBuilder builder(column("x", "int64"));
  for (const std::optional<int64_t>& value : values) {
    if (value) {
      builder.append(*value);
    } else {
      builder.append_null();
    }
  }
  return one_column(builder);
}

inline columnar::Array floats(const std::vector<double>& values) {
  columnar::ArrayBuilder builder(column("x", "float64"));
  for (double value : values) builder.append(value);
  return one_column(builder);
}

}  // namespace clutch::pyembed::testing
