// From submit to completion.
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "clutch/abi/spec.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/state.h"
#include "supervisor/collect.h"
#include "supervisor/pool.h"

namespace clutch::pyproc {
namespace {

// How many workers one batch may take with it before it fails, however it is cut.
constexpr uint32_t kMaxLossesOfBatch = 32;

std::string quoted(const Function& function) { return "function \"" + function.name + "\""; }

struct Part {
  SectionKind kind;
  uint32_t id;
  const columnar::Field* field;
  const ArrowArray* array;
};

}  // namespace

uint32_t Pool::max_in_flight(const Function& function) const {
  // Why: a batch carries the state that the batch before it leaves, so the next one can only go when that is committed.
  return function.states.empty() ? options_.workers * options_.depth : 1;
}

int32_t Pool::submit(Function* function, const clutch_batch& batch, clutch_error* error) {
  const int64_t now = now_ns();
  auto owned = std::make_unique<Job>();
  Job* job = owned.get();
  job->function = function;
  // A host of an earlier release gives a shorter batch; what it does not have stays NULL.
  std::memcpy(&job->batch, &batch, std::min<size_t>(batch.struct_size, sizeof(batch)));
  job->error = error;
  job->ranges.push_back({0, batch.rows->length, 0});
  job->times.submitted = now;
  if (batch.deadline_ns != 0) {
    job->deadline_ns = batch.deadline_ns;
  } else if (options_.batch_timeout_ms != 0) {
    job->deadline_ns = after(now, options_.batch_timeout_ms * kMillisecond);
  }

  Assigned assigned;
  {
    const Lock lock(mutex_);
    Status refused;
    if (!function->failed.ok()) {
      refused = function->failed;
    } else {
      refused = hopeless(*function, now);
    }
    if (!refused.ok()) {
      set_error(host_.host(), error, refused);
      return refused.code();
    }
    job->ticket = next_ticket_++;
    function->jobs.emplace(job->ticket, std::move(owned));
    if (!waiting_.empty() || !assign(job, assigned)) waiting_.push_back(job);
  }
  const int64_t deadline = job->deadline_ns;
  // Once it is shipped or left to others, the job may be over and gone. The timer is set while the worker wakes up.
  if (assigned.job != nullptr) {
    ship(std::move(assigned));
  } else {
    dispatch();
  }
  loop_->arm(deadline);
  return CLUTCH_PENDING;
}

Status Pool::hopeless(const Function& function, int64_t now) const {
  if (!policy_.circuit_open(now)) return {};
  const bool any = std::any_of(workers_.begin(), workers_.end(), [](const WorkerPtr& worker) {
    return worker->life.state() == WorkerState::kReady || worker->life.state() == WorkerState::kStarting;
  });
  if (any) return {};
  return Status(last_report_)
      .prefixed(quoted(function) +
                ": no worker is started for some seconds, since the last ones all failed; the last one");
}

bool Pool::assign(Job* job, Assigned& assigned) {
  const WorkerPtr* best = nullptr;
  uint32_t best_busy = UINT32_MAX;
  for (const WorkerPtr& worker : workers_) {
    if (worker->spare || worker->life.state() != WorkerState::kReady || !worker->open_for(job->function->id)) continue;
    if (worker->hang_up_at != kNever) continue;
    const uint32_t busy = worker->busy();
    if (busy < best_busy && worker->free_slot() != nullptr) {
      best = &worker;
      best_busy = busy;
    }
  }
  if (best == nullptr) return false;
  Slot* slot = (*best)->free_slot();
  slot->state = Slot::State::kFilling;
  slot->job = job;
  slot->range = job->ranges.back();
  slot->ticket = job->ticket;
  slot->notes.clear();
  slot->noted = 0;
  slot->error = {};
  job->worker = best->get();
  job->slot = static_cast<uint32_t>(slot - (*best)->slots.data());
  assigned = {*best, job->slot, job};
  return true;
}

Status Pool::fill(Assigned& assigned, uint64_t& in_bytes, BatchSubmit& submit) {
  Job& job = *assigned.job;
  Worker& worker = *assigned.worker;
  Slot& slot = worker.slots[assigned.slot];
  const clutch_batch& batch = job.batch;
  const Range& range = slot.range;
  const bool whole = range.start == 0 && range.length == batch.rows->length;

  std::vector<columnar::Array> kept;  // slices and states, until they are written
  kept.reserve(5 + job.function->states.size());
  std::vector<Part> parts;
  parts.reserve(8 + job.function->states.size());
  const auto add_rows = [&](SectionKind kind, const columnar::Field& field, const ArrowArray* array) {
    if (array == nullptr) return;
    if (!whole) array = kept.emplace_back(columnar::slice(*array, range.start, range.length)).get();
    parts.push_back({kind, 0, &field, array});
  };
  const auto add_whole = [&](SectionKind kind, const columnar::Field& field, const ArrowArray* array) {
    if (array != nullptr) parts.push_back({kind, 0, &field, array});
  };
  add_rows(SectionKind::kRows, job.function->input, batch.rows);
  add_rows(SectionKind::kTimestamps, timestamps_field(), batch.timestamps);
  add_rows(SectionKind::kRowKinds, row_kinds_field(), batch.row_kinds);
  add_whole(SectionKind::kKeys, keys_field(), batch.keys);
  add_rows(SectionKind::kKeyIndex, key_index_field(), batch.key_index);
  add_whole(SectionKind::kTimers, timers_field(), batch.timers);
  add_rows(SectionKind::kRowFlags, row_flags_field(), batch.row_flags);
  add_whole(SectionKind::kMerges, merges_field(), batch.merges);
  if (batch.keys != nullptr) {
    for (uint32_t state = 0; state < job.function->states.size(); ++state) {
      if (job.function->states[state].state_kind != CLUTCH_STATE_VALUE) {
        CLUTCH_ASSIGN_OR_RETURN(columnar::Array entries, read_entries(job, state));
        kept.push_back(std::move(entries));
        parts.push_back({SectionKind::kStateEntries, state, &state_entries_field(), kept.back().get()});
        continue;
      }
      ArrowArray values{};
      const int32_t code = host_.state()->read(batch.context, job.function->host_states[state], &values, job.error);
      if (code != CLUTCH_OK) return {code, "", CLUTCH_ORIGIN_HOST};
      kept.emplace_back(std::move(values));
      parts.push_back({SectionKind::kStateValues, state, &state_values_field(), kept.back().get()});
    }
  }

  uint64_t needed = ArenaWriter::kEmptyBytes + 2 * static_cast<uint64_t>(kArenaAlign);
  for (const Part& part : parts) needed += ArenaWriter::bytes_for(*part.field, *part.array);
  if (slot.in == nullptr || slot.in->size() < needed) {
    CLUTCH_ASSIGN_OR_RETURN(auto larger, worker.add_arena(ArenaRole::kIn, needed, 0));
    worker.drop_arena(std::exchange(slot.in, std::move(larger)));
  }
  if (slot.out == nullptr) {
    // A first guess; the worker asks for more where it is not enough.
    CLUTCH_ASSIGN_OR_RETURN(slot.out, worker.add_arena(ArenaRole::kOut, needed + needed / 4, 0));
  }
  thread_local ArenaWriter writer;
  writer.start(slot.in->writable());
  for (const Part& part : parts) writer.add(part.kind, part.id, *part.field, *part.array);
  in_bytes = writer.finish();

  submit.ticket = job.ticket;
  submit.function = job.function->id;
  submit.sequence = batch.sequence;
  submit.slot = assigned.slot;
  submit.in_arena = slot.in->number();
  submit.out_arena = slot.out->number();
  submit.in_bytes = in_bytes;
  submit.deadline_ns = job.deadline_ns == kNever ? 0 : job.deadline_ns;
  submit.processing_time_ms = batch.processing_time_ms;
  submit.watermark_ms = batch.watermark_ms;
  submit.batch_flags = batch.flags;
  return {};
}

void Pool::ship(Assigned assigned) {
  Job* job = assigned.job;
  Worker& worker = *assigned.worker;
  Slot& slot = worker.slots[assigned.slot];
  const int64_t start = now_ns();
  BatchSubmit submit;
  uint64_t in_bytes = 0;
  Status filled = fill(assigned, in_bytes, submit);
  // A worker that is gone says so by its exit, which is when its batches go elsewhere.
  const bool worker_trouble =
      !filled.ok() && (filled.code() == CLUTCH_ERR_WORKER_LOST || filled.code() == CLUTCH_ERR_PROTOCOL);
  if (!filled.ok() && !worker_trouble) {
    free_slot(assigned.worker, assigned.slot);
    complete(job, std::move(filled));
    return;
  }
  const int64_t filled_at = now_ns();
  job->times.encode += filled_at - start;

  const std::lock_guard sending(worker.send_mutex);
  {
    const Lock lock(mutex_);
    if (worker_trouble) cannot_send(worker, filled);
    if (worker_trouble || worker.life.state() != WorkerState::kReady) {
      slot.state = Slot::State::kFree;
      slot.job = nullptr;
      requeue(job);
      loop_->wake();
      return;
    }
    submit.attempt = slot.attempt = ++job->attempt;
    slot.order = worker.next_order++;
    worker.sending.store(slot.order);
    if (worker.head() == 0) worker.head_since = filled_at;
    slot.state = Slot::State::kSent;
    job->times.shipped = filled_at;
    if (job->cancelled) worker.page().cancelled[assigned.slot].store(job->ticket, std::memory_order_relaxed);
    ring(*job->function);  // a thread lent to it must watch this worker now
  }
  const Status sent = worker.send_locked(submit);
  if (!sent.ok()) {
    const Lock lock(mutex_);
    cannot_send(worker, sent);
    if (slot.state == Slot::State::kSent && slot.ticket == submit.ticket) {
      // The worker never had it, so whatever ended the worker was not this batch.
      slot.state = Slot::State::kFree;
      slot.job = nullptr;
      --job->attempt;
      requeue(job);
    }
    loop_->wake();
  }
  worker.sending.store(0);
}

void Pool::dispatch() {
  while (true) {
    Assigned assigned;
    {
      const Lock lock(mutex_);
      const auto ready =
          std::find_if(waiting_.begin(), waiting_.end(), [&](Job* job) { return assign(job, assigned); });
      if (ready == waiting_.end()) return;
      waiting_.erase(ready);
    }
    ship(std::move(assigned));
  }
}

void Pool::requeue(Job* job) {
  job->worker = nullptr;
  // Batches stay in the order of their tickets, whatever order their workers were lost in.
  const auto behind =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Job* other) { return other->ticket > job->ticket; });
  waiting_.insert(behind, job);
}

