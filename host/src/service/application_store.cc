#include "service/application_store.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <tuple>

#include "clutch/ext/state.h"
#include "function/error.h"
#include "service/key_table.h"

namespace clutch::host {
namespace {

Status misbehaves(const std::string& what) {
  return {CLUTCH_ERR_PROTOCOL, "the application's state store " + what, CLUTCH_ORIGIN_USER};
}

// What a call of the table gave, as a Status that says what it was for.
Status outcome(int32_t status, clutch_app_error& error, const std::string& what) {
  if (status == CLUTCH_OK) return {};
  const std::string head = "the application's state store did not " + what;
  if (status > 0) {
    return misbehaves("answered " + std::to_string(status) + " when it was to " + what +
                      "; return CLUTCH_OK or a negative status");
  }
  const int32_t code = std::max<int32_t>(status, CLUTCH_ERR_INTERNAL);
  if (!error.status.ok()) return {code, head + ": " + std::string(error.status.message()), CLUTCH_ORIGIN_USER};
  return {code, head + ": " + clutch_app_status_name(code) + ", and it gave no reason; say it by clutch_app_error_set",
          CLUTCH_ORIGIN_USER};
}

bool has_data(const clutch_bytes& bytes) { return bytes.data != nullptr || bytes.size == 0; }

std::string named(const StateInfo& info) { return "state \"" + info.name + "\""; }

}  // namespace

Status ApplicationStore::add(const StateInfo& info) {
  clutch_state_declaration declaration{};
  declaration.struct_size = sizeof(declaration);
  declaration.state_kind = info.kind;
  declaration.name = to_str(info.name);
  declaration.ttl_ms = info.ttl_ms;
  declaration.ttl_update = info.ttl_update;
  declaration.ttl_visibility = info.ttl_visibility;
  clutch_app_error error;
  const int32_t status = table_.declare(table_.self, static_cast<uint32_t>(size()), &declaration, &error);
  return outcome(status, error, "take " + named(info));
}

Status ApplicationStore::check_values(std::span<const clutch_app_state_value> values, uint32_t state) const {
  for (const clutch_app_state_value& value : values) {
    if (has_data({value.data, value.size})) continue;
    return misbehaves("gave a value of " + std::to_string(value.size) + " bytes of " + named(info(state)) +
                      " without data; where there is no value, size is 0");
  }
  return {};
}

Status ApplicationStore::read(uint32_t state, std::span<const clutch_bytes> keys, int64_t now_ms,
                              std::span<clutch_app_state_value> ret_values) {
  std::fill(ret_values.begin(), ret_values.end(), clutch_app_state_value{nullptr, 0, 0});
  clutch_app_error error;
  const int32_t status = table_.read(table_.self, state, keys.data(), keys.size(), now_ms, ret_values.data(), &error);
  CLUTCH_RETURN_IF_ERROR(outcome(status, error, "read " + named(info(state))));
  return check_values(ret_values, state);
}

Status ApplicationStore::read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) {
  const StateInfo& info = this->info(request.state);
  ret_page = clutch_app_page{};
  clutch_app_error error;
  const int32_t status = table_.read_page(table_.self, &request, &ret_page, &error);
  if (status != CLUTCH_OK) return outcome(status, error, "read a page of " + named(info));
  if (ret_page.n_entries > 0 && ret_page.entries == nullptr) {
    return misbehaves("gave a page of " + std::to_string(ret_page.n_entries) + " entries of " + named(info) +
                      " without entries");
  }
  // An empty page with more behind it, or one that goes back, would be asked for without end.
  if (ret_page.more != 0 && ret_page.n_entries == 0) {
    return misbehaves("gave an empty page of " + named(info) +
                      " and says that there is more; a page has one entry at least");
  }
  std::optional<std::string_view> last;
  if (request.after.data != nullptr) last = view(request.after);
  for (const clutch_app_state_entry& entry : std::span(ret_page.entries, ret_page.n_entries)) {
    if (!has_data(entry.map_key) || !has_data(entry.value)) {
      return misbehaves("gave an entry of " + named(info) + " with a size but without data");
    }
    if (info.kind != CLUTCH_STATE_MAP) continue;
    if (last && view(entry.map_key) <= *last) {
      return misbehaves("gave entries of " + named(info) + " out of order; give them by the bytes of their keys");
    }
    last = view(entry.map_key);
  }
  return {};
}

