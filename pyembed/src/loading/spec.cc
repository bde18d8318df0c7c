#include "loading/spec.h"

#include <charconv>
#include <set>

#include "loading/fused.h"
#include "loading/streams.h"
#include "table/host.h"

namespace clutch::pyembed {
namespace {

struct Kind {
  std::string_view id;
  Shape shape;
  bool table;
};

constexpr Kind kKinds[] = {
    {CLUTCH_KIND_TABLE_SCALAR, Shape::kRow, true},
    {CLUTCH_KIND_TABLE_TABLE, Shape::kRows, true},
    {CLUTCH_KIND_STREAM_MAP, Shape::kRow, false},
    {CLUTCH_KIND_STREAM_FLAT_MAP, Shape::kRows, false},
    {CLUTCH_KIND_STREAM_FILTER, Shape::kFilter, false},
    {CLUTCH_KIND_STREAM_KEY_BY, Shape::kKey, false},
    {CLUTCH_KIND_STREAM_TIMESTAMPS, Shape::kRow, true},
    {CLUTCH_KIND_STREAM_ASYNC, Shape::kAsync, false},
    {CLUTCH_KIND_STREAM_PROCESS, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_KEYED_PROCESS, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_REDUCE, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_CO_MAP, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_CO_FLAT_MAP, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_CO_PROCESS, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_KEYED_CO_PROCESS, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_BROADCAST_PROCESS, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_KEYED_BROADCAST_PROCESS, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_INTERVAL_JOIN, Shape::kEvents, false},
    {CLUTCH_KIND_STREAM_WINDOW_REDUCE, Shape::kWindows, false},
    {CLUTCH_KIND_STREAM_WINDOW_AGGREGATE, Shape::kWindows, false},
    {CLUTCH_KIND_STREAM_WINDOW_APPLY, Shape::kWindows, false},
    {CLUTCH_KIND_STREAM_WINDOW_PROCESS, Shape::kWindows, false},
    {CLUTCH_KIND_STREAM_WINDOW_JOIN, Shape::kWindows, false},
    {CLUTCH_KIND_STREAM_WINDOW_FLAT_JOIN, Shape::kWindows, false},
    {CLUTCH_KIND_STREAM_WINDOW_CO_GROUP, Shape::kWindows, false},
    {CLUTCH_KIND_TABLE_AGGREGATE, Shape::kFold, true},
    {CLUTCH_KIND_TABLE_TABLE_AGGREGATE, Shape::kFold, true},
    {CLUTCH_KIND_TABLE_AGGREGATE_VECTORIZED, Shape::kGroups, true},
    {CLUTCH_KIND_TABLE_SCALAR_VECTORIZED, Shape::kColumns, true},
    {CLUTCH_KIND_TABLE_SCALAR_ASYNC, Shape::kAsync, true},
};

const Kind* find_kind(std::string_view id) {
  for (const Kind& kind : kKinds) {
    if (kind.id == id) return &kind;
  }
  return nullptr;
}

// "stream.filter, stream.flat_map, ...", in order.
std::string kinds_served() {
  std::set<std::string_view> ids;
  for (const Kind& kind : kKinds) ids.insert(kind.id);
  std::string text;
  for (const std::string_view id : ids) text.append(text.empty() ? "" : ", ").append(id);
  return text;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

Result<StepSpec> read_step(const clutch_step& step) {
  StepSpec copy;
  copy.name = to_view(step.name);
  copy.kind = to_view(step.kind);
  copy.format = to_view(step.payload_format);
  const std::string what = "function " + quoted(copy.name) + ": ";
  if (copy.name.empty()) return Status(CLUTCH_ERR_ARGUMENT, "a step of a function has no name", CLUTCH_ORIGIN_HOST);
  const Kind* kind = find_kind(copy.kind);
  if (kind == nullptr) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  what + "kind " + quoted(copy.kind) + " is not served; kinds served: " + kinds_served());
  }
  if (step.kind_revision != 1) {
    return Status(CLUTCH_ERR_UNSUPPORTED, what + "revision " + std::to_string(step.kind_revision) + " of kind " +
                                              quoted(copy.kind) + " is not served; revision 1 is");
  }
  if (copy.format != CLUTCH_PAYLOAD_PICKLE && copy.format != CLUTCH_PAYLOAD_IMPORT &&
      copy.format != CLUTCH_PAYLOAD_SOURCE) {
    return Status(CLUTCH_ERR_UNSUPPORTED, what + "payload format " + quoted(copy.format) +
                                              " is not served; formats served: import, pickle, source");
  }
  copy.shape = kind->shape;
  copy.table = kind->table;
  copy.payload.assign(reinterpret_cast<const char*>(step.payload.data), step.payload.size);
  copy.options = copy_options(step.options);
  return copy;
}

// Kinds that stand alone, or first, or behind certain others.
Status check_places(const FunctionSpec& spec) {
  if (spec.steps.size() == 1) return {};
  const StepSpec& first = spec.steps.front();
  const std::string what = "function " + quoted(spec.name) + ": step ";
  if (first.shape == Shape::kWindows) {
    const StepSpec& second = spec.steps[1];
    const bool folds =
        first.kind == CLUTCH_KIND_STREAM_WINDOW_REDUCE || first.kind == CLUTCH_KIND_STREAM_WINDOW_AGGREGATE;
    const bool applies =
        second.kind == CLUTCH_KIND_STREAM_WINDOW_APPLY || second.kind == CLUTCH_KIND_STREAM_WINDOW_PROCESS;
    if (folds && applies && spec.steps.size() == 2) return {};
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  what + quoted(first.name) + " is a " + first.kind +
                      ", behind which nothing may stand but one stream.window.apply or stream.window.process, and that "
                      "only behind stream.window.reduce and stream.window.aggregate");
  }
  for (const StepSpec& step : spec.steps) {
    const bool rows = step.shape == Shape::kRow || step.shape == Shape::kRows || step.shape == Shape::kFilter;
    if (first.shape == Shape::kEvents && &step != &first && (!rows || step.table)) {
      return Status(CLUTCH_ERR_UNSUPPORTED, what + quoted(step.name) + " is a " + step.kind +
                                                ", which cannot stand behind " + quoted(first.name) + " of kind " +
                                                first.kind + "; stream.map, stream.flat_map and stream.filter can");
    }
    if (&step != &first && (step.shape == Shape::kEvents || step.shape == Shape::kWindows)) {
      return Status(CLUTCH_ERR_UNSUPPORTED,
                    what + quoted(step.name) + " is a " + step.kind +
                        ", which must be the first step; put the steps before it into a function "
                        "of their own");
    }
    const bool alone =
        step.shape == Shape::kFold || step.shape == Shape::kGroups || step.kind == CLUTCH_KIND_STREAM_TIMESTAMPS;
    if (!alone) continue;
    return Status(CLUTCH_ERR_UNSUPPORTED, what + quoted(step.name) + " is a " + step.kind +
                                              ", which stands alone; put the other steps into functions of their own");
  }
  return {};
}