void Pool::free_slot(const WorkerPtr& worker, uint32_t index) {
  {
    const Lock lock(mutex_);
    Slot& slot = worker->slots[index];
    slot.state = Slot::State::kFree;
    slot.job->worker = nullptr;
    slot.job = nullptr;
    if (waiting_.empty()) return;
  }
  dispatch();
}

void Pool::finish(const WorkerPtr& worker, const BatchDone& done) {
  Slot& slot = worker->slots[done.slot];
  Job* job = slot.job;
  const Range range = slot.range;
  const int64_t arrived = now_ns();
  const int64_t away = arrived - job->times.shipped;
  const auto within = [away](int64_t reported) { return std::clamp<int64_t>(reported, 0, away); };
  job->times.run += within(done.run_ns);
  job->times.encode += within(done.encode_ns);
  job->times.wake += std::max<int64_t>(0, away - within(done.run_ns) - within(done.encode_ns));

  Status failed;
  Status lie;
  Outputs outputs;
  if (done.status != CLUTCH_OK) {
    failed = in_batch_rows(std::move(slot.error), range.start);
  } else if (slot.out == nullptr || slot.out->number() != done.out_arena) {
    lie = Status(CLUTCH_ERR_PROTOCOL,
                 "the worker's answer names arena " + std::to_string(done.out_arena) + ", which is not the batch's",
                 CLUTCH_ORIGIN_TRANSPORT);
  } else {
    Result<Outputs> collected =
        collect(*job, range, slot.out->readable(), done.out_bytes, std::move(slot.notes), job->times);
    if (collected.ok()) {
      outputs = *std::move(collected);
    } else {
      lie = std::move(collected).status();
    }
  }

  if (!lie.ok() && lie.code() != CLUTCH_ERR_MEMORY) {
    std::vector<std::pair<Job*, Status>> over;
    {
      const Lock lock(mutex_);
      slot.state = Slot::State::kFree;
      slot.job = nullptr;
      stop(*worker, StopStep::kKill, {StopCause::Kind::kProtocol, 0, std::string(lie.message())}, arrived);
      lie.with(CLUTCH_DETAIL_FUNCTION, job->function->name);
      lie.with(CLUTCH_DETAIL_BATCH, std::to_string(job->batch.sequence));
      blame(job, range, -1, std::move(lie).prefixed(quoted(*job->function)), over);
    }
    loop_->wake();
    for (auto& [lost, status] : over) complete(lost, std::move(status));
    return;
  }
  if (!lie.ok()) failed = std::move(lie);

  std::unique_ptr<ArenaMemory> retired;
  {
    const Lock lock(mutex_);
    policy_.succeeded();
    if ((done.flags & kDoneInputPinned) != 0) {
      retired = std::move(slot.in);
      ++pinned_;
    }
  }
  worker->drop_arena(std::move(retired));
  free_slot(worker, done.slot);
  if (failed.ok()) {
    advance(job, std::move(outputs));
  } else {
    complete(job, std::move(failed));
  }
}

