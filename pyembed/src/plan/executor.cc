#include "plan/executor.h"

#include "plan/plan.h"

namespace clutch::pyembed {

Result<std::unique_ptr<Executor>> Executor::make(const Gil& gil, const Parts& parts) {
  switch (parts.spec.steps.front().shape) {
    case Shape::kRow:
    case Shape::kRows:
    case Shape::kFilter:
      return Plan::make(gil, parts);
  }
  return Status(CLUTCH_ERR_INTERNAL, "a function has a shape that nothing runs");
}

}  // namespace clutch::pyembed