bool only_filters(const FunctionSpec& spec) {
  for (const StepSpec& step : spec.steps) {
    if (step.shape != Shape::kFilter) return false;
  }
  return true;
}

// Whole columns go on to functions of whole columns, and coroutines to nothing.
Status check_chain(const FunctionSpec& spec) {
  const auto whole = [](Shape shape) { return shape == Shape::kColumns || shape == Shape::kAsync; };
  for (const StepSpec& step : spec.steps) {
    const StepSpec& first = spec.steps.front();
    if ((!whole(step.shape) && !whole(first.shape)) || spec.steps.size() == 1) continue;
    if (step.shape == Shape::kColumns && first.shape == Shape::kColumns) continue;
    return Status(CLUTCH_ERR_UNSUPPORTED, "function " + quoted(spec.name) + ": a chain cannot hold " +
                                              quoted(first.name) + " of kind " + first.kind + " and " +
                                              quoted(spec.steps.back().name) + " of kind " + spec.steps.back().kind +
                                              "; make them functions of their own");
  }
  return Status();
}

Status check_policy(const FunctionSpec& spec) {
  if (spec.on_error != CLUTCH_ON_ERROR_FAIL && spec.steps.front().shape == Shape::kColumns) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "function " + quoted(spec.name) + ": " + spec.steps.front().kind +
                      " is called for whole batches, so an error cannot be put down to a row; choose on_error fail",
                  CLUTCH_ORIGIN_CONFIG);
  }
  if (spec.on_error == CLUTCH_ON_ERROR_FAIL || spec.on_error == CLUTCH_ON_ERROR_DEAD_LETTER) return Status();
  if (spec.on_error != CLUTCH_ON_ERROR_NULL) {
    return Status(CLUTCH_ERR_ARGUMENT, "function " + quoted(spec.name) + ": on_error " + std::to_string(spec.on_error) +
                                           " is none of fail (0), null (1), dead_letter (2)");
  }
  for (const StepSpec& step : spec.steps) {
    if (!is_one_to_one(step)) return Status();  // a bad row gives no rows then, and needs no null
  }
  for (const columnar::Field& column : spec.output.type.children) {
    if (!column.nullable) {
      return Status(CLUTCH_ERR_ARGUMENT,
                    "function " + quoted(spec.name) + ": on_error is null, but result column " + quoted(column.name) +
                        " cannot be null; make it nullable or choose fail or dead_letter",
                    CLUTCH_ORIGIN_CONFIG);
    }
  }
  return Status();
}

}  // namespace

