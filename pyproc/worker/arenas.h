// The arenas a worker has been given, mapped.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>

#include "protocol/channel.h"
#include "protocol/descriptor.h"

namespace clutch::pyproc {

class Arena {
 public:
  Arena(uint8_t* data, uint64_t bytes) : data_(data), bytes_(bytes) {}
  Arena(Arena&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Arena& operator=(Arena&&) = delete;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  std::span<uint8_t> bytes() const { return {data_, bytes_}; }

 private:
  uint8_t* data_;
  uint64_t bytes_;
};

class Arenas {
 public:
  // Map what an AddArena brought: IN read-only, so user code that writes to its input faults instead of lying.
  Status add(const AddArena& message, const Fd& attached);
  // Unmapped once no lease holds it.
  void drop(uint32_t arena) { arenas_.erase(arena); }
  // A share in the mapping, empty if there is no arena of that number.
  std::shared_ptr<const Arena> share(uint32_t arena) const {
    const auto it = arenas_.find(arena);
    return it == arenas_.end() ? nullptr : it->second;
  }
  // Somebody but this has a share.
  bool is_shared(uint32_t arena) const {
    const auto it = arenas_.find(arena);
    return it != arenas_.end() && it->second.use_count() > 1;
  }
  // NULL if there is no arena of that number.
  const Arena* find(uint32_t arena) const {
    const auto it = arenas_.find(arena);
    return it == arenas_.end() ? nullptr : it->second.get();
  }

 private:
  std::unordered_map<uint32_t, std::shared_ptr<Arena>> arenas_;
};

}  // namespace clutch::pyproc
