#include "clutch/columnar/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace clutch::columnar {
namespace {

constexpr int64_t kAlignment = 64;

int64_t round_up(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Why: malloc with our own alignment, not aligned_alloc, because glibc serves only the former from its thread caches.
// The word in front of the aligned memory holds what malloc gave.
uint8_t* allocate(int64_t capacity) {
  void* base = std::malloc(static_cast<size_t>(capacity + kAlignment));
  if (base == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<uintptr_t>(base);
  const uintptr_t aligned = (address + kAlignment) / kAlignment * kAlignment;
  auto* memory = static_cast<uint8_t*>(base) + (aligned - address);
  std::memcpy(memory - sizeof base, &base, sizeof base);
  return memory;
}

}  // namespace

void Buffer::free_memory(uint8_t* memory) {
  if (memory == nullptr) return;
  void* base = nullptr;
  std::memcpy(&base, memory - sizeof base, sizeof base);
  std::free(base);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      expected_(std::exchange(other.expected_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    free_memory(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    expected_ = std::exchange(other.expected_, 0);
  }
  return *this;
}

Buffer::~Buffer() { free_memory(data_); }

uint8_t* Buffer::detach() {
  if (size_ == 0) return nullptr;
  std::memset(data_ + size_, 0, static_cast<size_t>(round_up(size_) - size_));
  expected_ = size_;
  size_ = 0;
  capacity_ = 0;
  return std::exchange(data_, nullptr);
}

void Buffer::grow(int64_t needed) {
  constexpr int64_t kLimit = INT64_MAX / 4;
  if (needed < 0 || needed > kLimit) throw std::bad_alloc();
  const int64_t capacity = round_up(std::max({needed, capacity_ * 2, expected_}));
  uint8_t* memory = allocate(capacity);
  if (size_ > 0) std::memcpy(memory, data_, static_cast<size_t>(size_));
  free_memory(data_);
  data_ = memory;
  capacity_ = capacity;
  expected_ = 0;
}

}  // namespace clutch::columnar
