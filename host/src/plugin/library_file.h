// The file of a plugin: checked before it is mapped, and checked again to be what was mapped.
#pragma once

#include <sys/stat.h>

#include <string>

#include "clutch/columnar/result.h"
#include "plugin/manifest.h"

namespace clutch::host {

// Why: the file is loaded by its path and not through /proc/self/fd/N, although the latter could not be swapped between
// the checksum and the load. The linker would know the plugin under that name: $ORIGIN and dladdr would not lead to
// its folder, where plugins keep what belongs to them, and a later load through the same number would be taken for the
// same library. So the path is compared with the descriptor after the load. Who can swap the file in between can write
// to the folder, and such folders are refused unless only their owner can.
class LibraryFile {
 public:
  // Open the library of a manifest, and check its rights and its checksum.
  // @return CLUTCH_ERR_LOAD.
  static Result<LibraryFile> open_checked(const Manifest& manifest, bool require_checksum);

  LibraryFile(LibraryFile&& other) noexcept;
  LibraryFile& operator=(LibraryFile&&) = delete;
  ~LibraryFile();

  // Check that the path still leads to the file that was opened, that nobody wrote to it since, and that the code at
  // `address` was mapped from it and not from an older file of that name.
  Status check_mapped(const void* address) const;

 private:
  LibraryFile(std::string path, int fd, const struct stat& info) : path_(std::move(path)), fd_(fd), info_(info) {}

  std::string path_;
  int fd_;
  struct stat info_;
};

}  // namespace clutch::host
