// Stands in for launcher and worker, and lies in the way that CLUTCH_HOSTILE names. A row of the answer is always the
// row of the question, so that "honest" can be told from the rest.
//
// "die-STEP" is honest and kills itself with SIGKILL at that step (at() below). With CLUTCH_HOSTILE_MARK only a process
// that can make the file of that name, or one of CLUTCH_HOSTILE_DEATHS such files, does it; what comes later serves, or
// never starts if CLUTCH_HOSTILE_ONCE_ONLY is set.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/ext/state.h"
#include "protocol/arena.h"
#include "protocol/channel.h"
#include "protocol/layout.h"
#include "protocol/messages.h"

namespace clutch::pyproc {
#ifdef __SANITIZE_ADDRESS__
// The sandbox forbids what a search for leaks does; and whoever kills itself leaks.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

namespace {

struct Mapped {
  uint8_t* base;
  uint64_t bytes;
};

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

class Hostile {
 public:
  explicit Hostile(std::string mode) : mode_(std::move(mode)), ctl_(Fd(kControlFd)) {}

  int run() {
    if (std::getenv("CLUTCH_HOSTILE_ONCE_ONLY") != nullptr && ::access(mark_.c_str(), F_OK) == 0) return 1;
    while (mode_ == "silent") ::pause();
    at("launch");
    if (mode_ == "die-launched") say("clutch-launcher/1 ok no_new_privs=0");
    at("launched");
    if (mode_.rfind("die-", 0) == 0) {
      page_ = static_cast<ProgressPage*>(
          ::mmap(nullptr, kProgressBytes, PROT_READ | PROT_WRITE, MAP_SHARED, kProgressFd, 0));
    }
    while (next() == Received::kMessage) {
      const FrameHeader header = message_.header();
      epoch_ = header.epoch;
      switch (header.type) {
        case FrameType::kConfigure:
          if (mode_ == "text") return say("I am no worker"), ::pause();
          at("configured");
          body(FrameType::kReady, encode(Ready{{}, ::getpid(), {}}));
          at("ready");
          if (mode_ == "ready-twice") body(FrameType::kReady, encode(Ready{}));
          break;
        case FrameType::kOpenFunction:
          open();
          break;
        case FrameType::kCloseFunction: {
          CloseFunction close;
          message_.read(close);
          at("closing");
          body(FrameType::kFunctionClosed, encode(FunctionClosed{close.function, {}}));
          at("closed");
          break;
        }
        case FrameType::kAddArena:
          map();
          break;
        case FrameType::kBatchSubmit:
          batch();
          break;
        case FrameType::kShutdown:
          at("stopping");
          return 0;
        default:
          break;
      }
    }
    return 0;
  }

