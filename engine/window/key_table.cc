#include "window/key_table.h"

namespace clutch::engine {

KeyId KeyTable::id_of(std::string_view key) {
  const auto known = ids_.find(key);
  if (known != ids_.end()) return known->second;
  KeyId id = keys_.size();
  if (free_.empty()) {
    keys_.push_back(nullptr);
  } else {
    id = free_.back();
    free_.pop_back();
  }
  keys_[id] = &ids_.emplace(key, id).first->first;
  return id;
}

void KeyTable::release(KeyId id) {
  ids_.erase(ids_.find(*keys_[id]));
  keys_[id] = nullptr;
  free_.push_back(id);
}

}  // namespace clutch::engine
