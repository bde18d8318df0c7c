// clutch.host.timer/1 over the timers of a function.
#include "clutch/columnar/type.h"
#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/timer.h"
#include "function/slot.h"
#include "service/host_table.h"

namespace clutch::host {
namespace {

using columnar::TypeId;

const columnar::Field& changes_field() {
  static const columnar::Field kField =
      columnar::struct_of({simple_field("key", TypeId::kInt32, false), simple_field("time_ms", TypeId::kInt64, false),
                           simple_field("domain", TypeId::kInt8, false), simple_field("op", TypeId::kInt8, false)});
  return kField;
}

Status out_of_range(const char* what, int64_t row, int value) {
  return {CLUTCH_ERR_DATA,
          "timer change " + std::to_string(row) + ": " + what + " is " + std::to_string(value) + "; it is 0" +
              (what[0] == 'o' ? ", 1 or 2" : " or 1"),
          CLUTCH_ORIGIN_PLUGIN};
}

// Columns of a struct array with the struct's own offset added.
template <typename T>
const T* column(const ArrowArray& rows, int64_t index) {
  return columnar::ArrayView(*rows.children[index]).values<T>() + rows.offset;
}

Status stage(BatchSlot& slot, const ArrowArray& changes) {
  CLUTCH_RETURN_IF_ERROR(columnar::validate(changes_field(), changes, columnar::Depth::kStructure));
  std::vector<clutch_app_timer> staged;
  std::vector<clutch_app_timer> fired;
  const std::vector<clutch_bytes>& keys = slot.staged().keyed.keys;
  for (int64_t i = 0; i < changes.length; ++i) {
    const int8_t domain = column<int8_t>(changes, 2)[i];
    const int8_t op = column<int8_t>(changes, 3)[i];
    if (domain != CLUTCH_TIMER_EVENT_TIME && domain != CLUTCH_TIMER_PROCESSING_TIME) {
      return out_of_range("domain", i, domain);
    }
    if (op < CLUTCH_TIMER_REGISTER || op > CLUTCH_TIMER_FIRED) return out_of_range("op", i, op);
    const int32_t key = column<int32_t>(changes, 0)[i];
    CLUTCH_RETURN_IF_ERROR(slot.check_key(key));
    auto& timers = op == CLUTCH_TIMER_FIRED ? fired : staged;
    timers.push_back({keys[static_cast<size_t>(key)], column<int64_t>(changes, 1)[i], domain, op});
  }
  StagedStates& keyed = slot.staged().keyed;
  keyed.timers.insert(keyed.timers.end(), staged.begin(), staged.end());
  keyed.fired.insert(keyed.fired.end(), fired.begin(), fired.end());
  return {};
}

int32_t apply(clutch_batch_context* context, ArrowArray* changes, clutch_error* error) noexcept {
  if (changes == nullptr || changes->release == nullptr)
    return fill_error(error, argument_error("changes is released"));
  const columnar::Array owned(std::move(*changes));
  return BatchSlot::with(context, error, [&](BatchSlot& slot) { return stage(slot, *owned); });
}

}  // namespace

const clutch_host_timer kTimerService = {sizeof(clutch_host_timer), 0, apply};

}  // namespace clutch::host
