// Shared memory that the supervisor makes and a worker maps: arenas and the progress page.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "clutch/columnar/result.h"
#include "protocol/channel.h"
#include "protocol/descriptor.h"
#include "protocol/layout.h"

namespace clutch::pyproc {

// The size an arena for `bytes` has: 64 KiB, 1, 16, 64 MiB, then multiples of 64 MiB.
uint64_t arena_size(uint64_t bytes);

// One arena: a memfd of fixed size, mapped into this process. Pages come into being when they are first written.
//
// IN is mapped read-write here, then sealed so that nobody else can ever map it for writing, or change its size. OUT is
// mapped read-only here; its size is sealed, its content is the worker's at all times.
class ArenaMemory {
 public:
  static Result<std::unique_ptr<ArenaMemory>> create(ArenaRole role, uint32_t number, uint64_t bytes);
  ArenaMemory(const ArenaMemory&) = delete;
  ArenaMemory& operator=(const ArenaMemory&) = delete;
  ~ArenaMemory();

  uint32_t number() const { return number_; }
  uint64_t size() const { return size_; }
  int fd() const { return fd_.get(); }
  void close_fd() { fd_.reset(); }
  std::span<uint8_t> writable() { return {base_, size_}; }  // IN only
  std::span<const uint8_t> readable() const { return {base_, size_}; }

 private:
  ArenaMemory(uint32_t number, Fd fd, uint8_t* base, uint64_t size)
      : number_(number), fd_(std::move(fd)), base_(base), size_(size) {}

  uint32_t number_;
  Fd fd_;
  uint8_t* base_;
  uint64_t size_;
};

// The page that both sides write (layout.h).
class ProgressMemory {
 public:
  static Result<std::unique_ptr<ProgressMemory>> create();
  ProgressMemory(const ProgressMemory&) = delete;
  ProgressMemory& operator=(const ProgressMemory&) = delete;
  ~ProgressMemory();

  ProgressPage& page() { return *page_; }
  int fd() const { return fd_.get(); }
  void close_fd() { fd_.reset(); }

 private:
  ProgressMemory(Fd fd, ProgressPage* page) : fd_(std::move(fd)), page_(page) {}

  Fd fd_;
  ProgressPage* page_;
};

}  // namespace clutch::pyproc
