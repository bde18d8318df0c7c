// What workers send. Nothing here is believed: a message that could not come from our worker ends it.
#include <algorithm>

#include "supervisor/pool.h"

namespace clutch::pyproc {
namespace {

constexpr std::string_view kLauncherPrefix = "clutch-launcher/1 ";
constexpr uint64_t kMaxOutput = uint64_t{4} << 30;  // bytes that the output of one batch may take
constexpr uint64_t kMaxMetrics = 100000;            // notes of one batch beside its dead letters

bool on_time(Slot::State state) { return state == Slot::State::kSent || state == Slot::State::kRevoked; }

}  // namespace

Status Pool::lie(std::string what) {
  return {CLUTCH_ERR_PROTOCOL, "the worker sent what it must not: " + std::move(what), CLUTCH_ORIGIN_TRANSPORT};
}

bool Pool::receive(const WorkerPtr& worker, bool lent) {
  for (bool any = false;; any = true) {
    Todo todo;
    {
      const std::lock_guard receiving(worker->receive_mutex);
      if (worker->deaf) return any;
      switch (worker->channel.receive(worker->inbox, /*wait=*/false, /*accept_fd=*/false)) {
        case Received::kNothing:
          return any;
        case Received::kClosed:
          worker->deaf = true;
          return any;
        case Received::kText:
          handle_launcher(worker);
          break;
        case Received::kBroken:
          worker->deaf = true;
          distrust(worker, "the worker sent a message that is no frame of this protocol");
          return any;
        case Received::kMessage: {
          worker->received.fetch_add(1, std::memory_order_release);
          if (const Status status = handle(worker, todo); !status.ok()) {
            worker->deaf = true;
            // One that went while it was answered did not lie; its end is told by its process.
            if (status.code() != CLUTCH_ERR_WORKER_LOST) distrust(worker, std::string(status.message()));
            return any;
          }
          break;
        }
      }
    }
    if (todo.question && lent) {
      answer(worker, *std::move(todo.question));
    } else if (todo.question) {
      // A slow store would keep the loop from all other workers.
      const auto question = std::make_shared<Question>(*std::move(todo.question));  // std::function copies
      aside_.run([this, worker, question] { answer(worker, std::move(*question)); });
    }
    if (todo.is_done) {
      finish(worker, todo.done);
      // It has sent no more, as far as can be told without a system call. What that misses is still readable, so
      // whoever watches the socket comes back for it.
      const uint64_t sent = worker->page().worker_sent.load(std::memory_order_acquire);
      if (static_cast<int64_t>(sent - worker->received.load(std::memory_order_acquire)) <= 0) return true;
    }
  }
}

Status Pool::handle(const WorkerPtr& worker, Todo& todo) {
  const FrameHeader header = worker->inbox.header();
  if (header.epoch != worker->epoch) {
    return lie("epoch " + std::to_string(header.epoch) + " from a worker of epoch " + std::to_string(worker->epoch));
  }
  switch (header.type) {
    case FrameType::kReady:
      return handle_ready(worker);
    case FrameType::kFunctionOpened:
      return handle_opened(worker);
    case FrameType::kFunctionClosed:
      return handle_closed(worker);
    case FrameType::kBatchDone:
      return handle_done(worker, todo);
    case FrameType::kBatchNotes:
      return handle_notes(worker);
    case FrameType::kBatchError:
      return handle_error(worker);
    case FrameType::kNeedArena:
      return handle_need_arena(worker);
    case FrameType::kReadState:
      return handle_read_state(worker, todo.question);
    case FrameType::kLog:
      return handle_log(worker);
    default:
      return lie("message type " + std::to_string(static_cast<uint16_t>(header.type)));
  }
}

// The launcher's line: what sandbox it reached, or why nothing was run.
void Pool::handle_launcher(const WorkerPtr& worker) {
  const auto bytes = worker->inbox.view();
  std::string_view line(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (line.substr(0, kLauncherPrefix.size()) != kLauncherPrefix || worker->received.load() != 0) {
    worker->deaf = true;
    distrust(worker, "the worker sent a message that is no frame of this protocol");
    return;
  }
  line.remove_prefix(kLauncherPrefix.size());
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (line.substr(0, 3) == "ok ") {
    const Lock lock(mutex_);
    worker->sandbox = line.substr(3);
    return;
  }
  constexpr std::string_view kMessage = "message=";
  const size_t text = line.find(kMessage);
  worker->launch_error = text == std::string_view::npos ? line : line.substr(text + kMessage.size());
}

Status Pool::handle_ready(const WorkerPtr& worker) {
  Ready ready;
  CLUTCH_RETURN_IF_ERROR(decode(worker->inbox.body(), ready));
  {
    const Lock lock(mutex_);
    if (!ready.error.ok()) {
      worker->launch_error = std::string(ready.error.message());
      return {};  // Its exit follows, and is reported with this.
    }
    if (worker->life.state() == WorkerState::kStopping) return {};
    if (!worker->life.ready()) return lie("a second Ready");
    worker->facts = std::move(ready.facts);
    worker->served = true;
    spares_at_ = now_ns() + kSpareDelay;
    changed_.notify_all();
  }
  loop_->wake();
  return {};
}

Status Pool::handle_opened(const WorkerPtr& worker) {
  FunctionOpened opened;
  CLUTCH_RETURN_IF_ERROR(decode(worker->inbox.body(), opened));
  {
    const Lock lock(mutex_);
    const auto found = worker->functions.find(opened.function);
    if (found == worker->functions.end() || found->second.state != Opening::State::kSent) {
      return lie("an answer about function " + std::to_string(opened.function) + " that was not asked for");
    }
    worker->head_since = now_ns();
    const auto known = functions_.find(opened.function);
    if (!opened.error.ok()) {
      worker->functions.erase(found);
      if (known != functions_.end() && known->second->failed.ok()) known->second->failed = std::move(opened.error);
    } else {
      found->second = {Opening::State::kOpened, 0};
      if (known != functions_.end()) {
        Function& function = *known->second;
        function.open_losses = 0;
        if (!function.declared) {
          function.states = std::move(opened.states);
          function.side_outputs = std::move(opened.side_outputs);
          function.declared = true;
        } else if (function.states != opened.states || function.side_outputs != opened.side_outputs) {
          function.failed = Status(CLUTCH_ERR_FUNCTION,
                                   "function \"" + function.name +
                                       "\" declared other states or side outputs when it was opened in another worker; "
                                       "declare the same ones every time",
                                   CLUTCH_ORIGIN_USER);
        }
      }
    }
    changed_.notify_all();
  }
  loop_->wake();
  return {};
}

Status Pool::handle_closed(const WorkerPtr& worker) {
  FunctionClosed closed;
  CLUTCH_RETURN_IF_ERROR(decode(worker->inbox.body(), closed));
  const Lock lock(mutex_);
  const auto found = worker->functions.find(closed.function);
  if (found == worker->functions.end() || found->second.state != Opening::State::kClosing) {
    return lie("function " + std::to_string(closed.function) + " closed without being asked");
  }
  worker->functions.erase(found);
  worker->head_since = now_ns();
  const auto known = functions_.find(closed.function);
  if (known != functions_.end() && known->second->close_error.ok()) {
    known->second->close_error = std::move(closed.error);
  }
  changed_.notify_all();
  return {};
}

Slot* Pool::slot_of(Worker& worker, uint64_t ticket) {
  for (Slot& slot : worker.slots) {
    if (on_time(slot.state) && slot.ticket == ticket) return &slot;
  }
  return nullptr;
}

Status Pool::handle_done(const WorkerPtr& worker, Todo& todo) {
  BatchDone& done = todo.done;
  if (!worker->inbox.read(done)) return lie("a BatchDone of the wrong size");
  bool revoked = false;
  {
    const Lock lock(mutex_);
    Slot* slot = slot_of(*worker, done.ticket);
    if (slot == nullptr || slot - worker->slots.data() != done.slot || slot->attempt != done.attempt) {
      return lie("an answer to batch ticket " + std::to_string(done.ticket) + " attempt " +
                 std::to_string(done.attempt) + " slot " + std::to_string(done.slot) + ", which it does not have");
    }
    if (slot->order != worker->head()) return lie("answers out of order");
    if (slot->asking) return lie("an answer to a batch for which it waits for state");
    if (done.notes != slot->notes.size()) return lie("a batch with other notes than it announced");
    if (done.status > CLUTCH_OK || (done.status != CLUTCH_OK) != !slot->error.ok()) {
      return lie("a batch whose status and error do not agree");
    }
    revoked = slot->state == Slot::State::kRevoked;
    slot->state = revoked ? Slot::State::kFree : Slot::State::kReturned;
    worker->head_since = now_ns();
    if (revoked && (done.flags & kDoneInputPinned) != 0) {
      // Nobody finishes this one, so the arena goes with the worker's next batch.
      worker->retired.push_back(std::move(slot->in));
      ++pinned_;
    }
    todo.is_done = !revoked;
    if (revoked && waiting_.empty()) return {};
  }
  if (revoked) loop_->wake();
  return {};
}

Status Pool::handle_notes(const WorkerPtr& worker) {
  BatchNotes notes;
  CLUTCH_RETURN_IF_ERROR(decode(worker->inbox.body(), notes));
  const Lock lock(mutex_);
  Slot* slot = slot_of(*worker, notes.ticket);
  if (slot == nullptr) return lie("notes to a batch it does not have");
  slot->noted += notes.dead_letters.size() + notes.metrics.size() + 1;
  if (slot->noted > static_cast<uint64_t>(slot->range.length) * 2 + kMaxMetrics) {
    return lie("more notes than a batch can have");
  }
  slot->notes.push_back(std::move(notes));
  return {};
}

Status Pool::handle_error(const WorkerPtr& worker) {
  BatchError error;
  CLUTCH_RETURN_IF_ERROR(decode(worker->inbox.body(), error));
  if (error.error.ok()) return lie("a batch error that is none");
  const Lock lock(mutex_);
  Slot* slot = slot_of(*worker, error.ticket);
  if (slot == nullptr || !slot->error.ok()) return lie("an error of a batch it does not have");
  slot->error = std::move(error.error);
  return {};
}

Status Pool::handle_need_arena(const WorkerPtr& worker) {
  NeedArena need;
  if (!worker->inbox.read(need)) return lie("a NeedArena of the wrong size");
  Slot* slot = nullptr;
  {
    const Lock lock(mutex_);
    slot = slot_of(*worker, need.ticket);
    if (slot == nullptr || slot->out == nullptr) return lie("it asked for an arena for a batch it does not have");
    if (need.bytes <= slot->out->size()) return lie("it asked for an arena that is no larger than the one it has");
  }
  // The slot stays as it is: only the holder of receive_mutex takes answers from this worker.
  const uint64_t limit = options_.memory_limit == 0 ? kMaxOutput : std::min(kMaxOutput, 4 * options_.memory_limit);
  Result<std::unique_ptr<ArenaMemory>> larger = Status(CLUTCH_ERR_MEMORY, "too large");
  if (need.bytes <= limit) larger = worker->add_arena(ArenaRole::kOut, need.bytes, need.ticket);
  if (larger.status().code() == CLUTCH_ERR_WORKER_LOST) return larger.status();
  if (!larger.ok()) {
    AddArena refused;
    refused.role = ArenaRole::kOut;
    refused.ticket = need.ticket;
    log_worker(CLUTCH_LOG_WARN, *worker,
               "the output of a batch needs " + std::to_string(need.bytes) +
                   " bytes, which it does not get: " + std::string(larger.status().message()));
    return worker->send(refused);
  }
  worker->drop_arena(std::exchange(slot->out, *std::move(larger)));
  return {};
}

Status Pool::handle_log(const WorkerPtr& worker) {
  LogLine line;
  CLUTCH_RETURN_IF_ERROR(decode(worker->inbox.body(), line));
  clutch_function_context* context = nullptr;
  {
    const Lock lock(mutex_);
    const auto found = functions_.find(line.function);
    if (found != functions_.end()) context = found->second->context;
  }
  {
    const std::lock_guard lock(worker->tail_mutex);
    worker->tail.note(line.text);
  }
  const int32_t level = std::clamp<int32_t>(line.level, CLUTCH_LOG_TRACE, CLUTCH_LOG_ERROR);
  host_.log(level, line.source.empty() ? worker->label() : line.source, context, line.text);
  return {};
}

void Pool::distrust(const WorkerPtr& worker, std::string text) {
  log_worker(CLUTCH_LOG_ERROR, *worker, text + "; it is killed");
  const Lock lock(mutex_);
  stop(*worker, StopStep::kKill, {StopCause::Kind::kProtocol, 0, std::move(text)}, now_ns());
  loop_->wake();
}

}  // namespace clutch::pyproc
