#include "plan/inputs.h"

#include "plan/timestamps.h"

namespace clutch::pyembed {

Result<Inputs> Inputs::make(const FunctionSpec& spec, const Module& module) {
  Inputs inputs;
  const std::vector<columnar::Field>& columns = spec.input.type.children;
  inputs.whole_rows_ = !spec.steps.front().table && columns.size() > 1;
  if (inputs.whole_rows_) {
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Reader> reader, Reader::make(spec.input, module));
    inputs.readers_.push_back(std::move(reader));
  } else {
    const bool timestamps = spec.steps.front().kind == CLUTCH_KIND_STREAM_TIMESTAMPS;
    for (const columnar::Field& column : columns) {
      if (timestamps && &column == &columns.back()) {
        inputs.readers_.push_back(make_timestamp_reader(column, module));
        continue;
      }
      CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Reader> reader, Reader::make(column, module));
      inputs.readers_.push_back(std::move(reader));
    }
  }
  inputs.stack_.resize(1 + inputs.readers_.size());
  return inputs;
}

bool Inputs::bind(const ArrowArray& rows) {
  rows_ = &rows;
  first_ = whole_rows_ ? 0 : rows.offset;
  for (size_t i = 0; i < readers_.size(); ++i) {
    if (!readers_[i]->bind(array(i))) return false;
  }
  return true;
}

void Inputs::unbind() {
  for (const std::unique_ptr<Reader>& reader : readers_) reader->unbind();
  rows_ = nullptr;
}

PyObject* Inputs::call(const PlannedStep& step, int64_t row, Fault& fault) {
  const size_t count = readers_.size();
  PyObject** arguments = stack_.data() + 1;
  for (size_t i = 0; i < count; ++i) {
    arguments[i] = readers_[i]->read(first_ + row);
    if (arguments[i] != nullptr) continue;
    while (i > 0) Py_DECREF(arguments[--i]);
    fault.reason = Fault::Reason::kRead;
    fault.column = i;
    return nullptr;
  }
  PyObject* result = step.call(step.callable, arguments, count | kArgsOffset, nullptr);
  for (size_t i = 0; i < count; ++i) Py_DECREF(arguments[i]);
  if (result == nullptr) fault.reason = Fault::Reason::kRaised;
  return result;
}

}  // namespace clutch::pyembed
