#include "operators/python_sink_operator.h"

#include <array>
#include <utility>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"

namespace clutch::engine {
namespace {

BatchType control_type() {
  columnar::Field flush{"flush", {}, false};
  flush.type.id = columnar::TypeId::kBool;
  columnar::Field given{"given", {}, false};
  given.type.id = columnar::TypeId::kInt64;
  return {columnar::struct_of({std::move(flush), std::move(given)}).type, std::nullopt};
}

}  // namespace

std::vector<BatchType> PythonSinkOperator::inputs(const BatchType& element) {
  return {element.without_key(), control_type()};
}

columnar::Field PythonSinkOperator::function_output() {
  columnar::Field nothing{"value", {}, true};
  nothing.type.id = columnar::TypeId::kBool;
  return columnar::struct_of({std::move(nothing)});
}

PythonSinkOperator::PythonSinkOperator(FunctionDefinition definition, const BatchType& element)
    : RowsOperator(std::move(definition), RowsShape{inputs(element), {}, true}) {}

columnar::Array PythonSinkOperator::control_row(bool flush) const {
  columnar::ArrayBuilder row(control_type().field());
  row.child(0).child(0).append_bool(flush);
  row.child(0).child(1).append(given_);
  row.child(0).append_struct();
  row.child(1).append_null();
  row.append_struct();
  return row.finish();
}

Result<columnar::Array> PythonSinkOperator::arrange(size_t input, columnar::Array batch) {
  if (input == 1) return RowsOperator::arrange(1, std::move(batch));
  given_ += batch->length;
  CLUTCH_ASSIGN_OR_RETURN(const columnar::Array elements, RowsOperator::arrange(0, std::move(batch)));
  CLUTCH_ASSIGN_OR_RETURN(const columnar::Array control, RowsOperator::arrange(1, control_row(false)));
  const std::array<const ArrowArray*, 2> parts = {elements.get(), control.get()};
  return columnar::concatenate(arranged(), parts);
}

Status PythonSinkOperator::move_to(const std::string& mode) {
  return Status(CLUTCH_ERR_UNSUPPORTED,
                "a sink in Python cannot move to the mode \"" + mode +
                    "\" while it runs, since its instance knows what it has written; start the job in that mode");
}

Status PythonSinkOperator::drain(Output& output) {
  CLUTCH_RETURN_IF_ERROR(process(1, control_row(true), output));
  return RowsOperator::drain(output);
}

}  // namespace clutch::engine
