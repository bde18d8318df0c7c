#include "worker_host.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"

extern char** environ;

namespace clutch::pyproc::testing {
namespace {

constexpr int kPatienceMs = 10'000;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set; run this through meson test");
  return value;
}

Fd shared_memory(uint64_t bytes) {
  Fd fd(memfd_create("clutch-test", MFD_CLOEXEC));
  if (!fd.valid() || ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) throw std::runtime_error("no shared memory");
  return fd;
}

uint8_t* map(const Fd& fd, uint64_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) throw std::runtime_error("cannot map");
  return static_cast<uint8_t*>(data);
}

template <typename T>
T body_of(const Message& message) {
  T out;
  const Status status = decode(message.body(), out);
  if (!status.ok()) throw std::runtime_error(std::string(status.message()));
  return out;
}

}  // namespace

columnar::Field rows_of(const char* column) {
  columnar::Field field;
  field.name = column;
  field.type.id = columnar::TypeId::kInt64;
  return columnar::struct_of({field});
}

columnar::Array batch_of(const std::vector<int64_t>& values) {
  columnar::ArrayBuilder column(rows_of("x").type.children[0]);
  for (const int64_t value : values) column.append<int64_t>(value);
  std::vector<columnar::Array> columns;
  columns.push_back(column.finish());
  return columnar::make_batch(static_cast<int64_t>(values.size()), std::move(columns));
}

std::vector<int64_t> values_of(const ArrowArray& rows) {
  std::vector<int64_t> out;
  const columnar::ArrayView column(*rows.children[0]);
  for (int64_t i = 0; i < rows.length; ++i) {
    out.push_back(column.is_null(i) ? -1 : column.values<int64_t>()[i]);
  }
  return out;
}

FakeHost::FakeHost() {
  auto ends = Channel::make_pair();
  if (!ends.ok()) throw std::runtime_error(std::string(ends.status().message()));
  channel_ = Channel(std::move(ends->first));
  const Fd progress = shared_memory(kProgressBytes);
  page_ = reinterpret_cast<ProgressPage*>(map(progress, kProgressBytes));
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  printed_ = Fd(output[0]);
  const Fd write_end(output[1]);
  // Away from the numbers that they get in the worker.
  const Fd control(fcntl(ends->second.get(), F_DUPFD_CLOEXEC, 100));
  const Fd page(fcntl(progress.get(), F_DUPFD_CLOEXEC, 100));
  const Fd text(fcntl(write_end.get(), F_DUPFD_CLOEXEC, 100));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, text.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, text.get(), 2);
  posix_spawn_file_actions_adddup2(&actions, control.get(), kControlFd);
  posix_spawn_file_actions_adddup2(&actions, page.get(), kProgressFd);
  std::string program = from_environment("CLUTCH_WORKER_FAKE");
  std::string library = from_environment("CLUTCH_WORKER_LIBRARY");
  char* argv[] = {program.data(), library.data(), nullptr};
  // Why: under the thread sanitizer every exit would wait for a second, longer than a worker may take to end.
  const char* options = std::getenv("TSAN_OPTIONS");
  setenv("TSAN_OPTIONS", (std::string(options != nullptr ? options : "") + " atexit_sleep_ms=0").c_str(), 1);
  const int error = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + program);
  pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

