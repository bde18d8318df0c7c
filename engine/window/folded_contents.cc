#include "window/contents.h"

namespace clutch::engine {

FoldedContents::FoldedContents(columnar::Field value, bool clears) : value_(std::move(value)), clears_(clears) {
  none_ = columnar::ArrayBuilder(value_).finish();
}

Status FoldedContents::run(const WindowActions& actions, const WindowElements*, WindowEventBatch& out) {
  for (const WindowAction& action : actions) {
    switch (action.kind) {
      case WindowAction::Kind::kAdd:
        out.add(action.key, action.state, static_cast<int32_t>(action.row));
        break;
      case WindowAction::Kind::kMerge:
        out.merge(action.key, action.state, action.source);
        break;
      case WindowAction::Kind::kFire:
        out.fire(action.key, action.state, action.window, action.window.max_timestamp());
        break;
      case WindowAction::Kind::kPurge:
        out.purge(action.key, action.state);
        break;
      case WindowAction::Kind::kDrop:
        out.purge(action.key, action.state);
        if (clears_) out.clear(action.key, action.state, action.window);
        break;
      case WindowAction::Kind::kLate:
        break;
    }
  }
  return {};
}

std::vector<WindowEventBatch::Values> FoldedContents::values(const WindowElements* elements) {
  return {{&value_, elements != nullptr ? elements->values[0] : none_.get()}};
}

}  // namespace clutch::engine
