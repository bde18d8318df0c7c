// Rows, dead letters, side outputs and metrics.
#include <algorithm>

#include "clutch/abi/status.h"
#include "clutch/columnar/validate.h"
#include "clutch/ext/metrics.h"
#include "worker/context.h"

namespace clutch::pyproc {
namespace {

// More metrics than this between two batches are a bug of the function; the first names stay.
constexpr size_t kMostMetrics = 4096;

Status misuse(std::string message) { return Status(CLUTCH_ERR_ARGUMENT, std::move(message), CLUTCH_ORIGIN_PLUGIN); }

}  // namespace

Status require_open(const clutch_batch_context* context) {
  if (context != nullptr && context->open.load(std::memory_order_acquire)) return {};
  return Status(CLUTCH_ERR_STALE, "the batch is over; its context cannot be used any more", CLUTCH_ORIGIN_PLUGIN);
}

Status stage_emit(clutch_batch_context& context, uint32_t tag, columnar::Array rows, columnar::Array origin) {
  const clutch_function_context& function = *context.function;
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  if (tag > function.side_outputs.size()) {
    return misuse("function \"" + function.name + "\" has no output with tag " + std::to_string(tag) +
                  "; declare it when the function opens");
  }
  const columnar::Field& field = tag == CLUTCH_TAG_MAIN ? function.output : function.side_outputs[tag - 1].schema;
  if (rows.empty()) {
    if (field.type != function.input.type) {
      return Status(CLUTCH_ERR_DATA, "input rows can be passed on only to an output of the same schema",
                    CLUTCH_ORIGIN_PLUGIN);
    }
  } else {
    CLUTCH_RETURN_IF_ERROR(columnar::validate(field, *rows, columnar::Depth::kStructure));
  }
  if (!origin.empty()) {
    CLUTCH_RETURN_IF_ERROR(columnar::validate(origin_field(), *origin, columnar::Depth::kStructure));
    if (!rows.empty() && origin->length != rows->length) {
      return Status(CLUTCH_ERR_DATA,
                    std::to_string(rows->length) + " output rows have " + std::to_string(origin->length) + " origins",
                    CLUTCH_ORIGIN_PLUGIN);
    }
  } else if (!rows.empty() && rows->length != context.groups) {
    return Status(CLUTCH_ERR_DATA,
                  std::to_string(rows->length) + " output rows without origin do not match " +
                      std::to_string(context.groups) + (function.by_group ? " groups" : " input rows"),
                  CLUTCH_ORIGIN_PLUGIN);
  }
  context.staged.push_back({SectionKind::kEmit, tag, &field, std::move(rows)});
  context.staged.push_back({SectionKind::kOrigin, tag, &origin_field(), std::move(origin)});
  return {};
}

Status stage_dead_letter(clutch_batch_context& context, int64_t row, clutch_error** ret_error) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  if (row < 0 || row >= context.rows) {
    return misuse("row " + std::to_string(row) + " cannot be a dead letter of a batch of " +
                  std::to_string(context.rows) + " rows");
  }
  if (!context.dead_rows.insert(row).second) {
    return misuse("row " + std::to_string(row) + " is a dead letter already");
  }
  *ret_error = &context.dead_letters.emplace_back(StagedDeadLetter{row, {}}).error;
  return {};
}

Status declare_side_output(clutch_function_context& context, std::string_view name, const ArrowSchema* schema,
                           uint32_t* ret_tag) {
  if (!context.opening) return misuse("side outputs are declared while the function opens, not later");
  CLUTCH_ASSIGN_OR_RETURN(columnar::Field field, columnar::import_field(*schema));
  for (size_t i = 0; i < context.side_outputs.size(); ++i) {
    if (context.side_outputs[i].name != name) continue;
    if (context.side_outputs[i].schema != field) {
      return misuse("side output \"" + std::string(name) +
                    "\" is declared with two schemas: " + columnar::to_string(context.side_outputs[i].schema.type) +
                    " and " + columnar::to_string(field.type));
    }
    *ret_tag = static_cast<uint32_t>(i + 1);
    return {};
  }
  context.side_outputs.push_back({std::string(name), std::move(field)});
  *ret_tag = static_cast<uint32_t>(context.side_outputs.size());
  return {};
}

void record_metric(clutch_function_context& context, int32_t kind, std::string_view name, double value) {
  const std::lock_guard lock(context.metrics_mutex);
  if (kind != CLUTCH_METRIC_HISTOGRAM) {
    const auto known = std::find_if(context.metrics.begin(), context.metrics.end(),
                                    [&](const Metric& m) { return m.kind == kind && m.name == name; });
    if (known != context.metrics.end()) {
      known->value = kind == CLUTCH_METRIC_GAUGE ? value : known->value + value;
      return;
    }
  }
  if (context.metrics.size() < kMostMetrics) context.metrics.push_back({kind, std::string(name), value});
}

void end_batch(clutch_batch_context& context) {
  context.open.store(false, std::memory_order_release);
  const std::lock_guard lock(context.mutex);
  context.staged.clear();
  context.dead_letters.clear();
  context.dead_rows.clear();
  context.states.clear();
  context.completion.reset();
}

}  // namespace clutch::pyproc
