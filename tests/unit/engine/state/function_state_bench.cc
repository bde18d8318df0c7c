// What a batch of values costs in FunctionState over the memory backend: reading them, and committing them all.
// Printed, not judged.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "state/function_state.h"
#include "time/clock.h"

namespace clutch::engine {
namespace {

constexpr size_t kRows = 4096;

// The time of this thread alone, as others may use the machine.
int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

clutch_bytes bytes_of(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int run(size_t key_count) {
  const WallClock clock;
  const KeyGroups groups = *KeyGroups::make(1);
  MemoryBackend backend(groups, 0, clock);
  FunctionState state(backend, groups, 0, clock);
  const clutch_app_state_store& table = *state.store();
  clutch_state_declaration declaration{};
  declaration.struct_size = sizeof(declaration);
  declaration.name = {"value", 5};
  if (table.declare(table.self, 0, &declaration, nullptr) != CLUTCH_OK) return 1;
  std::vector<std::string> keys;
  for (size_t i = 0; i < key_count; ++i) keys.push_back("key-" + std::to_string(1000000 + i));
  std::shuffle(keys.begin(), keys.end(), std::mt19937(1));
  const std::string value = "0123456789abcdef";
  std::vector<double> reads, commits;
  for (size_t round = 0; round < 4 + 100 * kRows / key_count; ++round) {
    double read = 0, committed = 0;
    for (size_t first = 0; first + kRows <= key_count; first += kRows) {
      std::vector<clutch_bytes> asked;
      std::vector<clutch_app_state_change> changes;
      for (size_t i = first; i < first + kRows; ++i) {
        asked.push_back(bytes_of(keys[i]));
        changes.push_back({0, CLUTCH_STATE_OP_PUT, asked.back(), {nullptr, 0}, bytes_of(value)});
      }
      std::vector<clutch_app_state_value> found(kRows);
      clutch_app_commit commit{};
      commit.changes = changes.data();
      commit.n_changes = changes.size();
      const int64_t start = now_ns();
      if (table.read(table.self, 0, asked.data(), asked.size(), 0, found.data(), nullptr) != CLUTCH_OK) return 1;
      const int64_t middle = now_ns();
      if (table.commit(table.self, &commit, nullptr) != CLUTCH_OK) return 1;
      read += static_cast<double>(middle - start);
      committed += static_cast<double>(now_ns() - middle);
    }
    const double rows = static_cast<double>(key_count / kRows * kRows);
    if (round > 0) reads.push_back(read / rows);
    if (round > 0) commits.push_back(committed / rows);
  }
  std::printf("%7zu keys: reading %6.1f, committing %6.1f ns a key\n", key_count, median(reads), median(commits));
  return 0;
}

}  // namespace
}  // namespace clutch::engine

int main() { return clutch::engine::run(4096) + clutch::engine::run(102400); }
