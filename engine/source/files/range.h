// Pieces of files, which subtasks read for themselves.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "clutch/columnar/result.h"
#include "source/files/listing.h"
#include "source/files/spec.h"

namespace clutch::engine {

// The records of a file that begin at or behind byte `start` and before `end`.
struct FileRange {
  std::string path;
  int64_t start = 0;
  int64_t end = 0;    // INT64_MAX: all there are
  int64_t next = -1;  // where the next record begins; -1: not looked for
};

// The ranges of these files for `parallelism` subtasks, in order.
std::vector<FileRange> make_ranges(const FilesSpec& spec, const std::vector<FoundFile>& files, int32_t parallelism);

// Lists the files once for all subtasks of a source, so that files that come or grow meanwhile are seen alike by all.
// Safe to call from any thread.
class FilePlan {
 public:
  explicit FilePlan(FilesSpec spec) : spec_(std::move(spec)) {}
  const FilesSpec& spec() const { return spec_; }
  Result<std::vector<FileRange>> ranges_of(int32_t subtask, int32_t parallelism);

 private:
  const FilesSpec spec_;
  std::mutex mutex_;
  std::optional<std::vector<FileRange>> ranges_;  // under mutex_
};

}  // namespace clutch::engine
