// The worker's clutch_error, and the border between the host interface and C++.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "clutch/abi/base.h"
#include "clutch/columnar/result.h"

struct clutch_error {
  clutch::Status status;
};

namespace clutch::pyproc {

inline std::string_view view_of(clutch_str text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}
inline clutch_str str_of(std::string_view text) { return {text.data(), text.size()}; }

// Put a failure into an error, if there is one to put it into; gives its code.
inline int32_t fail(clutch_error* error, Status status) {
  const int32_t code = status.code();
  if (error != nullptr) error->status = std::move(status);
  return code;
}

// Run `body` (gives a Status) behind a C function: no exception leaves it.
template <typename Body>
int32_t guarded(clutch_error* error, Body&& body) noexcept {
  try {
    Status status = body();
    return status.ok() ? CLUTCH_OK : fail(error, std::move(status));
  } catch (const std::bad_alloc&) {
    return fail(error, Status(CLUTCH_ERR_MEMORY,
                              "the worker has no memory left for what the batch gives; make batches smaller or raise "
                              "python.process.memory-limit",
                              CLUTCH_ORIGIN_USER));
  } catch (const std::exception& problem) {
    return fail(error,
                Status(CLUTCH_ERR_INTERNAL, std::string("the worker failed: ") + problem.what(), CLUTCH_ORIGIN_PLUGIN));
  }
}

}  // namespace clutch::pyproc
