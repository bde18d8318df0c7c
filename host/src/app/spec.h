// What an application asks for, as C++ values, and what a plugin gets of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/abi/spec.h"
#include "clutch/clutch.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "config/configuration.h"

namespace clutch::host {

struct StepSpec {
  std::string name;
  std::string kind;
  uint32_t revision = 1;
  std::string payload_format;
  std::string payload;
  Options options;
};

struct FunctionSpec {
  std::string name;
  std::vector<StepSpec> steps;
  columnar::Field input;
  columnar::Field output;
  int32_t on_error = CLUTCH_ON_ERROR_FAIL;
  Options options;  // Of this function alone; its own mode is one of them.
  void (*completed)(void* self, uint64_t sequence) = nullptr;
  void* completed_self = nullptr;
  std::optional<clutch_app_state_store> state_store;  // None: the host's own.
};

// Read and check the application's form.
Result<FunctionSpec> read_spec(const clutch_app_spec* spec);

// Columns from text: "word: string, n: int64 not null". Columns without a name are f0, f1, ...; a single one is called
// `single` if that is not empty.
Result<columnar::Field> parse_columns(std::string_view text, std::string_view single = {});

// The columns of a struct field as text that parse_columns reads.
std::string columns_text(const columnar::Field& field);

// Options of the application as C++ values. CLUTCH_ERR_ARGUMENT for a NULL key or value.
Result<Options> read_options(const clutch_app_option* options, uint64_t count, std::string_view what);

// A clutch_spec with everything it points to. Borrows the FunctionSpec and the configuration.
class RawSpec {
 public:
  RawSpec(const FunctionSpec& spec, const Options& configuration);
  RawSpec(const RawSpec&) = delete;
  RawSpec& operator=(const RawSpec&) = delete;

  const clutch_spec& get() const { return spec_; }

 private:
  std::vector<std::vector<clutch_option>> step_options_;
  std::vector<clutch_step> steps_;
  std::vector<const clutch_step*> step_pointers_;
  std::vector<clutch_option> options_;
  columnar::Schema input_;
  columnar::Schema output_;
  clutch_spec spec_{};
};

// Borrowed form of options.
std::vector<clutch_option> raw_options(const Options& options);

// Refuse a struct of the application that is older than this library's first form of it.
// `first`: the size that it had when it came; `now`: its size.
Status check_struct_size(std::string_view name, uint32_t given, size_t first, size_t now);

}  // namespace clutch::host
