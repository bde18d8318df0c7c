// The sessions of one key: windows that grow together, while their contents stay where they were first put.
#pragma once

#include <optional>
#include <vector>

#include "window/window.h"

namespace clutch::engine {

// What adding a window did.
struct Merge {
  Window window;  // the window in flight that the added one is now part of
  Window state;   // under which name its contents lie
  // Windows that are no more because `window` took their place; empty when the added window stands alone or lies inside
  // one that is there already.
  std::vector<Window> merged;
  // Names whose contents must be moved to `state`; they are never named again.
  std::vector<Window> merged_states;
};

// Windows in flight never touch each other. Contents are named after the first window they were in, so a session that
// grows by one record moves nothing, and only joining two sessions moves the contents of one of them.
class MergingWindows {
 public:
  // Costs O(log n + merged) steps, and moving the windows behind.
  Merge add(Window added);

  // The name of a window's contents; none if the window is not in flight.
  std::optional<Window> state_of(Window window) const;

  // Forget a window. Returns false if it is not in flight.
  bool retire(Window window);

  // Take in a window in flight with the name of its contents, behind all that are there. Returns false, and changes
  // nothing, if it is not behind them or touches one.
  bool restore(Window window, Window state);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Window window;
    Window state;
  };
  std::vector<Entry>::const_iterator find(Window window) const;

  std::vector<Entry> entries_;  // by time; no two touch
};

}  // namespace clutch::engine
