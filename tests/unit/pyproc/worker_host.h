// The supervisor's end of the protocol, as much of it as the worker's tests need.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"
#include "protocol/arena.h"
#include "protocol/channel.h"
#include "protocol/layout.h"
#include "protocol/messages.h"

namespace clutch::pyproc::testing {

// struct<x: int64>, and y for outputs.
columnar::Field rows_of(const char* column);
columnar::Array batch_of(const std::vector<int64_t>& values);
// All values of column 0, nulls as -1.
std::vector<int64_t> values_of(const ArrowArray& rows);

struct Answer {
  BatchDone done;
  Status error;                          // of the BatchError, if one came
  std::vector<DeadLetter> dead_letters;  // of all notes
  std::vector<Metric> metrics;
  uint32_t notes = 0;
  int need_arena = 0;  // how often it asked
};

// An entry of a list (no key) or map state.
struct Entry {
  std::optional<std::string> map_key;
  std::string value;
};

class FakeHost {
 public:
  // Starts the worker; the descriptors are as layout.h says.
  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost();

  Ready configure(const Options& options = {});
  FunctionOpened open(uint64_t function, const std::string& behaviour);
  FunctionClosed close(uint64_t function);

  uint32_t add_arena(ArenaRole role, uint64_t bytes, uint64_t ticket = 0);
  ArenaWriter& in();  // the IN arena, started
  // Send what in() holds as a batch.
  void submit(uint64_t function, uint64_t ticket);
  void submit_rows(uint64_t function, uint64_t ticket, const std::vector<int64_t>& rows);
  // Everything up to the BatchDone of the ticket. Serves NeedArena, unless refuse_arenas, and ReadState.
  Answer wait(uint64_t ticket);
  Answer run(uint64_t function, const std::vector<int64_t>& rows);
  // Sections of the OUT arena of an answer.
  std::vector<std::pair<Section, columnar::Array>> output(const Answer& answer, const columnar::Field& emit_schema);

  // The next message, which must be a log line.
  Message expect_log();
  // The next message of the type; log lines that come before it go to `logs`. Fails the test after ten seconds.
  Message expect(FrameType type);
  template <typename T>
  void send(T message) {
    message.header.epoch = kEpoch;
    check_sent(channel_.send(message, true));
  }
  void send_shutdown();
  void hang_up() { channel_.close(); }
  // True if the process ended in this time; then wait_status() tells how.
  bool ended_within(int ms);
  int wait_status() const { return wait_status_; }
  int pid() const { return pid_; }
  std::string printed();  // what came through descriptors 1 and 2, to its end
  ProgressPage& page() { return *page_; }

  std::vector<LogLine> logs;
  bool refuse_arenas = false;

  // What is behind the entries that came with a batch, by state and key: what a ReadState is answered from, this many
  // entries a page. A cursor is the number of the next entry.
  std::map<std::pair<uint32_t, int32_t>, std::vector<Entry>> behind;
  size_t page_entries = 2;
  int32_t state_status = 0;            // if not CLUTCH_OK, the answer to all of them
  std::vector<std::string> questions;  // as they came
  uint64_t epoch_seen = 0;

  static constexpr uint64_t kEpoch = 41;
  static constexpr uint64_t kArenaBytes = 64 * 1024;

 private:
  void check_sent(const Status& status);
  void answer(const ReadState& question);
  Message receive();

  struct Mapped {
    ArenaRole role;
    uint8_t* data;
    uint64_t bytes;
  };

  Channel channel_;
  ProgressPage* page_ = nullptr;
  Fd printed_;
  int pid_ = -1;
  int pid_fd_ = -1;
  int wait_status_ = 0;
  bool reaped_ = false;
  std::vector<Mapped> arenas_;
  uint32_t in_arena_ = 0;
  uint32_t out_arena_ = 0;
  uint64_t next_ticket_ = 1000;
  ArenaWriter writer_;
  ArenaReader reader_;
};

}  // namespace clutch::pyproc::testing
