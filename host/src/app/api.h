// What the files of the C API share.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "app/batcher.h"
#include "app/host.h"
#include "clutch/clutch.h"
#include "function/error.h"
#include "function/slot.h"

struct clutch_app {
  std::unique_ptr<clutch::host::Host> host;
};

struct clutch_app_function {
  clutch::host::Host* host;
  clutch::host::Function* function;
};

struct clutch_app_builder {
  clutch::host::RowBuilder rows;
};

struct clutch_app_batcher {
  clutch::host::Batcher batcher;
};

namespace clutch::host {

// Run the body of an entry: its Status, or the exception it threw, becomes the status and the error of the call.
template <typename Body>
int32_t entry(clutch_app_error** ret_error, Body body) noexcept {
  try {
    Status status = body();
    return status.ok() ? CLUTCH_OK : give_error(ret_error, std::move(status));
  } catch (...) {
    return give_error(ret_error, current_exception_status());
  }
}

inline Status null_argument(const char* function, const char* name) {
  return argument_error(std::string(function) + ": " + name + " is NULL");
}

// A copy that clutch_app_text_free frees; NULL without memory.
inline char* give_text(std::string_view text) noexcept {
  auto* out = static_cast<char*>(std::malloc(text.size() + 1));
  if (out == nullptr) return nullptr;
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  out[text.size()] = '\0';
  return out;
}

inline Status give_text(std::string_view text, char** ret_text) {
  *ret_text = give_text(text);
  if (*ret_text != nullptr) return {};
  return {CLUTCH_ERR_MEMORY, "there is no memory for a text", CLUTCH_ORIGIN_HOST};
}

inline Status check_format(int32_t format) {
  if (format == CLUTCH_APP_TEXT || format == CLUTCH_APP_JSON) return {};
  return argument_error("format is " + std::to_string(format) + "; it is 0 (text) or 1 (JSON)");
}

}  // namespace clutch::host
