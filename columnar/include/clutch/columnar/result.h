// Status and Result: how every C++ room of Clutch reports what a caller can handle.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/abi/status.h"

namespace clutch {

// Outcome of an operation: CLUTCH_OK, or a negative status with message, origin and details. Costs one pointer; an ok
// Status allocates nothing.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(int32_t code, std::string message, int32_t origin = CLUTCH_ORIGIN_UNKNOWN)
      : error_(std::make_unique<Error>(Error{code, origin, std::move(message), {}})) {}
  Status(const Status& other) : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Status(Status&&) noexcept = default;
  Status& operator=(const Status& other) {
    error_ = other.error_ ? std::make_unique<Error>(*other.error_) : nullptr;
    return *this;
  }
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return error_ == nullptr; }
  int32_t code() const { return error_ ? error_->code : CLUTCH_OK; }
  int32_t origin() const { return error_ ? error_->origin : CLUTCH_ORIGIN_UNKNOWN; }
  std::string_view message() const { return error_ ? std::string_view(error_->message) : std::string_view(); }

  // Details in the order they were added; keys are CLUTCH_DETAIL_*.
  const std::vector<std::pair<std::string, std::string>>& details() const {
    static const std::vector<std::pair<std::string, std::string>> kNone;
    return error_ ? error_->details : kNone;
  }
  std::string_view detail(std::string_view key) const {
    for (const auto& [name, value] : details()) {
      if (name == key) return value;
    }
    return {};
  }

  // Add or replace a detail. Does nothing on an ok status.
  Status& with(std::string_view key, std::string value) & {
    if (!error_) return *this;
    for (auto& [name, old] : error_->details) {
      if (name == key) {
        old = std::move(value);
        return *this;
      }
    }
    error_->details.emplace_back(std::string(key), std::move(value));
    return *this;
  }
  Status&& with(std::string_view key, std::string value) && { return std::move(with(key, std::move(value))); }

  // The same error, its message put behind "what: ".
  Status prefixed(std::string_view what) && {
    if (error_) error_->message = std::string(what) + ": " + error_->message;
    return std::move(*this);
  }

 private:
  struct Error {
    int32_t code;
    int32_t origin;
    std::string message;
    std::vector<std::pair<std::string, std::string>> details;
  };
  std::unique_ptr<Error> error_;
};

// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status&& status() && { return std::move(status_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

#define CLUTCH_CONCAT_(a, b) a##b
#define CLUTCH_CONCAT(a, b) CLUTCH_CONCAT_(a, b)

// Return the status of an expression from the enclosing function if it failed.
#define CLUTCH_RETURN_IF_ERROR(expression)                                                           \
  do {                                                                                               \
    if (::clutch::Status clutch_status_ = (expression); !clutch_status_.ok()) return clutch_status_; \
  } while (false)

// Put the value of a Result into `target`, or return its status from the enclosing function.
#define CLUTCH_ASSIGN_OR_RETURN(target, expression) \
  CLUTCH_ASSIGN_OR_RETURN_(CLUTCH_CONCAT(clutch_result_, __LINE__), target, expression)
#define CLUTCH_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                                \
  if (!result.ok()) return std::move(result).status();       \
  target = *std::move(result)

}  // namespace clutch
