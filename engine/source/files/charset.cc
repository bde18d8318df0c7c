#include "source/files/charset.h"

namespace clutch::engine {
namespace {

void append_code_point(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

bool is_high(uint16_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(uint16_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

const char* charset_name(Charset charset) {
  switch (charset) {
    case Charset::kUtf8:
      return "UTF-8";
    case Charset::kLatin1:
      return "latin-1";
    default:
      return "UTF-16";
  }
}

CharsetMark find_mark(Charset charset, std::string_view front) {
  const bool little = front.starts_with("\xFF\xFE");
  const bool big = front.starts_with("\xFE\xFF");
  switch (charset) {
    case Charset::kUtf8:
      return {charset, front.starts_with("\xEF\xBB\xBF") ? 3 : 0};
    case Charset::kLatin1:
      return {charset, 0};
    case Charset::kUtf16:
      return {little ? Charset::kUtf16Little : Charset::kUtf16Big, little || big ? 2 : 0};
    case Charset::kUtf16Little:
      return {charset, little ? 2 : 0};
    case Charset::kUtf16Big:
      return {charset, big ? 2 : 0};
  }
  return {charset, 0};
}

void Transcoder::append(std::string_view bytes, std::string& out) {
  if (charset_ == Charset::kUtf8) {
    out += bytes;
    return;
  }
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (charset_ == Charset::kLatin1) {
      append_code_point(byte, out);
    } else if (!half_) {
      first_ = byte;
      half_ = true;
    } else {
      half_ = false;
      const int value = charset_ == Charset::kUtf16Little ? first_ | byte << 8 : first_ << 8 | byte;
      unit(static_cast<uint16_t>(value), out);
    }
  }
}

void Transcoder::unit(uint16_t unit, std::string& out) {
  if (high_ != 0 && is_low(unit)) {
    append_code_point(0x10000U + ((high_ - 0xD800U) << 10) + (unit - 0xDC00U), out);
    high_ = 0;
    return;
  }
  if (high_ != 0) append_code_point(high_, out);
  high_ = is_high(unit) ? unit : 0;
  if (high_ == 0) append_code_point(unit, out);
}

void Transcoder::finish(std::string& out) {
  if (high_ != 0) append_code_point(high_, out);
  if (half_) out += '\xFF';
  high_ = 0;
  half_ = false;
}

int64_t Transcoder::file_bytes(std::string_view text) const {
  if (charset_ == Charset::kUtf8) return static_cast<int64_t>(text.size());
  const int64_t unit_bytes = charset_ == Charset::kLatin1 ? 1 : 2;
  int64_t bytes = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte == 0xFF) {
      bytes += 1;
    } else if (byte >= 0xF0) {
      bytes += 4;
    } else if (byte < 0x80 || byte >= 0xC0) {
      bytes += unit_bytes;
    }
  }
  return bytes;
}

}  // namespace clutch::engine
