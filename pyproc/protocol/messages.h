// The Cap'n Proto messages of ctl as C++ values. Nothing of Cap'n Proto is in this header.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "clutch/abi/spec.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::pyproc {

using Options = std::vector<std::pair<std::string, std::string>>;

struct Configure {
  Options options;
  uint32_t number = 0;
};

struct Ready {
  Status error;
  int32_t pid = 0;
  Options facts;
};

struct StepSpec {
  std::string name;
  std::string kind;
  uint32_t kind_revision = 1;
  std::string payload_format;
  std::string payload;  // bytes
  Options options;
};

struct OpenFunction {
  uint64_t function = 0;
  std::string name;
  std::vector<StepSpec> steps;
  columnar::Field input;
  columnar::Field output;
  int32_t on_error = 0;
  Options options;
};

// Whether the function's kind takes rows by group (clutch/abi/spec.h).
inline bool takes_rows_by_group(const OpenFunction& function) {
  if (function.steps.empty()) return false;
  const std::string& kind = function.steps.front().kind;
  return kind == CLUTCH_KIND_TABLE_AGGREGATE || kind == CLUTCH_KIND_TABLE_TABLE_AGGREGATE ||
         kind == CLUTCH_KIND_TABLE_AGGREGATE_VECTORIZED;
}

// Whether the function's kind gives rows in the order in which they were done.
inline bool gives_rows_in_any_order(const OpenFunction& function) {
  return !function.steps.empty() && function.steps.front().kind == CLUTCH_KIND_STREAM_ASYNC;
}

struct StateDeclaration {
  std::string name;
  int32_t state_kind = 0;
  int64_t ttl_ms = 0;
  int32_t ttl_update = 0;
  int32_t ttl_visibility = 0;
  friend bool operator==(const StateDeclaration&, const StateDeclaration&) = default;
};

struct SideOutput {
  std::string name;
  columnar::Field schema;
  friend bool operator==(const SideOutput&, const SideOutput&) = default;
};

struct FunctionOpened {
  uint64_t function = 0;
  Status error;
  std::vector<StateDeclaration> states;
  std::vector<SideOutput> side_outputs;
};

struct FunctionClosed {
  uint64_t function = 0;
  Status error;
};

struct DeadLetter {
  int64_t row = 0;
  Status error;
};

struct Metric {
  int32_t kind = 0;
  std::string name;
  double value = 0;
};

struct BatchNotes {
  uint64_t ticket = 0;
  std::vector<DeadLetter> dead_letters;
  std::vector<Metric> metrics;
};

struct BatchError {
  uint64_t ticket = 0;
  Status error;
};

struct LogLine {
  int32_t level = 2;
  uint64_t function = 0;
  std::string source;
  std::string text;
};

using Bytes = std::vector<uint8_t>;

// Encoding never fails for text that is UTF-8 or bytes; zero bytes inside text are kept.
Bytes encode(const Configure& message);
Bytes encode(const Ready& message);
Bytes encode(const OpenFunction& message);
Bytes encode(const FunctionOpened& message);
Bytes encode(const FunctionClosed& message);
Bytes encode(const BatchNotes& message);
Bytes encode(const BatchError& message);
Bytes encode(const LogLine& message);

// Decoding copies. CLUTCH_ERR_PROTOCOL if the bytes are not one such message in one segment, or cost more to read than
// their size allows.
Status decode(std::span<const uint8_t> bytes, Configure& ret);
Status decode(std::span<const uint8_t> bytes, Ready& ret);
Status decode(std::span<const uint8_t> bytes, OpenFunction& ret);
Status decode(std::span<const uint8_t> bytes, FunctionOpened& ret);
Status decode(std::span<const uint8_t> bytes, FunctionClosed& ret);
Status decode(std::span<const uint8_t> bytes, BatchNotes& ret);
Status decode(std::span<const uint8_t> bytes, BatchError& ret);
Status decode(std::span<const uint8_t> bytes, LogLine& ret);

// Bytes that a message has at most, so that a sender can fill it: header and framing are taken off.
inline constexpr size_t kMaxBodyBytes = 64 * 1024 - 128;

// Cut the texts of an error (traceback and other long details from their middle) so that it encodes to at most
// `max_bytes`. A worker calls it before it sends.
void fit(Status& error, size_t max_bytes);

}  // namespace clutch::pyproc
