// The two opaque error types: what plugins fill, and what applications get.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/abi/base.h"
#include "clutch/clutch.h"
#include "clutch/columnar/result.h"

// Filled by a plugin through clutch_host.error_set and error_detail. Belongs to one call or batch at a time.
struct clutch_error {
  int32_t code = CLUTCH_OK;
  int32_t origin = CLUTCH_ORIGIN_UNKNOWN;
  std::string message;
  std::vector<std::pair<std::string, std::string>> details;

  void set(int32_t new_code, int32_t new_origin, std::string_view text);
  void detail(std::string_view key, std::string_view value);
  void clear() {
    if (code == CLUTCH_OK && details.empty()) return;
    code = CLUTCH_OK;
    origin = CLUTCH_ORIGIN_UNKNOWN;
    message.clear();
    details.clear();
  }
};

// Immutable once made.
struct clutch_app_error {
  clutch::Status status;
};

namespace clutch::host {

inline std::string_view view(clutch_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline clutch_str to_str(std::string_view text) { return {text.data(), text.size()}; }

// What a plugin said when `status` came back from a call, as a Status; empties the error. A plugin that gave no reason
// is named as `who` ("plugin \"thread\"").
Status take_status(int32_t status, clutch_error& error, std::string_view who);

// Fill the error a plugin handed in; nothing happens if it handed in none. Returns the status's code.
int32_t fill_error(clutch_error* error, const Status& status);

// Fill the out-parameter of the application's API, if it gave one. Returns the status's code.
int32_t give_error(clutch_app_error** ret_error, Status status) noexcept;

// CLUTCH_ERR_ARGUMENT, the host's way to say that a call is wrong.
Status argument_error(std::string message);

}  // namespace clutch::host
