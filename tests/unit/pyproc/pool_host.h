// A small host, so that a pool can be tried without the real one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/abi.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "supervisor/pool.h"

// The host's side of the contract's opaque types.
struct clutch_error {
  int32_t code = 0;
  int32_t origin = 0;
  std::string message;
  std::map<std::string, std::string, std::less<>> details;
};

namespace clutch::pyproc::testing {

struct Emitted {
  uint32_t tag = 0;
  columnar::Array rows;
  columnar::Array origin;
};

}  // namespace clutch::pyproc::testing

namespace clutch::pyproc::testing {
class TestHost;
}

struct clutch_batch_context {
  clutch_error error;
  std::vector<clutch::pyproc::testing::Emitted> emitted;
  std::map<int64_t, std::unique_ptr<clutch_error>> dead_letters;
  std::map<uint32_t, int64_t> stages;
  std::mutex mutex;
  std::condition_variable changed;
  bool complete = false;
  int completions = 0;
  int32_t status = 0;
  int64_t keys = 0;
  std::string next;  // cursor of the last page
  std::atomic<bool> reading{false};
  clutch::pyproc::testing::TestHost* host = nullptr;  // for state
};

namespace clutch::pyproc::testing {

class TestHost {
 public:
  TestHost();
  const clutch_host& table() const { return host_; }
  std::vector<std::string> log();
  // True once a line with this text came; waits for it.
  bool logged(std::string_view text, int timeout_ms = 5000);
  // Called with each line, on the thread that logs. Set it before the pool starts.
  std::function<void(std::string_view)> on_line;

  // State: every list and map of every key has this many entries, "000000" to "v0" and so on, and a cursor is the
  // number of the next one. Two reads for a batch at a time, or one for a batch that is over, count as misuse.
  int64_t entries = 0;
  std::function<void()> on_read;  // at each page of a key and each lookup, before it is answered
  std::atomic<int> reads{0};      // those
  std::atomic<int> misuses{0};
  std::vector<std::string> cursors();

 private:
  class Reading;
  static int32_t declare_state(clutch_function_context* context, const clutch_state_declaration* declaration,
                               uint32_t* ret_state, clutch_error* error);
  static int32_t read_state(clutch_batch_context* context, uint32_t state, ArrowArray* ret_values, clutch_error* error);
  static int32_t read_page(clutch_batch_context* context, uint32_t state, int32_t key, clutch_bytes cursor,
                           uint64_t max_bytes, ArrowArray* ret_page, clutch_bytes* ret_next, clutch_error* error);
  static int32_t lookup(clutch_batch_context* context, uint32_t state, const ArrowArray* keys, ArrowArray* ret_values,
                        clutch_error* error);

  static const void* get_extension(const clutch_host* host, const char* id);
  static void write_log(const clutch_host* host, int32_t level, clutch_str source, clutch_function_context* context,
                        clutch_str text);

  clutch_host host_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::vector<std::string> cursors_;
};

// Where the parts of a pool are, from the environment that meson sets.
Worker::Paths test_paths();

// Options of a pool from "key", "value" pairs.
PoolOptions test_options(const std::vector<std::pair<std::string, std::string>>& options = {});

// A function of one step from source text: struct<a: int64> to struct<r: int64>.
OpenFunction function_of(std::string name, std::string source, std::string kind = CLUTCH_KIND_TABLE_SCALAR);

columnar::Array int64_batch(const std::vector<int64_t>& values);
std::vector<int64_t> int64_values(const columnar::Array& batch);

// One batch: submitted, then waited for.
struct Batch {
  explicit Batch(columnar::Array input) : rows(std::move(input)) {}
  columnar::Array rows;
  columnar::Array keys;  // if it has any
  columnar::Array key_index;
  clutch_batch_context context;
  uint64_t sequence = 1;
  int64_t deadline_ns = 0;

  // Give each row a key of its own.
  void add_keys(TestHost& host);
  int32_t submit(Pool& pool, Function* function);
  // Lend this thread until it is complete; false at the timeout.
  bool wait(Pool& pool, Function* function, int timeout_ms = 20000);
  // Wait without lending.
  bool wait_aside(int timeout_ms = 20000);
  std::vector<int64_t> results();
  const clutch_error& error() const { return context.error; }
};

}  // namespace clutch::pyproc::testing
