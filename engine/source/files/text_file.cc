#include "source/files/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace clutch::engine {
namespace {

constexpr size_t kLeastChunk = 4 << 10;
constexpr size_t kChunk = 256 << 10;
constexpr size_t kLongestText = size_t{256} << 20;

Status cannot(const char* what, const std::string& path, int error) {
  std::string advice = "check source.path and the rights of the file";
  if (error == ENOENT || error == ESTALE) advice = "it is gone; keep files until they were read";
  if (error == EMFILE || error == ENFILE) advice = "raise the limit of open files";
  return {CLUTCH_ERR_NOT_FOUND,
          std::string("cannot ") + what + " the file \"" + path + "\": " + std::strerror(error) + "; " + advice,
          CLUTCH_ORIGIN_USER};
}

// Up to `size` bytes at a place; fewer only at the end. -1: see errno.
ssize_t read_at(int fd, char* out, size_t size, int64_t at) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = pread(fd, out + done, size - done, at + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

TextFile::TextFile(int fd, std::string path, CharsetMark mark)
    : fd_(fd), path_(std::move(path)), transcoder_(mark.charset) {}

TextFile::TextFile(TextFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      transcoder_(other.transcoder_),
      read_at_(other.read_at_),
      size_(other.size_),
      position_(other.position_),
      at_end_(other.at_end_),
      text_(std::move(other.text_)),
      head_(other.head_),
      bytes_(std::move(other.bytes_)) {}

TextFile& TextFile::operator=(TextFile&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
    transcoder_ = other.transcoder_;
    read_at_ = other.read_at_;
    size_ = other.size_;
    position_ = other.position_;
    at_end_ = other.at_end_;
    text_ = std::move(other.text_);
    head_ = other.head_;
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

TextFile::~TextFile() {
  if (fd_ >= 0) close(fd_);
}

Result<TextFile> TextFile::open(const std::string& path, Charset charset, int64_t start) {
  // O_NONBLOCK: a pipe without a writer is to be refused, not waited for.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return cannot("open", path, errno);
  TextFile file(fd, path, {charset, 0});
  struct stat facts {};
  if (fstat(fd, &facts) != 0) return cannot("look at", path, errno);
  if (!S_ISREG(facts.st_mode)) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "\"" + path + "\" is neither a file nor a folder; read pipes and devices with the source stdin",
                  CLUTCH_ORIGIN_USER);
  }
  char front[4];
  const ssize_t count = read_at(fd, front, sizeof front, 0);
  if (count < 0) return cannot("read", path, errno);
  const CharsetMark mark = find_mark(charset, std::string_view(front, static_cast<size_t>(count)));
  file.transcoder_ = Transcoder(mark.charset);
  file.size_ = facts.st_size;
  file.read_at_ = file.position_ = std::max(start, mark.size);
  return file;
}

void TextFile::consume(size_t bytes) {
  position_ += transcoder_.file_bytes(text().substr(0, bytes));
  head_ += bytes;
}

Status TextFile::fill() {
  text_.erase(0, head_);
  head_ = 0;
  if (text_.size() > kLongestText) {
    return {CLUTCH_ERR_VALUE,
            "a record of \"" + path_ + "\" is longer than " + std::to_string(kLongestText >> 20) +
                " MiB; are the line ends or quotes of the file those that the source was told?",
            CLUTCH_ORIGIN_USER};
  }
  // Small files get small buffers: making one of a chunk costs more than reading them.
  const auto left = static_cast<size_t>(std::max<int64_t>(size_ - read_at_, 0));
  bytes_.resize(std::max(std::clamp(left, kLeastChunk, kChunk), text_.size()));
  const ssize_t count = read_at(fd_, bytes_.data(), bytes_.size(), read_at_);
  if (count < 0) return cannot("read", path_, errno);
  at_end_ = count == 0;
  read_at_ += count;
  transcoder_.append(std::string_view(bytes_).substr(0, static_cast<size_t>(count)), text_);
  return {};
}

Result<int64_t> line_at(const std::string& path, Charset charset, int64_t position) {
  CLUTCH_ASSIGN_OR_RETURN(TextFile file, TextFile::open(path, charset));
  int64_t line = 1;
  while (file.position() < position) {
    CLUTCH_RETURN_IF_ERROR(file.fill());
    if (file.at_end()) break;
    const std::string_view text = file.text();
    size_t end = 0;
    while (true) {
      const size_t newline = text.find('\n', end);
      if (newline == std::string_view::npos) break;
      file.consume(newline + 1 - end);
      if (file.position() > position) return line;
      ++line;
      end = newline + 1;
    }
    file.consume(text.size() - end);
  }
  return line;
}

}  // namespace clutch::engine