void Pool::advance(Job* job, Outputs&& outputs) {
  job->outputs.append(std::move(outputs));
  bool over = false;
  {
    const Lock lock(mutex_);
    job->ranges.pop_back();
    over = job->ranges.empty();
    if (!over) requeue(job);
  }
  if (over) {
    complete(job, {});
  } else {
    dispatch();
  }
}

void Pool::complete(Job* job, Status status) {
  Function& function = *job->function;
  clutch_batch_context* context = job->batch.context;
  const int64_t start = now_ns();
  if (status.ok()) status = stage(host_, *job);
  if (host_.metrics() != nullptr) {
    const JobTimes& times = job->times;
    const auto report = [&](uint32_t stage, int64_t duration) { host_.metrics()->stage(context, stage, duration); };
    if (times.shipped != 0)
      report(CLUTCH_STAGE_QUEUE, std::max<int64_t>(0, times.shipped - times.submitted - times.encode));
    report(CLUTCH_STAGE_ENCODE, times.encode);
    report(CLUTCH_STAGE_WAKE, times.wake);
    report(CLUTCH_STAGE_RUN, times.run);
    report(CLUTCH_STAGE_COPY, times.copy);
    report(CLUTCH_STAGE_VALIDATE, times.validate);
    report(CLUTCH_STAGE_COMMIT, now_ns() - start);
  }
  set_error(host_.host(), job->error, status);
  std::unique_ptr<Job> owned;
  {
    const Lock lock(mutex_);
    const auto found = function.jobs.find(job->ticket);
    owned = std::move(found->second);
    function.jobs.erase(found);
    ++function.completing;
  }
  host_.host().batch_complete(context, status.code());
  const Lock lock(mutex_);
  --function.completing;
  ++function.completed;
  ring(function);
  if (function.phase != Function::Phase::kOpen) changed_.notify_all();
}

