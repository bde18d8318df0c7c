// A FunctionState with its backend, called as libclutch calls it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "manual_clock.h"
#include "state/function_state.h"

namespace clutch::engine {

inline clutch_bytes lent(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string taken(const clutch_bytes& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

struct FunctionStore {
  KeyGroups groups;
  KeyGroupRange range;
  ManualClock clock{1000};
  MemoryBackend backend;
  FunctionState state;
  const clutch_app_state_store& table;

  FunctionStore(int32_t parallelism, int32_t subtask, int32_t max_parallelism = 8)
      : groups(*KeyGroups::make(parallelism, max_parallelism)),
        range(groups.range_of(subtask)),
        backend(groups, subtask, clock),
        state(backend, groups, subtask, clock),
        table(*state.store()) {}

  bool holds(const std::string& key) const { return key.empty() || range.contains(groups.group_of(key)); }

  int32_t declare(uint32_t number, const std::string& name, int32_t kind, int64_t ttl_ms = 0) {
    clutch_state_declaration declaration{};
    declaration.struct_size = sizeof(declaration);
    declaration.state_kind = kind;
    declaration.name = {name.data(), name.size()};
    declaration.ttl_ms = ttl_ms;
    return table.declare(table.self, number, &declaration, nullptr);
  }
  // A value, a list and a map, as 0, 1 and 2.
  void declare_all(int64_t ttl_ms = 0) {
    EXPECT_EQ(declare(0, "value", CLUTCH_STATE_VALUE, ttl_ms), CLUTCH_OK);
    EXPECT_EQ(declare(1, "list", CLUTCH_STATE_LIST, ttl_ms), CLUTCH_OK);
    EXPECT_EQ(declare(2, "map", CLUTCH_STATE_MAP, ttl_ms), CLUTCH_OK);
  }

  struct Change {
    uint32_t state;
    int32_t op;
    std::string key;
    std::optional<std::string> map_key;
    std::string value;
  };
  struct TimerChange {
    std::string key;
    int64_t time;
    int32_t domain;
    int32_t op;
  };
  int32_t commit(const std::vector<Change>& changes, const std::vector<TimerChange>& timers = {},
                 int64_t now_ms = 1000) const {
    std::vector<clutch_app_state_change> raw;
    for (const Change& one : changes) {
      raw.push_back({one.state, one.op, lent(one.key), one.map_key ? lent(*one.map_key) : clutch_bytes{nullptr, 0},
                     lent(one.value)});
    }
    std::vector<clutch_app_timer> raw_timers;
    for (const TimerChange& one : timers) raw_timers.push_back({lent(one.key), one.time, one.domain, one.op});
    clutch_app_commit all{};
    all.struct_size = sizeof(all);
    all.now_ms = now_ms;
    all.changes = raw.data();
    all.n_changes = raw.size();
    all.timers = raw_timers.data();
    all.n_timers = raw_timers.size();
    return table.commit(table.self, &all, nullptr);
  }

  std::optional<std::string> value(const std::string& key, int64_t now_ms = 1000) const {
    const clutch_bytes raw = lent(key);
    clutch_app_state_value found{};
    EXPECT_EQ(table.read(table.self, 0, &raw, 1, now_ms, &found, nullptr), CLUTCH_OK);
    if (found.data == nullptr) return std::nullopt;
    return taken({found.data, found.size});
  }
  // All of the list (state 1) or the map (state 2), in pages of about this size; map entries as "k=v".
  std::vector<std::string> pages(uint32_t number, const std::string& key, int64_t now_ms = 1000,
                                 uint64_t max_bytes = 1) const {
    std::vector<std::string> out;
    std::string last;
    clutch_app_page_request request{sizeof(request), number, lent(key), {nullptr, 0}, 0, max_bytes, now_ms};
    clutch_app_page page{};
    do {
      page = {};
      EXPECT_EQ(table.read_page(table.self, &request, &page, nullptr), CLUTCH_OK);
      for (uint64_t i = 0; i < page.n_entries; ++i) {
        last = taken(page.entries[i].map_key);
        out.push_back((number == 2 ? last + "=" : "") + taken(page.entries[i].value));
      }
      request.first += page.n_entries;
      request.after = lent(last);
    } while (page.more != 0);
    return out;
  }
  // "key@time", "key~time" (processing time), as they are due.
  std::vector<std::string> due(int64_t event_time, int64_t processing_time) const {
    const clutch_app_timer* timers = nullptr;
    uint64_t count = 0;
    EXPECT_EQ(table.due(table.self, event_time, processing_time, &timers, &count, nullptr), CLUTCH_OK);
    std::vector<std::string> out;
    for (uint64_t i = 0; i < count; ++i) {
      out.push_back(taken(timers[i].key) + (timers[i].domain == CLUTCH_TIMER_EVENT_TIME ? "@" : "~") +
                    std::to_string(timers[i].time_ms));
    }
    return out;
  }
};

}  // namespace clutch::engine
