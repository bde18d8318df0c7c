#include "checkpoint/snapshot.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "state/coding.h"

namespace clutch::engine {
namespace {

constexpr char kVersion = 1;

int32_t read_number(SnapshotReader& in) {
  const uint64_t number = in.number();
  if (number > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) in.fail("a number is too high");
  return in.failed() ? 0 : static_cast<int32_t>(number);
}

}  // namespace

std::string Snapshot::encode() const {
  std::vector<const SnapshotPart*> sorted;
  for (const SnapshotPart& part : parts) sorted.push_back(&part);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return std::tie(a->name, a->subtask) < std::tie(b->name, b->subtask); });
  std::string out(1, kVersion);
  put_number(static_cast<uint64_t>(max_parallelism), out);
  put_number(sorted.size(), out);
  for (const SnapshotPart* part : sorted) {
    put_bytes(part->name, out);
    put_number(static_cast<uint64_t>(part->subtask), out);
    put_number(static_cast<uint64_t>(part->parallelism), out);
    put_bytes(part->bytes, out);
  }
  return out;
}

Result<Snapshot> Snapshot::decode(std::string_view bytes) {
  SnapshotReader in(bytes);
  if (in.byte() != kVersion) in.fail("its version is not 1");
  Snapshot out;
  out.max_parallelism = read_number(in);
  const uint64_t count = in.failed() ? 0 : in.number();
  // The count is not believed: the loop ends with the bytes.
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    SnapshotPart part;
    part.name = in.bytes();
    part.subtask = read_number(in);
    part.parallelism = read_number(in);
    part.bytes = in.bytes();
    out.parts.push_back(std::move(part));
  }
  if (!in.failed() && !in.at_end()) in.fail("something follows its end");
  if (in.failed()) return in.status();
  return out;
}

std::vector<const SnapshotPart*> Snapshot::named(std::string_view name) const {
  std::vector<const SnapshotPart*> found;
  for (const SnapshotPart& part : parts) {
    if (part.name == name) found.push_back(&part);
  }
  return found;
}

}  // namespace clutch::engine
