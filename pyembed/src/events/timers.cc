#include "events/timers.h"

#include "clutch/columnar/builder.h"
#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/timer.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

Field field_of(const char* name, TypeId id) {
  Field field;
  field.name = name;
  field.type.id = id;
  field.nullable = false;
  return field;
}

}  // namespace

Status Timers::begin(const FunctionSpec& spec, const clutch_batch& batch, int32_t groups) {
  end();
  if (batch.timers == nullptr) return {};
  firing_ = true;
  now_[CLUTCH_TIMER_EVENT_TIME] = batch.watermark_ms;
  now_[CLUTCH_TIMER_PROCESSING_TIME] = batch.processing_time_ms;
  given_ = static_cast<int32_t>(batch.timers->length);
  const Field field = columnar::struct_of(
      {field_of("key_index", TypeId::kInt32), field_of("time_ms", TypeId::kInt64), field_of("domain", TypeId::kInt8)});
  if (Status status = columnar::validate(field, *batch.timers, columnar::Depth::kStructure); !status.ok()) {
    return std::move(status).prefixed("function \"" + spec.name + "\": timers");
  }
  const ArrayView rows(*batch.timers);
  for (int64_t i = batch.timers->offset; i < batch.timers->offset + batch.timers->length; ++i) {
    const DueTimer timer{ArrayView(rows.child(0)).values<int32_t>()[i], ArrayView(rows.child(1)).values<int64_t>()[i],
                         ArrayView(rows.child(2)).values<int8_t>()[i], static_cast<int32_t>(i - batch.timers->offset)};
    if (batch.keys == nullptr || timer.group < 0 || timer.group >= groups || timer.domain < CLUTCH_TIMER_EVENT_TIME ||
        timer.domain > CLUTCH_TIMER_PROCESSING_TIME) {
      return Status(CLUTCH_ERR_DATA,
                    "function \"" + spec.name + "\": a timer has key " + std::to_string(timer.group) + " and domain " +
                        std::to_string(timer.domain) + "; the batch has " +
                        std::to_string(batch.keys == nullptr ? 0 : groups) + " keys, and domains are 0 and 1",
                    CLUTCH_ORIGIN_HOST);
    }
    due_.push_back(timer);
    waiting_.emplace(Key{timer.group, timer.domain, timer.time_ms}, true);
  }
  return {};
}

void Timers::end() {
  due_.clear();
  at_ = 0;
  waiting_.clear();
  changes_.clear();
  fired_.clear();
  firing_ = false;
}

const DueTimer* Timers::next() {
  while (at_ < due_.size()) {
    DueTimer& timer = due_[at_++];
    const auto waiting = waiting_.find({timer.group, timer.domain, timer.time_ms});
    if (waiting == waiting_.end()) continue;  // it stood there twice
    const bool fires = waiting->second;
    waiting_.erase(waiting);
    if (!fires) continue;
    if (timer.place < 0) {
      timer.place = given_ + static_cast<int32_t>(fired_.size());
      fired_.push_back(timer);
    }
    return &timer;
  }
  return nullptr;
}

// Before the first of its clock that is later; behind the others of its clock; or next, if there are none.
void Timers::insert(const DueTimer& timer) {
  size_t place = at_;
  for (size_t i = at_; i < due_.size(); ++i) {
    if (due_[i].domain != timer.domain) continue;
    if (due_[i].time_ms > timer.time_ms) {
      place = i;
      break;
    }
    place = i + 1;
  }
  due_.insert(due_.begin() + static_cast<std::ptrdiff_t>(place), timer);
  waiting_.emplace(Key{timer.group, timer.domain, timer.time_ms}, true);
}

void Timers::change(int32_t group, int64_t time_ms, int8_t domain, int8_t op) {
  if (!waiting_.empty()) {
    if (const auto waiting = waiting_.find({group, domain, time_ms}); waiting != waiting_.end()) {
      waiting->second = op == CLUTCH_TIMER_REGISTER;
      return;
    }
  }
  if (firing_ && op == CLUTCH_TIMER_REGISTER && time_ms <= now_[domain]) {
    insert({group, time_ms, domain});
    return;
  }
  changes_.push_back({{group, time_ms, domain}, op});
}

int32_t Timers::apply(const Host& host, const clutch_batch& batch) {
  if (changes_.empty() && fired_.empty()) return CLUTCH_OK;
  columnar::ArrayBuilder builder(
      columnar::struct_of({field_of("key", TypeId::kInt32), field_of("time_ms", TypeId::kInt64),
                           field_of("domain", TypeId::kInt8), field_of("op", TypeId::kInt8)}));
  const auto add = [&builder](const DueTimer& timer, int8_t op) {
    builder.child(0).append<int32_t>(timer.group);
    builder.child(1).append<int64_t>(timer.time_ms);
    builder.child(2).append<int8_t>(timer.domain);
    builder.child(3).append<int8_t>(op);
    builder.append_struct();
  };
  for (const DueTimer& timer : fired_) add(timer, CLUTCH_TIMER_FIRED);
  for (const Change& change : changes_) add(change.timer, change.op);
  ArrowArray array = builder.finish().detach();
  return host.timer->apply(batch.context, &array, nullptr);
}

}  // namespace clutch::pyembed
