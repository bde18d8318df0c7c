// Which files a path stands for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::engine {

struct FoundFile {
  std::string path;
  int64_t size = 0;
  uint64_t inode = 0;
};

// The file, or the files of the folder in the order of their paths. Files and folders whose name begins with "." or "_"
// are not for readers (unfinished, or notes of who wrote them) and are passed over, unless the path itself is one.
// Fails with CLUTCH_ERR_NOT_FOUND, saying what is the matter.
Result<std::vector<FoundFile>> list_files(const std::string& path, bool recursive);

}  // namespace clutch::engine
