// Keyed state and timers: read from what the host shipped with the batch, changed by sections of the answer.
#include "clutch/ext/state.h"

#include <algorithm>
#include <cstring>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/timer.h"
#include "worker/context.h"

namespace clutch::pyproc {
namespace {

Status bad_data(std::string message) { return Status(CLUTCH_ERR_DATA, std::move(message), CLUTCH_ORIGIN_PLUGIN); }

Status check_key(const clutch_batch_context& context, int32_t key) {
  if (key >= 0 && key < context.keys) return {};
  return bad_data("key " + std::to_string(key) + " is not one of the batch's " + std::to_string(context.keys) +
                  " keys");
}

bool legal_op(int32_t kind, int8_t op) {
  switch (op) {
    case CLUTCH_STATE_OP_PUT:
    case CLUTCH_STATE_OP_CLEAR:
    case CLUTCH_STATE_OP_TOUCH:
      return true;
    case CLUTCH_STATE_OP_APPEND:
      return kind == CLUTCH_STATE_LIST;
    case CLUTCH_STATE_OP_REMOVE:
      return kind == CLUTCH_STATE_MAP;
    default:
      return false;
  }
}

}  // namespace

Status declare_state(clutch_function_context& context, const StateDeclaration& declaration, uint32_t* ret_state) {
  if (!context.opening) {
    return Status(CLUTCH_ERR_ARGUMENT, "states are declared while the function opens, not later", CLUTCH_ORIGIN_PLUGIN);
  }
  for (size_t i = 0; i < context.states.size(); ++i) {
    if (context.states[i].name != declaration.name) continue;
    if (context.states[i] != declaration) {
      return Status(CLUTCH_ERR_ARGUMENT, "state \"" + declaration.name + "\" is declared twice, and differently",
                    CLUTCH_ORIGIN_PLUGIN);
    }
    *ret_state = static_cast<uint32_t>(i);
    return {};
  }
  context.states.push_back(declaration);
  *ret_state = static_cast<uint32_t>(context.states.size() - 1);
  return {};
}

Status read_state(clutch_batch_context& context, uint32_t state, ArrowArray* ret_values) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  const auto it = context.states.find(state);
  if (it == context.states.end() || it->second.shipped.empty()) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "state " + std::to_string(state) +
                      " did not come with the batch; a worker process reads the value states of the batch's keys only",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  const columnar::ArrayView rows(*it->second.shipped);
  const columnar::ArrayView values(rows.child(0));
  const columnar::ArrayView versions(rows.child(1));
  columnar::ArrayBuilder out(state_values_field());
  for (int64_t key = 0; key < rows.length(); ++key) {
    const int64_t at = rows.array().offset + key;
    const auto changed = it->second.changed.find(static_cast<int32_t>(key));
    if (changed != it->second.changed.end()) {
      if (changed->second) {
        CLUTCH_RETURN_IF_ERROR(out.child(0).append_bytes(*changed->second));
      } else {
        out.child(0).append_null();
      }
    } else if (values.is_null(at)) {
      out.child(0).append_null();
    } else {
      CLUTCH_RETURN_IF_ERROR(out.child(0).append_bytes(values.bytes_at<int32_t>(at)));
    }
    out.child(1).append<int64_t>(versions.values<int64_t>()[at]);
    out.append_struct();
  }
  *ret_values = out.finish().detach();
  return {};
}

namespace {

// Rows [first, last) of the entries are those of `key`.
struct Entries {
  columnar::ArrayView map_keys;
  columnar::ArrayView values;
  int64_t first;
  int64_t last;
};

Result<Entries> entries_of(const clutch_batch_context& context, uint32_t state, int32_t key) {
  CLUTCH_RETURN_IF_ERROR(check_key(context, key));
  const auto it = context.states.find(state);
  if (it == context.states.end() || it->second.entries.empty()) {
    return Status(CLUTCH_ERR_ARGUMENT, "state " + std::to_string(state) + " is no list or map state of this batch",
                  CLUTCH_ORIGIN_PLUGIN);
  }
  if (it->second.entries_changed) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "a worker process reads list and map states as they are before the batch changes them; read first, "
                  "or keep what was changed",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  const ArrowArray& array = *it->second.entries;
  const int32_t* keys = columnar::ArrayView(*array.children[0]).values<int32_t>() + array.offset;
  if (array.length == 0) keys = nullptr;
  const auto [first, last] = std::equal_range(keys, keys + array.length, key);
  return Entries{columnar::ArrayView(*array.children[1]), columnar::ArrayView(*array.children[2]),
                 array.offset + (first - keys), array.offset + (last - keys)};
}

}  // namespace

// The cursor is the number of entries of the key that were read.
Status read_state_page(clutch_batch_context& context, uint32_t state, int32_t key, clutch_bytes cursor,
                       uint64_t max_bytes, ArrowArray* ret_page, clutch_bytes* ret_next) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  CLUTCH_ASSIGN_OR_RETURN(const Entries entries, entries_of(context, state, key));
  uint64_t skip = 0;
  if (cursor.size == sizeof(skip)) std::memcpy(&skip, cursor.data, sizeof(skip));
  int64_t row = entries.first + static_cast<int64_t>(std::min<uint64_t>(skip, static_cast<uint64_t>(entries.last)));
  columnar::ArrayBuilder page(
      columnar::struct_of({state_entries_field().type.children[1], state_entries_field().type.children[2]}));
  uint64_t bytes = 0;
  for (; row < entries.last && (page.length() == 0 || bytes < max_bytes); ++row) {
    if (entries.map_keys.is_null(row)) {
      page.child(0).append_null();
    } else {
      CLUTCH_RETURN_IF_ERROR(page.child(0).append_bytes(entries.map_keys.bytes_at<int32_t>(row)));
      bytes += entries.map_keys.bytes_at<int32_t>(row).size();
    }
    CLUTCH_RETURN_IF_ERROR(page.child(1).append_bytes(entries.values.bytes_at<int32_t>(row)));
    bytes += entries.values.bytes_at<int32_t>(row).size();
    page.append_struct();
  }
  context.page_cursor = static_cast<uint64_t>(row - entries.first);
  *ret_next = {reinterpret_cast<const uint8_t*>(&context.page_cursor),
               row < entries.last ? sizeof(context.page_cursor) : 0};
  *ret_page = page.finish().detach();
  return {};
}

