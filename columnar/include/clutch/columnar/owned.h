// Owners of the two Arrow C structs: released once, moved, never copied.
#pragma once

#include <utility>

#include "clutch/abi/arrow.h"

namespace clutch::columnar {

template <typename T>
class Owned {
 public:
  Owned() : value_{} {}
  // Takes over what `source` owned and marks it released.
  explicit Owned(T&& source) : value_(source) { source.release = nullptr; }
  Owned(Owned&& other) noexcept : value_(other.value_) { other.value_.release = nullptr; }
  Owned& operator=(Owned&& other) noexcept {
    if (this != &other) {
      reset();
      value_ = other.value_;
      other.value_.release = nullptr;
    }
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { reset(); }

  void reset() {
    if (value_.release != nullptr) value_.release(&value_);
    value_.release = nullptr;
  }
  // Hand ownership to the caller.
  T detach() {
    T out = value_;
    value_.release = nullptr;
    return out;
  }
  bool empty() const { return value_.release == nullptr; }
  T* get() { return &value_; }
  const T* get() const { return &value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }

 private:
  T value_;
};

using Schema = Owned<ArrowSchema>;
using Array = Owned<ArrowArray>;

}  // namespace clutch::columnar
