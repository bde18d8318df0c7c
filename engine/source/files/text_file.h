// A file as text that is read on and on, and a byte of the file for every place in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "source/files/charset.h"

namespace clutch::engine {

class TextFile {
 public:
  // Open at a byte of the file, where a character begins; a byte order mark at the front is passed over. Fails with
  // CLUTCH_ERR_NOT_FOUND, saying what is the matter with the file.
  static Result<TextFile> open(const std::string& path, Charset charset, int64_t start = 0);

  TextFile(TextFile&& other) noexcept;
  TextFile& operator=(TextFile&& other) noexcept;
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  ~TextFile();

  const std::string& path() const { return path_; }
  // What was read and not consumed, in UTF-8; holds until the next fill().
  std::string_view text() const { return std::string_view(text_).substr(head_); }
  void consume(size_t bytes);
  // Byte of the file at the front of text().
  int64_t position() const { return position_; }

  // Read more behind text(), the more the longer it is. At the end of the file, where nothing came, at_end() is true
  // until more is read.
  Status fill();
  bool at_end() const { return at_end_; }
  // The end is taken for the last: half a character there is wrong.
  void finish() { transcoder_.finish(text_); }

 private:
  TextFile(int fd, std::string path, CharsetMark mark);

  int fd_;
  std::string path_;
  Transcoder transcoder_;
  int64_t read_at_ = 0;
  int64_t size_ = 0;  // when it was opened
  int64_t position_ = 0;
  bool at_end_ = false;
  std::string text_;
  size_t head_ = 0;
  std::string bytes_;
};

// The line, from 1, on which a byte of the file is. Reads the file up to it.
Result<int64_t> line_at(const std::string& path, Charset charset, int64_t position);

}  // namespace clutch::engine
