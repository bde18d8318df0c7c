#include "loading/streams.h"

namespace clutch::pyembed {
namespace {

using columnar::Field;
using columnar::TypeId;

bool are_named(const Field& batch, std::string_view first, std::string_view second) {
  const auto& columns = batch.type.children;
  return columns.size() == 2 && columns[0].name == first && columns[1].name == second;
}

Status check_keys(const FunctionSpec& spec) {
  const std::string what = "function \"" + spec.name + "\": ";
  for (const StepSpec& step : spec.steps) {
    if (step.shape != Shape::kKey || &step == &spec.steps.back()) continue;
    return Status(CLUTCH_ERR_UNSUPPORTED, what + "step \"" + step.name + "\" is a " + step.kind +
                                              ", which ends a chain; put the steps after it into a function of their "
                                              "own");
  }
  if (spec.steps.back().shape != Shape::kKey) return {};
  if (!are_named(spec.output, "value", "key")) {
    return Status(CLUTCH_ERR_ARGUMENT, what + spec.steps.back().kind +
                                           " gives the columns value and key, so its output schema must be these two, "
                                           "not " +
                                           columnar::to_string(spec.output.type));
  }
  if (spec.on_error == CLUTCH_ON_ERROR_NULL) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  what + spec.steps.back().kind +
                      " cannot give a null row, because its key says where the row goes; choose on_error fail or "
                      "dead_letter",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return {};
}

Status check_timestamps(const FunctionSpec& spec) {
  const std::string what = "function \"" + spec.name + "\": " + spec.steps.front().kind;
  if (!are_named(spec.input, "value", "timestamp") || spec.input.type.children[1].type.id != TypeId::kInt64) {
    return Status(CLUTCH_ERR_ARGUMENT, what +
                                           " takes the columns value and timestamp (int64), so its input schema must "
                                           "be these two, not " +
                                           columnar::to_string(spec.input.type));
  }
  const auto& columns = spec.output.type.children;
  if (columns.size() != 1 || columns.front().type.id != TypeId::kInt64) {
    return Status(CLUTCH_ERR_ARGUMENT, what + " gives one column of int64, so its output schema must be that, not " +
                                           columnar::to_string(spec.output.type));
  }
  return {};
}

}  // namespace

Status check_streams(const FunctionSpec& spec) {
  CLUTCH_RETURN_IF_ERROR(check_keys(spec));
  return spec.steps.front().kind == CLUTCH_KIND_STREAM_TIMESTAMPS ? check_timestamps(spec) : Status();
}

}  // namespace clutch::pyembed
