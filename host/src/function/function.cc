#include "function/function.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/timer.h"
#include "service/keys.h"

namespace clutch::host {
namespace {

int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Status check_column(const char* what, columnar::TypeId id, bool nullable, const columnar::Array& array, int64_t rows) {
  if (array.empty()) return {};
  Status status = columnar::validate(simple_field(what, id, nullable), *array, columnar::Depth::kStructure);
  if (!status.ok()) return status;
  if (array->length == rows) return {};
  return {CLUTCH_ERR_DATA,
          std::string(what) + " has " + std::to_string(array->length) + " entries for " + std::to_string(rows) +
              " rows; give one a row",
          CLUTCH_ORIGIN_USER};
}

const ArrowArray* or_null(const columnar::Array& array) { return array.empty() ? nullptr : array.get(); }

}  // namespace

Status Function::check(const BatchRequest& request) const {
  if (request.rows.empty()) return argument_error("function \"" + setup_.name + "\": rows is NULL or released");
  if (request.timeout_ms < 0) {
    return argument_error("function \"" + setup_.name + "\": timeout_ms is " + std::to_string(request.timeout_ms) +
                          "; give a time to wait, or 0 for none");
  }
  const columnar::Depth depth =
      (request.flags & CLUTCH_APP_UNTRUSTED_INPUT) != 0 ? columnar::Depth::kFull : columnar::Depth::kStructure;
  const int64_t rows = request.rows->length;
  Status status = columnar::validate(shape_->input, *request.rows, depth);
  if (status.ok() && rows > std::numeric_limits<int32_t>::max()) {
    status = Status(CLUTCH_ERR_DATA, "a batch of " + std::to_string(rows) + " rows is too big; use at most 2^31-1");
  }
  const columnar::ArrayView view(*request.rows);
  if (status.ok() && !view.no_nulls()) {
    for (int64_t i = 0; i < rows && status.ok(); ++i) {
      if (view.is_null(i)) {
        status = Status(CLUTCH_ERR_DATA, "row " + std::to_string(i) + " is a null struct; only columns may be null");
      }
    }
  }
  if (status.ok()) status = check_column("timestamps", columnar::TypeId::kInt64, true, request.timestamps, rows);
  if (status.ok()) status = check_column("row_kinds", columnar::TypeId::kInt8, false, request.row_kinds, rows);
  if (status.ok() && !request.keys.empty()) status = check_keys(request.keys, request.key_index, rows);
  if (status.ok() && request.keys.empty() && !request.key_index.empty()) {
    status = Status(CLUTCH_ERR_DATA, "key_index is given without keys");
  }
  if (status.ok()) status = check_column("row_flags", columnar::TypeId::kInt8, false, request.row_flags, rows);
  if (status.ok() && !request.merges.empty()) status = check_merges(request.merges, request.keys, request.key_index);
  if (status.ok()) return {};
  // Whoever fills a batch is the one to change something.
  Status out(status.code(), "function \"" + setup_.name + "\": input: " + std::string(status.message()),
             CLUTCH_ORIGIN_USER);
  for (const auto& [key, value] : status.details()) out.with(key, value);
  return std::move(out).with(CLUTCH_DETAIL_FUNCTION, setup_.name);
}

Status Function::closed_error() const {
  return {CLUTCH_ERR_CLOSED, "function \"" + setup_.name + "\" is being closed; it takes no more batches",
          CLUTCH_ORIGIN_HOST};
}

BatchSlot& Function::take_slot() {
  if (free_slots_.empty()) {
    slots_.reserve(slots_.size() + 1);
    free_slots_.reserve(slots_.size() + 1);
    slots_.push_back(setup_.pools->slots.acquire());
    BatchSlot* slot = slots_.back();
    slot->job = BatchSlot::Job();
    slot->job.owner = this;
    slot->job.shape = shape_;
    slot->job.store = store_.get();
    slot->job.logger = setup_.logger;
    return *slot;
  }
  BatchSlot* slot = free_slots_.back();
  free_slots_.pop_back();
  return *slot;
}

// Without the lock, but inside the gate: nobody else changes the slot, and nobody else may commit state or timers if
// this batch has keys.
Status Function::fill(BatchSlot& slot, BatchRequest& request, Staged& staged) {
  BatchSlot::Job& job = slot.job;
  if (!job.input) job.input = InputRef(new BatchInput());
  BatchInput& input = *job.input;
  input.rows = std::move(request.rows);
  input.timestamps = std::move(request.timestamps);
  input.row_kinds = std::move(request.row_kinds);
  input.row_flags = std::move(request.row_flags);
  input.merges = std::move(request.merges);
  input.borrowed = (request.flags & CLUTCH_APP_INPUT_BORROWED) != 0;
  if (!request.keys.empty()) {
    StagedStates& keyed = staged.keyed;
    CLUTCH_ASSIGN_OR_RETURN(const std::span<const clutch_app_timer> due,
                            store_->due(job.batch.watermark_ms, job.batch.processing_time_ms));
    CLUTCH_RETURN_IF_ERROR(arrange_keys(std::move(request.keys), std::move(request.key_index), due, input, keyed.keys));
    for (size_t i = 0; i < due.size(); ++i) {
      // The store's bytes end with its next call; those of the input stay.
      const int32_t key = columnar::ArrayView(*input.timers->children[0]).values<int32_t>()[i];
      const clutch_bytes bytes = keyed.keys[static_cast<size_t>(key)];
      keyed.fired.push_back({bytes, due[i].time_ms, due[i].domain, CLUTCH_TIMER_FIRED});
      keyed.timers.push_back({bytes, due[i].time_ms, due[i].domain, CLUTCH_TIMER_DELETE});
    }
    for (uint32_t state = 0; state < store_->size(); ++state) {
      keyed.states.emplace_back(store_->info(state).kind, input.keys->length);
    }
  }
  job.error.clear();
  clutch_batch& batch = job.batch;
  batch.struct_size = sizeof(batch);
  batch.flags = (request.flags & CLUTCH_APP_END_OF_INPUT) != 0 ? CLUTCH_BATCH_END_OF_INPUT : 0;
  batch.rows = input.rows.get();
  batch.timestamps = or_null(input.timestamps);
  batch.row_kinds = or_null(input.row_kinds);
  batch.keys = or_null(input.keys);
  batch.key_index = or_null(input.key_index);
  batch.timers = or_null(input.timers);
  batch.row_flags = or_null(input.row_flags);
  batch.merges = or_null(input.merges);
  return {};
}

Status Function::start(BatchRequest request, Ticket* direct, uint64_t* ret_sequence) {
  const int64_t now_ns = monotonic_ns();
  const int64_t deadline_ns = request.timeout_ms == 0 ? kForever : time_after(now_ns, request.timeout_ms);
  if (request.processing_time_ms == 0) request.processing_time_ms = unix_ms();
  const bool keyed = !request.keys.empty();
  auto result = std::make_unique<clutch_app_result>();
  result->shape = shape_;

  Lock lock(mutex_);
  const auto ready = [&] {
    return closing_ || (in_flight_ < max_in_flight_ && !exclusive_ && (!keyed || in_flight_ == 0));
  };
  if (!gate_.enter(lock, changed_, deadline_ns, ready, [&](Lock& held) { return poll(held, deadline_ns); })) {
    return {CLUTCH_ERR_DEADLINE,
            "function \"" + setup_.name + "\": no place for the batch within " + std::to_string(request.timeout_ms) +
                " ms; " + std::to_string(in_flight_) + " batches are in flight, await some of them",
            CLUTCH_ORIGIN_USER};
  }
  if (closing_) {
    gate_.leave(changed_);
    return closed_error();
  }
  BatchSlot* slot = nullptr;
  Ticket* ticket = nullptr;
  Staged staged;
  try {
    slot = &take_slot();
    slot->job.ticket = nullptr;
    if ((request.flags & CLUTCH_APP_HAS_WATERMARK) != 0) {
      watermark_ms_ = std::max(watermark_ms_, request.watermark_ms);
    }
    ticket = direct != nullptr ? direct : &tickets_[sequence_ + 1];
  } catch (...) {
    if (slot != nullptr) free_slots_.push_back(slot);
    gate_.leave(changed_);
    throw;
  }
  ++sequence_;
  ++in_flight_;
  ++metrics_.batches_submitted;
  exclusive_ = keyed;
  ticket->slot = slot;
  ticket->sequence = sequence_;
  ticket->deadline_ns = deadline_ns == kForever ? 0 : deadline_ns;
  result->sequence = sequence_;
  if (ret_sequence != nullptr) *ret_sequence = sequence_;
  slot->job.ticket = ticket;
  slot->job.in_flight = true;
  slot->job.exclusive = keyed;
  slot->job.started_ns = now_ns;
  slot->job.batch.sequence = sequence_;
  slot->job.batch.deadline_ns = ticket->deadline_ns;
  slot->job.batch.processing_time_ms = request.processing_time_ms;
  slot->job.batch.watermark_ms = watermark_ms_;
  lock.unlock();

  staged.result = std::move(result);
  Status filled;
  try {
    filled = fill(*slot, request, staged);
  } catch (...) {
    filled = current_exception_status();
  }
  run(*slot, slot->begin(std::move(staged)), std::move(filled));
  lock.lock();
  gate_.leave(changed_);
  return {};
}

void Function::run(BatchSlot& slot, clutch_batch_context* context, const Status& filled) {
  int32_t status = CLUTCH_OK;
  if (!filled.ok()) {
    status = fill_error(&slot.job.error, filled);
  } else {
    slot.job.batch.context = context;
    status = setup_.api->function_submit(function_, &slot.job.batch, &slot.job.error);
    if (status == CLUTCH_PENDING) return;
  }
  if (BatchSlot::complete(context, status)) return;
  setup_.logger->write(CLUTCH_LOG_PLUGIN_MISBEHAVING, setup_.plugin, setup_.name,
                       "function_submit returned " + std::to_string(status) +
                           " for a batch that was completed already; return CLUTCH_PENDING then");
}

Status Function::conclude(BatchSlot& slot, Staged& staged, int32_t status) const {
  if (status == CLUTCH_OK) {
    if (!staged.refused.ok()) return staged.refused;
    return staged.result->settle_dead_letters(*slot.job.input->rows);
  }
  if (status > 0 && slot.job.error.message.empty()) {
    slot.job.error.set(CLUTCH_ERR_PROTOCOL, CLUTCH_ORIGIN_PLUGIN,
                       "plugin \"" + setup_.plugin + "\" ended a batch with status " + std::to_string(status) +
                           ", which means nothing there");
  }
  return take_status(status, slot.job.error, "plugin \"" + setup_.plugin + "\"");
}

void Function::keep_times(BatchSlot& slot, Staged& staged) const {
  SourceTimes& times = staged.result->times;
  for (const clutch_app_timer& timer : staged.keyed.fired) {
    times.timers.push_back(timer.domain == CLUTCH_TIMER_EVENT_TIME ? std::optional(timer.time_ms) : std::nullopt);
  }
  BatchInput& input = *slot.job.input;
  if (input.timestamps.empty() || shape_->by_group) return;
  if (input.only_reference()) {
    times.rows = std::move(input.timestamps);
    return;
  }
  // Who holds a lease may still look at the input.
  const columnar::ArrayView view(*input.timestamps);
  columnar::ArrayBuilder copy(simple_field("timestamp", columnar::TypeId::kInt64, true));
  copy.reserve(view.length());
  for (int64_t i = 0; i < view.length(); ++i) {
    if (view.is_null(i)) {
      copy.append_null();
    } else {
      copy.append<int64_t>(view.values<int64_t>()[i]);
    }
  }
  times.rows = copy.finish();
}

Status Function::commit(BatchSlot& slot, StagedStates& staged) {
  {
    const std::scoped_lock lock(mutex_);
    // Who gave it up was told that nothing is kept of it.
    if (slot.job.ticket == nullptr) return {CLUTCH_ERR_CANCELLED, "the batch was given up", CLUTCH_ORIGIN_HOST};
  }
  staged.collect(changes_);
  if (changes_.empty() && staged.timers.empty()) return {};
  clutch_app_commit commit{};
  commit.struct_size = sizeof(commit);
  commit.sequence = slot.job.batch.sequence;
  commit.now_ms = slot.job.batch.processing_time_ms;
  commit.changes = changes_.data();
  commit.n_changes = changes_.size();
  commit.timers = staged.timers.data();
  commit.n_timers = staged.timers.size();
  Status status = store_->commit(commit);
  if (!status.ok()) return std::move(status).prefixed("function \"" + setup_.name + "\"");
  if (!staged.timers.empty()) look_at_timers();
  return {};
}

void Function::look_at_timers() {
  std::array<NextTimer, 2> found;
  for (const int32_t domain : {CLUTCH_APP_EVENT_TIME, CLUTCH_APP_PROCESSING_TIME}) {
    NextTimer& timer = found[static_cast<size_t>(domain)];
    const Result<std::optional<int64_t>> next = store_->next(domain);
    if (!next.ok()) {
      // What was committed stays committed; whoever asks for the next timer learns that it is not known.
      timer.status = next.status().code();
      setup_.logger->write(CLUTCH_LOG_ERROR, "host", setup_.name, std::string(next.status().message()));
    } else if (next->has_value()) {
      timer = {CLUTCH_OK, **next};
    }
  }
  const std::scoped_lock lock(mutex_);
  next_timers_ = found;
}

void Function::count(const BatchSlot& slot, const Staged& staged, const Status& outcome, int64_t input_rows) {
  metrics_.busy_ns += static_cast<uint64_t>(monotonic_ns() - slot.job.started_ns);
  for (size_t stage = 0; stage < staged.stage_ns.size(); ++stage) {
    metrics_.stage_ns[stage] += static_cast<uint64_t>(staged.stage_ns[stage]);
  }
  if (!outcome.ok()) {
    ++metrics_.batches_failed;
    ++metrics_.errors[std::min<size_t>(static_cast<size_t>(-outcome.code()), std::size(metrics_.errors) - 1)];
    return;
  }
  ++metrics_.batches_done;
  metrics_.rows_in += static_cast<uint64_t>(input_rows);
  metrics_.rows_out += static_cast<uint64_t>(staged.result->main.length());
  for (const Outputs& side : staged.result->sides) metrics_.rows_side += static_cast<uint64_t>(side.length());
  metrics_.dead_letters += staged.result->dead_letters.size();
  metrics_.timers_fired += staged.keyed.fired.size();
}

void Function::batch_over(BatchSlot& slot, Staged staged, int32_t status) {
  const uint64_t sequence = slot.job.batch.sequence;
  const int64_t input_rows = slot.job.input && !slot.job.input->rows.empty() ? slot.job.input->rows->length : 0;
  Status outcome;
  try {
    outcome = conclude(slot, staged, status);
    if (outcome.ok()) keep_times(slot, staged);
    if (outcome.ok() && slot.job.exclusive) outcome = commit(slot, staged.keyed);
    if (!outcome.ok()) {
      if (outcome.detail(CLUTCH_DETAIL_FUNCTION).empty()) outcome.with(CLUTCH_DETAIL_FUNCTION, setup_.name);
      outcome.with(CLUTCH_DETAIL_BATCH, std::to_string(sequence));
    }
  } catch (...) {
    outcome = current_exception_status();
  }
  // The input goes before anybody learns that the batch is over; a lease may keep it.
  if (slot.job.input && slot.job.input->only_reference()) {
    slot.job.input->reset();
  } else {
    slot.job.input = InputRef();
  }
  // Once the lock is given back the function may be closed and gone, unless calling_back_ keeps it.
  void (*const completed)(void*, uint64_t) = setup_.completed;
  std::unique_ptr<clutch_app_result> dropped;  // Released without the lock.
  {
    const std::scoped_lock lock(mutex_);
    count(slot, staged, outcome, input_rows);
    Ticket* ticket = slot.job.ticket;
    dropped = std::move(staged.result);
    if (ticket != nullptr) {
      if (outcome.ok()) ticket->result = std::move(dropped);
      ticket->outcome = std::move(outcome);
      ticket->slot = nullptr;
      ticket->over = true;
    }
    slot.job.ticket = nullptr;
    slot.job.in_flight = false;
    if (slot.job.exclusive) exclusive_ = false;
    --in_flight_;
    ++completions_;
    free_slots_.push_back(&slot);
    if (completed != nullptr) ++calling_back_;
    changed_.notify_all();
  }
  if (completed == nullptr) return;
  completed(setup_.completed_self, sequence);
  const std::scoped_lock lock(mutex_);
  --calling_back_;
  changed_.notify_all();
}

}  // namespace clutch::host
