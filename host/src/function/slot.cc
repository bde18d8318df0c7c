#include "function/slot.h"

#include <algorithm>
#include <exception>
#include <new>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/type.h"
#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"

namespace clutch::host {
namespace {

const columnar::Field& origin_field() {
  static const columnar::Field kField = simple_field("origin", columnar::TypeId::kInt32, false);
  return kField;
}

bool has_nulls(const ArrowArray& array) {
  const columnar::ArrayView view(array);
  if (view.no_nulls()) return false;
  for (int64_t i = 0; i < array.length; ++i) {
    if (view.is_null(i)) return true;
  }
  return false;
}

Status data_error(std::string message) { return {CLUTCH_ERR_DATA, std::move(message), CLUTCH_ORIGIN_PLUGIN}; }

std::string output_name(const Shape& shape, uint32_t tag) {
  return "function \"" + shape.name +
         "\": " + (tag == CLUTCH_TAG_MAIN ? std::string("output") : "side output \"" + shape.outputs[tag].name + "\"");
}

}  // namespace

Status stale_batch() {
  return {CLUTCH_ERR_STALE, "the batch this context belonged to is over; nothing can be staged for it any more",
          CLUTCH_ORIGIN_PLUGIN};
}

Status current_exception_status() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {CLUTCH_ERR_MEMORY, "the host has no memory for this call", CLUTCH_ORIGIN_HOST};
  } catch (const std::exception& exception) {
    return {CLUTCH_ERR_INTERNAL, std::string("the host failed inside: ") + exception.what(), CLUTCH_ORIGIN_HOST};
  } catch (...) {
    return {CLUTCH_ERR_INTERNAL, "the host failed inside with an exception of unknown type", CLUTCH_ORIGIN_HOST};
  }
}

clutch_batch_context* BatchSlot::begin(Staged staged) {
  const std::scoped_lock lock(mutex_);
  staged_ = std::move(staged);
  cancelled_.store(false, std::memory_order_relaxed);
  active_ = true;
  return encode_handle<clutch_batch_context>(this, generation_.load(std::memory_order_relaxed));
}

bool BatchSlot::complete(clutch_batch_context* handle, int32_t status) {
  if (handle == nullptr) return false;
  auto* slot = handle_object<BatchSlot>(handle);
  Staged staged;
  {
    const std::scoped_lock lock(slot->mutex_);
    if (!slot->current(handle)) return false;
    slot->active_ = false;
    slot->generation_.fetch_add(1, std::memory_order_release);
    staged = std::move(slot->staged_);
  }
  slot->job.owner->batch_over(*slot, std::move(staged), status);
  return true;
}

bool BatchSlot::cancelled(clutch_batch_context* handle) {
  if (handle == nullptr) return true;
  const auto* slot = handle_object<BatchSlot>(handle);
  const uint64_t generation = slot->generation_.load(std::memory_order_acquire);
  return generation % kHandleAlign != handle_generation(handle) || slot->cancelled_.load(std::memory_order_relaxed);
}

Status BatchSlot::emit(uint32_t tag, Chunk& chunk) {
  Status status = check_emit(tag, chunk);
  if (!status.ok()) {
    if (staged_.refused.ok()) staged_.refused = status;
    return status;
  }
  staged_.result->output(tag).add(std::move(chunk));
  return {};
}

Status BatchSlot::check_emit(uint32_t tag, Chunk& chunk) {
  const Shape& shape = *job.shape;
  if (tag >= shape.outputs.size()) {
    return data_error("function \"" + shape.name + "\": rows are emitted with tag " + std::to_string(tag) +
                      ", tags up to " + std::to_string(shape.outputs.size() - 1) + " were declared");
  }
  const OutputShape& output = shape.outputs[tag];
  if (!chunk.origin.empty()) {
    Status status = columnar::validate(origin_field(), *chunk.origin, columnar::Depth::kStructure);
    if (!status.ok()) return std::move(status).prefixed(output_name(shape, tag) + ": origin");
  }
  if (chunk.rows.empty()) {
    const bool same = tag == CLUTCH_TAG_MAIN ? shape.output_is_input : output.field.type == shape.input.type;
    if (!same) {
      return data_error(output_name(shape, tag) + ": a selection of input rows is emitted, but output " +
                        columnar::to_string(output.field.type) + " is not input " +
                        columnar::to_string(shape.input.type));
    }
    CLUTCH_RETURN_IF_ERROR(check_origin(output, staged_.result->output(tag), chunk));
    return expand_selection(chunk);
  }
  Status status = columnar::validate(output.field, *chunk.rows, columnar::Depth::kStructure);
  if (!status.ok()) return std::move(status).prefixed(output_name(shape, tag));
  if (has_nulls(*chunk.rows)) {
    return data_error(output_name(shape, tag) + ": the struct of the rows may not have nulls of its own");
  }
  return check_origin(output, staged_.result->output(tag), chunk);
}

