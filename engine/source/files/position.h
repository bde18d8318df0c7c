// Where a reader of files stands, as bytes: CBOR, because a path need not be text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clutch/columnar/result.h"
#include "source/files/range.h"
#include "source/source.h"

namespace clutch::engine {

// A file that is watched.
struct WatchedFile {
  std::string path;
  uint64_t inode = 0;
  int64_t next = 0;  // the record at this byte is the next
};

struct FilesPosition {
  bool watching = false;
  int32_t subtask = 0;
  int32_t parallelism = 1;
  std::vector<FileRange> ranges;     // bounded: what is left to read
  std::vector<WatchedFile> watched;  // watching: what was read
};

std::string write_position(const FilesPosition& position);
// Fails with CLUTCH_ERR_DATA on bytes that are no position, and with CLUTCH_ERR_ARGUMENT on one of another subtask or
// parallelism, or of a source that watches where this one does not.
Result<FilesPosition> read_position(const std::string& bytes, bool watching, const SourceContext& context);

}  // namespace clutch::engine
