#include "function/error.h"

#include <new>

#include "clutch/abi/batch.h"

void clutch_error::set(int32_t new_code, int32_t new_origin, std::string_view text) {
  code = new_code < 0 ? new_code : CLUTCH_ERR_INTERNAL;
  origin = new_origin;
  message.assign(text);
  details.clear();
}

void clutch_error::detail(std::string_view key, std::string_view value) {
  for (auto& [name, old] : details) {
    if (name == key) {
      old.assign(value);
      return;
    }
  }
  details.emplace_back(key, value);
}

namespace clutch::host {

Status take_status(int32_t status, clutch_error& error, std::string_view who) {
  int32_t code = status;
  if (code >= 0) code = CLUTCH_ERR_PROTOCOL;
  if (code < CLUTCH_ERR_INTERNAL) code = CLUTCH_ERR_INTERNAL;
  Status out = error.message.empty() ? Status(code,
                                              std::string(who) + " failed with " + clutch_app_status_name(code) +
                                                  " and gave no reason; look into its log",
                                              CLUTCH_ORIGIN_PLUGIN)
                                     : Status(code, std::move(error.message), error.origin);
  for (auto& [key, value] : error.details) out.with(key, std::move(value));
  error = clutch_error();
  return out;
}

int32_t fill_error(clutch_error* error, const Status& status) {
  if (error != nullptr) {
    error->set(status.code(), status.origin(), status.message());
    for (const auto& [key, value] : status.details()) error->detail(key, value);
  }
  return status.code();
}

int32_t give_error(clutch_app_error** ret_error, Status status) noexcept {
  const int32_t code = status.code();
  // Without memory for the error itself the code alone has to do; the caller's pointer stays NULL.
  if (ret_error != nullptr) *ret_error = new (std::nothrow) clutch_app_error{std::move(status)};
  return code;
}

Status argument_error(std::string message) { return {CLUTCH_ERR_ARGUMENT, std::move(message), CLUTCH_ORIGIN_HOST}; }

}  // namespace clutch::host
