#include <algorithm>
#include <vector>

#include "config/keys.h"
#include "config/parse.h"

namespace clutch::host {
namespace {

// Optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours count 1 each.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

// Keys come from outside, so their length is not ours to trust: the table above is quadratic.
constexpr size_t kLongestCompared = 128;

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> words) {
  if (word.empty() || word.size() > kLongestCompared) return {};
  const std::string lower = to_lower(word);
  // A third of the letters may be wrong, but not more than four: beyond that a proposal is noise.
  const size_t tolerance = std::clamp<size_t>(word.size() / 3, 1, 4);
  std::string_view best;
  size_t best_distance = tolerance + 1;
  for (const std::string_view candidate : words) {
    const size_t distance = edit_distance(lower, to_lower(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string_view nearest_key(std::string_view name) {
  std::vector<std::string_view> names;
  for (const KeyInfo& key : known_keys()) names.push_back(key.name);
  return nearest_word(name, names);
}

std::string environment_name(std::string_view key) {
  constexpr std::string_view kOwn = "clutch.";
  if (key.starts_with(kOwn)) key.remove_prefix(kOwn.size());
  std::string name = "CLUTCH_";
  for (const char c : key) {
    const bool separator = c == '.' || c == '-';
    name += separator ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return name;
}

}  // namespace clutch::host
