// ListView and MapView of accumulators, over list and map state of the host. What is not asked for is not loaded:
// fold.py keeps what a batch changed as bytes and reads the rest page by page, through the functions of this class.
#pragma once

#include <memory>
#include <string_view>

#include "plan/executor.h"
#include "state/stored.h"

namespace clutch::pyembed {

class Views {
 public:
  // `text` is the step's option "views". Declares a state for each. A sentence says what is wrong with it.
  static Result<std::unique_ptr<Views>> make(const Gil& gil, const Executor::Parts& parts, std::string_view text,
                                             const columnar::Field& accumulator);
  Views(const Views&) = delete;
  Views& operator=(const Views&) = delete;

  // Each returns false, or an empty reference, with a Python error set.
  bool begin(const Gil& gil, const Host& host, const clutch_batch& batch);
  PyRef attach(const Gil& gil, PyView accumulator, int32_t group);
  PyRef detach(const Gil& gil, PyView accumulator);
  bool clear(const Gil& gil, int32_t group);
  bool begin_row(const Gil& gil);
  bool undo_row(const Gil& gil);
  bool flush(const Gil& gil);
  // Views that user code still holds find no state any more.
  void end() { states_.end(); }

 private:
  Views() = default;
  bool call(const char* method, PyObject* argument = nullptr);

  StoredStates states_;
  PyRef object_;  // fold.py's Views
};

}  // namespace clutch::pyembed
