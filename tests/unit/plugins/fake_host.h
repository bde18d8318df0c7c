// A host in a hundred lines, for tests of plugins by their table alone: keeps everything a batch stages.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/abi.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"

// Host-owned, as the contract says.
struct clutch_error {
  int32_t code = 0;
  int32_t origin = 0;
  std::string message;
  std::map<std::string, std::string> details;
};

// One function: what it declared while it opened, and what it counted.
struct clutch_function_context {
  std::vector<std::string> side_outputs;  // Tag 1, 2, ...
  std::vector<std::string> states;
  std::map<std::string, double> counters;
};

// One batch. `state` and `keys` are given before it runs; the rest is what the plugin staged.
struct clutch_batch_context {
  struct Emitted {
    uint32_t tag = 0;
    clutch::columnar::Array rows;
    clutch::columnar::Array origin;
  };
  std::vector<std::string> keys;
  std::map<std::string, std::string> state;
  std::vector<Emitted> emitted;
  std::vector<clutch::columnar::Array> state_changes;
  std::vector<clutch::columnar::Array> timer_changes;
  std::map<int64_t, clutch_error> dead_letters;
  bool cancelled = false;
};

namespace clutch::test {

class FakeHost {
 public:
  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const clutch_host* get() const { return &host_; }
  // Answer NULL for this extension.
  void lack(const std::string& extension) { lacking_ = extension; }

 private:
  static const void* get_extension(const clutch_host* host, const char* id);

  clutch_host host_{};
  std::string lacking_;
};

// A plugin loaded from its file, as a host does it.
class LoadedPlugin {
 public:
  explicit LoadedPlugin(const std::string& path);
  const clutch_plugin_api& api() const { return *api_; }
  clutch_plugin_negotiate_fn negotiate() const { return negotiate_; }

 private:
  clutch_plugin_negotiate_fn negotiate_ = nullptr;
  const clutch_plugin_api* api_ = nullptr;
};

using Options = std::vector<std::pair<std::string, std::string>>;

// A specification of one step with the memory behind it.
class Spec {
 public:
  Spec(std::string kind, std::string format, std::string payload, const std::string& input, const std::string& output);
  const clutch_spec* get();

  std::string name = "f";
  int32_t on_error = CLUTCH_ON_ERROR_FAIL;
  uint64_t n_steps = 1;
  Options options;
  Options step_options;

  const columnar::Field input;
  const columnar::Field output;

 private:
  std::string kind_;
  std::string format_;
  std::string payload_;
  columnar::Schema input_schema_;
  columnar::Schema output_schema_;
  std::vector<clutch_option> c_options_;
  std::vector<clutch_option> c_step_options_;
  clutch_step step_{};
  std::vector<const clutch_step*> steps_;
  clutch_spec spec_{};
};

clutch_str str(std::string_view text);
std::vector<clutch_option> c_options(const Options& options);

// All rows of an array in the text form of columnar::row_to_string, a line each.
std::string rows_text(const columnar::Field& field, const ArrowArray& array);
// An int32 array as "0 2 2", "all" if it is released.
std::string origin_text(const columnar::Array& origin);

}  // namespace clutch::test
