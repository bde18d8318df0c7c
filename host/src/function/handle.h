// Handles that plugins keep: a pointer whose low bits are the object's generation. An object is never freed while its
// pool lives, so an old handle can be looked at safely and is found to be stale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace clutch::host {

// Distance of objects in memory; the generation is counted modulo this.
inline constexpr size_t kHandleAlign = 65536;

template <typename Handle, typename T>
Handle* encode_handle(T* object, uint64_t generation) {
  static_assert(alignof(T) == kHandleAlign);
  return reinterpret_cast<Handle*>(reinterpret_cast<uintptr_t>(object) + generation % kHandleAlign);
}

template <typename T, typename Handle>
T* handle_object(Handle* handle) {
  return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(handle) & ~(kHandleAlign - 1));
}

template <typename Handle>
uint64_t handle_generation(Handle* handle) {
  return reinterpret_cast<uintptr_t>(handle) % kHandleAlign;
}

// Gives out objects and takes them back; frees them all at the end.
template <typename T>
class HandlePool {
 public:
  HandlePool() = default;
  HandlePool(const HandlePool&) = delete;
  HandlePool& operator=(const HandlePool&) = delete;

  T* acquire() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      // Why not make_unique: it would fill the space up to the alignment with zeros, and so make it resident.
      all_.push_back(std::unique_ptr<T>(new T));
      free_.reserve(all_.size());
      return all_.back().get();
    }
    T* object = free_.back();
    free_.pop_back();
    return object;
  }
  void recycle(T* object) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(object);
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> free_;
};

}  // namespace clutch::host
