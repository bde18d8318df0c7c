#include "source/files/range.h"

#include <algorithm>

namespace clutch::engine {
namespace {

// Below this, opening a file costs more than another subtask gains.
constexpr int64_t kLeastSplit = 1 << 20;

}  // namespace

std::vector<FileRange> make_ranges(const FilesSpec& spec, const std::vector<FoundFile>& files, int32_t parallelism) {
  std::vector<FileRange> ranges;
  for (const FoundFile& file : files) {
    if (!spec.splittable()) {
      ranges.push_back({file.path, 0, INT64_MAX, -1});
      continue;
    }
    const int64_t size =
        std::max<int64_t>(spec.split_bytes.value_or(std::max(kLeastSplit, file.size / parallelism + 1)), 1);
    int64_t start = 0;
    do {
      const int64_t end = file.size - start > size ? start + size : file.size;
      ranges.push_back({file.path, start, end, -1});
      start = end;
    } while (start < file.size);
  }
  return ranges;
}

Result<std::vector<FileRange>> FilePlan::ranges_of(int32_t subtask, int32_t parallelism) {
  const std::lock_guard lock(mutex_);
  if (!ranges_) {
    CLUTCH_ASSIGN_OR_RETURN(const std::vector<FoundFile> files, list_files(spec_.path, spec_.recursive));
    ranges_ = make_ranges(spec_, files, parallelism);
  }
  std::vector<FileRange> mine;
  for (size_t i = static_cast<size_t>(subtask); i < ranges_->size(); i += static_cast<size_t>(parallelism)) {
    mine.push_back((*ranges_)[i]);
  }
  return mine;
}

}  // namespace clutch::engine
