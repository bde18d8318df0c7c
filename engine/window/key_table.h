// Numbers for keys: what is kept by key is kept by a small number, and the bytes of a key stand in one place.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "window/tracker.h"

namespace clutch::engine {

// Not thread-safe.
class KeyTable {
 public:
  // The number of a key, which is given one if it has none.
  KeyId id_of(std::string_view key);
  // Good until the key is released.
  std::string_view key(KeyId id) const { return *keys_[id]; }
  bool known(KeyId id) const { return id < keys_.size() && keys_[id] != nullptr; }
  // Nothing is kept of this key any more; its number goes to another one.
  void release(KeyId id);
  size_t size() const { return ids_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };

  std::unordered_map<std::string, KeyId, Hash, std::equal_to<>> ids_;
  std::vector<const std::string*> keys_;  // by number; nullptr where it is free
  std::vector<KeyId> free_;
};

}  // namespace clutch::engine
