// Growable memory for one Arrow buffer: 64-byte aligned, capacity in multiples of 64; detach() zeroes the bytes between
// the size and the next multiple of 64, so that whole cache lines can be shipped without leaking old memory.
#pragma once

#include <cstdint>
#include <cstring>

namespace clutch::columnar {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  int64_t size() const { return size_; }          // (unit: bytes)
  int64_t capacity() const { return capacity_; }  // (unit: bytes)

  // Make room for `bytes` more behind size(). Throws std::bad_alloc.
  void reserve(int64_t bytes) {
    if (size_ + bytes > capacity_) grow(size_ + bytes);
  }
  // Set the size; new bytes are not initialised.
  void resize(int64_t bytes) {
    if (bytes > capacity_) grow(bytes);
    size_ = bytes;
  }
  void append(const void* bytes, int64_t count) {
    reserve(count);
    if (count > 0) std::memcpy(data_ + size_, bytes, static_cast<size_t>(count));
    size_ += count;
  }
  template <typename T>
  void push(T value) {
    reserve(static_cast<int64_t>(sizeof(T)));
    std::memcpy(data_ + size_, &value, sizeof(T));
    size_ += static_cast<int64_t>(sizeof(T));
  }
  void append_zeros(int64_t count) {
    reserve(count);
    if (count > 0) std::memset(data_ + size_, 0, static_cast<size_t>(count));
    size_ += count;
  }
  void clear() { size_ = 0; }

  // Give the memory to the caller, who gives it back through free_memory(). NULL if size() is 0. The buffer is empty
  // then, and grows to the same capacity at once when it is used again.
  uint8_t* detach();
  static void free_memory(uint8_t* memory);

 private:
  void grow(int64_t needed);  // at least doubles, or goes to what the last detach() gave away

  uint8_t* data_ = nullptr;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
  int64_t expected_ = 0;  // size at the last detach()
};

}  // namespace clutch::columnar