void Pool::ring(Function& function) {
  if (!function.lender_asleep) return;
  const uint64_t one = 1;
  // The counter of an eventfd cannot overflow here: its reader resets it.
  [[maybe_unused]] const ssize_t written = ::write(function.bell, &one, sizeof(one));
}

void Pool::blame(Job* job, const Range& range, int64_t row, Status report, std::vector<std::pair<Job*, Status>>& over) {
  job->worker = nullptr;
  ++job->losses;
  Range& current = job->ranges.back();
  ++current.losses;
  report.with(CLUTCH_DETAIL_ATTEMPTS, std::to_string(job->losses));
  if (job->cancelled) {
    over.emplace_back(job, cancelled_error(*job));
    return;
  }
  if (range.start == 0 && range.length == job->rows() && current.losses <= options_.retries) {
    requeue(job);
    return;
  }
  const bool may_cut = job->function->on_error == CLUTCH_ON_ERROR_DEAD_LETTER && job->batch.keys == nullptr &&
                       !job->function->by_group && range.length > 0 && job->losses < kMaxLossesOfBatch;
  if (!may_cut) {
    over.emplace_back(job, std::move(report));
    return;
  }
  if (range.length > 1) {
    split(job, range, row);
    requeue(job);
    return;
  }
  add_row(report, *job, range.start);
  job->outputs.dead_letters.push_back({range.start, std::move(report)});
  job->ranges.pop_back();
  if (job->ranges.empty()) {
    over.emplace_back(job, Status());
  } else {
    requeue(job);
  }
}

void Pool::split(Job* job, const Range& range, int64_t row) {
  job->ranges.pop_back();
  const int64_t end = range.start + range.length;
  // The row the worker was at is only its own word, so every other loss cuts in halves, whatever it says.
  if (row >= range.start && row < end && (job->losses - options_.retries) % 2 == 1) {
    if (row + 1 < end) job->ranges.push_back({row + 1, end - row - 1, 0});
    job->ranges.push_back({row, 1, 0});
    if (row > range.start) job->ranges.push_back({range.start, row - range.start, 0});
    return;
  }
  const int64_t half = range.length / 2;
  job->ranges.push_back({range.start + half, range.length - half, 0});
  job->ranges.push_back({range.start, half, 0});
}

}  // namespace clutch::pyproc
