// Value states, changes of any state, and timers: read from what the host shipped with the batch, changed by sections
// of the answer.
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

Status check_key(const clutch_batch_context& context, int32_t key) {
  if (key >= 0 && key < context.keys) return {};
  return bad_data("key " + std::to_string(key) + " is not one of the batch's " + std::to_string(context.keys) +
                  " keys");
}

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
