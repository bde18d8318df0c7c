// Windows as text, for the messages of failed tests.
#pragma once

#include <ostream>

#include "window/tracker.h"
#include "window/window.h"

namespace clutch::engine {

inline std::ostream& operator<<(std::ostream& out, const Window& window) {
  return out << "[" << window.start << ", " << window.end << ")";
}

inline std::ostream& operator<<(std::ostream& out, const WindowAction& action) {
  static constexpr const char* kNames[] = {"add", "merge", "fire", "purge", "drop", "late"};
  return out << kNames[static_cast<size_t>(action.kind)] << " key " << action.key << " window " << action.window
             << " state " << action.state << " source " << action.source << " row " << action.row;
}

}  // namespace clutch::engine