Status BatchSlot::check_origin(const OutputShape& output, const Outputs& before, const Chunk& chunk) const {
  const auto tag = static_cast<uint32_t>(&output - job.shape->outputs.data());
  const bool by_group = job.shape->by_group;
  const int64_t input_rows = by_group ? group_count() : job.input->rows->length;
  const std::string source = by_group ? "group" : "input row";
  if (chunk.origin.empty()) {
    if (!chunk.rows.empty() && chunk.rows->length != input_rows) {
      return data_error(output_name(*job.shape, tag) + ": " + std::to_string(chunk.rows->length) +
                        " rows are emitted without origin, which means one for each of the " +
                        std::to_string(input_rows) + " " + source + "s");
    }
    if (!job.shape->any_order && input_rows > 0 && before.last_origin() > 0) {
      return data_error(output_name(*job.shape, tag) + ": rows of the whole batch are emitted after rows of " + source +
                        " " + std::to_string(before.last_origin()) + "; origins never decrease");
    }
    return {};
  }
  if (!chunk.rows.empty() && chunk.rows->length != chunk.origin->length) {
    return data_error(output_name(*job.shape, tag) + ": " + std::to_string(chunk.rows->length) +
                      " rows are emitted with an origin of " + std::to_string(chunk.origin->length) + " numbers");
  }
  const columnar::ArrayView view(*chunk.origin);
  if (has_nulls(*chunk.origin)) {
    return data_error(output_name(*job.shape, tag) + ": origin may not have nulls");
  }
  const int64_t count = view.length();
  if (count == 0) return {};
  const int32_t* values = view.values<int32_t>();
  // Rows of a timer come from no input row: -1 - i names timer i, and they stand before the others, as the timers
  // fired.
  const size_t timers = staged_.keyed.fired.size();
  const int32_t lowest = chunk.rows.empty() ? 0 : -static_cast<int32_t>(timers);
  const auto order = [](int32_t origin) { return std::max(origin, -1); };
  bool decreasing = order(values[0]) < order(before.last_origin());
  int32_t least = values[0];
  int32_t most = values[0];
  for (int64_t i = 1; i < count; ++i) {
    decreasing |= order(values[i]) < order(values[i - 1]);
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  if (decreasing && !job.shape->any_order) {
    return data_error(output_name(*job.shape, tag) + ": origin decreases; output stands in the order of its input");
  }
  if (least < lowest || most >= input_rows) {
    return data_error(output_name(*job.shape, tag) + ": origin names " + source + " " +
                      std::to_string(least < lowest ? least : most) + ", the batch has " + std::to_string(input_rows) +
                      (by_group ? " groups" : " rows"));
  }
  return {};
}

Status BatchSlot::expand_selection(Chunk& chunk) const {
  const columnar::Field& field = job.shape->input;
  if (chunk.origin.empty()) {
    CLUTCH_ASSIGN_OR_RETURN(chunk.rows, columnar::copy(field, *job.input->rows));
    return {};
  }
  const auto count = static_cast<size_t>(chunk.origin->length);
  const std::span<const int32_t> rows(columnar::ArrayView(*chunk.origin).values<int32_t>(), count);
  CLUTCH_ASSIGN_OR_RETURN(chunk.rows, columnar::take(field, *job.input->rows, rows));
  return {};
}

Status BatchSlot::add_dead_letter(int64_t row, clutch_error** ret_error) {
  const int64_t rows = job.input->rows->length;
  if (row < 0 || row >= rows) {
    return {CLUTCH_ERR_ARGUMENT,
            "row " + std::to_string(row) + " cannot be a dead letter: the batch has " + std::to_string(rows) + " rows",
            CLUTCH_ORIGIN_PLUGIN};
  }
  if (staged_.dead.empty()) staged_.dead.resize(static_cast<size_t>(rows));
  if (staged_.dead[static_cast<size_t>(row)]) {
    return {CLUTCH_ERR_ARGUMENT, "row " + std::to_string(row) + " is a dead letter already", CLUTCH_ORIGIN_PLUGIN};
  }
  staged_.result->dead_letters.push_back({row, std::make_unique<clutch_error>(), nullptr});
  staged_.dead[static_cast<size_t>(row)] = true;
  *ret_error = staged_.result->dead_letters.back().staged.get();
  return {};
}

Status BatchSlot::take_lease(BatchInput** ret_input) {
  if (job.input->borrowed) {
    return {CLUTCH_ERR_UNSUPPORTED,
            "the input belongs to the application and ends with the batch; copy what must live longer",
            CLUTCH_ORIGIN_HOST};
  }
  job.input->retain();
  *ret_input = job.input.get();
  return {};
}

Status BatchSlot::check_key(int64_t position) const {
  if (position >= 0 && position < key_count()) return {};
  return data_error("function \"" + job.shape->name + "\": key " + std::to_string(position) +
                    " is used, the batch has " + std::to_string(key_count()) + " keys");
}

}  // namespace clutch::host
