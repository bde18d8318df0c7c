#include "clutch/columnar/metadata.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace clutch::columnar {
namespace {

// Arrow's form: the number of pairs, then for each key and value its length and its bytes; numbers are native int32.
void put(std::string& out, std::string_view text) {
  const auto size = static_cast<int32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(text);
}

std::optional<int32_t> take_number(const char*& at) {
  int32_t number = 0;
  std::memcpy(&number, at, sizeof number);
  at += sizeof number;
  return number < 0 ? std::nullopt : std::optional(number);
}

std::optional<std::string_view> take_text(const char*& at) {
  const std::optional<int32_t> size = take_number(at);
  if (!size) return std::nullopt;
  const std::string_view text(at, static_cast<size_t>(*size));
  at += *size;
  return text;
}

}  // namespace

std::string object_metadata(std::string_view object) {
  const int32_t pairs = 1;
  std::string out(reinterpret_cast<const char*>(&pairs), sizeof pairs);
  put(out, kObjectKey);
  put(out, object);
  return out;
}

Result<std::string> object_of(const char* metadata) {
  std::string object;
  if (metadata == nullptr) return object;
  const Status malformed(CLUTCH_ERR_ARGUMENT, "the metadata has a negative length");
  const std::optional<int32_t> pairs = take_number(metadata);
  if (!pairs) return malformed;
  for (int32_t i = 0; i < *pairs; ++i) {
    const std::optional<std::string_view> key = take_text(metadata);
    if (!key) return malformed;
    const std::optional<std::string_view> value = take_text(metadata);
    if (!value) return malformed;
    if (*key == kObjectKey) object = *value;
  }
  return object;
}

}  // namespace clutch::columnar
