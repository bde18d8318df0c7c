// A plugin inside the test: its behaviour is set by lambdas, and it calls the host as a real one does.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/api.h"
#include "clutch/abi.h"
#include "clutch/clutch.hpp"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"

namespace clutch::testing {

// An int64 column without nulls.
columnar::Array int64_column(const std::vector<int64_t>& values);
columnar::Array int32_column(const std::vector<int32_t>& values);
columnar::Array int8_column(const std::vector<int8_t>& values);
// nullopt gives null.
columnar::Array bytes_column(const std::vector<std::optional<std::string>>& values);
template <typename... Columns>
columnar::Array batch_of(int64_t length, Columns... columns) {
  std::vector<columnar::Array> all;
  (all.push_back(std::move(columns)), ...);
  return columnar::make_batch(length, std::move(all));
}
std::vector<int64_t> read_int64(const ArrowArray& batch, int64_t column = 0);

class FakePlugin {
 public:
  explicit FakePlugin(std::string mode = "fake");
  FakePlugin(const FakePlugin&) = delete;
  FakePlugin& operator=(const FakePlugin&) = delete;

  // Behaviour; by default a function doubles its int64 column on the caller's thread.
  std::function<int32_t(const clutch_batch&, clutch_error*)> submit;
  std::function<int32_t(int64_t)> poll;  // Set before the host opens, or there is no function_poll.
  std::function<int32_t(const clutch_spec&, clutch_function_context*, clutch_error*)> open;
  std::function<int32_t(const clutch_spec&, clutch_error*)> probe;
  std::function<void(uint64_t)> cancel;
  std::function<int32_t(clutch_error*)> close;
  uint32_t max_in_flight = 1;

  // What happened.
  int runtimes_opened = 0;
  int runtimes_closed = 0;
  int functions_opened = 0;
  int functions_closed = 0;
  std::vector<uint64_t> cancelled;
  std::vector<std::pair<std::string, std::string>> function_options;
  const clutch_host* host = nullptr;

  // The plugin's side of the contract.
  int32_t emit(const clutch_batch& batch, columnar::Array rows, columnar::Array origin = {}, uint32_t tag = 0,
               clutch_error* error = nullptr) const;
  int32_t emit(clutch_batch_context* context, columnar::Array rows, columnar::Array origin = {}, uint32_t tag = 0,
               clutch_error* error = nullptr) const;
  int32_t double_rows(const clutch_batch& batch) const;
  void fail(clutch_error* error, int32_t code, const std::string& message) const;
  template <typename Table>
  const Table& extension(const char* id) const {
    return *static_cast<const Table*>(host->get_extension(host, id));
  }

  host::LinkedPlugin linked();

 private:
  std::string id_;
  std::string mode_;
  clutch_plugin_api api_{};
  clutch_capability capabilities_[5]{};
  const clutch_capability* capability_pointers_[5]{};
};

// The plugin's error object made readable for a test that calls host functions itself.
struct ErrorBox {
  clutch_error error;
  std::string message() const { return error.message; }
};

struct LogLine {
  int32_t level;
  std::string source;
  std::string function;
  std::string text;
};

// A host with fake plugins only, as the C API and the C++ face see it.
class FakeHost {
 public:
  explicit FakeHost(std::vector<FakePlugin*> plugins, host::Options options = {});
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  clutch_app* get() const { return app_->app; }
  Function open(const Spec& spec) const;
  std::vector<LogLine> log() const;

 private:
  struct Log {
    mutable std::mutex mutex;
    std::vector<LogLine> lines;
  };
  std::unique_ptr<Log> log_ = std::make_unique<Log>();
  std::shared_ptr<detail::App> app_;  // Why: the C++ face keeps its host that way.
};

Spec doubling();  // x: int64 to int64, kind table.scalar, name "double"
Rows numbers(const std::vector<int64_t>& values);

// Threads of a plugin that works elsewhere: takes batches, completes them when and in which order the test says.
class Worker {
 public:
  explicit Worker(FakePlugin& plugin) : plugin_(plugin) {}
  ~Worker();
  // Use as FakePlugin::submit.
  int32_t take(const clutch_batch& batch, clutch_error* error);
  // Wait until this batch was taken, then end it on another thread.
  void finish(uint64_t sequence, int32_t status = CLUTCH_OK, const std::string& message = {});
  // The same, without emitting anything.
  void finish_empty(uint64_t sequence);
  bool has(uint64_t sequence) const;
  clutch_batch taken(uint64_t sequence);

 private:
  struct Taken {
    clutch_batch batch;
    clutch_error* error;
  };
  Taken wait_for(uint64_t sequence);

  FakePlugin& plugin_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Taken> taken_;
  std::vector<std::thread> threads_;
};

}  // namespace clutch::testing
