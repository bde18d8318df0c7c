#include "state/function_state.h"

#include <algorithm>
#include <exception>
#include <tuple>

namespace clutch::engine {
namespace {

constexpr char kStatesAlone = 1;
constexpr char kWithTimers = 2;

std::string_view view(const clutch_bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.data == nullptr ? 0 : bytes.size};
}

// Never NULL, which means that there is nothing.
clutch_bytes to_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data() != nullptr ? text.data() : ""), text.size()};
}

KeyGroups one_group() { return *KeyGroups::make(1, 1); }

Status wrong(std::string message) { return {CLUTCH_ERR_ARGUMENT, std::move(message)}; }

clutch_app_state_value to_value(const StateBackend::View& value) {
  // The backend counts no versions.
  if (!value) return {nullptr, 0, -1};
  const clutch_bytes bytes = to_bytes(*value);
  return {bytes.data, bytes.size, -1};
}

StateDescriptor descriptor_of(const clutch_state_declaration& declaration) {
  StateDescriptor out{std::string(declaration.name.data, declaration.name.size),
                      static_cast<StateKind>(declaration.state_kind), std::nullopt};
  if (declaration.ttl_ms == 0) return out;
  out.ttl = StateTtl{declaration.ttl_ms};
  if (declaration.ttl_update == CLUTCH_STATE_TTL_ON_READ_AND_WRITE) {
    out.ttl->refresh = StateTtl::Refresh::kOnReadAndWrite;
  }
  if (declaration.ttl_visibility == CLUTCH_STATE_TTL_RETURN_EXPIRED) {
    out.ttl->visibility = StateTtl::Visibility::kExpiredIfNotCleanedUp;
  }
  return out;
}

Result<StateChange::Op> op_of(int32_t op) {
  switch (op) {
    case CLUTCH_STATE_OP_PUT:
      return StateChange::Op::kSet;
    case CLUTCH_STATE_OP_APPEND:
      return StateChange::Op::kAppend;
    case CLUTCH_STATE_OP_REMOVE:
      return StateChange::Op::kRemove;
    case CLUTCH_STATE_OP_CLEAR:
      return StateChange::Op::kClear;
    case CLUTCH_STATE_OP_TOUCH:
      return StateChange::Op::kTouch;
    default:
      return wrong("a change of state has the op " + std::to_string(op) + "; there are 0 to 4");
  }
}

}  // namespace

// The C face: a Status as the application's status, and no exception gets out.
struct FunctionState::Table {
  template <typename Call>
  static int32_t guard(clutch_app_error* error, Call call) noexcept {
    try {
      const Status status = call();
      if (status.ok()) return CLUTCH_OK;
      clutch_app_error_set(error, status.code(), std::string(status.message()).c_str());
      return status.code();
    } catch (const std::exception& exception) {
      clutch_app_error_set(error, CLUTCH_ERR_MEMORY, exception.what());
      return CLUTCH_ERR_MEMORY;
    }
  }
  static FunctionState& of(void* self) { return *static_cast<FunctionState*>(self); }

