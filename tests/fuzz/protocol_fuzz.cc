// What a hostile worker may send: frames, bodies of messages, and OUT arenas. Reading them takes bounded work and
// memory, stays inside the bytes, and whatever is accepted is whole. The first byte of an input says which it is: see
// LLVMFuzzerTestOneInput and protocol_seeds.cc.
#include <sys/socket.h>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/validate.h"
#include "protocol/arena.h"
#include "protocol/channel.h"
#include "protocol/messages.h"

using namespace clutch;
using namespace clutch::pyproc;

namespace {

template <typename T>
void read_message(std::span<const uint8_t> bytes) {
  T message;
  if (!decode(bytes, message).ok()) return;
  // What was taken can be said again, and is then taken again.
  T again;
  if (!decode(encode(message), again).ok()) std::abort();
}

// The input as one message on a socket.
void read_frame(std::span<const uint8_t> bytes) {
  Result<std::pair<Fd, Fd>> ends = Channel::make_pair();
  if (!ends.ok() || ::send(ends->second.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
  const Channel channel(std::move(ends->first));
  Message message;
  if (channel.receive(message, /*wait=*/false, /*accept_fd=*/false) != Received::kMessage) return;
  const FrameHeader header = message.header();
  if (message.size != bytes.size() || header.size != bytes.size() || header.magic != kFrameMagic) std::abort();
  if ((header.flags & kBodyAttached) == 0 && message.body().size() < header.body_bytes) std::abort();
}

// The input as an arena; the header's words are completed so that more than one input in 2^96 gets to the tables.
void read_arena(std::span<const uint8_t> bytes, const columnar::Field& field, bool complete) {
  std::vector<uint8_t> arena(bytes.begin(), bytes.end());
  if (complete && arena.size() >= sizeof(ArenaHeader)) {
    auto* header = reinterpret_cast<ArenaHeader*>(arena.data());
    header->magic = kArenaMagic;
    header->sections %= 4;
    header->nodes %= 16;
    header->buffers %= 16;
    header->bytes = arena.size();
    const uint64_t tables = header->sections * sizeof(SectionEntry) + header->nodes * sizeof(NodeEntry) +
                            header->buffers * sizeof(BufferEntry);
    header->tables = arena.size() - std::min<uint64_t>(tables, arena.size());
  }
  ArenaReader reader;
  if (!reader.open(arena, arena.size()).ok()) return;
  for (const Section& section : reader.sections()) {
    const Result<columnar::Array> copy = reader.copy(section, field);
    if (!copy.ok()) continue;
    const ArrowArray& array = *copy->get();
    if (!columnar::validate(field, array, columnar::Depth::kFull).ok()) std::abort();
    if (array.length > 0) (void)columnar::row_to_string(field, array, array.length - 1);
  }
}

const std::vector<columnar::Field>& fields() {
  static const std::vector<columnar::Field> kFields = [] {
    std::vector<columnar::Field> out;
    for (const char* type : {"struct<a: int64>", "struct<a: string, b: list<int32>>", "struct<a: map<string, bool>>",
                             "struct<a: decimal128(10, 2), b: fixed_size_list<int8>[3]>"}) {
      out.emplace_back().type = *columnar::parse_type(type);
    }
    return out;
  }();
  return kFields;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  // Bodies are whole words, and aligned in no way.
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  switch (choice % 12) {
    case 0:
      read_message<Ready>(bytes);
      break;
    case 1:
      read_message<FunctionOpened>(bytes);
      break;
    case 2:
      read_message<FunctionClosed>(bytes);
      break;
    case 3:
      read_message<BatchNotes>(bytes);
      break;
    case 4:
      read_message<BatchError>(bytes);
      break;
    case 5:
      read_message<LogLine>(bytes);
      break;
    case 6:
      read_frame(bytes);
      break;
    default:
      read_arena(bytes, fields()[choice / 12 % fields().size()], choice % 2 == 0);
      break;
  }
  return 0;
}
