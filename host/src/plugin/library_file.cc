#include "plugin/library_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

#include "plugin/discovery.h"
#include "plugin/sha256.h"

namespace clutch::host {
namespace {

Status refuse(const std::string& path, const std::string& why) {
  return Status(CLUTCH_ERR_LOAD, path + ": " + why, CLUTCH_ORIGIN_CONFIG);
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// What the kernel says is mapped at an address: a path, with " (deleted)" if that name is gone or was taken by another
// file. Inode numbers there are of no use: on overlay file systems they are not those of stat.
std::string mapped_name(const void* address) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    const char* const last = line.data() + line.size();
    const auto first_read = std::from_chars(line.data(), last, begin, 16);
    if (first_read.ptr == last || *first_read.ptr != '-') continue;
    std::from_chars(first_read.ptr + 1, last, end, 16);
    if (wanted < begin || wanted >= end) continue;
    const size_t path = line.find('/');
    return path == std::string::npos ? "" : line.substr(path);
  }
  return "";
}

}  // namespace

Result<LibraryFile> LibraryFile::open_checked(const Manifest& manifest, bool require_checksum) {
  const std::string& path = manifest.library_path;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0) return refuse(path, "cannot be opened: " + std::generic_category().message(errno));
  struct stat info {};
  const bool examined = fstat(fd, &info) == 0;
  LibraryFile file(path, fd, info);
  if (!examined || !S_ISREG(info.st_mode)) return refuse(path, "is not a regular file");
  for (const std::string& checked : {manifest.folder, path}) {
    if (const std::string why = distrust(checked); !why.empty()) {
      return Status(CLUTCH_ERR_LOAD, why, CLUTCH_ORIGIN_CONFIG);
    }
  }
  if (manifest.sha256.empty()) {
    if (!require_checksum) return file;
    return refuse(path, "its manifest " + manifest.path + " has no sha256, and clutch.plugin.require-checksum is set");
  }
  Result<std::string> digest = sha256_of_file(fd);
  if (!digest.ok()) return refuse(path, std::string(digest.status().message()));
  if (*digest != manifest.sha256) {
    return refuse(path, "has the sha256 " + *digest + ", but its manifest " + manifest.path + " says " +
                            manifest.sha256 + "; install library and manifest of the same build");
  }
  return file;
}

LibraryFile::LibraryFile(LibraryFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), info_(other.info_) {}

LibraryFile::~LibraryFile() {
  if (fd_ >= 0) close(fd_);
}

Status LibraryFile::check_mapped(const void* address) const {
  struct stat by_path {};
  struct stat by_descriptor {};
  if (stat(path_.c_str(), &by_path) != 0 || fstat(fd_, &by_descriptor) != 0 || !same_file(by_path, info_) ||
      !same_file(by_descriptor, info_)) {
    return refuse(path_, "was changed while it was being loaded; try again");
  }
  if (mapped_name(address).ends_with(" (deleted)")) {
    return refuse(
        path_,
        "was replaced after this process had loaded it, and the old one is still in use; restart the process, "
        "or install the new one under another name");
  }
  return {};
}

}  // namespace clutch::host
