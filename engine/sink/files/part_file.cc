#include "sink/files/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace clutch::engine {
namespace {

constexpr size_t kWriteBytes = 256 << 10;

std::string advice_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "make room, or write to another folder; what was written so far is in files that are not finished";
    case EFBIG:
      return "set roll_bytes below the limit on the size of files";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check sink.path and its rights";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files";
    default:
      return "check sink.path";
  }
}

Status failure(const char* what, const std::string& path, int error) {
  return {CLUTCH_ERR_NOT_FOUND,
          std::string("cannot ") + what + " \"" + path + "\": " + std::strerror(error) + "; " + advice_for(error),
          CLUTCH_ORIGIN_USER};
}

bool exists(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0;
}

// Give a file its name unless another has it: 0, or errno (EEXIST).
int rename_to_free(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // Not all file systems know the flag.
  if (exists(to)) return EEXIST;
  return rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

std::string PartNames::visible(int64_t counter) const {
  return folder + "/" + prefix + "-" + std::to_string(subtask) + "-" + std::to_string(counter) + suffix;
}

std::string PartNames::hidden(int64_t counter) const {
  return folder + "/." + prefix + "-" + std::to_string(subtask) + "-" + std::to_string(counter) + suffix +
         ".inprogress";
}

Result<std::unique_ptr<PartFile>> PartFile::create(const PartNames& names, int64_t& counter) {
  std::error_code error;
  std::filesystem::create_directories(names.folder, error);
  if (error) return failure("make the folder", names.folder, error.value());
  while (true) {
    const int64_t mine = counter++;
    if (exists(names.visible(mine))) continue;
    const std::string path = names.hidden(mine);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return std::unique_ptr<PartFile>(new PartFile(fd, names, mine));
    if (errno != EEXIST) return failure("make the file", path, errno);
  }
}

PartFile::~PartFile() {
  if (fd_ >= 0) close(fd_);
}

Status PartFile::cannot(const char* what, int error) const { return failure(what, names_.hidden(counter_), error); }

Status PartFile::append(std::string_view text) {
  pending_ += text;
  size_ += static_cast<int64_t>(text.size());
  return pending_.size() < kWriteBytes ? Status() : flush();
}

Status PartFile::flush() {
  std::string_view left = pending_;
  while (!left.empty()) {
    const ssize_t count = write(fd_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot("write to", errno);
    left.remove_prefix(static_cast<size_t>(count));
  }
  pending_.clear();
  return {};
}

Status PartFile::finish() {
  CLUTCH_RETURN_IF_ERROR(flush());
  if (fsync(fd_) != 0) return cannot("write to", errno);
  if (close(std::exchange(fd_, -1)) != 0) return cannot("close", errno);
  int64_t counter = counter_;
  while (true) {
    const int error = rename_to_free(names_.hidden(counter_), names_.visible(counter));
    if (error == 0) return {};
    if (error != EEXIST) return cannot("finish", error);
    ++counter;
  }
}

Status PartFile::discard() {
  if (close(std::exchange(fd_, -1)) != 0) return cannot("close", errno);
  if (unlink(names_.hidden(counter_).c_str()) != 0) return cannot("remove", errno);
  return {};
}

}  // namespace clutch::engine
