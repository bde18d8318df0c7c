// A store for the state and timers of a function as an application may write it, without any thought to speed: what the
// host's own store must agree with.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "clutch/clutch.hpp"

namespace clutch::tool {

class PlainStore : public StateStore {
 public:
  void declare(uint32_t state, const clutch_state_declaration& declaration) override {
    states_.resize(std::max<size_t>(states_.size(), state + size_t{1}));
    states_[state].ttl_ms = declaration.ttl_ms;
    states_[state].reads_count = declaration.ttl_update == CLUTCH_STATE_TTL_ON_READ_AND_WRITE;
    states_[state].shows_expired = declaration.ttl_visibility == CLUTCH_STATE_TTL_RETURN_EXPIRED;
  }

  void read(uint32_t state, const clutch_bytes* keys, uint64_t n_keys, int64_t now_ms,
            clutch_app_state_value* ret_values) override {
    for (uint64_t i = 0; i < n_keys; ++i) give(states_.at(state), text(keys[i]), std::string(), now_ms, ret_values[i]);
  }

  void look_up(uint32_t state, const clutch_app_entry_name* names, uint64_t n_names, int64_t now_ms,
               clutch_app_state_value* ret_values) override {
    for (uint64_t i = 0; i < n_names; ++i) {
      give(states_.at(state), text(names[i].key), text(names[i].map_key), now_ms, ret_values[i]);
    }
  }

  void read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) override {
    const State& state = states_.at(request.state);
    page_.clear();
    uint64_t bytes = 0;
    uint64_t skip = request.first;
    const auto found = state.cells.find(text(request.key));
    if (found == state.cells.end()) return;
    for (const auto& [name, item] : found->second) {
      if (request.after.data != nullptr && name <= text(request.after)) continue;
      if (!state.seen(item, request.now_ms)) continue;
      if (skip > 0) {
        --skip;
        continue;
      }
      if (!page_.empty() && bytes >= request.max_bytes) {
        ret_page.more = 1;
        break;
      }
      page_.push_back({lent(name), lent(item.bytes)});
      bytes += name.size() + item.bytes.size();
    }
    ret_page.entries = page_.data();
    ret_page.n_entries = page_.size();
  }

  void commit(const clutch_app_commit& commit) override {
    for (uint64_t i = 0; i < commit.n_changes; ++i) apply(commit.changes[i], commit.now_ms);
    for (uint64_t i = 0; i < commit.n_timers; ++i) {
      const clutch_app_timer& timer = commit.timers[i];
      const Timer name(timer.domain, timer.time_ms, text(timer.key));
      if (timer.op == CLUTCH_TIMER_DELETE) timers_.erase(name);
      if (timer.op == CLUTCH_TIMER_REGISTER) timers_.insert(name);
    }
  }

  uint64_t due(int64_t event_ms, int64_t processing_ms, const clutch_app_timer*& ret_timers) override {
    due_.clear();
    for (const auto& [domain, time_ms, key] : timers_) {
      if (time_ms > (domain == CLUTCH_TIMER_EVENT_TIME ? event_ms : processing_ms)) continue;
      due_.push_back({lent(key), time_ms, domain, 0});
    }
    ret_timers = due_.data();
    return due_.size();
  }

  std::optional<int64_t> next(int32_t domain) override {
    for (const auto& [of, time_ms, key] : timers_) {
      if (of == domain) return time_ms;
    }
    return std::nullopt;
  }

 private:
  struct Item {
    std::string bytes;
    int64_t written_ms = 0;
  };
  // A value is the entry "", a list has its items under numbers.
  using Cell = std::map<std::string, Item>;
  struct State {
    int64_t ttl_ms = 0;
    bool reads_count = false;
    bool shows_expired = false;
    std::map<std::string, Cell> cells;
    int64_t items = 0;  // Ever appended.

    bool expired(const Item& item, int64_t now_ms) const { return ttl_ms > 0 && now_ms - item.written_ms >= ttl_ms; }
    bool seen(const Item& item, int64_t now_ms) const { return shows_expired || !expired(item, now_ms); }
  };
  using Timer = std::tuple<int32_t, int64_t, std::string>;

  static std::string text(const clutch_bytes& bytes) {
    return bytes.size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
  }
  static clutch_bytes lent(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  }
  static void give(const State& state, const std::string& key, const std::string& name, int64_t now_ms,
                   clutch_app_state_value& ret_value) {
    const auto cell = state.cells.find(key);
    if (cell == state.cells.end()) return;
    const auto item = cell->second.find(name);
    if (item == cell->second.end() || !state.seen(item->second, now_ms)) return;
    const clutch_bytes bytes = lent(item->second.bytes);
    ret_value = {bytes.data, bytes.size, -1};
  }
  void apply(const clutch_app_state_change& change, int64_t now_ms) {
    State& state = states_.at(change.state);
    Cell& cell = state.cells[text(change.key)];
    if (change.op == CLUTCH_STATE_OP_CLEAR) cell.clear();
    if (change.op == CLUTCH_STATE_OP_REMOVE) cell.erase(text(change.map_key));
    if (change.op == CLUTCH_STATE_OP_PUT) cell[text(change.map_key)] = {text(change.value), now_ms};
    if (change.op == CLUTCH_STATE_OP_APPEND) {
      std::string number = std::to_string(++state.items);
      number.insert(0, 20 - number.size(), '0');
      cell[number] = {text(change.value), now_ms};
    }
    for (auto item = cell.begin(); change.op == CLUTCH_STATE_OP_TOUCH && item != cell.end();) {
      const bool meant = change.map_key.data == nullptr || item->first == text(change.map_key);
      const bool gone = meant && state.expired(item->second, now_ms);
      if (meant && state.reads_count) item->second.written_ms = now_ms;
      item = gone ? cell.erase(item) : std::next(item);
    }
    if (cell.empty()) state.cells.erase(text(change.key));
  }

  std::vector<State> states_;
  std::set<Timer> timers_;
  std::vector<clutch_app_state_entry> page_;
  std::vector<clutch_app_timer> due_;
};

}  // namespace clutch::tool
