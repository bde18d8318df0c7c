#include "plan/executor.h"

#include "asynchronous/async.h"
#include "asynchronous/stream_async.h"
#include "columns/columns.h"
#include "events/events.h"
#include "fold/fold.h"
#include "fold/groups.h"
#include "plan/plan.h"
#include "windows/windows.h"

namespace clutch::pyembed {

Result<std::unique_ptr<Executor>> Executor::make(const Gil& gil, const Parts& parts) {
  switch (parts.spec.steps.front().shape) {
    case Shape::kRow:
    case Shape::kRows:
    case Shape::kFilter:
    case Shape::kKey:
      return Plan::make(gil, parts);
    case Shape::kFold:
      return FoldExecutor::make(gil, parts);
    case Shape::kGroups:
      return GroupsExecutor::make(gil, parts);
    case Shape::kColumns:
      return ColumnsExecutor::make(gil, parts);
    case Shape::kAsync:
      if (!parts.spec.steps.front().table) return StreamAsyncExecutor::make(gil, parts);
      return AsyncExecutor::make(gil, parts);
    case Shape::kEvents:
      return EventsExecutor::make(gil, parts);
    case Shape::kWindows:
      return WindowsExecutor::make(gil, parts);
  }
  return Status(CLUTCH_ERR_INTERNAL, "a function has a shape that nothing runs");
}

}  // namespace clutch::pyembed