  static int32_t declare(void* self, uint32_t state, const clutch_state_declaration* declaration,
                         clutch_app_error* error) noexcept {
    return guard(error, [&] { return of(self).declare(state, *declaration); });
  }
  static int32_t read(void* self, uint32_t state, const clutch_bytes* keys, uint64_t n_keys, int64_t now_ms,
                      clutch_app_state_value* ret_values, clutch_app_error* error) noexcept {
    return guard(error, [&] { return of(self).read(state, {keys, n_keys}, now_ms, ret_values); });
  }
  static int32_t read_page(void* self, const clutch_app_page_request* request, clutch_app_page* ret_page,
                           clutch_app_error* error) noexcept {
    return guard(error, [&] { return of(self).read_page(*request, *ret_page); });
  }
  static int32_t look_up(void* self, uint32_t state, const clutch_app_entry_name* names, uint64_t n_names,
                         int64_t now_ms, clutch_app_state_value* ret_values, clutch_app_error* error) noexcept {
    return guard(error, [&] { return of(self).look_up(state, {names, n_names}, now_ms, ret_values); });
  }
  static int32_t commit(void* self, const clutch_app_commit* commit, clutch_app_error* error) noexcept {
    return guard(error, [&] { return of(self).commit(*commit); });
  }
  static int32_t due(void* self, int64_t event_ms, int64_t processing_ms, const clutch_app_timer** ret_timers,
                     uint64_t* ret_count, clutch_app_error* error) noexcept {
    return guard(error, [&] {
      Status status = of(self).due(event_ms, processing_ms);
      *ret_timers = of(self).due_.data();
      *ret_count = of(self).due_.size();
      return status;
    });
  }
  static int32_t next(void* self, int32_t domain, int64_t* ret_time_ms, clutch_app_error*) noexcept {
    const std::optional<int64_t> next = of(self).next_timer(static_cast<TimerDomain>(domain));
    if (!next) return CLUTCH_ERR_NOT_FOUND;
    *ret_time_ms = *next;
    return CLUTCH_OK;
  }
};

FunctionState::FunctionState(StateBackend& backend, KeyGroups groups, int32_t subtask, const Clock& clock)
    : backend_(backend),
      groups_(groups),
      range_(groups.range_of(subtask)),
      own_(one_group(), 0, clock),
      timers_(groups, range_),
      own_timers_(one_group(), {0, 0}) {
  table_.struct_size = sizeof(table_);
  table_.self = this;
  table_.declare = Table::declare;
  table_.read = Table::read;
  table_.read_page = Table::read_page;
  table_.look_up = Table::look_up;
  table_.commit = Table::commit;
  table_.due = Table::due;
  table_.next = Table::next;
}

Status FunctionState::declare(uint32_t state, const clutch_state_declaration& declaration) {
  const StateDescriptor descriptor = descriptor_of(declaration);
  if (states_.size() <= state) states_.resize(state + 1);
  Ids ids{};
  CLUTCH_ASSIGN_OR_RETURN(ids.keyed, backend_.declare(descriptor));
  CLUTCH_ASSIGN_OR_RETURN(ids.own, own_.declare(descriptor));
  states_[state] = ids;
  return {};
}

Result<FunctionState::Ids> FunctionState::ids(uint32_t state) const {
  if (state < states_.size() && states_[state]) return *states_[state];
  return wrong("state number " + std::to_string(state) + " was not declared");
}

Status FunctionState::read(uint32_t state, std::span<const clutch_bytes> keys, int64_t now,
                           clutch_app_state_value* ret_values) {
  CLUTCH_ASSIGN_OR_RETURN(const Ids ids, this->ids(state));
  keys_.clear();
  // The empty key is there once at most, and is asked for apart.
  size_t own = keys.size();
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].size == 0) own = i;
    if (keys[i].size != 0) keys_.push_back(view(keys[i]));
  }
  values_.resize(keys_.size());
  CLUTCH_RETURN_IF_ERROR(backend_.look(ids.keyed, keys_, now, values_));
  for (size_t i = 0, at = 0; i < keys.size(); ++i) {
    if (i != own) ret_values[i] = to_value(values_[at++]);
  }
  if (own == keys.size()) return {};
  const std::string_view empty;
  StateBackend::View value;
  CLUTCH_RETURN_IF_ERROR(own_.look(ids.own, {&empty, 1}, now, {&value, 1}));
  ret_values[own] = to_value(value);
  return {};
}

Status FunctionState::read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) {
  CLUTCH_ASSIGN_OR_RETURN(const Ids ids, this->ids(request.state));
  const bool own = request.key.size == 0;
  StatePageRequest asked{{own ? ids.own : ids.keyed, view(request.key)}, request.first, {}, request.max_bytes};
  if (request.after.data != nullptr) asked.after = view(request.after);
  CLUTCH_RETURN_IF_ERROR(own ? own_.look_page(asked, request.now_ms, page_)
                             : backend_.look_page(asked, request.now_ms, page_));
  entries_.clear();
  for (const auto& [field, bytes] : page_.entries) entries_.push_back({to_bytes(field), to_bytes(bytes)});
  ret_page.entries = entries_.data();
  ret_page.n_entries = entries_.size();
  ret_page.more = page_.more ? 1 : 0;
  return {};
}

