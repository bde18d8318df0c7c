// Where the state and the timers of one function lie: in the host's memory (MemoryStore) or with the application
// (ApplicationStore). The host knows this interface alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "clutch/clutch.h"
#include "clutch/columnar/result.h"

namespace clutch::host {

struct StateInfo {
  std::string name;
  int32_t kind = 0;            // CLUTCH_STATE_*
  int64_t ttl_ms = 0;          // 0: never expires.
  int32_t ttl_update = 0;      // CLUTCH_STATE_TTL_ON_*
  int32_t ttl_visibility = 0;  // CLUTCH_STATE_TTL_*_EXPIRED

  bool operator==(const StateInfo&) const = default;
};

// Used by the one batch with keys that is in flight, and by its commit; needs no lock. All it gives is borrowed until
// the next call. The contract of each method is that of its namesake in clutch_app_state_store.
class KeyedStore {
 public:
  virtual ~KeyedStore() = default;

  // While the function opens. States are numbered from 0; a second declaration of a name must be equal and gives the
  // same number.
  Result<uint32_t> declare(StateInfo info);
  size_t size() const { return states_.size(); }
  const StateInfo& info(uint32_t state) const { return states_[state]; }

  virtual Status read(uint32_t state, std::span<const clutch_bytes> keys, int64_t now_ms,
                      std::span<clutch_app_state_value> ret_values) = 0;
  virtual Status read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) = 0;
  virtual Status look_up(uint32_t state, std::span<const clutch_app_entry_name> names, int64_t now_ms,
                         std::span<clutch_app_state_value> ret_values) = 0;
  virtual Status commit(const clutch_app_commit& commit) = 0;
  virtual Result<std::span<const clutch_app_timer>> due(int64_t event_ms, int64_t processing_ms) = 0;
  virtual Result<std::optional<int64_t>> next(int32_t domain) = 0;

 protected:
  // A checked declaration of a new name; its number is size().
  virtual Status add(const StateInfo& info) = 0;

 private:
  std::vector<StateInfo> states_;
};

}  // namespace clutch::host