Status look_up_state(clutch_batch_context& context, uint32_t state, const ArrowArray& keys, ArrowArray* ret_values) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  columnar::Field value = state_entries_field().type.children[2];
  value.nullable = true;
  columnar::ArrayBuilder out(columnar::struct_of({value}));
  const columnar::ArrayView wanted(*keys.children[1]);
  for (int64_t i = keys.offset; i < keys.offset + keys.length; ++i) {
    CLUTCH_ASSIGN_OR_RETURN(const Entries entries,
                            entries_of(context, state, columnar::ArrayView(*keys.children[0]).values<int32_t>()[i]));
    const std::string_view map_key = wanted.bytes_at<int32_t>(i);
    int64_t low = entries.first;
    int64_t high = entries.last;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (entries.map_keys.bytes_at<int32_t>(middle) < map_key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low < entries.last && entries.map_keys.bytes_at<int32_t>(low) == map_key) {
      CLUTCH_RETURN_IF_ERROR(out.child(0).append_bytes(entries.values.bytes_at<int32_t>(low)));
    } else {
      out.child(0).append_null();
    }
    out.append_struct();
  }
  *ret_values = out.finish().detach();
  return {};
}

Status apply_state(clutch_batch_context& context, uint32_t state, columnar::Array changes) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  if (state >= context.function->states.size()) {
    return Status(CLUTCH_ERR_ARGUMENT, "state " + std::to_string(state) + " was not declared", CLUTCH_ORIGIN_PLUGIN);
  }
  const int32_t kind = context.function->states[state].state_kind;
  CLUTCH_RETURN_IF_ERROR(columnar::validate(state_changes_field(), *changes, columnar::Depth::kStructure));
  const columnar::ArrayView rows(*changes);
  const columnar::ArrayView keys(rows.child(0));
  const columnar::ArrayView ops(rows.child(1));
  const columnar::ArrayView values(rows.child(3));
  for (int64_t i = 0; i < rows.length(); ++i) {
    const int64_t at = rows.array().offset + i;
    CLUTCH_RETURN_IF_ERROR(check_key(context, keys.values<int32_t>()[at]));
    if (!legal_op(kind, ops.values<int8_t>()[at])) {
      return bad_data("change " + std::to_string(ops.values<int8_t>()[at]) + " does not exist for state \"" +
                      context.function->states[state].name + "\"");
    }
  }
  if (kind == CLUTCH_STATE_VALUE) {
    StateView& view = context.states[state];
    for (int64_t i = 0; i < rows.length(); ++i) {
      const int64_t at = rows.array().offset + i;
      if (ops.values<int8_t>()[at] == CLUTCH_STATE_OP_TOUCH) continue;  // it changes nothing that the batch reads
      auto& changed = view.changed[keys.values<int32_t>()[at]];
      if (ops.values<int8_t>()[at] == CLUTCH_STATE_OP_PUT && !values.is_null(at)) {
        changed = std::string(values.bytes_at<int32_t>(at));
      } else {
        changed.reset();
      }
    }
  }
  const auto changes_entries = [&](int64_t i) {
    return ops.values<int8_t>()[rows.array().offset + i] != CLUTCH_STATE_OP_TOUCH;
  };
  for (int64_t i = 0; i < rows.length() && kind != CLUTCH_STATE_VALUE; ++i) {
    context.states[state].entries_changed |= changes_entries(i);
  }
  context.staged.push_back({SectionKind::kStateChanges, state, &state_changes_field(), std::move(changes)});
  return {};
}

Status apply_timers(clutch_batch_context& context, columnar::Array changes) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  CLUTCH_RETURN_IF_ERROR(columnar::validate(timer_changes_field(), *changes, columnar::Depth::kStructure));
  const columnar::ArrayView rows(*changes);
  const columnar::ArrayView keys(rows.child(0));
  const columnar::ArrayView domains(rows.child(2));
  const columnar::ArrayView ops(rows.child(3));
  for (int64_t i = 0; i < rows.length(); ++i) {
    const int64_t at = rows.array().offset + i;
    CLUTCH_RETURN_IF_ERROR(check_key(context, keys.values<int32_t>()[at]));
    const int8_t domain = domains.values<int8_t>()[at];
    const int8_t op = ops.values<int8_t>()[at];
    if (domain < CLUTCH_TIMER_EVENT_TIME || domain > CLUTCH_TIMER_PROCESSING_TIME || op < CLUTCH_TIMER_REGISTER ||
        op > CLUTCH_TIMER_FIRED) {
      return bad_data("a timer has domain " + std::to_string(domain) + " and op " + std::to_string(op) +
                      "; domains are 0 and 1, ops 0 to 2");
    }
  }
  context.staged.push_back({SectionKind::kTimerChanges, 0, &timer_changes_field(), std::move(changes)});
  return {};
}

}  // namespace clutch::pyproc
