#include "operators/sink_operator.h"

namespace clutch::engine {

Status SinkOperator::open(const OperatorContext& context) {
  CLUTCH_ASSIGN_OR_RETURN(writer_,
                          sink_->writer(element_, SinkContext{context.subtask, context.parallelism, context.job_name}));
  return writer_->open();
}

Status SinkOperator::process(size_t, columnar::Array batch, Output&) { return writer_->take(std::move(batch)); }

Status SinkOperator::close() {
  if (writer_ != nullptr) writer_->close();
  return {};
}

}  // namespace clutch::engine
