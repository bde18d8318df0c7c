// State and timers that the application keeps: clutch_app_state_store as the host's interface. What it gives is checked
// as far as the host relies on it.
#pragma once

#include <string_view>

#include "service/keyed_store.h"

namespace clutch::host {

class ApplicationStore final : public KeyedStore {
 public:
  // A copy of the application's table, with NULL where its struct_size ends early.
  explicit ApplicationStore(const clutch_app_state_store& table) : table_(table) {}

  Status read(uint32_t state, std::span<const clutch_bytes> keys, int64_t now_ms,
              std::span<clutch_app_state_value> ret_values) override;
  Status read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) override;
  Status look_up(uint32_t state, std::span<const clutch_app_entry_name> names, int64_t now_ms,
                 std::span<clutch_app_state_value> ret_values) override;
  Status commit(const clutch_app_commit& commit) override;
  Result<std::span<const clutch_app_timer>> due(int64_t event_ms, int64_t processing_ms) override;
  Result<std::optional<int64_t>> next(int32_t domain) override;

 private:
  Status add(const StateInfo& info) override;
  Status check_values(std::span<const clutch_app_state_value> values, uint32_t state) const;

  clutch_app_state_store table_;
};

// Check the table that an application gave: its size, and that no function is missing.
Result<clutch_app_state_store> read_state_store(const clutch_app_state_store& table);

}  // namespace clutch::host
