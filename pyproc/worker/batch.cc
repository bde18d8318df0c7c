// One batch: from its descriptor to its answer.
#include <string>

#include "clutch/abi/status.h"
#include "worker/clock.h"
#include "worker/fork_guard.h"
#include "worker/worker.h"

namespace clutch::pyproc {
namespace {

constexpr size_t kLetterBytes = 16 * 1024;  // at most, of one dead letter
constexpr size_t kNotesBytes = 24 * 1024;   // after which notes are sent

// About what an error takes in a message, a little more rather than less.
size_t size_of(const Status& status) {
  size_t size = 96 + status.message().size();
  for (const auto& [key, value] : status.details()) size += 48 + key.size() + value.size();
  return size;
}

Status no_arena(uint32_t arena) {
  return Status(CLUTCH_ERR_PROTOCOL,
                "a batch names arena " + std::to_string(arena) + ", which this worker does not have",
                CLUTCH_ORIGIN_TRANSPORT);
}

const ArrowArray* given(const columnar::Array& array) { return array.empty() ? nullptr : array.get(); }

}  // namespace

Status Worker::prepare(const BatchSubmit& submit, clutch_function_context& function) {
  for (columnar::Array* array :
       {&rows_, &timestamps_, &row_kinds_, &keys_, &key_index_, &timers_, &row_flags_, &merges_}) {
    array->reset();
  }
  const Arena* in = arenas_.find(submit.in_arena);
  if (in == nullptr) return no_arena(submit.in_arena);
  CLUTCH_RETURN_IF_ERROR(reader_.open(in->bytes(), submit.in_bytes));
  clutch_batch_context& context = function.batch;
  for (const Section& section : reader_.sections()) {
    columnar::Array* target = nullptr;
    const columnar::Field* field = nullptr;
    switch (section.kind) {
      case SectionKind::kRows:
        target = &rows_;
        field = &function.input;
        break;
      case SectionKind::kTimestamps:
        target = &timestamps_;
        field = &timestamps_field();
        break;
      case SectionKind::kRowKinds:
        target = &row_kinds_;
        field = &row_kinds_field();
        break;
      case SectionKind::kKeys:
        target = &keys_;
        field = &keys_field();
        break;
      case SectionKind::kKeyIndex:
        target = &key_index_;
        field = &key_index_field();
        break;
      case SectionKind::kTimers:
        target = &timers_;
        field = &timers_field();
        break;
      case SectionKind::kRowFlags:
        target = &row_flags_;
        field = &row_flags_field();
        break;
      case SectionKind::kMerges:
        target = &merges_;
        field = &merges_field();
        break;
      case SectionKind::kStateEntries:
        target = &context.states[section.id].entries;
        field = &state_entries_field();
        break;
      case SectionKind::kStateValues:
        target = &context.states[section.id].shipped;
        field = &state_values_field();
        break;
      default:
        return Status(CLUTCH_ERR_PROTOCOL,
                      "a batch has a section of kind " + std::to_string(static_cast<uint32_t>(section.kind)) +
                          "; host and worker are of different versions of Clutch",
                      CLUTCH_ORIGIN_TRANSPORT);
    }
    CLUTCH_ASSIGN_OR_RETURN(*target, reader_.view(section, *field));
  }
  if (rows_.empty()) return Status(CLUTCH_ERR_PROTOCOL, "a batch came without rows", CLUTCH_ORIGIN_TRANSPORT);
  context.rows = rows_->length;
  context.groups = !function.by_group ? rows_->length : keys_.empty() ? 1 : keys_->length;
  context.input = arenas_.share(submit.in_arena);
  context.keys = keys_.empty() ? 0 : keys_->length;
  context.ticket = submit.ticket;
  context.slot = submit.slot < kMaxSlots ? submit.slot : 0;
  return {};
}

Status Worker::call(clutch_function_context& function, const clutch_batch& batch) {
  clutch_batch_context& context = function.batch;
  clutch_error error;
  context.open.store(true, std::memory_order_release);
  int32_t code = api_.function_submit(function.handle, &batch, &error);
  if (code == CLUTCH_PENDING) {
    for (;;) {
      std::unique_lock lock(context.mutex);
      if (context.completion) break;
      if (api_.function_poll == nullptr) {
        context.completed.wait(lock);
        continue;
      }
      lock.unlock();
      (void)api_.function_poll(function.handle, now_ns() + 100'000'000);
    }
    code = *context.completion;
  }
  {
    // Why: a thread of the user may be waiting for state. The link and the OUT arena are free again after it.
    const std::lock_guard lock(context.mutex);
    context.open.store(false, std::memory_order_release);
  }
  if (code >= 0) return {};
  if (!error.status.ok()) return std::move(error.status);
  return Status(code, "the batch failed with status " + std::to_string(code) + " and the runtime did not say why",
                CLUTCH_ORIGIN_PLUGIN);
}

Result<const Arena*> Worker::out_arena(uint64_t ticket, uint64_t needed) {
  const Arena* out = arenas_.find(out_arena_);
  if (out == nullptr) return no_arena(out_arena_);
  if (needed <= out->bytes().size()) return out;
  must(link_.send(NeedArena{.ticket = ticket, .bytes = needed}));
  Message message;
  if (!link_.next_arena(ticket, message)) Watch::leave();
  AddArena answer;
  (void)message.read(answer);  // next_arena has read it before
  if (answer.bytes == 0) {
    return Status(CLUTCH_ERR_MEMORY,
                  "the batch gave " + std::to_string(needed) +
                      " bytes of output, more than the host takes for one batch; make batches smaller",
                  CLUTCH_ORIGIN_USER);
  }
  CLUTCH_RETURN_IF_ERROR(arenas_.add(answer, message.attached));
  out_arena_ = answer.arena;
  out = arenas_.find(answer.arena);
  if (out->bytes().size() < needed) {
    return Status(CLUTCH_ERR_PROTOCOL, "the arena that was asked for is smaller than asked", CLUTCH_ORIGIN_TRANSPORT);
  }
  return out;
}

Status Worker::write_output(clutch_batch_context& context, BatchDone& done) {
  uint64_t needed = ArenaWriter::kEmptyBytes;
  for (const Staged& staged : context.staged) {
    needed += staged.array.empty() ? ArenaWriter::kImpliedBytes : ArenaWriter::bytes_for(*staged.field, *staged.array);
  }
  CLUTCH_ASSIGN_OR_RETURN(const Arena* out, out_arena(done.ticket, needed));
  writer_.start(out->bytes());
  for (Staged& staged : context.staged) {
    if (staged.array.empty()) {
      writer_.add_implied(staged.kind, staged.id);
    } else {
      writer_.add(staged.kind, staged.id, *staged.field, *staged.array);
      staged.array.reset();
    }
  }
  done.out_bytes = writer_.finish();
  done.out_arena = out_arena_;
  return {};
}

uint32_t Worker::send_notes(clutch_function_context& function, bool with_dead_letters) {
  uint32_t messages = 0;
  size_t size = 0;
  BatchNotes notes;
  notes.ticket = function.batch.ticket;
  const auto flush = [&] {
    if (notes.dead_letters.empty() && notes.metrics.empty()) return;
    must(link_.send_body(FrameType::kBatchNotes, encode(notes)));
    notes.dead_letters.clear();
    notes.metrics.clear();
    size = 0;
    ++messages;
  };
  if (with_dead_letters) {
    for (StagedDeadLetter& letter : function.batch.dead_letters) {
      fit(letter.error.status, kLetterBytes);
      size += size_of(letter.error.status) + 32;
      notes.dead_letters.push_back({letter.row, std::move(letter.error.status)});
      if (size > kNotesBytes) flush();
    }
  }
  std::vector<Metric> metrics;
  {
    const std::lock_guard lock(function.metrics_mutex);
    metrics.swap(function.metrics);
  }
  for (Metric& metric : metrics) {
    size += 48 + metric.name.size();
    notes.metrics.push_back(std::move(metric));
    if (size > kNotesBytes) flush();
  }
  flush();
  return messages;
}

void Worker::run_batch(const BatchSubmit& submit) {
  const int64_t started = now_ns();
  int64_t called = started;
  int64_t returned = started;
  ProgressPage& page = link_.page();
  BatchDone done;
  done.ticket = submit.ticket;
  done.attempt = submit.attempt;
  done.slot = submit.slot;
  done.out_arena = out_arena_ = submit.out_arena;
  const auto it = functions_.find(submit.function);
  clutch_function_context* function = it == functions_.end() ? nullptr : it->second.get();
  const auto attempt = [&]() -> Status {
    if (function == nullptr) {
      return Status(CLUTCH_ERR_PROTOCOL,
                    "a batch is for function " + std::to_string(submit.function) + ", which is not open in this worker",
                    CLUTCH_ORIGIN_TRANSPORT);
    }
    CLUTCH_RETURN_IF_ERROR(prepare(submit, *function));
    clutch_batch batch = {};
    batch.struct_size = sizeof(batch);
    batch.flags = submit.batch_flags;
    batch.context = &function->batch;
    batch.sequence = submit.sequence;
    batch.deadline_ns = submit.deadline_ns;
    batch.processing_time_ms = submit.processing_time_ms;
    batch.watermark_ms = submit.watermark_ms;
    batch.rows = rows_.get();
    batch.timestamps = given(timestamps_);
    batch.row_kinds = given(row_kinds_);
    batch.keys = given(keys_);
    batch.key_index = given(key_index_);
    batch.timers = given(timers_);
    batch.row_flags = given(row_flags_);
    batch.merges = given(merges_);
    page.row.store(0, std::memory_order_relaxed);
    page.phase.store(static_cast<uint32_t>(Phase::kRunning), std::memory_order_relaxed);
    page.ticket.store(submit.ticket, std::memory_order_release);
    watch_.enter();
    called = now_ns();
    const Status status = call(*function, batch);
    returned = now_ns();
    watch_.exit();
    fork_guard_check();
    CLUTCH_RETURN_IF_ERROR(status);
    page.phase.store(static_cast<uint32_t>(Phase::kEncoding), std::memory_order_relaxed);
    return write_output(function->batch, done);
  };
  clutch_error error;
  if (guarded(&error, attempt) != CLUTCH_OK) {
    done.status = error.status.code();
    done.out_bytes = 0;
    BatchError report{submit.ticket, std::move(error.status)};
    fit(report.error, kMaxBodyBytes / 2);
    must(link_.send_body(FrameType::kBatchError, encode(report)));
  }
  log_.flush();
  if (function != nullptr) {
    // Its metrics count also if it fails; its dead letters are part of what is dropped.
    function->batch.ticket = submit.ticket;
    done.notes = send_notes(*function, done.status == CLUTCH_OK);
    end_batch(function->batch);
    function->batch.input.reset();
    if (arenas_.is_shared(submit.in_arena)) done.flags |= kDoneInputPinned;
  }
  done.decode_ns = called - started;
  done.run_ns = returned - called;
  done.encode_ns = now_ns() - returned;
  page.ticket.store(0, std::memory_order_relaxed);
  must(link_.send(done));
}

}  // namespace clutch::pyproc
