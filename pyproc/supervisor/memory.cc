#include "supervisor/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string>

namespace clutch::pyproc {
namespace {

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

constexpr uint64_t kClasses[] = {uint64_t{64} << 10, uint64_t{1} << 20, uint64_t{16} << 20, uint64_t{64} << 20};

Status failed(const char* what, uint64_t bytes) {
  return {
      CLUTCH_ERR_MEMORY,
      std::string("cannot ") + what + " shared memory of " + std::to_string(bytes) + " bytes: " + std::strerror(errno),
      CLUTCH_ORIGIN_HOST};
}

struct Mapped {
  Fd fd;
  void* base;
};

Result<Mapped> make(const char* name, uint64_t bytes, int protection, int seals) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return failed("make", bytes);
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return failed("size", bytes);
  void* base = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd.get(), 0);
  if (base == MAP_FAILED) return failed("map", bytes);
  if (::fcntl(fd.get(), F_ADD_SEALS, seals) != 0) {
    const Status status = failed("seal", bytes);
    ::munmap(base, bytes);
    return status;
  }
  return Mapped{std::move(fd), base};
}

constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

uint64_t arena_size(uint64_t bytes) {
  for (const uint64_t size : kClasses) {
    if (bytes <= size) return size;
  }
  const uint64_t largest = kClasses[3];
  return bytes > UINT64_MAX - largest ? bytes : (bytes + largest - 1) / largest * largest;
}

Result<std::unique_ptr<ArenaMemory>> ArenaMemory::create(ArenaRole role, uint32_t number, uint64_t bytes) {
  const bool in = role == ArenaRole::kIn;
  CLUTCH_ASSIGN_OR_RETURN(Mapped mapped,
                          make(in ? "clutch-in" : "clutch-out", bytes, in ? PROT_READ | PROT_WRITE : PROT_READ,
                               in ? kSizeSeals | F_SEAL_FUTURE_WRITE : kSizeSeals));
  return std::unique_ptr<ArenaMemory>(
      new ArenaMemory(number, std::move(mapped.fd), static_cast<uint8_t*>(mapped.base), bytes));
}

ArenaMemory::~ArenaMemory() { ::munmap(base_, size_); }

Result<std::unique_ptr<ProgressMemory>> ProgressMemory::create() {
  CLUTCH_ASSIGN_OR_RETURN(Mapped mapped, make("clutch-progress", kProgressBytes, PROT_READ | PROT_WRITE, kSizeSeals));
  auto* page = new (mapped.base) ProgressPage();
  return std::unique_ptr<ProgressMemory>(new ProgressMemory(std::move(mapped.fd), page));
}

ProgressMemory::~ProgressMemory() { ::munmap(page_, kProgressBytes); }

}  // namespace clutch::pyproc
