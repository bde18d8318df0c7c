#include "worker/arenas.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace clutch::pyproc {

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

Status Arenas::add(const AddArena& message, const Fd& attached) {
  if (!attached.valid() || message.bytes == 0 || arenas_.count(message.arena) != 0) {
    return Status(CLUTCH_ERR_PROTOCOL,
                  "arena " + std::to_string(message.arena) + " came without a descriptor, or twice",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  const int access = message.role == ArenaRole::kIn ? PROT_READ : PROT_READ | PROT_WRITE;
  // The pages are there already; mapping them all now takes the faults out of the batches.
  void* data = mmap(nullptr, message.bytes, access, MAP_SHARED | MAP_POPULATE, attached.get(), 0);
  if (data == MAP_FAILED) {
    return Status(CLUTCH_ERR_MEMORY,
                  "cannot map an arena of " + std::to_string(message.bytes) + " bytes: " + std::strerror(errno) +
                      "; raise python.process.memory-limit or make batches smaller",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  arenas_.emplace(message.arena, std::make_shared<Arena>(static_cast<uint8_t*>(data), message.bytes));
  return {};
}

}  // namespace clutch::pyproc