Status ApplicationStore::look_up(uint32_t state, std::span<const clutch_app_entry_name> names, int64_t now_ms,
                                 std::span<clutch_app_state_value> ret_values) {
  std::fill(ret_values.begin(), ret_values.end(), clutch_app_state_value{nullptr, 0, 0});
  clutch_app_error error;
  const int32_t status =
      table_.look_up(table_.self, state, names.data(), names.size(), now_ms, ret_values.data(), &error);
  CLUTCH_RETURN_IF_ERROR(outcome(status, error, "look up entries of " + named(info(state))));
  return check_values(ret_values, state);
}

Status ApplicationStore::commit(const clutch_app_commit& commit) {
  clutch_app_error error;
  return outcome(table_.commit(table_.self, &commit, &error), error, "commit the batch");
}

Result<std::span<const clutch_app_timer>> ApplicationStore::due(int64_t event_ms, int64_t processing_ms) {
  const clutch_app_timer* timers = nullptr;
  uint64_t count = 0;
  clutch_app_error error;
  const int32_t status = table_.due(table_.self, event_ms, processing_ms, &timers, &count, &error);
  CLUTCH_RETURN_IF_ERROR(outcome(status, error, "give the timers that are due"));
  if (count > 0 && timers == nullptr) {
    return misbehaves("says that " + std::to_string(count) + " timers are due, but gave none");
  }
  const std::span<const clutch_app_timer> due(timers, count);
  for (size_t i = 0; i < due.size(); ++i) {
    const clutch_app_timer& timer = due[i];
    if (timer.domain != CLUTCH_APP_EVENT_TIME && timer.domain != CLUTCH_APP_PROCESSING_TIME) {
      return misbehaves("gave a timer of domain " + std::to_string(timer.domain) + "; there are 0 and 1");
    }
    if (!has_data(timer.key)) return misbehaves("gave a timer whose key has a size but no data");
    if (timer.time_ms > (timer.domain == CLUTCH_APP_EVENT_TIME ? event_ms : processing_ms)) {
      return misbehaves("gave a timer of time " + std::to_string(timer.time_ms) + ", which is not due yet");
    }
    const auto order = [](const clutch_app_timer& of) { return std::tuple(of.domain, of.time_ms, view(of.key)); };
    if (i > 0 && order(due[i - 1]) >= order(timer)) {
      return misbehaves("gave timers out of order; give each once, event time first, by time and key");
    }
  }
  return due;
}

Result<std::optional<int64_t>> ApplicationStore::next(int32_t domain) {
  int64_t time_ms = 0;
  clutch_app_error error;
  const int32_t status = table_.next(table_.self, domain, &time_ms, &error);
  if (status == CLUTCH_ERR_NOT_FOUND) return std::optional<int64_t>();
  CLUTCH_RETURN_IF_ERROR(outcome(status, error, "say when the next timer is due"));
  return std::optional<int64_t>(time_ms);
}

Result<clutch_app_state_store> read_state_store(const clutch_app_state_store& table) {
  if (table.struct_size < sizeof(table)) {
    return argument_error("spec: state_store: struct_size is " + std::to_string(table.struct_size) +
                          "; set it to sizeof(clutch_app_state_store), which is " + std::to_string(sizeof(table)));
  }
  const std::pair<const char*, bool> functions[] = {{"declare", table.declare != nullptr},
                                                    {"read", table.read != nullptr},
                                                    {"read_page", table.read_page != nullptr},
                                                    {"look_up", table.look_up != nullptr},
                                                    {"commit", table.commit != nullptr},
                                                    {"due", table.due != nullptr},
                                                    {"next", table.next != nullptr}};
  for (const auto& [name, there] : functions) {
    if (!there) return argument_error(std::string("spec: state_store: ") + name + " is NULL; a store has all of them");
  }
  return table;
}

}  // namespace clutch::host
