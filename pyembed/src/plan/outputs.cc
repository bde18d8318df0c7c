#include "plan/outputs.h"

#include <algorithm>
#include <span>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

columnar::Array make_origin(columnar::Buffer buffer, int64_t length) {
  std::vector<columnar::Buffer> buffers(2);
  buffers[1] = std::move(buffer);
  return columnar::make_array(length, 0, std::move(buffers), {});
}

// What reaches the last step is the value of the only input column, and the output takes it as it is.
bool gives_input_values(const FunctionSpec& spec) {
  if (spec.input.type.children.size() != 1) return false;
  const columnar::Field& in = spec.input.type.children.front();
  const columnar::Field& out = spec.output.type.children.front();
  if (!(in.type == out.type) || (in.nullable && !out.nullable)) return false;
  return std::all_of(spec.steps.begin(), spec.steps.end() - 1,
                     [](const StepSpec& step) { return step.shape == Shape::kFilter; });
}

}  // namespace

Result<Outputs> Outputs::make(const FunctionSpec& spec, const Module& module) {
  Outputs outputs;
  bool only_filters = true;
  outputs.one_to_one_ = true;
  for (const StepSpec& step : spec.steps) {
    if (step.shape != Shape::kFilter) only_filters = false;
    if (!is_one_to_one(step)) outputs.one_to_one_ = false;
  }
  if (only_filters) return outputs;
  columnar::Field field = spec.output;
  field.nullable = false;  // a row is never null, its columns may be
  outputs.single_ = spec.output.type.children.size() == 1;
  if (outputs.single_) field = spec.output.type.children.front();
  const bool keyed = spec.steps.back().shape == Shape::kKey;
  outputs.only_keys_ = keyed && gives_input_values(spec);
  if (outputs.only_keys_) {
    outputs.value_ = spec.input.type.children.front();
    field = spec.output.type.children.back();
  }
  CLUTCH_ASSIGN_OR_RETURN(outputs.writer_, Writer::make(field, module));
  if (keyed) (outputs.only_keys_ ? *outputs.writer_ : *outputs.writer_->column(1)).use_for_keys();
  outputs.builder_ = std::make_unique<columnar::ArrayBuilder>(field);
  return outputs;
}

std::string Outputs::column_path(const FunctionSpec& spec, const std::string& below) const {
  if (only_keys_) return spec.output.type.children.back().name + below;
  if (single_) return spec.output.type.children.front().name + below;
  return !below.empty() && below.front() == '.' ? below.substr(1) : below;
}

void Outputs::truncate_rows(int64_t count) {
  if (builder_ != nullptr && builder_->length() > count) builder_->truncate(count);
  if (!one_to_one_) origin_.resize(count * static_cast<int64_t>(sizeof(int32_t)));
}

void Outputs::append_null_row() {
  if (single_) {
    builder_->append_null();
    return;
  }
  for (size_t i = 0; i < builder_->child_count(); ++i) builder_->child(i).append_null();
  builder_->append_struct();
}

Outputs::Finished Outputs::finish(int64_t input_rows) {
  Finished finished;
  if (builder_ == nullptr) {
    finished.length = origin_count();
  } else {
    finished.length = builder_->length();
    finished.rows = builder_->finish();
    if (single_) {
      std::vector<columnar::Array> columns;
      columns.push_back(std::move(finished.rows));
      finished.rows = columnar::make_batch(finished.length, std::move(columns));
    }
  }
  if (!one_to_one_) {
    finished.origin = make_origin(std::move(origin_), finished.length);
  } else if (!skipped_.empty()) {
    columnar::Buffer origin;
    origin.reserve(finished.length * static_cast<int64_t>(sizeof(int32_t)));
    auto skipped = skipped_.begin();
    for (int64_t row = 0; row < input_rows; ++row) {
      if (skipped != skipped_.end() && *skipped == row) {
        ++skipped;
      } else {
        origin.push<int32_t>(static_cast<int32_t>(row));
      }
    }
    finished.origin = make_origin(std::move(origin), finished.length);
  }
  origin_ = columnar::Buffer();
  skipped_.clear();
  return finished;
}

Result<Outputs::Finished> Outputs::finish_rows(const ArrowArray& input) {
  Finished finished = finish(input.length);
  if (!only_keys_) return finished;
  const ArrowArray& column = *input.children[0];
  columnar::Array values = columnar::slice(column, input.offset, input.length);
  if (finished.origin.empty()) {
    CLUTCH_ASSIGN_OR_RETURN(values, columnar::copy(value_, *values));
  } else {
    const std::span<const int32_t> rows(columnar::ArrayView(*finished.origin).values<int32_t>(),
                                        static_cast<size_t>(finished.length));
    CLUTCH_ASSIGN_OR_RETURN(values, columnar::take(value_, *values, rows));
  }
  std::vector<columnar::Array> columns;
  columns.push_back(std::move(values));
  columns.push_back(std::move(finished.rows));
  finished.rows = columnar::make_batch(finished.length, std::move(columns));
  return finished;
}

void Outputs::clear() {
  if (builder_ != nullptr) builder_->finish().reset();
  origin_.clear();
  skipped_.clear();
}

}  // namespace clutch::pyembed
