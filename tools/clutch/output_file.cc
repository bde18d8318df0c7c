#include "output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "clutch/clutch.hpp"

namespace clutch::tool {

OutputFile::OutputFile(std::string path) : name_(std::move(path)) {
  if (name_ == "-") {
    name_ = "standard output";
    stream_ = stdout;
    return;
  }
  struct stat facts {};
  const bool exists = stat(name_.c_str(), &facts) == 0;
  if (exists && !S_ISREG(facts.st_mode)) {
    stream_ = std::fopen(name_.c_str(), "we");
    if (stream_ == nullptr) fail("cannot write");
    return;
  }
  std::error_code none;
  const std::filesystem::path real = std::filesystem::weakly_canonical(name_, none);
  target_ = none ? name_ : real.string();
  const std::filesystem::path target(target_);
  const std::string unfinished =
      (target.parent_path() / ("." + target.filename().string() + ".unfinished-" + std::to_string(getpid()))).string();
  const int fd = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) fail("cannot write");
  unfinished_ = unfinished;
  if (exists) fchmod(fd, facts.st_mode & 07777);
  stream_ = fdopen(fd, "w");
  if (stream_ == nullptr) {
    const int error = errno;
    close(fd);
    unlink(unfinished_.c_str());
    errno = error;
    fail("cannot write");
  }
}

OutputFile::~OutputFile() {
  if (stream_ != nullptr && stream_ != stdout) std::fclose(stream_);
  if (!unfinished_.empty()) unlink(unfinished_.c_str());
}

void OutputFile::finish() {
  if (std::fflush(stream_) != 0) fail("cannot write");
  if (stream_ == stdout) return;
  if (std::fclose(std::exchange(stream_, nullptr)) != 0) fail("cannot write");
  if (unfinished_.empty()) return;
  if (std::rename(unfinished_.c_str(), target_.c_str()) != 0) fail("cannot replace");
  unfinished_.clear();
}

void OutputFile::fail(const std::string& what) const {
  throw Error(CLUTCH_ERR_NOT_FOUND, what + " " + name_ + ": " + std::strerror(errno));
}

}  // namespace clutch::tool
