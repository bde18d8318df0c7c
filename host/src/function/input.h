// The input of one batch, at one address until the batch is over and no lease holds it.
#pragma once

#include <atomic>
#include <cstdint>

#include "clutch/columnar/owned.h"

namespace clutch::host {

class BatchInput {
 public:
  columnar::Array rows;
  columnar::Array timestamps;
  columnar::Array row_kinds;
  columnar::Array keys;  // The distinct ones.
  columnar::Array key_index;
  columnar::Array timers;
  columnar::Array row_flags;
  columnar::Array merges;
  bool borrowed = false;  // The memory ends with the batch.

  BatchInput() = default;
  BatchInput(const BatchInput&) = delete;
  BatchInput& operator=(const BatchInput&) = delete;

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  // Drop one reference; the last one frees the input and its memory.
  void drop() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // True if the caller's reference is the only one; then the object can be used again.
  bool only_reference() const { return references_.load(std::memory_order_acquire) == 1; }
  void reset() {
    rows.reset();
    timestamps.reset();
    row_kinds.reset();
    keys.reset();
    key_index.reset();
    timers.reset();
    row_flags.reset();
    merges.reset();
    borrowed = false;
  }

 private:
  ~BatchInput() = default;
  std::atomic<int32_t> references_{1};
};

// Owns one reference.
class InputRef {
 public:
  InputRef() = default;
  explicit InputRef(BatchInput* input) : input_(input) {}
  InputRef(InputRef&& other) noexcept : input_(other.release()) {}
  InputRef& operator=(InputRef&& other) noexcept {
    if (this != &other) {
      if (input_ != nullptr) input_->drop();
      input_ = other.release();
    }
    return *this;
  }
  InputRef(const InputRef&) = delete;
  InputRef& operator=(const InputRef&) = delete;
  ~InputRef() {
    if (input_ != nullptr) input_->drop();
  }

  BatchInput* get() const { return input_; }
  BatchInput* operator->() const { return input_; }
  BatchInput& operator*() const { return *input_; }
  explicit operator bool() const { return input_ != nullptr; }
  BatchInput* release() {
    BatchInput* out = input_;
    input_ = nullptr;
    return out;
  }

 private:
  BatchInput* input_ = nullptr;
};

}  // namespace clutch::host
