// clutch.h: text, versions, errors.
#include <nlohmann/json.hpp>

#include "app/api.h"

using clutch::host::give_text;

const char* clutch_app_version(void) { return CLUTCH_VERSION; }

void clutch_app_text_free(char* text) { std::free(text); }

const char* clutch_app_status_name(int32_t status) {
  switch (status) {
    case CLUTCH_OK:
      return "CLUTCH_OK";
    case CLUTCH_PENDING:
      return "CLUTCH_PENDING";
    case CLUTCH_ERR_ARGUMENT:
      return "CLUTCH_ERR_ARGUMENT";
    case CLUTCH_ERR_UNSUPPORTED:
      return "CLUTCH_ERR_UNSUPPORTED";
    case CLUTCH_ERR_NOT_FOUND:
      return "CLUTCH_ERR_NOT_FOUND";
    case CLUTCH_ERR_CONFIG:
      return "CLUTCH_ERR_CONFIG";
    case CLUTCH_ERR_LOAD:
      return "CLUTCH_ERR_LOAD";
    case CLUTCH_ERR_FUNCTION:
      return "CLUTCH_ERR_FUNCTION";
    case CLUTCH_ERR_USER:
      return "CLUTCH_ERR_USER";
    case CLUTCH_ERR_VALUE:
      return "CLUTCH_ERR_VALUE";
    case CLUTCH_ERR_DATA:
      return "CLUTCH_ERR_DATA";
    case CLUTCH_ERR_DEADLINE:
      return "CLUTCH_ERR_DEADLINE";
    case CLUTCH_ERR_CANCELLED:
      return "CLUTCH_ERR_CANCELLED";
    case CLUTCH_ERR_WORKER_LOST:
      return "CLUTCH_ERR_WORKER_LOST";
    case CLUTCH_ERR_PROTOCOL:
      return "CLUTCH_ERR_PROTOCOL";
    case CLUTCH_ERR_MEMORY:
      return "CLUTCH_ERR_MEMORY";
    case CLUTCH_ERR_STALE:
      return "CLUTCH_ERR_STALE";
    case CLUTCH_ERR_CLOSED:
      return "CLUTCH_ERR_CLOSED";
    default:
      return status > 0 ? "CLUTCH_PENDING" : "CLUTCH_ERR_INTERNAL";
  }
}

int32_t clutch_app_error_code(const clutch_app_error* error) {
  return error == nullptr ? CLUTCH_OK : error->status.code();
}

int32_t clutch_app_error_origin(const clutch_app_error* error) {
  return error == nullptr ? CLUTCH_ORIGIN_UNKNOWN : error->status.origin();
}

// The text of a Status is a std::string's, so it is zero-terminated.
const char* clutch_app_error_message(const clutch_app_error* error) {
  return error == nullptr || error->status.ok() ? "" : error->status.message().data();
}

uint64_t clutch_app_error_detail_count(const clutch_app_error* error) {
  return error == nullptr ? 0 : error->status.details().size();
}

const char* clutch_app_error_detail_key(const clutch_app_error* error, uint64_t index) {
  return index < clutch_app_error_detail_count(error) ? error->status.details()[index].first.c_str() : nullptr;
}

const char* clutch_app_error_detail_value(const clutch_app_error* error, uint64_t index) {
  return index < clutch_app_error_detail_count(error) ? error->status.details()[index].second.c_str() : nullptr;
}

const char* clutch_app_error_detail(const clutch_app_error* error, const char* key) {
  if (error == nullptr || key == nullptr) return nullptr;
  for (const auto& [name, value] : error->status.details()) {
    if (name == key) return value.c_str();
  }
  return nullptr;
}

char* clutch_app_error_json(const clutch_app_error* error) {
  try {
    nlohmann::ordered_json out;
    out["code"] = clutch_app_error_code(error);
    out["name"] = clutch_app_status_name(clutch_app_error_code(error));
    out["origin"] = clutch_app_error_origin(error);
    out["message"] = clutch_app_error_message(error);
    out["details"] = nlohmann::ordered_json::object();
    for (uint64_t i = 0; i < clutch_app_error_detail_count(error); ++i) {
      out["details"][clutch_app_error_detail_key(error, i)] = clutch_app_error_detail_value(error, i);
    }
    return give_text(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void clutch_app_error_set(clutch_app_error* error, int32_t code, const char* message) {
  if (error == nullptr) return;
  try {
    error->status =
        clutch::Status(code < 0 ? code : CLUTCH_ERR_INTERNAL, message == nullptr ? "" : message, CLUTCH_ORIGIN_USER);
  } catch (const std::bad_alloc&) {
    // Without memory for its text the status that the callback returns has to do.
    error->status = clutch::Status();
  }
}

void clutch_app_error_free(clutch_app_error* error) { delete error; }
