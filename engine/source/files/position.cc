#include "source/files/position.h"

#include <nlohmann/json.hpp>

namespace clutch::engine {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

}  // namespace

std::string write_position(const FilesPosition& position) {
  json ranges = json::array();
  for (const FileRange& range : position.ranges) {
    ranges.push_back({range.path, range.start, range.end, range.next});
  }
  json watched = json::array();
  for (const WatchedFile& file : position.watched) watched.push_back({file.path, file.inode, file.next});
  const json all = {kVersion,          position.watching, position.subtask, position.parallelism,
                    std::move(ranges), std::move(watched)};
  std::string out;
  json::to_cbor(all, out);
  return out;
}

Result<FilesPosition> read_position(const std::string& bytes, bool watching, const SourceContext& context) {
  FilesPosition position;
  const json all = json::from_cbor(bytes, /*strict=*/true, /*allow_exceptions=*/false);
  try {
    if (all.is_discarded() || all.at(0).get<int>() != kVersion) throw json::other_error::create(0, "version", nullptr);
    position.watching = all.at(1).get<bool>();
    position.subtask = all.at(2).get<int32_t>();
    position.parallelism = all.at(3).get<int32_t>();
    for (const json& range : all.at(4)) {
      position.ranges.push_back({range.at(0).get<std::string>(), range.at(1).get<int64_t>(), range.at(2).get<int64_t>(),
                                 range.at(3).get<int64_t>()});
    }
    for (const json& file : all.at(5)) {
      position.watched.push_back(
          {file.at(0).get<std::string>(), file.at(1).get<uint64_t>(), file.at(2).get<int64_t>()});
    }
  } catch (const json::exception&) {
    return Status(CLUTCH_ERR_DATA, "the position of a source of files cannot be read: " + std::to_string(bytes.size()) +
                                       " bytes that are no position of this version");
  }
  if (position.watching != watching) {
    return Status(CLUTCH_ERR_ARGUMENT, std::string("the position of a source that ") +
                                           (watching ? "reads files once cannot be taken by one that watches them"
                                                     : "watches files cannot be taken by one that reads them once") +
                                           "; restore it with the same watch_ms");
  }
  if (position.subtask != context.subtask || position.parallelism != context.parallelism) {
    return Status(CLUTCH_ERR_ARGUMENT, "the position of subtask " + std::to_string(position.subtask) + " of " +
                                           std::to_string(position.parallelism) + " cannot be taken by subtask " +
                                           std::to_string(context.subtask) + " of " +
                                           std::to_string(context.parallelism) +
                                           "; restore a source of files with the same parallelism");
  }
  return position;
}

}  // namespace clutch::engine
