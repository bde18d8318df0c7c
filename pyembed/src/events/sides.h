// Side outputs of a function: declared when it opens, written like the main output.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/executor.h"
#include "plan/outputs.h"

namespace clutch::pyembed {

class SideOutputs {
 public:
  struct Side {
    std::string name;
    uint32_t tag;
    FunctionSpec spec;  // the function's, with this output
    Outputs outputs;
  };

  // From the step's option "side_outputs"; a sentence says what is wrong with it.
  static Result<SideOutputs> make(const Gil& gil, const Executor::Parts& parts);

  // NULL where nobody declared it.
  Side* find(std::string_view name);

  // How many rows each output has, and back to that.
  std::vector<int64_t> counts() const;
  void truncate(const std::vector<int64_t>& counts);
  void clear();

  // Hand the rows to the host, as Executor::emit.
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error);

 private:
  std::vector<Side> sides_;
};

}  // namespace clutch::pyembed
