// One file that is written under a hidden name, and gets its own when it is finished.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"

namespace clutch::engine {

// Names of parts: FOLDER/PREFIX-SUBTASK-COUNTER SUFFIX, while written FOLDER/.PREFIX-SUBTASK-COUNTER SUFFIX.inprogress.
struct PartNames {
  std::string folder;
  std::string prefix;
  std::string suffix;
  int32_t subtask = 0;

  std::string visible(int64_t counter) const;
  std::string hidden(int64_t counter) const;
};

class PartFile {
 public:
  // Make the folders and a file that no other has, finished or not: its counter is `counter` or the next free one,
  // which `counter` is set behind. All that fails here does so with CLUTCH_ERR_NOT_FOUND, saying what the system said.
  static Result<std::unique_ptr<PartFile>> create(const PartNames& names, int64_t& counter);

  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  // What is not finished stays under its hidden name.
  ~PartFile();

  // Written to the file at once when it is a lot, and with finish().
  Status append(std::string_view text);
  // Write out what was appended.
  Status flush();
  // Write out, put it on the disk, and make it visible. A name that was taken meanwhile is left to whoever took it.
  Status finish();

  // Remove it.
  Status discard();

  // Bytes appended.
  int64_t size() const { return size_; }

 private:
  PartFile(int fd, PartNames names, int64_t counter) : fd_(fd), names_(std::move(names)), counter_(counter) {}
  Status cannot(const char* what, int error) const;

  int fd_;
  PartNames names_;
  int64_t counter_;
  int64_t size_ = 0;
  std::string pending_;
};

}  // namespace clutch::engine
