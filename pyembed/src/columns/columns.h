// One call a batch, with whole columns: how vectorized functions are served.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "columns/column_arguments.h"
#include "columns/results.h"
#include "plan/executor.h"

namespace clutch::pyembed {

class ColumnsExecutor : public Executor {
 public:
  // Imports numpy and pandas where the style needs them. Fails with CLUTCH_ERR_UNSUPPORTED and a sentence.
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) override;
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) override;

 private:
  ColumnsExecutor(Interpreter& interpreter, const FunctionSpec& spec, ColumnArguments arguments)
      : interpreter_(&interpreter), spec_(&spec), arguments_(std::move(arguments)) {}
  Status start(const Gil& gil, const Parts& parts);

  // What the function gave for the batch; empty with `status` set.
  PyRef call(const Gil& gil, const clutch_batch& batch, Watch& watch, std::shared_ptr<Kept> kept, Status& status);
  Status convert(const Gil& gil, PyRef given, int64_t rows, Watch& watch);
  Status convert_arrow(PyObject* given, int64_t rows);
  // The Python error that is set, as the failure of the batch.
  Status failed(const Gil& gil, Watch& watch, int64_t rows, const PartMaker* maker);
  Status unfit(const ResultFault& fault) const;
  // function "f" rows 0 to 9, or row 3.
  std::string where(int64_t row, int64_t rows) const;

  Interpreter* interpreter_;
  const FunctionSpec* spec_;
  ColumnArguments arguments_;
  std::vector<std::unique_ptr<ResultColumn>> results_;
  PyRef driver_;
  PyRef run_;
  PyRef unfit_;
  columnar::Array finished_;
};

}  // namespace clutch::pyembed
