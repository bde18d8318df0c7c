#include "service/staged_state.h"

#include <algorithm>

#include "clutch/ext/state.h"
#include "service/key_table.h"

namespace clutch::host {

const std::vector<EntryChange>& EntryChanges::entries() {
  if (sorted_ == entries_.size()) return entries_;
  const auto before = [](const EntryChange& a, const EntryChange& b) { return a.map_key < b.map_key; };
  const auto middle = entries_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  std::stable_sort(middle, entries_.end(), before);
  std::inplace_merge(entries_.begin(), middle, entries_.end(), before);
  // The last change of an entry counts.
  size_t kept = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (i + 1 < entries_.size() && entries_[i + 1].map_key == entries_[i].map_key) continue;
    entries_[kept++] = entries_[i];
  }
  entries_.resize(kept);
  sorted_ = kept;
  return entries_;
}

void EntryChanges::clear() {
  *this = EntryChanges();
  cleared = true;
}

EntryChanges& StagedState::entries_of(int64_t key) {
  if (places_.empty()) places_.assign(static_cast<size_t>(keys_), -1);
  int32_t& place = places_[static_cast<size_t>(key)];
  if (place < 0) {
    entries_.emplace_back();
    place = static_cast<int32_t>(entries_.size() - 1);
  }
  return entries_[static_cast<size_t>(place)];
}

void StagedState::apply(const StateChange& change) {
  if (kind_ == CLUTCH_STATE_VALUE) {
    if (values_.empty()) values_.resize(static_cast<size_t>(keys_));
    ValueChange& value = values_[static_cast<size_t>(change.key)];
    if (change.op == CLUTCH_STATE_OP_TOUCH) {
      value.touched = true;
    } else {
      const bool put = change.op == CLUTCH_STATE_OP_PUT;
      value.what = put ? ValueChange::What::kPut : ValueChange::What::kClear;
      value.bytes = put ? *change.value : std::string_view();
    }
    return;
  }
  EntryChanges& entries = entries_of(change.key);
  switch (change.op) {
    case CLUTCH_STATE_OP_CLEAR:
      entries.clear();
      break;
    case CLUTCH_STATE_OP_TOUCH:
      if (change.map_key) {
        entries.touched_keys.push_back(*change.map_key);
      } else {
        entries.touched = true;
      }
      break;
    case CLUTCH_STATE_OP_APPEND:
      entries.appended.push_back(*change.value);
      break;
    case CLUTCH_STATE_OP_REMOVE:
      entries.put(*change.map_key, std::nullopt);
      break;
    default:
      if (kind_ == CLUTCH_STATE_MAP) {
        entries.put(*change.map_key, change.value);
      } else {
        entries.clear();
        if (change.value) entries.appended.push_back(*change.value);
      }
  }
}

const ValueChange& StagedState::value(int64_t key) const {
  static const ValueChange kNone;
  return values_.empty() ? kNone : values_[static_cast<size_t>(key)];
}

EntryChanges* StagedState::entries(int64_t key) {
  if (places_.empty() || places_[static_cast<size_t>(key)] < 0) return nullptr;
  return &entries_[static_cast<size_t>(places_[static_cast<size_t>(key)])];
}

void StagedState::collect(uint32_t state, std::span<const clutch_bytes> keys,
                          std::vector<clutch_app_state_change>& out) {
  for (size_t i = 0; i < values_.size(); ++i) {
    const ValueChange& value = values_[i];
    if (value.what == ValueChange::What::kPut) {
      out.push_back({state, CLUTCH_STATE_OP_PUT, keys[i], {}, to_bytes(value.bytes)});
    } else if (value.what == ValueChange::What::kClear) {
      out.push_back({state, CLUTCH_STATE_OP_CLEAR, keys[i], {}, {}});
    } else if (value.touched) {
      out.push_back({state, CLUTCH_STATE_OP_TOUCH, keys[i], {}, {}});
    }
  }
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i] < 0) continue;
    EntryChanges& entries = entries_[static_cast<size_t>(places_[i])];
    const auto add = [&](int32_t op, clutch_bytes map_key, clutch_bytes value) {
      out.push_back({state, op, keys[i], map_key, value});
    };
    // What was read was there before anything else was changed.
    if (entries.cleared) {
      add(CLUTCH_STATE_OP_CLEAR, {}, {});
    } else if (entries.touched) {
      add(CLUTCH_STATE_OP_TOUCH, {}, {});
    } else {
      for (const std::string_view map_key : entries.touched_keys) add(CLUTCH_STATE_OP_TOUCH, to_bytes(map_key), {});
    }
    for (const std::string_view item : entries.appended) add(CLUTCH_STATE_OP_APPEND, {}, to_bytes(item));
    for (const EntryChange& entry : entries.entries()) {
      if (entry.value) {
        add(CLUTCH_STATE_OP_PUT, to_bytes(entry.map_key), to_bytes(*entry.value));
      } else if (!entries.cleared) {
        add(CLUTCH_STATE_OP_REMOVE, to_bytes(entry.map_key), {});
      }
    }
  }
}

void StagedStates::collect(std::vector<clutch_app_state_change>& out) {
  out.clear();
  for (size_t state = 0; state < states.size(); ++state) {
    states[state].collect(static_cast<uint32_t>(state), keys, out);
  }
}

}  // namespace clutch::host
