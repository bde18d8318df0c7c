// Stands in for launcher and worker, and lies in the way that CLUTCH_HOSTILE names. A row of the answer is always the
// row of the question, so that "honest" can be told from the rest.
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "protocol/arena.h"
#include "protocol/channel.h"
#include "protocol/layout.h"
#include "protocol/messages.h"

namespace clutch::pyproc {
namespace {

struct Mapped {
  uint8_t* base;
  uint64_t bytes;
};

class Hostile {
 public:
  explicit Hostile(std::string mode) : mode_(std::move(mode)), ctl_(Fd(kControlFd)) {}

  int run() {
    while (mode_ == "silent") ::pause();
    while (ctl_.receive(message_, true, true) == Received::kMessage) {
      const FrameHeader header = message_.header();
      epoch_ = header.epoch;
      switch (header.type) {
        case FrameType::kConfigure:
          if (mode_ == "text") return say("I am no worker"), ::pause();
          body(FrameType::kReady, encode(Ready{{}, ::getpid(), {}}));
          if (mode_ == "ready-twice") body(FrameType::kReady, encode(Ready{}));
          break;
        case FrameType::kOpenFunction:
          open();
          break;
        case FrameType::kCloseFunction: {
          CloseFunction close;
          message_.read(close);
          body(FrameType::kFunctionClosed, encode(FunctionClosed{close.function, {}}));
          break;
        }
        case FrameType::kAddArena:
          map();
          break;
        case FrameType::kBatchSubmit:
          batch();
          break;
        case FrameType::kShutdown:
          return 0;
        default:
          break;
      }
    }
    return 0;
  }

 private:
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
    body(FrameType::kFunctionOpened, encode(FunctionOpened{request.function, {}, {}, {}}));
    if (mode_ == "opened-other") body(FrameType::kFunctionOpened, encode(FunctionOpened{999, {}, {}, {}}));
  }

  void map() {
    AddArena add;
    message_.read(add);
    const int protection = add.role == ArenaRole::kIn ? PROT_READ : PROT_READ | PROT_WRITE;
    void* base = ::mmap(nullptr, add.bytes, protection, MAP_SHARED, message_.attached.get(), 0);
    arenas_[add.arena] = {static_cast<uint8_t*>(base), add.bytes};
  }

  void batch() {
    BatchSubmit submit;
    message_.read(submit);
    const Mapped in = arenas_.at(submit.in_arena);
    const Mapped out = arenas_.at(submit.out_arena);
    ArenaReader reader;
    (void)reader.open({in.base, in.bytes}, submit.in_bytes);
    const columnar::Array rows = *reader.view(reader.sections()[0], input_);

    BatchDone done;
    done.ticket = submit.ticket;
    done.attempt = submit.attempt;
    done.slot = submit.slot;
    done.out_arena = submit.out_arena;
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
  }

  const std::string mode_;
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
