#include "exchange/key_group.h"

#include <bit>
#include <cstring>
#include <string>

namespace clutch::engine {
namespace {

uint32_t mixed(uint32_t block) { return std::rotl(block * 0xcc9e2d51U, 15) * 0x1b873593U; }

}  // namespace

uint32_t hash_key(std::string_view key) {
  uint32_t hash = 0;
  size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    uint32_t block = 0;
    std::memcpy(&block, key.data() + at, 4);
    hash = std::rotl(hash ^ mixed(block), 13) * 5 + 0xe6546b64U;
  }
  uint32_t tail = 0;
  for (size_t i = key.size(); i > at; --i) tail = tail << 8 | static_cast<uint8_t>(key[i - 1]);
  hash ^= mixed(tail) ^ static_cast<uint32_t>(key.size());
  hash = (hash ^ hash >> 16) * 0x85ebca6bU;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
  return hash ^ hash >> 16;
}

Result<KeyGroups> KeyGroups::make(int32_t parallelism, int32_t max_parallelism) {
  if (max_parallelism < 1 || max_parallelism > kHighestMaxParallelism) {
    return Status(CLUTCH_ERR_VALUE, "the max parallelism cannot be " + std::to_string(max_parallelism) +
                                        "; give a number from 1 to " + std::to_string(kHighestMaxParallelism));
  }
  if (parallelism < 1 || parallelism > max_parallelism) {
    return Status(CLUTCH_ERR_VALUE, "a keyed operator cannot have the parallelism " + std::to_string(parallelism) +
                                        " with " + std::to_string(max_parallelism) +
                                        " key groups; give a parallelism from 1 to the max parallelism");
  }
  return KeyGroups(parallelism, max_parallelism);
}

KeyGroupRange KeyGroups::range_of(int32_t subtask) const {
  const auto first_of = [this](int64_t index) {
    return static_cast<int32_t>((index * max_parallelism_ + parallelism_ - 1) / parallelism_);
  };
  return {first_of(subtask), first_of(subtask + 1) - 1};
}

}  // namespace clutch::engine
