// The memory backend against plain maps, on random calls with a time to live, and with snapshots in between.
#include <map>
#include <memory>
#include <random>
#include <tuple>

#include "state_fixture.h"

namespace clutch::engine {
namespace {

using Cell = std::tuple<std::string, std::string, std::string>;  // key, namespace, field
struct Item {
  std::string bytes;
  int64_t expires;
};

void compare(unsigned seed) {
  std::mt19937 random(seed);
  const auto pick = [&](const char* prefix, unsigned n) { return prefix + std::to_string(random() % n); };
  ManualClock clock;
  const KeyGroups groups = *KeyGroups::make(1, 4);
  const StateTtl ttl{.duration = 1 + static_cast<int64_t>(random() % 30)};
  auto backend = std::make_unique<MemoryBackend>(groups, 0, clock);
  StateId value = got(backend->declare({"value", StateKind::kValue, ttl}));
  StateId map = got(backend->declare({"map", StateKind::kMap, ttl}));
  std::map<Cell, Item> values;
  std::map<Cell, Item> entries;
  for (int step = 0; step < 1500; ++step) {
    const std::string key = pick("k", 6);
    const std::string space = pick("w", 2);
    const std::string field = pick("f", 4);
    const auto now = clock.now();
    const auto drop = [&](const auto& item) { return item.second.expires <= now; };
    std::erase_if(values, drop);
    std::erase_if(entries, drop);
    const Item item{std::to_string(step), now + ttl.duration};
    switch (random() % 9) {
      case 0:
        done(backend->set_value({value, key, space}, item.bytes));
        values[{key, space, ""}] = item;
        break;
      case 1:
      case 2:
        done(backend->set_entry({map, key, space}, field, item.bytes));
        entries[{key, space, field}] = item;
        break;
      case 3:
        done(backend->remove_entry({map, key, space}, field));
        entries.erase({key, space, field});
        break;
      case 4: {
        const auto found = values.find({key, space, ""});
        const auto seen = got(backend->value({value, key, space}));
        ASSERT_EQ(seen, found == values.end() ? std::nullopt : std::optional(found->second.bytes)) << "seed " << seed;
        break;
      }
      case 5: {
        StateBackend::Entries expected;
        for (const auto& [cell, entry] : entries) {
          if (std::get<0>(cell) == key && std::get<1>(cell) == space && std::get<2>(cell) > field) {
            expected.emplace_back(std::get<2>(cell), entry.bytes);
          }
        }
        if (expected.size() > 2) expected.resize(2);
        ASSERT_EQ(got(backend->entries({map, key, space}, field, 2)), expected) << "seed " << seed;
        break;
      }
      case 6:
        if (random() % 10 != 0) break;
        done(backend->clear({map, key, space}));
        std::erase_if(entries, [&](const auto& entry) {
          return std::get<0>(entry.first) == key && std::get<1>(entry.first) == space;
        });
        break;
      case 7:
        clock.advance(static_cast<int64_t>(random() % 5));
        break;
      default: {
        if (random() % 10 != 0) break;
        backend->sweep();
        auto next = std::make_unique<MemoryBackend>(groups, 0, clock);
        for (int32_t group = 0; group < 4; ++group) done(next->restore(group, got(backend->snapshot(group))));
        backend = std::move(next);
        value = got(backend->declare({"value", StateKind::kValue, ttl}));
        map = got(backend->declare({"map", StateKind::kMap, ttl}));
      }
    }
  }
}

TEST(StateModel, RandomCallsGiveWhatPlainMapsGive) {
  for (unsigned seed = 0; seed < 40; ++seed) compare(seed);
}

}  // namespace
}  // namespace clutch::engine
