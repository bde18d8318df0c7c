#include "operators/column_operator.h"

#include <string>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "exchange/share.h"

namespace clutch::engine {
namespace {

columnar::Field int32_field(const char* name) {
  columnar::Field field{name, {}, false};
  field.type.id = columnar::TypeId::kInt32;
  return field;
}

columnar::Array constant(int32_t number, int64_t rows) {
  columnar::ArrayBuilder builder(int32_field("n"));
  builder.reserve(rows);
  for (int64_t row = 0; row < rows; ++row) builder.append(number);
  return builder.finish();
}

}  // namespace

ColumnOperator::ColumnOperator(FunctionDefinition definition, Column column, const BatchType& input, int32_t receivers)
    : FunctionOperator(std::move(definition)),
      column_(column),
      arranged_(input.field()),
      has_key_(input.key.has_value()),
      receivers_(receivers) {}

columnar::Field ColumnOperator::function_input(Column column, const BatchType& input) {
  if (column == Column::kKey) return columnar::struct_of({input.value_field()});
  if (column == Column::kTimestamp) return columnar::struct_of({input.value_field(), timestamp_field()});
  return columnar::struct_of({input.key_field(), int32_field("n")});
}

columnar::Field ColumnOperator::function_output(Column column, const BatchType& output) {
  if (column == Column::kKey) return columnar::struct_of({output.key_field()});
  columnar::Field field = column == Column::kTimestamp ? timestamp_field() : int32_field("partition");
  field.nullable = false;
  return columnar::struct_of({std::move(field)});
}

Result<FunctionOperator::Submission> ColumnOperator::prepare(columnar::Array arranged) {
  Submission submission;
  const int64_t rows = arranged->length;
  std::vector<columnar::Array> columns = take_columns(std::move(arranged));
  std::vector<columnar::Array> given;
  if (column_ == Column::kPartition) {
    given.push_back(std::move(columns[1]));
    given.push_back(constant(receivers_, rows));
    columns.erase(columns.begin() + 1);
  } else {
    const Shared value(std::move(columns[0]));
    columns[0] = value.view();
    given.push_back(value.view());
  }
  if (column_ == Column::kTimestamp) {
    given.push_back(std::move(columns.back()));
    columns.pop_back();
  }
  if (column_ == Column::kKey && has_key_) columns.erase(columns.begin() + 1);  // the key before this one
  submission.kept = std::move(columns);
  submission.rows = columnar::make_batch(rows, std::move(given));
  return submission;
}

Status ColumnOperator::deliver(FunctionResult& result, Kept kept, Output& output) {
  CLUTCH_ASSIGN_OR_RETURN(columnar::Array rows, result.take_rows());
  const int64_t count = rows->length;
  columnar::Array column = std::move(Shared(std::move(rows)).columns()[0]);
  kept.insert(column_ == Column::kKey ? kept.begin() + 1 : kept.end(), std::move(column));
  return output.emit(columnar::make_batch(count, std::move(kept)));
}

}  // namespace clutch::engine
