// Bytes of a file to UTF-8, in pieces, so that every byte of the result can be put down to a byte of the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace clutch::engine {

enum class Charset : uint8_t {
  kUtf8,
  kLatin1,
  kUtf16,  // the byte order mark decides; without one, big endian
  kUtf16Little,
  kUtf16Big,
};

// How many bytes of the front of a file are a byte order mark, and which of the charsets there is behind it: never
// kUtf16.
struct CharsetMark {
  Charset charset;
  int64_t size;
};
CharsetMark find_mark(Charset charset, std::string_view front);

class Transcoder {
 public:
  explicit Transcoder(Charset charset) : charset_(charset) {}

  // Append what the bytes, which follow those of the call before, are in UTF-8. What is wrong in them becomes bytes
  // that are wrong in UTF-8 (half a surrogate pair, and 0xFF for half a unit), for whoever looks at the text to find.
  void append(std::string_view bytes, std::string& out);
  // No bytes follow: half a character that waits for its rest is wrong.
  void finish(std::string& out);

  // How many bytes of the file a piece of the result was, cut where a character ends.
  int64_t file_bytes(std::string_view text) const;

 private:
  void unit(uint16_t unit, std::string& out);

  Charset charset_;
  bool half_ = false;  // the first byte of a UTF-16 unit waits for the second
  uint8_t first_ = 0;
  uint16_t high_ = 0;  // the first half of a surrogate pair waits for the second
};

const char* charset_name(Charset charset);

}  // namespace clutch::engine