Status FunctionState::look_up(uint32_t state, std::span<const clutch_app_entry_name> names, int64_t now,
                              clutch_app_state_value* ret_values) {
  CLUTCH_ASSIGN_OR_RETURN(const Ids ids, this->ids(state));
  for (const bool own : {false, true}) {
    keys_.clear();
    fields_.clear();
    for (const clutch_app_entry_name& name : names) {
      if ((name.key.size == 0) != own) continue;
      keys_.push_back(view(name.key));
      fields_.push_back(view(name.map_key));
    }
    if (keys_.empty()) continue;
    values_.resize(keys_.size());
    CLUTCH_RETURN_IF_ERROR(own ? own_.look_fields(ids.own, keys_, fields_, now, values_)
                               : backend_.look_fields(ids.keyed, keys_, fields_, now, values_));
    for (size_t i = 0, at = 0; i < names.size(); ++i) {
      if ((names[i].key.size == 0) == own) ret_values[i] = to_value(values_[at++]);
    }
  }
  return {};
}

Status FunctionState::check_timers(std::span<const clutch_app_timer> timers) const {
  for (const clutch_app_timer& timer : timers) {
    if (timer.domain < CLUTCH_TIMER_EVENT_TIME || timer.domain > CLUTCH_TIMER_PROCESSING_TIME ||
        timer.op < CLUTCH_TIMER_REGISTER || timer.op > CLUTCH_TIMER_DELETE) {
      return wrong("a timer has domain " + std::to_string(timer.domain) + " and op " + std::to_string(timer.op) +
                   "; both are 0 or 1");
    }
    const int32_t group = groups_.group_of(view(timer.key));
    if (timer.key.size == 0 || range_.contains(group)) continue;
    return wrong("a timer is of a key of key group " + std::to_string(group) + ", which is not held here but " +
                 std::to_string(range_.first) + " to " + std::to_string(range_.last) +
                 "; send every key to the subtask of its key group");
  }
  return {};
}

Status FunctionState::commit(const clutch_app_commit& commit) {
  const std::span<const clutch_app_timer> timers(commit.timers, commit.n_timers);
  CLUTCH_RETURN_IF_ERROR(check_timers(timers));
  keyed_changes_.clear();
  own_changes_.clear();
  for (const clutch_app_state_change& change : std::span(commit.changes, commit.n_changes)) {
    CLUTCH_ASSIGN_OR_RETURN(const Ids ids, this->ids(change.state));
    CLUTCH_ASSIGN_OR_RETURN(const StateChange::Op op, op_of(change.op));
    const bool own = change.key.size == 0;
    StateChange made{{own ? ids.own : ids.keyed, view(change.key)}, op, {}, view(change.value)};
    if (change.map_key.data != nullptr) made.field = view(change.map_key);
    (own ? own_changes_ : keyed_changes_).push_back(made);
  }
  // The backend alone can still refuse; what is in memory here is checked by the same rules, as the states are the
  // same.
  CLUTCH_RETURN_IF_ERROR(own_.check(own_changes_));
  CLUTCH_RETURN_IF_ERROR(backend_.apply(keyed_changes_, commit.now_ms));
  CLUTCH_RETURN_IF_ERROR(own_.apply(own_changes_, commit.now_ms));
  for (const clutch_app_timer& timer : timers) {
    TimerGroups& group = timers_of(view(timer.key));
    const auto domain = static_cast<TimerDomain>(timer.domain);
    if (timer.op == CLUTCH_TIMER_REGISTER) group.add(domain, timer.time_ms, view(timer.key));
    if (timer.op == CLUTCH_TIMER_DELETE) group.remove(domain, timer.time_ms, view(timer.key));
  }
  return {};
}

