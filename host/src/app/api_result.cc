// clutch.h: results.
#include "app/api.h"

namespace host = clutch::host;

namespace {

// These calls have no error to fill: a missing object gives NULL or 0, and joining chunks fails only without memory.
const ArrowArray* rows_of(host::Outputs& outputs, const clutch::columnar::Field& field) noexcept {
  try {
    const clutch::Result<const ArrowArray*> rows = outputs.rows(field);
    return rows.ok() ? *rows : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

const int32_t* origin_of(host::Outputs& outputs) noexcept {
  try {
    const clutch::Result<const int32_t*> origin = outputs.origin();
    return origin.ok() ? *origin : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

const ArrowArray* timestamps_of(const clutch_app_result& result, host::Outputs& outputs) noexcept {
  try {
    const clutch::Result<const ArrowArray*> times = outputs.timestamps(result.times);
    return times.ok() ? *times : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// Tag of a side output by name; 0 if there is none.
uint32_t side_tag(const clutch_app_result* result, const char* name) {
  if (result == nullptr || name == nullptr) return 0;
  return static_cast<uint32_t>(result->shape->find_side(name));
}

}  // namespace

void clutch_app_result_free(clutch_app_result* result) { delete result; }

uint64_t clutch_app_result_sequence(const clutch_app_result* result) {
  return result == nullptr ? 0 : result->sequence;
}

int64_t clutch_app_result_row_count(const clutch_app_result* result) {
  return result == nullptr ? 0 : result->main.length();
}

const ArrowArray* clutch_app_result_rows(clutch_app_result* result) {
  return result == nullptr ? nullptr : rows_of(result->main, result->shape->main().field);
}

int32_t clutch_app_result_take_rows(clutch_app_result* result, ArrowArray* ret_rows) {
  return host::entry(nullptr, [&]() -> clutch::Status {
    if (result == nullptr) return host::null_argument("clutch_app_result_take_rows", "result");
    if (ret_rows == nullptr) return host::null_argument("clutch_app_result_take_rows", "ret_rows");
    CLUTCH_ASSIGN_OR_RETURN(clutch::columnar::Array rows, result->main.take(result->shape->main().field));
    *ret_rows = rows.detach();
    return {};
  });
}

const int32_t* clutch_app_result_origin(clutch_app_result* result) {
  return result == nullptr ? nullptr : origin_of(result->main);
}

const ArrowArray* clutch_app_result_timestamps(clutch_app_result* result) {
  return result == nullptr ? nullptr : timestamps_of(*result, result->main);
}

const ArrowSchema* clutch_app_result_schema(const clutch_app_result* result) {
  return result == nullptr ? nullptr : result->shape->main().schema.get();
}

uint64_t clutch_app_result_side_count(const clutch_app_result* result) {
  return result == nullptr ? 0 : result->shape->outputs.size() - 1;
}

const char* clutch_app_result_side_name(const clutch_app_result* result, uint64_t index) {
  return index < clutch_app_result_side_count(result) ? result->shape->outputs[index + 1].name.c_str() : nullptr;
}

const ArrowSchema* clutch_app_result_side_schema(const clutch_app_result* result, const char* name) {
  const uint32_t tag = side_tag(result, name);
  return tag == 0 ? nullptr : result->shape->outputs[tag].schema.get();
}

const ArrowArray* clutch_app_result_side_rows(clutch_app_result* result, const char* name) {
  const uint32_t tag = side_tag(result, name);
  return tag == 0 ? nullptr : rows_of(result->output(tag), result->shape->outputs[tag].field);
}

const int32_t* clutch_app_result_side_origin(clutch_app_result* result, const char* name) {
  const uint32_t tag = side_tag(result, name);
  return tag == 0 ? nullptr : origin_of(result->output(tag));
}

const ArrowArray* clutch_app_result_side_timestamps(clutch_app_result* result, const char* name) {
  const uint32_t tag = side_tag(result, name);
  return tag == 0 ? nullptr : timestamps_of(*result, result->output(tag));
}

uint64_t clutch_app_result_dead_letter_count(const clutch_app_result* result) {
  return result == nullptr ? 0 : result->dead_letters.size();
}

int64_t clutch_app_result_dead_letter_row(const clutch_app_result* result, uint64_t index) {
  return index < clutch_app_result_dead_letter_count(result) ? result->dead_letters[index].row : -1;
}

const clutch_app_error* clutch_app_result_dead_letter_error(const clutch_app_result* result, uint64_t index) {
  return index < clutch_app_result_dead_letter_count(result) ? result->dead_letters[index].error.get() : nullptr;
}

const ArrowArray* clutch_app_result_dead_letter_rows(clutch_app_result* result) {
  return result == nullptr || result->dead_letter_rows.empty() ? nullptr : result->dead_letter_rows.get();
}
