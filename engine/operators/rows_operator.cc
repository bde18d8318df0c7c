#include "operators/rows_operator.h"

#include <algorithm>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "exchange/share.h"
#include "operators/timestamps.h"

namespace clutch::engine {
namespace {

columnar::Field input_field() {
  columnar::Field field{"input", {}, false};
  field.type.id = columnar::TypeId::kInt8;
  return field;
}

columnar::Array nulls(const columnar::Field& field, int64_t rows) {
  columnar::ArrayBuilder builder(field);
  for (int64_t row = 0; row < rows; ++row) builder.append_null();
  return builder.finish();
}

columnar::Array number_column(int8_t number, int64_t rows) {
  columnar::ArrayBuilder builder(input_field());
  builder.data().resize(rows);
  std::fill_n(builder.data().data(), rows, static_cast<uint8_t>(number));
  builder.advance(rows);
  return builder.finish();
}

// The function's columns, the key if any input has one, the timestamp.
columnar::Field arranged_field(const std::vector<BatchType>& inputs) {
  columnar::Field field = RowsOperator::function_input(inputs);
  for (const BatchType& input : inputs) {
    if (!input.key.has_value()) continue;
    field.type.children.push_back(input.key_field());
    break;
  }
  field.type.children.push_back(timestamp_field());
  return field;
}

}  // namespace

columnar::Field RowsOperator::function_input(const std::vector<BatchType>& inputs) {
  if (inputs.size() == 1) return columnar::struct_of({inputs[0].value_field()});
  return columnar::struct_of({input_field(), {"value1", inputs[0].value, true}, {"value2", inputs[1].value, true}});
}

RowsOperator::RowsOperator(FunctionDefinition definition, RowsShape shape)
    : FunctionOperator(std::move(definition)),
      shape_(std::move(shape)),
      arranged_(arranged_field(shape_.inputs)),
      payload_(shape_.inputs.size() == 1 ? 1 : 3) {}

Result<columnar::Array> RowsOperator::arrange(size_t input, columnar::Array batch) {
  if (shape_.inputs.size() == 1) return batch;
  const int64_t rows = batch->length;
  std::vector<columnar::Array> columns = take_columns(std::move(batch));
  std::vector<columnar::Array> out;
  out.push_back(number_column(static_cast<int8_t>(input), rows));
  out.push_back(input == 0 ? std::move(columns.front()) : nulls(arranged_.type.children[1], rows));
  out.push_back(input == 1 ? std::move(columns.front()) : nulls(arranged_.type.children[2], rows));
  // The broadcast input of a keyed function has no keys of its own.
  if (has_key()) out.push_back(columns.size() == 3 ? std::move(columns[1]) : nulls(key_field(), rows));
  out.push_back(std::move(columns.back()));
  return columnar::make_batch(rows, std::move(out));
}

RowsOperator::Parts RowsOperator::divide(columnar::Array arranged, Submission& submission) const {
  Parts parts;
  std::vector<columnar::Array> columns = take_columns(std::move(arranged));
  if (shape_.needs_time) {
    const Shared timestamps(std::move(columns.back()));
    submission.extras.timestamps = timestamps.view();
    submission.extras.watermark = watermark_;
    submission.kept.push_back(timestamps.view());
  } else {
    submission.kept.push_back(std::move(columns.back()));
  }
  columns.pop_back();
  if (has_key()) {
    parts.key = std::move(columns.back());
    columns.pop_back();
  }
  parts.payload = std::move(columns);
  return parts;
}

Result<FunctionOperator::Submission> RowsOperator::prepare(columnar::Array arranged) {
  Submission submission;
  const int64_t rows = arranged->length;
  submission.rows = columnar::make_batch(rows, divide(std::move(arranged), submission).payload);
  return submission;
}

columnar::Array RowsOperator::empty_rows() const {
  return columnar::ArrayBuilder(function_input(shape_.inputs)).finish();
}

void RowsOperator::passed(const TimeSignal& signal) {
  if (signal.kind == TimeSignal::Kind::kWatermark) watermark_ = std::max(signal.time, watermark_.value_or(signal.time));
}

Status RowsOperator::deliver(FunctionResult& result, Kept kept, Output& output) {
  if (!shape_.sides.empty()) {
    const Shared timestamps(std::move(kept[0]));
    kept[0] = timestamps.view();
    CLUTCH_RETURN_IF_ERROR(deliver_sides(result, timestamps.view(), output));
  }
  const int64_t count = result.row_count();
  if (count == 0) return {};
  columnar::Array timestamps;
  if (from_timers(result.origin(), count)) {
    CLUTCH_ASSIGN_OR_RETURN(timestamps, timestamps_with_timers(result.timestamps()));
  } else {
    timestamps = timestamps_of_rows(std::move(kept[0]), result.origin(), count);
  }
  CLUTCH_ASSIGN_OR_RETURN(columnar::Array rows, result.take_rows());
  std::vector<columnar::Array> columns = Shared(std::move(rows)).columns();
  columns.push_back(std::move(timestamps));
  return output.emit(columnar::make_batch(count, std::move(columns)));
}

Status RowsOperator::deliver_sides(FunctionResult& result, columnar::Array timestamps, Output& output) {
  const Shared times(std::move(timestamps));
  for (size_t side = 0; side < shape_.sides.size(); ++side) {
    const auto& [tag, element] = shape_.sides[side];
    const ArrowSchema* schema = result.side_schema(tag);
    const ArrowArray* rows = result.side_rows(tag);
    if (schema == nullptr || rows == nullptr || rows->length == 0) continue;
    CLUTCH_ASSIGN_OR_RETURN(columnar::Field declared, columnar::import_field(*schema));
    // The result keeps its side outputs, so their rows are copied.
    CLUTCH_ASSIGN_OR_RETURN(columnar::Array copied, columnar::copy(declared, *rows));
    const int64_t count = copied->length;
    std::vector<columnar::Array> columns;
    if (declared.type == element) {
      columns.push_back(std::move(copied));  // a row is declared by its fields
    } else {
      columns = take_columns(std::move(copied));
    }
    const int32_t* const origin = result.side_origin(tag);
    if (from_timers(origin, count)) {
      CLUTCH_ASSIGN_OR_RETURN(columnar::Array of_side, timestamps_with_timers(result.side_timestamps(tag)));
      columns.push_back(std::move(of_side));
    } else {
      columns.push_back(timestamps_of_rows(times.view(), origin, count));
    }
    CLUTCH_RETURN_IF_ERROR(output.emit_side(side, columnar::make_batch(count, std::move(columns))));
  }
  return {};
}

}  // namespace clutch::engine