Options copy_options(const clutch_options& options) {
  Options copy;
  copy.reserve(options.count);
  for (uint64_t i = 0; i < options.count; ++i) {
    copy.emplace_back(std::string(to_view(options.data[i].key)), std::string(to_view(options.data[i].value)));
  }
  return copy;
}

std::optional<std::string_view> find_option(const Options& options, std::string_view key) {
  for (auto option = options.rbegin(); option != options.rend(); ++option) {
    if (option->first == key) return option->second;
  }
  return std::nullopt;
}

std::optional<Shape> shape_of(std::string_view kind) {
  const Kind* found = find_kind(kind);
  return found == nullptr ? std::nullopt : std::optional<Shape>(found->shape);
}

Result<FunctionSpec> read_spec(const clutch_spec& spec) {
  FunctionSpec copy;
  copy.name = to_view(spec.name);
  if (spec.n_steps == 0 || spec.steps == nullptr || spec.input == nullptr || spec.output == nullptr) {
    return Status(CLUTCH_ERR_ARGUMENT, "function " + quoted(copy.name) + " has no steps or no schemas",
                  CLUTCH_ORIGIN_HOST);
  }
  for (uint64_t i = 0; i < spec.n_steps; ++i) {
    CLUTCH_ASSIGN_OR_RETURN(StepSpec step, read_step(*spec.steps[i]));
    copy.steps.push_back(std::move(step));
  }
  if (copy.name.empty()) copy.name = copy.steps.front().name;
  const std::string what = "function " + quoted(copy.name);
  CLUTCH_RETURN_IF_ERROR(check_places(copy));
  const auto import = [&what](const ArrowSchema& schema, const char* side) -> Result<columnar::Field> {
    Result<columnar::Field> field = columnar::import_field(schema);
    if (!field.ok()) return std::move(field).status().prefixed(what + ": " + side + " schema");
    if (field->type.id != columnar::TypeId::kStruct) {
      return Status(CLUTCH_ERR_ARGUMENT, what + ": the " + side + " schema is " + columnar::to_string(field->type) +
                                             "; it must be a struct of columns");
    }
    return field;
  };
  CLUTCH_ASSIGN_OR_RETURN(copy.input, import(*spec.input, "input"));
  CLUTCH_ASSIGN_OR_RETURN(copy.output, import(*spec.output, "output"));
  copy.on_error = spec.on_error;
  copy.options = copy_options(spec.options);
  if (!copy.steps.front().table && copy.input.type.children.empty()) {
    return Status(CLUTCH_ERR_ARGUMENT, what + ": " + copy.steps.front().kind + " needs at least one input column");
  }
  if (only_filters(copy)) {
    if (!(copy.input.type == copy.output.type)) {
      return Status(CLUTCH_ERR_ARGUMENT, what + ": a filter gives its input rows, so its output schema must be " +
                                             columnar::to_string(copy.input.type) + ", not " +
                                             columnar::to_string(copy.output.type));
    }
  } else if (copy.output.type.children.empty()) {
    return Status(CLUTCH_ERR_ARGUMENT, what + ": the output schema has no column");
  }
  CLUTCH_RETURN_IF_ERROR(check_chain(copy));
  CLUTCH_RETURN_IF_ERROR(check_streams(copy));
  CLUTCH_RETURN_IF_ERROR(check_policy(copy));
  CLUTCH_RETURN_IF_ERROR(read_fused(copy));
  return copy;
}

Result<int64_t> parse_milliseconds(std::string_view key, std::string_view text) {
  const auto refuse = [&]() {
    return Status(CLUTCH_ERR_CONFIG,
                  std::string(key) + " = \"" + std::string(text) +
                      "\" is no duration; write whole milliseconds or a "
                      "number with a unit, as in \"250 ms\", \"1 s\", \"2 min\"",
                  CLUTCH_ORIGIN_CONFIG);
  };
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) return refuse();
  std::string_view unit(stop, static_cast<size_t>(end - stop));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  int64_t factor = 0;
  if (unit.empty() || unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "min" || unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  if (factor == 0 || number > INT64_MAX / 2'000'000 / factor) return refuse();
  return number * factor;
}

}  // namespace clutch::pyembed
