// A host for the tests and measurements of this room: everything it is told is kept as plain values.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "clutch/abi/plugin.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"
#include "clutch/ext/cancel.h"
#include "clutch/ext/dead_letter.h"
#include "clutch/ext/log.h"
#include "clutch/ext/memory.h"
#include "clutch/ext/metrics.h"

struct clutch_error {
  int32_t code = 0;
  int32_t origin = 0;
  std::string message;
  std::map<std::string, std::string> details;
};

struct clutch_function_context {
  std::string name;
};

struct clutch_batch_context {
  struct Emitted {
    uint32_t tag;
    clutch::columnar::Array rows;
    clutch::columnar::Array origin;
  };
  std::vector<Emitted> emitted;
  std::map<int64_t, std::unique_ptr<clutch_error>> dead_letters;
  std::map<uint32_t, int64_t> stages;
  std::atomic<bool> cancelled{false};
};

namespace clutch::pyembed::testing {

class FakeHost {
 public:
  struct Line {
    int32_t level;
    std::string source;
    std::string function;  // empty: none
    std::string text;
  };
  struct Metric {
    int32_t kind;
    std::string name;
    double value;
  };

  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const clutch_host* table() const { return &host_; }
  std::vector<Line> lines() const;
  std::vector<Metric> metrics() const;
  // Hide an extension from the plugin.
  void hide(const char* id) { hidden_ = id; }
  // Leases of input that were not dropped yet. Whoever frees a batch's rows asks before.
  int64_t leases() const { return leases_.load(); }

 private:
  static FakeHost& of(const clutch_host* host) { return *static_cast<FakeHost*>(host->self); }

  clutch_host host_{};
  clutch_host_log log_{};
  clutch_host_metrics metrics_{};
  clutch_host_dead_letter dead_letter_{};
  clutch_host_cancel cancel_{};
  clutch_host_memory memory_{};
  static std::atomic<int64_t> leases_;  // are dropped without a host
  std::string hidden_;
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
  std::vector<Metric> recorded_;
  static FakeHost* latest_;  // metrics come without a host
};

// Owns the option list it shows.
class OptionList {
 public:
  OptionList() = default;
  OptionList(std::initializer_list<std::pair<std::string, std::string>> options) : texts_(options) {}
  void add(std::string key, std::string value) { texts_.emplace_back(std::move(key), std::move(value)); }
  clutch_options view();

 private:
  std::vector<std::pair<std::string, std::string>> texts_;
  std::vector<clutch_option> options_;
};

struct StepText {
  std::string name;
  std::string kind;
  std::string format;
  std::string payload;
  OptionList options{};
};

// A spec and all it points to.
struct SpecText {
  std::string name;
  std::vector<StepText> steps;
  std::vector<columnar::Field> input;
  std::vector<columnar::Field> output;
  int32_t on_error = CLUTCH_ON_ERROR_FAIL;
  OptionList options{};

  // Valid until the next call or the end of this object.
  const clutch_spec* view();

 private:
  std::vector<clutch_step> step_views_;
  std::vector<const clutch_step*> step_pointers_;
  columnar::Schema input_schema_;
  columnar::Schema output_schema_;
  clutch_spec spec_{};
};

columnar::Field column(const std::string& name, const std::string& type, bool nullable = true);

columnar::Array int64_column(const std::vector<int64_t>& values);
columnar::Array text_column(const std::vector<std::string>& values);
columnar::Array batch_of(std::vector<columnar::Array> columns);

}  // namespace clutch::pyembed::testing
