#include "service/keyed_store.h"

#include "clutch/ext/state.h"

namespace clutch::host {
namespace {

Status wrong(const StateInfo& info, const std::string& what) {
  return {CLUTCH_ERR_ARGUMENT, "state \"" + info.name + "\" is declared with " + what, CLUTCH_ORIGIN_PLUGIN};
}

Status check(const StateInfo& info) {
  if (info.name.empty()) {
    return {CLUTCH_ERR_ARGUMENT, "a state is declared without a name; give it one", CLUTCH_ORIGIN_PLUGIN};
  }
  if (info.kind < CLUTCH_STATE_VALUE || info.kind > CLUTCH_STATE_MAP) {
    return wrong(info, "kind " + std::to_string(info.kind) + "; there are 0 (value), 1 (list) and 2 (map)");
  }
  if (info.ttl_ms < 0) {
    return wrong(info, "a time to live of " + std::to_string(info.ttl_ms) + " ms; it must be positive, or 0 for none");
  }
  if (info.ttl_update < CLUTCH_STATE_TTL_ON_CREATE_AND_WRITE || info.ttl_update > CLUTCH_STATE_TTL_ON_READ_AND_WRITE) {
    return wrong(info, "ttl_update " + std::to_string(info.ttl_update) +
                           "; there are 0 (on create and write) and 1 (on read and write)");
  }
  if (info.ttl_visibility < CLUTCH_STATE_TTL_NEVER_RETURN_EXPIRED ||
      info.ttl_visibility > CLUTCH_STATE_TTL_RETURN_EXPIRED) {
    return wrong(info, "ttl_visibility " + std::to_string(info.ttl_visibility) +
                           "; there are 0 (expired values are never seen) and 1 (they are seen once more)");
  }
  return {};
}

}  // namespace

Result<uint32_t> KeyedStore::declare(StateInfo info) {
  CLUTCH_RETURN_IF_ERROR(check(info));
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].name != info.name) continue;
    if (states_[i] == info) return static_cast<uint32_t>(i);
    return Status(CLUTCH_ERR_ARGUMENT,
                  "state \"" + info.name + "\" is declared twice, with different kinds or times to live",
                  CLUTCH_ORIGIN_USER);
  }
  states_.reserve(states_.size() + 1);
  CLUTCH_RETURN_IF_ERROR(add(info));
  states_.push_back(std::move(info));
  return static_cast<uint32_t>(states_.size() - 1);
}

}  // namespace clutch::host
