// A function's specification, copied out of the host's memory and checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/abi/spec.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::pyembed {

using Options = std::vector<std::pair<std::string, std::string>>;

Options copy_options(const clutch_options& options);

// The value of a key, the last one if it stands there twice.
std::optional<std::string_view> find_option(const Options& options, std::string_view key);

// What one row in gives (kKey: the value and its key), or (kFold, kGroups) one group of rows, or (kColumns) all rows of
// a batch, or (kEvents) one row or timer, or (kWindows) one event of the engine's windows.
enum class Shape : uint8_t { kRow, kRows, kFilter, kKey, kFold, kGroups, kColumns, kAsync, kEvents, kWindows };

// Where an argument of a step of a fused function comes from.
struct Argument {
  enum class From : uint8_t { kColumn, kStep, kConstant };
  From from = From::kColumn;
  size_t index = 0;  // of the column, the step, or in `constants`
};

// A constant as a spec has it.
struct ConstantSpec {
  std::string text;
  bool pickled = false;  // base64 of a pickle, else a literal
};

struct StepSpec {
  std::string name;
  std::string kind;
  Shape shape = Shape::kRow;
  bool table = false;  // columns are the arguments, if it stands first
  std::string format;
  std::string payload;
  Options options;
  std::vector<Argument> arguments;  // of a fused function, like the two below
  std::vector<ConstantSpec> constants;
  std::optional<size_t> output;  // the result column it gives
};

// One row in gives one row out.
inline bool is_one_to_one(const StepSpec& step) {
  return step.shape == Shape::kRow || step.shape == Shape::kKey || (step.shape == Shape::kAsync && step.table);
}

struct FunctionSpec {
  std::string name;
  std::vector<StepSpec> steps;
  columnar::Field input;
  columnar::Field output;
  int32_t on_error = CLUTCH_ON_ERROR_FAIL;
  bool fused = false;  // the steps say where their arguments come from
  Options options;
};

// The shape of a kind this runtime serves, or nothing.
std::optional<Shape> shape_of(std::string_view kind);

// Read and check: kinds, payload formats and schemas that are served, a chain that fits together. Fails with
// CLUTCH_ERR_UNSUPPORTED or CLUTCH_ERR_ARGUMENT in a sentence that stands alone.
Result<FunctionSpec> read_spec(const clutch_spec& spec);

// Milliseconds from "250", "250 ms", "1 s", "2 min". Fails with CLUTCH_ERR_CONFIG, naming key and value.
Result<int64_t> parse_milliseconds(std::string_view key, std::string_view text);

}  // namespace clutch::pyembed