FakeHost::~FakeHost() {
  if (!reaped_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  ::close(pid_fd_);
  for (const Mapped& arena : arenas_) munmap(arena.data, arena.bytes);
  munmap(page_, kProgressBytes);
}

void FakeHost::check_sent(const Status& status) {
  if (!status.ok()) throw std::runtime_error(std::string(status.message()));
  page_->host_sent.fetch_add(1, std::memory_order_release);
}

Message FakeHost::receive() {
  Message message;
  if (!channel_.wait_readable(kPatienceMs)) throw std::runtime_error("the worker says nothing");
  if (channel_.receive(message, /*wait=*/false, /*accept_fd=*/false) != Received::kMessage) {
    throw std::runtime_error("the worker is gone, or sent something else than a message");
  }
  epoch_seen = message.header().epoch;
  return message;
}

Message FakeHost::expect(FrameType type) {
  for (;;) {
    Message message = receive();
    if (message.header().type == type) return message;
    if (message.header().type != FrameType::kLog) {
      throw std::runtime_error("message of type " + std::to_string(static_cast<int>(message.header().type)) +
                               " where " + std::to_string(static_cast<int>(type)) + " was expected");
    }
    logs.push_back(body_of<LogLine>(message));
  }
}

Message FakeHost::expect_log() {
  Message message = receive();
  if (message.header().type != FrameType::kLog) throw std::runtime_error("the message is not a log line");
  return message;
}

Ready FakeHost::configure(const Options& options) {
  check_sent(channel_.send_large_body(FrameType::kConfigure, kEpoch, encode(Configure{options, 7})));
  Ready ready = body_of<Ready>(expect(FrameType::kReady));
  if (ready.error.ok()) {
    in_arena_ = add_arena(ArenaRole::kIn, kArenaBytes);
    out_arena_ = add_arena(ArenaRole::kOut, kArenaBytes);
  }
  return ready;
}

FunctionOpened FakeHost::open(uint64_t function, const std::string& behaviour) {
  OpenFunction spec;
  spec.function = function;
  spec.name = behaviour;
  StepSpec step;
  step.name = behaviour;
  step.kind = "table.scalar";
  step.payload_format = "fake";
  step.payload = behaviour;
  spec.steps.push_back(step);
  spec.input = rows_of("x");
  spec.output = rows_of(behaviour == "keep_even" ? "x" : "y");
  check_sent(channel_.send_large_body(FrameType::kOpenFunction, kEpoch, encode(spec)));
  return body_of<FunctionOpened>(expect(FrameType::kFunctionOpened));
}

FunctionClosed FakeHost::close(uint64_t function) {
  send(CloseFunction{.function = function});
  return body_of<FunctionClosed>(expect(FrameType::kFunctionClosed));
}

uint32_t FakeHost::add_arena(ArenaRole role, uint64_t bytes, uint64_t ticket) {
  const Fd memory = shared_memory(bytes);
  const auto number = static_cast<uint32_t>(arenas_.size());
  arenas_.push_back({role, map(memory, bytes), bytes});
  AddArena message;
  message.header.epoch = kEpoch;
  message.arena = number;
  message.role = role;
  message.bytes = bytes;
  message.ticket = ticket;
  check_sent(channel_.send(message, true, memory.get()));
  return number;
}

ArenaWriter& FakeHost::in() {
  writer_.start({arenas_[in_arena_].data, arenas_[in_arena_].bytes});
  return writer_;
}

void FakeHost::submit(uint64_t function, uint64_t ticket) {
  BatchSubmit message;
  message.ticket = ticket;
  message.function = function;
  message.sequence = ticket;
  message.attempt = 1;
  message.slot = 2;
  message.in_arena = in_arena_;
  message.out_arena = out_arena_;
  message.in_bytes = writer_.finish();
  send(message);
}

void FakeHost::submit_rows(uint64_t function, uint64_t ticket, const std::vector<int64_t>& rows) {
  const columnar::Array batch = batch_of(rows);
  in().add(SectionKind::kRows, 0, rows_of("x"), *batch);
  submit(function, ticket);
}

Answer FakeHost::wait(uint64_t ticket) {
  Answer out;
  for (;;) {
    Message message = receive();
    switch (message.header().type) {
      case FrameType::kLog:
        logs.push_back(body_of<LogLine>(message));
        break;
      case FrameType::kBatchNotes: {
        BatchNotes notes = body_of<BatchNotes>(message);
        EXPECT_EQ(notes.ticket, ticket);
        ++out.notes;
        for (DeadLetter& letter : notes.dead_letters) out.dead_letters.push_back(std::move(letter));
        for (Metric& metric : notes.metrics) out.metrics.push_back(std::move(metric));
        break;
      }
      case FrameType::kBatchError: {
        BatchError error = body_of<BatchError>(message);
        EXPECT_EQ(error.ticket, ticket);
        out.error = std::move(error.error);
        break;
      }
      case FrameType::kNeedArena: {
        NeedArena need;
        EXPECT_TRUE(message.read(need));
        EXPECT_EQ(need.ticket, ticket);
        ++out.need_arena;
        if (refuse_arenas) {
          send(AddArena{.role = ArenaRole::kOut, .ticket = ticket});
        } else {
          out_arena_ = add_arena(ArenaRole::kOut, need.bytes, ticket);
        }
        break;
      }
      case FrameType::kReadState: {
        ReadState question;
        EXPECT_TRUE(message.read(question));
        EXPECT_EQ(question.ticket, ticket);
        answer(question);
        break;
      }
      case FrameType::kBatchDone:
        EXPECT_TRUE(message.read(out.done));
        EXPECT_EQ(out.done.ticket, ticket);
        EXPECT_EQ(out.done.attempt, 1U);
        EXPECT_EQ(out.done.slot, 2U);
        EXPECT_EQ(out.done.notes, out.notes);
        EXPECT_EQ(out.done.status, out.error.code());
        return out;
      default:
        throw std::runtime_error("unexpected message of type " +
                                 std::to_string(static_cast<int>(message.header().type)));
    }
  }
}

void FakeHost::answer(const ReadState& question) {
  const bool page = question.question == StateQuestion::kPage;
  const Mapped& out = arenas_.at(out_arena_);
  if (!reader_.open({out.data, out.bytes}, question.bytes).ok()) throw std::runtime_error("a question makes no sense");
  EXPECT_EQ(reader_.sections().at(0).kind, SectionKind::kStateNames);
  const columnar::Array names = *reader_.copy(reader_.sections()[0], state_names_field());
  const columnar::ArrayView keys(*names->children[0]);
  const columnar::ArrayView texts(*names->children[1]);
  std::string told = std::string(page ? "page " : "find ") + std::to_string(question.state);
  columnar::ArrayBuilder found(state_found_field());
  columnar::ArrayBuilder rows(state_page_field());
  columnar::ArrayBuilder cursor(state_cursor_field());
  bool good = true;
  for (int64_t i = 0; i < names->length; ++i) {
    const std::string text(texts.bytes_at<int32_t>(i));
    const std::vector<Entry>& entries = behind[{question.state, keys.values<int32_t>()[i]}];
    told += " " + std::to_string(keys.values<int32_t>()[i]) + ":" + text.substr(0, 8);
    if (page) {
      size_t at = std::stoul(text);
      for (size_t n = 0; n < page_entries && at < entries.size(); ++n, ++at) {
        if (entries[at].map_key) {
          good &= rows.child(0).append_bytes(*entries[at].map_key).ok();
        } else {
          rows.child(0).append_null();
        }
        good &= rows.child(1).append_bytes(entries[at].value).ok();
        rows.append_struct();
      }
      good &= cursor.append_bytes(at < entries.size() ? std::to_string(at) : "").ok();
      continue;
    }
    const auto entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.map_key == text; });
    if (entry != entries.end()) {
      good &= found.child(0).append_bytes(entry->value).ok();
    } else {
      found.child(0).append_null();
    }
    found.append_struct();
  }
  if (!good) throw std::runtime_error("no memory");
  questions.push_back(told + (page ? " max " + std::to_string(question.max_bytes) : ""));
  StateRead reply;
  reply.ticket = question.ticket;
  reply.status = state_status;
  if (state_status == CLUTCH_OK) {
    const columnar::Array first = page ? rows.finish() : found.finish();
    const columnar::Field& field = page ? state_page_field() : state_found_field();
    // Each in an arena of its own, which the worker has to map before it can read it.
    reply.arena = add_arena(ArenaRole::kIn, 1024 + ArenaWriter::bytes_for(field, *first));
    ArenaWriter writer;
    writer.start({arenas_[reply.arena].data, arenas_[reply.arena].bytes});
    writer.add(page ? SectionKind::kStatePage : SectionKind::kStateFound, question.state, field, *first);
    if (page) writer.add(SectionKind::kStateCursor, question.state, state_cursor_field(), *cursor.finish());
    reply.bytes = writer.finish();
  }
  // What is for later must not be taken for the answer.
  send(DropArena{.arena = 999});
  send(reply);
}