 private:
  // This is the step to die at, and not enough processes did before.
  bool due(std::string_view step) const {
    if (mode_ != "die-" + std::string(step)) return false;
    if (mark_.empty()) return true;
    const std::string deaths = from_environment("CLUTCH_HOSTILE_DEATHS");
    for (int i = deaths.empty() ? 1 : std::stoi(deaths); i > 0; --i) {
      const std::string mark = i == 1 ? mark_ : mark_ + "." + std::to_string(i);
      if (::open(mark.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0) return true;
    }
    return false;
  }
  [[noreturn]] static void die() {
    (void)::kill(::getpid(), SIGKILL);
    while (true) ::pause();
  }
  void at(std::string_view step) const {
    if (due(step)) die();
  }

  // The next message; at step "sent" a batch is left unread.
  Received next() {
    if (mode_ == "die-sent") {
      FrameHeader header;
      if (::recv(kControlFd, &header, sizeof(header), MSG_PEEK) == static_cast<ssize_t>(sizeof(header)) &&
          header.type == FrameType::kBatchSubmit) {
        at("sent");
      }
    }
    return ctl_.receive(message_, true, true);
  }

  void say(std::string_view text) { (void)::send(kControlFd, text.data(), text.size(), 0); }
  template <typename T>
  void send(T message) {
    message.header.epoch = mode_ == "epoch" && std::is_same_v<T, BatchDone> ? epoch_ + 1 : epoch_;
    (void)ctl_.send(message, true);
  }
  void body(FrameType type, const Bytes& bytes) { (void)ctl_.send_body(type, epoch_, bytes, true); }

  void open() {
    OpenFunction request;
    (void)decode(*read_body(message_), request);
    input_ = request.input;
    at("opening");
    FunctionOpened opened{request.function, {}, {}, {}};
    if (asks()) {
      opened.states = {{"v", CLUTCH_STATE_VALUE}, {"l", CLUTCH_STATE_LIST}, {"m", CLUTCH_STATE_MAP}};
    }
    body(FrameType::kFunctionOpened, encode(opened));
    at("opened");
    if (mode_ == "opened-other") body(FrameType::kFunctionOpened, encode(FunctionOpened{999, {}, {}, {}}));
  }

  void map() {
    AddArena add;
    message_.read(add);
    const int protection = add.role == ArenaRole::kIn ? PROT_READ : PROT_READ | PROT_WRITE;
    void* base = ::mmap(nullptr, add.bytes, protection, MAP_SHARED, message_.attached.get(), 0);
    arenas_[add.arena] = {static_cast<uint8_t*>(base), add.bytes};
  }

  // It has states and asks for more of them while a batch runs.
  bool asks() const { return mode_.rfind("ask", 0) == 0 || mode_ == "die-asking-page"; }

  // A question about the batch, in the OUT arena: a page of the map of key 1 unless the mode says otherwise.
  void ask(const BatchSubmit& submit, const Mapped& out) {
    ReadState question;
    question.ticket = submit.ticket + (mode_ == "ask-ticket" ? 1 : 0);
    question.state = mode_ == "ask-state" ? 9 : mode_ == "ask-value" ? 0 : mode_ == "ask-list" ? 1 : 2;
    question.question = mode_ == "ask-list" || mode_ == "ask-found" ? StateQuestion::kLookUp : StateQuestion::kPage;
    if (mode_ == "ask-kind") question.question = static_cast<StateQuestion>(7);
    question.max_bytes = mode_ == "ask-much" ? UINT64_MAX : 64;
    columnar::ArrayBuilder names(state_names_field());
    for (int i = 0; i < (mode_ == "ask-pages" ? 2 : 1); ++i) {
      names.child(0).append<int32_t>(mode_ == "ask-key" ? 5 : mode_ == "ask-negative" ? -1 : 1);
      (void)names.child(1).append_bytes(mode_ == "ask-cursor" ? std::string(50'000, '9') : "000002");
      names.append_struct();
    }
    const columnar::Array array = names.finish();
    ArenaWriter writer;
    writer.start({out.base, out.bytes});
    if (mode_ == "ask-implied") {
      writer.add_implied(SectionKind::kStateNames, 2);
    } else {
      writer.add(mode_ == "ask-names" ? SectionKind::kEmit : SectionKind::kStateNames, 2, state_names_field(), *array);
    }
    question.bytes = writer.finish();
    if (mode_ == "ask-bytes") question.bytes = UINT64_MAX;
    if (mode_ == "ask-size") {
      NeedArena strange;
      strange.header.type = FrameType::kReadState;
      send(strange);
    }
    send(question);
    if (mode_ == "ask-twice") send(question);
    at("asking-page");
  }

  // Read ctl until the answer; false if it never came.
  bool answered() {
    while (ctl_.receive(message_, true, true) == Received::kMessage) {
      if (message_.header().type == FrameType::kAddArena) map();
      if (message_.header().type == FrameType::kStateRead) return true;
    }
    return false;
  }

  void batch() {
    BatchSubmit submit;
    message_.read(submit);
    at("taken");
    if (mode_ == "die-announced" && answered_ == 0) {
      // The host's thread reads this before it can read an answer, and is held there by the test.
      std::puts("hold");
      std::fflush(stdout);
      for (int unread = 1; unread > 0;) (void)::ioctl(1, FIONREAD, &unread);
    }
    if (due("running")) {
      std::puts("last words");
      std::fflush(stdout);
      page_->row.store(2);
      page_->ticket.store(submit.ticket);
      die();
    }
    const Mapped in = arenas_.at(submit.in_arena);
    const Mapped out = arenas_.at(submit.out_arena);
    ArenaReader reader;
    (void)reader.open({in.base, in.bytes}, submit.in_bytes);
    const columnar::Array rows = *reader.view(reader.sections()[0], input_);

    if (asks() && mode_ != "ask-late") {
      ask(submit, out);
      if (mode_ != "ask-done" && !answered()) return;
    }
    BatchDone done;
    done.ticket = submit.ticket;
    done.attempt = submit.attempt;
    done.slot = submit.slot;
    done.out_arena = submit.out_arena;
    if (mode_ == "ask-done") return send(done);  // the question stays as it is
    ArenaWriter writer;
    writer.start({out.base, out.bytes});
    if (mode_ == "tag") {
      writer.add(SectionKind::kEmit, 7, input_, *rows.get());
      writer.add_implied(SectionKind::kOrigin, 7);
    } else if (mode_ == "no-origin") {
      writer.add(SectionKind::kEmit, 0, input_, *rows.get());
    } else if (mode_ == "rows") {
      writer.add(SectionKind::kEmit, 0, input_, *columnar::slice(*rows.get(), 0, rows->length - 1).get());
      writer.add_implied(SectionKind::kOrigin, 0);
    } else if (mode_ == "section") {
      writer.add(SectionKind::kKeys, 0, input_, *rows.get());
    } else if (mode_ == "state") {
      writer.add(SectionKind::kStateChanges, 0, input_, *rows.get());
    } else if (mode_ == "origin") {
      columnar::ArrayBuilder origins(origin_field());
      for (int64_t i = 0; i < rows->length; ++i) origins.append(static_cast<int32_t>(rows->length - i));
      writer.add(SectionKind::kEmit, 0, input_, *rows.get());
      writer.add(SectionKind::kOrigin, 0, origin_field(), *origins.finish().get());
    } else {
      writer.add(SectionKind::kEmit, 0, input_, *rows.get());
      writer.add_implied(SectionKind::kOrigin, 0);
    }
    done.out_bytes = writer.finish();
    at("written");
    if (due("asking")) {
      send(NeedArena{.ticket = submit.ticket, .bytes = 2 * out.bytes});
      die();
    }
    if (due("noted")) {
      body(FrameType::kBatchError, encode(BatchError{submit.ticket, Status(CLUTCH_ERR_USER, "x")}));
      die();
    }

    if (mode_ == "ticket") done.ticket += 1;
    if (mode_ == "attempt") done.attempt += 1;
    if (mode_ == "slot") done.slot = 4000000000u;
    if (mode_ == "arena") done.out_arena = 77;
    if (mode_ == "bytes") done.out_bytes = UINT64_MAX;
    if (mode_ == "status") done.status = 5;
    if (mode_ == "no-error") done.status = CLUTCH_ERR_USER;
    if (mode_ == "notes") done.notes = 3;
    if (mode_ == "zeros") std::memset(out.base, 0, out.bytes);
    if (mode_ == "letter") {
      body(FrameType::kBatchNotes, encode(BatchNotes{submit.ticket, {{1 << 20, Status(CLUTCH_ERR_USER, "x")}}, {}}));
      done.notes = 1;
    }
    if (mode_ == "other-notes") body(FrameType::kBatchNotes, encode(BatchNotes{12345, {}, {}}));
    if (mode_ == "need-less") send(NeedArena{{.type = FrameType::kNeedArena, .size = 48}, submit.ticket, 1});
    if (mode_ == "type") {
      CloseFunction strange;
      strange.header.type = FrameType::kConfigure;
      send(strange);
    }
    if (mode_ == "large") say(std::string(kMaxMessageBytes + 1, 'C'));
    if (mode_ == "descriptor") (void)ctl_.send(done, true, /*attached_fd=*/1);
    if (mode_ == "hang-up") {
      ctl_.close();
      ::signal(SIGTERM, SIG_IGN);
      while (true) ::pause();
    }
    if (mode_ == "flood") {
      while (true) body(FrameType::kBatchNotes, encode(BatchNotes{submit.ticket, {}, {{0, "m", 1}, {0, "n", 1}}}));
    }
    if (mode_ == "garbage") {
      std::mt19937 random(static_cast<unsigned>(::getpid()));
      for (uint64_t i = 0; i < out.bytes; ++i) out.base[i] = static_cast<uint8_t>(random());
      std::memcpy(out.base, in.base, sizeof(ArenaHeader));
    }
    if (mode_ == "rewrite" && !writing_) {
      // Goes on changing what the host is reading.
      writing_ = true;
      std::thread([base = out.base, bytes = done.out_bytes] {
        std::mt19937 random(1);
        while (true) base[random() % bytes] = static_cast<uint8_t>(random());
      }).detach();
    }
    send(done);
    if (mode_ == "twice") send(done);
    if (mode_ == "ask-late") send(ReadState{.ticket = submit.ticket});
    // With two batches in flight: both are announced.
    if (++answered_ == 2) at("announced");
  }

  const std::string mode_;
  const std::string mark_ = from_environment("CLUTCH_HOSTILE_MARK");
  ProgressPage* page_ = nullptr;  // of one that dies
  int answered_ = 0;
  Channel ctl_;
  Message message_;
  uint64_t epoch_ = 0;
  columnar::Field input_;
  std::map<uint32_t, Mapped> arenas_;
  bool writing_ = false;
};

}  // namespace
}  // namespace clutch::pyproc

int main() {
  const char* mode = std::getenv("CLUTCH_HOSTILE");
  return mode == nullptr ? 99 : clutch::pyproc::Hostile(mode).run();
}
