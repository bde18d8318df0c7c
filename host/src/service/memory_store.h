// State and timers of one function in the host's memory: what is used where the application brings no store.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/key_table.h"
#include "service/keyed_store.h"
#include "service/timer_store.h"

namespace clutch::host {

class MemoryStore final : public KeyedStore {
 public:
  Status read(uint32_t state, std::span<const clutch_bytes> keys, int64_t now_ms,
              std::span<clutch_app_state_value> ret_values) override;
  Status read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) override;
  Status look_up(uint32_t state, std::span<const clutch_app_entry_name> names, int64_t now_ms,
                 std::span<clutch_app_state_value> ret_values) override;
  Status commit(const clutch_app_commit& commit) override;
  Result<std::span<const clutch_app_timer>> due(int64_t event_ms, int64_t processing_ms) override;
  Result<std::optional<int64_t>> next(int32_t domain) override { return timers_.next(domain); }

  // Keys that hold something; expired ones count until they are swept.
  size_t key_count(uint32_t state) const { return tables_[state].size(); }

 private:
  // Bytes with the time of their last write, for expiry. (unit: ms, processing time)
  struct Item {
    std::string bytes;
    int64_t written_ms = 0;
  };
  // What a key of a list or map state has.
  struct Entries {
    std::vector<Item> list;
    std::map<std::string, Item, std::less<>> map;
  };
  struct Cell : KeyedCell {
    bool has_value = false;
    int64_t version = 0;
    Item value;
    std::unique_ptr<Entries> entries;

    bool empty() const { return !has_value && (entries == nullptr || (entries->list.empty() && entries->map.empty())); }
  };
  using Changes = std::span<const clutch_app_state_change>;

  Status add(const StateInfo& info) override;
  static void apply(const StateInfo& info, Changes changes, int64_t now_ms, Cell& cell);
  static void touch(const StateInfo& info, const clutch_bytes& map_key, int64_t now_ms, Cell& cell);
  static void drop_expired(const StateInfo& info, int64_t now_ms, Cell& cell);

  // By state. Why a deque: tables do not move.
  std::deque<KeyTable<Cell>> tables_;
  TimerStore timers_;
  int64_t version_ = 0;  // One counter for all keys: a key that was cleared and set again has a new version.

  // Scratch, and what was lent out last.
  std::vector<Cell*> cells_;
  std::vector<clutch_bytes> keys_;
  std::vector<Changes> groups_;
  std::vector<clutch_app_state_entry> page_;
  std::vector<clutch_app_timer> due_;
};

}  // namespace clutch::host
