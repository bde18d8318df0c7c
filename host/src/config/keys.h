// The table of all configuration keys this host knows. The documentation is rendered from it, see render.h.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace clutch::host {

enum class KeyType {
  kText,
  kBool,  // true or false; also yes, no, on, off, 1, 0
  kInteger,
  kDuration,  // whole milliseconds, or a number with ns, us, ms, s, min, h, d
  kSize,      // bytes, or a number with b, kb, mb, gb, tb (powers of 1024)
  kChoice,    // one of a closed list of words, without regard to case
  kList,      // words separated by commas
  kPathList,  // paths separated by colons
  kMap,       // keys below this one are free: "python.job-options.anything"
};

struct KeyInfo {
  std::string_view name;
  KeyType type;
  std::string_view default_value;  // Empty = not set.
  std::string_view unit;           // "ms", "bytes", "rows", ... or empty.
  std::string_view doc;            // One line.
  std::string_view choices = {};   // kChoice: words separated by '|'.
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
  std::string_view notice = {};  // Not empty: accepted, but has no effect here, and why; said once when it is set.
};

// Sorted by name. The table is constant.
std::span<const KeyInfo> known_keys();

// The entry of a key (keys below a kMap entry give that entry), or nullptr.
const KeyInfo* find_key(std::string_view name);

// The known name with the smallest edit distance, or empty if none is near enough to be a slip of the pen.
std::string_view nearest_key(std::string_view name);

// As nearest_key, among any words. Distance counts insertions, deletions, substitutions and swaps of neighbours.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> words);

// The environment variable of a key: "CLUTCH_" and the name in upper case with '.' and '-' as '_', and without the
// leading "clutch." of our own keys: CLUTCH_PYTHON_EXECUTION_MODE, CLUTCH_PLUGIN_PATH.
std::string environment_name(std::string_view key);

std::string_view key_type_name(KeyType type);

}  // namespace clutch::host
