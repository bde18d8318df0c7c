// A job as it was described: the document of docs/jobs.md as typed values, each checked by itself. What they mean
// together is for graph.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "join/interval_join.h"
#include "time/watermark_strategy.h"
#include "window/assigner.h"
#include "window/evictor.h"
#include "window/trigger.h"

namespace clutch::engine {

using Blobs = std::vector<std::string>;

// Python code as libclutch takes it.
struct CodeSpec {
  std::string format;  // "pickle", "import", "source"
  std::string payload;
  std::string python_version;  // of the Python that pickled; empty: not known
};

struct WatermarkSpec {
  WatermarkStrategy strategy;
  std::optional<CodeSpec> code;  // f(value, timestamp): the new timestamp
};

struct PythonSpec {
  std::string kind;
  CodeSpec code;
  std::optional<columnar::Type> output;  // absent: as the input
  std::vector<std::pair<std::string, columnar::Type>> side_outputs;
  std::vector<std::pair<std::string, std::string>> options;
  int32_t on_error = 0;        // CLUTCH_APP_ON_ERROR_*
  std::string execution_mode;  // empty: the job's
  int64_t timeout_ms = 0;      // of a batch; 0: the plugin's default
};

// A source or a sink: its own members are read by whoever makes it (source/make.h, sink/make.h).
struct ConnectorSpec {
  std::string type;
  std::string members;               // the object as JSON, "type" included
  std::string place;                 // of the object, for messages
  std::optional<PythonSpec> python;  // of type "python": its code and how it runs
};

struct SourceSpec : ConnectorSpec {
  columnar::Field element;  // the field `value`
  // Why shared_ptr: the description and each source that reads blobs keep them; they may be large.
  std::shared_ptr<const Blobs> blobs;
  std::optional<WatermarkSpec> watermarks;
  bool bounded = false;  // of type "python"; other sources know it themselves
};

struct SinkSpec : ConnectorSpec {
  int32_t node = 0;  // its id
};

struct KeyBySpec {
  CodeSpec code;
  columnar::Type key;
};

// The function of a window, with what its windows are.
struct WindowSpec {
  std::string function;           // "reduce"; the name of its kind after "stream.window."
  PythonSpec python;              // kind and code of that function, and what all functions have
  std::optional<CodeSpec> after;  // called with what reduce or aggregate gave
  std::string after_kind;         // its kind
  std::string windows;            // what Python sees as windows: "time", "count", "global"
  bool all = false;               // window functions are not told the key
  std::optional<columnar::Type> accumulator;
  WindowAssigner assigner = WindowAssigner::global();
  Trigger trigger = Trigger::never();
  int64_t allowed_lateness = 0;
  std::optional<Evictor> evictor;
  std::optional<std::string> late_tag;

  bool folds() const { return function == "reduce" || function == "aggregate"; }
};

struct IntervalJoinSpec {
  PythonSpec python;
  JoinInterval interval{0, 0};
};

// Elements go round: what edges with `feedback` bring is joined to the input.
struct IterationSpec {
  int64_t quiet_ms = 0;  // it ends when nothing has moved for so long
};

enum class ChainPolicy : uint8_t { kAlways, kHead, kNever };

struct NodeSpec {
  int32_t id = 0;
  std::string type;
  std::string name;
  int32_t parallelism = 1;
  std::string uid;
  std::string description;
  ChainPolicy chain = ChainPolicy::kAlways;
  std::variant<SourceSpec, PythonSpec, KeyBySpec, WatermarkSpec, WindowSpec, IntervalJoinSpec, IterationSpec, SinkSpec>
      body;
  std::string place;  // "nodes[2]"
};

// As the document says it; hash and custom are more than the partitioner's own.
enum class Shipping : uint8_t { kForward, kRebalance, kRescale, kShuffle, kBroadcast, kGlobal, kHash, kCustom };
std::string_view shipping_name(Shipping shipping);

struct EdgeSpec {
  int32_t from = 0;
  int32_t to = 0;
  int32_t input = 0;
  std::optional<std::string> side;
  std::optional<Shipping> partitioning;
  std::optional<CodeSpec> code;  // of custom
  bool feedback = false;         // back into an iteration
  std::string place;
};

// The engine's own keys.
struct EngineSettings {
  int64_t watermark_interval_ms = 200;
  int64_t buffer_timeout_ms = 100;
  int64_t batch_rows = 4096;
  int64_t channel_bytes = 4 << 20;
  int64_t feedback_bytes = 1 << 30;
  bool chaining = true;
  bool python_chaining = true;  // python.operator-chaining.enabled: steps of one function
};

struct JobDescription {
  std::string name;
  bool batch = false;
  int32_t parallelism = 1;
  int32_t max_parallelism = 128;
  std::vector<std::pair<std::string, std::string>> configuration;  // libclutch's keys alone
  EngineSettings settings;
  std::vector<NodeSpec> nodes;
  std::vector<EdgeSpec> edges;
};

// Read and check a description. CLUTCH_ERR_CONFIG names the place and what to do.
Result<JobDescription> read_description(std::string_view text, std::shared_ptr<const Blobs> blobs);

}  // namespace clutch::engine
