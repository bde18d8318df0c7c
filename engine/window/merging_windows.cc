#include "window/merging_windows.h"

#include <algorithm>

namespace clutch::engine {

Merge MergingWindows::add(Window added) {
  // No two entries touch, so they are ordered by their ends, too.
  const auto first = std::partition_point(entries_.begin(), entries_.end(),
                                          [&](const Entry& entry) { return entry.window.end < added.start; });
  auto last = first;
  Window cover = added;
  while (last != entries_.end() && last->window.touches(cover)) {
    cover = cover.cover(last->window);
    ++last;
  }
  if (first == last) {
    entries_.insert(first, {added, added});
    return {added, added, {}, {}};
  }

  Merge result{cover, first->state, {}, {}};
  if (first->window == cover) return result;
  for (auto entry = first; entry != last; ++entry) {
    result.merged.push_back(entry->window);
    if (entry != first) result.merged_states.push_back(entry->state);
  }
  first->window = cover;
  entries_.erase(first + 1, last);
  return result;
}

std::vector<MergingWindows::Entry>::const_iterator MergingWindows::find(Window window) const {
  const auto at =
      std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.window < window; });
  return at != entries_.end() && at->window == window ? at : entries_.end();
}

std::optional<Window> MergingWindows::state_of(Window window) const {
  const auto at = find(window);
  if (at == entries_.end()) return std::nullopt;
  return at->state;
}

bool MergingWindows::retire(Window window) {
  const auto at = find(window);
  if (at == entries_.end()) return false;
  entries_.erase(at);
  return true;
}

bool MergingWindows::restore(Window window, Window state) {
  if (!entries_.empty() && entries_.back().window.end >= window.start) return false;
  entries_.push_back({window, state});
  return true;
}

}  // namespace clutch::engine