Answer FakeHost::run(uint64_t function, const std::vector<int64_t>& rows) {
  const uint64_t ticket = next_ticket_++;
  submit_rows(function, ticket, rows);
  return wait(ticket);
}

std::vector<std::pair<Section, columnar::Array>> FakeHost::output(const Answer& answer,
                                                                  const columnar::Field& emit_schema) {
  const Mapped& arena = arenas_.at(answer.done.out_arena);
  EXPECT_EQ(arena.role, ArenaRole::kOut);
  const Status opened = reader_.open({arena.data, arena.bytes}, answer.done.out_bytes);
  if (!opened.ok()) throw std::runtime_error(std::string(opened.message()));
  std::vector<std::pair<Section, columnar::Array>> out;
  for (const Section& section : reader_.sections()) {
    const columnar::Field* field = &emit_schema;
    if (section.kind == SectionKind::kOrigin) field = &origin_field();
    if (section.kind == SectionKind::kStateChanges) field = &state_changes_field();
    if (section.kind == SectionKind::kTimerChanges) field = &timer_changes_field();
    columnar::Array array;
    if (!section.implied) {
      auto copied = reader_.copy(section, *field);
      if (!copied.ok()) throw std::runtime_error(std::string(copied.status().message()));
      array = std::move(*copied);
    }
    out.emplace_back(section, std::move(array));
  }
  return out;
}

void FakeHost::send_shutdown() {
  FrameHeader header;
  header.type = FrameType::kShutdown;
  header.size = sizeof(header);
  header.epoch = kEpoch;
  check_sent(channel_.send(header, true));
}

bool FakeHost::ended_within(int ms) {
  pollfd ended = {pid_fd_, POLLIN, 0};
  if (poll(&ended, 1, ms) != 1) return false;
  waitpid(pid_, &wait_status_, 0);
  reaped_ = true;
  return true;
}

std::string FakeHost::printed() {
  std::string out;
  char part[4096];
  for (ssize_t size; (size = read(printed_.get(), part, sizeof part)) > 0;) out.append(part, static_cast<size_t>(size));
  return out;
}

}  // namespace clutch::pyproc::testing
