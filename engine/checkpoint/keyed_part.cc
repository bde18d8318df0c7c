#include "checkpoint/keyed_part.h"

#include "state/coding.h"

namespace clutch::engine {
namespace {

constexpr char kVersion = 1;

}  // namespace

std::string KeyedPart::encode() const {
  std::string out(1, kVersion);
  put_bytes(shape, out);
  put_time(watermark, out);
  put_bytes(function, out);
  put_number(groups.size(), out);
  for (const auto& [group, bytes] : groups) {
    put_number(static_cast<uint64_t>(group), out);
    put_bytes(bytes, out);
  }
  return out;
}

Result<KeyedPart> KeyedPart::decode(std::string_view bytes, std::string_view shape) {
  SnapshotReader in(bytes);
  KeyedPart part;
  if (in.byte() != kVersion) in.fail("its version is not 1");
  part.shape = in.bytes();
  if (!in.failed() && part.shape != shape) {
    return Status(CLUTCH_ERR_CONFIG,
                  "the snapshot holds " + part.shape + ", and it is " + std::string(shape) +
                      " now; leave it as it was, or give it another uid and begin with a job that has no such part",
                  CLUTCH_ORIGIN_CONFIG);
  }
  part.watermark = in.time();
  part.function = in.bytes();
  const uint64_t count = in.number();
  // The count is not believed: the loop ends with the bytes.
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    const uint64_t group = in.number();
    if (group >= static_cast<uint64_t>(kHighestMaxParallelism)) in.fail("there is no such key group");
    std::string of_group = in.bytes();
    if (in.failed()) break;
    if (!part.groups.emplace(static_cast<int32_t>(group), std::move(of_group)).second) {
      in.fail("a key group is there twice");
    }
  }
  if (!in.failed() && !in.at_end()) in.fail("something follows its end");
  if (in.failed()) return in.status();
  return part;
}

Status key_of_another_group(int32_t group, int32_t of_key) {
  return Status(CLUTCH_ERR_DATA, "the snapshot of key group " + std::to_string(group) + " holds a key of group " +
                                     std::to_string(of_key) + "; restore with the max parallelism it was taken with");
}

}  // namespace clutch::engine