Status FunctionState::due(int64_t event_time, int64_t processing_time) {
  due_.clear();
  for (const TimerDomain domain : {TimerDomain::kEventTime, TimerDomain::kProcessingTime}) {
    if (domain == TimerDomain::kEventTime && event_time <= fired_until_) continue;
    const int64_t bound = domain == TimerDomain::kEventTime ? event_time : processing_time;
    std::vector<DueTimer> due = timers_.due(domain, bound);
    const std::vector<DueTimer> own = own_timers_.due(domain, bound);
    const auto middle = static_cast<std::ptrdiff_t>(due.size());
    due.insert(due.end(), own.begin(), own.end());
    std::inplace_merge(due.begin(), due.begin() + middle, due.end(), [](const DueTimer& a, const DueTimer& b) {
      return std::tie(a.time, a.key) < std::tie(b.time, b.key);
    });
    for (const DueTimer& timer : due) {
      due_.push_back({to_bytes(timer.key), timer.time, static_cast<int32_t>(domain), 0});
    }
  }
  fired_until_ = std::max(fired_until_, event_time);
  return {};
}

std::optional<int64_t> FunctionState::next_timer(TimerDomain domain) const {
  const std::optional<int64_t> keyed = timers_.next(domain);
  const std::optional<int64_t> own = own_timers_.next(domain);
  if (!keyed || !own) return keyed ? keyed : own;
  return std::min(*keyed, *own);
}

namespace {

std::string framed(std::string_view states, const TimerGroups& timers, int32_t group) {
  std::string out(1, kWithTimers);
  put_bytes(states, out);
  timers.encode(group, out);
  return out;
}

// The two parts of a snapshot.
struct Parts {
  std::string_view states;
  TimerGroups::Group timers;
};

Result<Parts> parts_of(std::string_view snapshot) {
  Parts parts;
  if (!snapshot.empty() && snapshot.front() == kStatesAlone) {
    parts.states = snapshot;
    return parts;
  }
  SnapshotReader in(snapshot);
  if (in.byte() != kWithTimers) in.fail("its version is neither 1 nor 2");
  parts.states = in.view();
  parts.timers = TimerGroups::decode(in);
  if (!in.failed() && !in.at_end()) in.fail("something follows its end");
  if (in.failed()) return in.status();
  return parts;
}

}  // namespace

Result<std::string> FunctionState::snapshot(int32_t key_group) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string states, backend_.snapshot(key_group));
  return framed(states, timers_, key_group);
}

Status FunctionState::restore(int32_t key_group, std::string_view snapshot) {
  CLUTCH_ASSIGN_OR_RETURN(Parts parts, parts_of(snapshot));
  for (const TimerGroups::Timers& timers : parts.timers) {
    for (const auto& [time, key] : timers) {
      if (groups_.group_of(key) == key_group) continue;
      return Status(CLUTCH_ERR_DATA, "the snapshot of key group " + std::to_string(key_group) +
                                         " holds a timer of group " + std::to_string(groups_.group_of(key)) +
                                         "; restore with the max parallelism it was taken with");
    }
  }
  CLUTCH_RETURN_IF_ERROR(backend_.restore(key_group, parts.states));
  timers_.replace(key_group, std::move(parts.timers));
  return {};
}

Result<std::string> FunctionState::snapshot_own() {
  CLUTCH_ASSIGN_OR_RETURN(const std::string states, own_.snapshot(0));
  return framed(states, own_timers_, 0);
}

Status FunctionState::restore_own(std::string_view snapshot) {
  CLUTCH_ASSIGN_OR_RETURN(Parts parts, parts_of(snapshot));
  CLUTCH_RETURN_IF_ERROR(own_.restore(0, parts.states));
  own_timers_.replace(0, std::move(parts.timers));
  return {};
}

}  // namespace clutch::engine
