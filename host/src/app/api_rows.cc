// clutch.h: single values, builders, batchers.
#include "app/api.h"
#include "clutch/columnar/ops.h"

namespace host = clutch::host;
using clutch::Status;

namespace {

Status check_row(const ArrowArray& rows, int64_t row) {
  if (row >= 0 && row < rows.length) return {};
  return host::argument_error("row " + std::to_string(row) + " is asked for, the array has " +
                              std::to_string(rows.length));
}

}  // namespace

int32_t clutch_app_value_read(const ArrowSchema* schema, const ArrowArray* rows, int64_t column, int64_t row,
                              clutch_app_value* ret_value, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (schema == nullptr) return host::null_argument("clutch_app_value_read", "schema");
    if (rows == nullptr) return host::null_argument("clutch_app_value_read", "rows");
    if (ret_value == nullptr) return host::null_argument("clutch_app_value_read", "ret_value");
    if (column < 0 || column >= schema->n_children || column >= rows->n_children) {
      return host::argument_error("column " + std::to_string(column) + " is asked for, the rows have " +
                                  std::to_string(rows->n_children));
    }
    CLUTCH_RETURN_IF_ERROR(check_row(*rows, row));
    CLUTCH_ASSIGN_OR_RETURN(const clutch::columnar::Field field,
                            clutch::columnar::import_field(*schema->children[column]));
    CLUTCH_ASSIGN_OR_RETURN(*ret_value, host::read_value(field, *rows->children[column], rows->offset + row));
    return {};
  });
}

char* clutch_app_row_text(const ArrowSchema* schema, const ArrowArray* rows, int64_t row) {
  if (schema == nullptr || rows == nullptr || row < 0 || row >= rows->length) return nullptr;
  try {
    const clutch::Result<clutch::columnar::Field> field = clutch::columnar::import_field(*schema);
    if (!field.ok()) return nullptr;
    return host::give_text(clutch::columnar::row_to_string(*field, *rows, row));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

int32_t clutch_app_builder_open(const char* columns, clutch_app_builder** ret_builder, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (columns == nullptr) return host::null_argument("clutch_app_builder_open", "columns");
    if (ret_builder == nullptr) return host::null_argument("clutch_app_builder_open", "ret_builder");
    CLUTCH_ASSIGN_OR_RETURN(const clutch::columnar::Field field, host::parse_columns(columns));
    *ret_builder = new clutch_app_builder{host::RowBuilder(field)};
    return {};
  });
}

void clutch_app_builder_free(clutch_app_builder* builder) { delete builder; }

int32_t clutch_app_builder_add(clutch_app_builder* builder, const clutch_app_value* values, uint64_t n_values,
                               clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (builder == nullptr) return host::null_argument("clutch_app_builder_add", "builder");
    return builder->rows.add(values, n_values);
  });
}

int32_t clutch_app_builder_finish(clutch_app_builder* builder, ArrowArray* ret_rows, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (builder == nullptr) return host::null_argument("clutch_app_builder_finish", "builder");
    if (ret_rows == nullptr) return host::null_argument("clutch_app_builder_finish", "ret_rows");
    *ret_rows = builder->rows.finish().detach();
    return {};
  });
}

int32_t clutch_app_batcher_open(clutch_app_function* function, const clutch_app_batcher_settings* settings,
                                clutch_app_batcher** ret_batcher, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (function == nullptr) return host::null_argument("clutch_app_batcher_open", "function");
    if (ret_batcher == nullptr) return host::null_argument("clutch_app_batcher_open", "ret_batcher");
    host::BatchingLimits limits = function->function->setup().batching;
    int64_t timeout_ms = 0;
    if (settings != nullptr) {
      CLUTCH_RETURN_IF_ERROR(host::check_struct_size("clutch_app_batcher_settings", settings->struct_size,
                                                     sizeof(clutch_app_batcher_settings),
                                                     sizeof(clutch_app_batcher_settings)));
      if (settings->max_rows < 0 || settings->max_bytes < 0 || settings->timeout_ms < 0) {
        return host::argument_error("clutch_app_batcher_open: max_rows, max_bytes and timeout_ms may not be negative");
      }
      if (settings->max_rows > 0) limits.max_rows = settings->max_rows;
      if (settings->max_bytes > 0) limits.max_bytes = settings->max_bytes;
      if (settings->max_age_us != 0) {
        const bool none = settings->max_age_us < 0 || settings->max_age_us > host::kForever / 1000;
        limits.max_age_ns = none ? host::kForever : settings->max_age_us * 1000;
      }
      timeout_ms = settings->timeout_ms;
    }
    *ret_batcher = new clutch_app_batcher{host::Batcher(*function->function, limits, timeout_ms)};
    return {};
  });
}

void clutch_app_batcher_close(clutch_app_batcher* batcher) { delete batcher; }

int32_t clutch_app_batcher_push(clutch_app_batcher* batcher, const clutch_app_value* values, uint64_t n_values,
                                clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (batcher == nullptr) return host::null_argument("clutch_app_batcher_push", "batcher");
    return batcher->batcher.push(values, n_values);
  });
}

int32_t clutch_app_batcher_push_rows(clutch_app_batcher* batcher, const ArrowArray* rows, int64_t start, int64_t count,
                                     clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (batcher == nullptr) return host::null_argument("clutch_app_batcher_push_rows", "batcher");
    if (rows == nullptr || rows->release == nullptr) return host::null_argument("clutch_app_batcher_push_rows", "rows");
    return batcher->batcher.push_rows(*rows, start, count);
  });
}

int32_t clutch_app_batcher_poll(clutch_app_batcher* batcher, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (batcher == nullptr) return host::null_argument("clutch_app_batcher_poll", "batcher");
    return batcher->batcher.poll();
  });
}

int32_t clutch_app_batcher_flush(clutch_app_batcher* batcher, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (batcher == nullptr) return host::null_argument("clutch_app_batcher_flush", "batcher");
    return batcher->batcher.flush();
  });
}

int64_t clutch_app_batcher_next_deadline(const clutch_app_batcher* batcher) {
  return batcher == nullptr ? INT64_MAX : batcher->batcher.next_deadline();
}

int32_t clutch_app_batcher_next(clutch_app_batcher* batcher, int64_t timeout_ms, clutch_app_row_span* ret_span,
                                clutch_app_result** ret_result, clutch_app_error** ret_error) {
  bool pending = false;
  const int32_t status = host::entry(ret_error, [&]() -> Status {
    if (batcher == nullptr) return host::null_argument("clutch_app_batcher_next", "batcher");
    if (ret_result == nullptr) return host::null_argument("clutch_app_batcher_next", "ret_result");
    clutch_app_row_span span{};
    auto result = batcher->batcher.next(timeout_ms, span, pending);
    if (ret_span != nullptr) *ret_span = span;
    if (!result.ok()) return std::move(result).status();
    if (!pending) *ret_result = (*std::move(result)).release();
    return {};
  });
  return status == CLUTCH_OK && pending ? CLUTCH_PENDING : status;
}
