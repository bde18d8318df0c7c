// One runtime over the fake host, for tests that run functions through the table alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fake_host.h"

namespace clutch::pyembed::testing {

// The table of the module under test, loaded beside the libpython of the environment.
const clutch_plugin_api* table();
// Path of the interpreter whose libpython that is.
std::string program();

struct Outcome {
  int32_t status = CLUTCH_OK;
  clutch_error error;
  std::vector<std::string> rows;  // of the main output, as text
  std::vector<int32_t> origin;
  bool passed_rows = false;  // the output names input rows
  std::unique_ptr<clutch_batch_context> context;
};

class Session;

class OpenFunction {
 public:
  OpenFunction(Session& session, clutch_function* function, columnar::Field output,
               std::unique_ptr<clutch_function_context> context)
      : session_(&session), function_(function), output_(std::move(output)), context_(std::move(context)) {}
  OpenFunction(OpenFunction&& other) noexcept = default;
  ~OpenFunction();

  Outcome submit(columnar::Array rows, int64_t deadline_ns = 0);
  // The same without a copy of the batch's context being made first.
  Outcome submit(columnar::Array rows, std::unique_ptr<clutch_batch_context> context, int64_t deadline_ns);
  void cancel(uint64_t sequence);
  uint64_t next_sequence() const { return sequence_ + 1; }
  Outcome close();

 private:
  struct Released {
    void operator()(clutch_function*) const {}
  };
  Session* session_;
  std::unique_ptr<clutch_function, Released> function_;
  columnar::Field output_;
  std::unique_ptr<clutch_function_context> context_;
  uint64_t sequence_ = 0;
};

class Session {
 public:
  explicit Session(OptionList options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  FakeHost& host() { return host_; }
  clutch_runtime* runtime() { return runtime_; }
  std::map<std::string, std::string> facts();

  // Open a function; fails the test if that fails.
  OpenFunction open(SpecText& spec);
  OpenFunction open(SpecText&& spec) { return open(spec); }
  // Open a function that must not open.
  clutch_error refuse(SpecText& spec);
  clutch_error refuse(SpecText&& spec) { return refuse(spec); }

 private:
  FakeHost host_;
  clutch_runtime* runtime_ = nullptr;
};

// One step from source text, one column in and out.
SpecText source(const std::string& kind, const std::string& text, const std::string& in = "int64",
                const std::string& out = "int64");

}  // namespace clutch::pyembed::testing
