#include <gtest/gtest.h>

#include <string>

#include "clutch/columnar/validate.h"

namespace clutch::columnar {
namespace {

bool valid(std::string_view text) {
  return valid_utf8(reinterpret_cast<const uint8_t*>(text.data()), static_cast<int64_t>(text.size()));
}

// The plain definition: encode each scalar value and compare.
std::string encode(uint32_t scalar) {
  std::string out;
  if (scalar < 0x80) {
    out += static_cast<char>(scalar);
  } else if (scalar < 0x800) {
    out += static_cast<char>(0xC0 | scalar >> 6);
    out += static_cast<char>(0x80 | (scalar & 63));
  } else if (scalar < 0x10000) {
    out += static_cast<char>(0xE0 | scalar >> 12);
    out += static_cast<char>(0x80 | (scalar >> 6 & 63));
    out += static_cast<char>(0x80 | (scalar & 63));
  } else {
    out += static_cast<char>(0xF0 | scalar >> 18);
    out += static_cast<char>(0x80 | (scalar >> 12 & 63));
    out += static_cast<char>(0x80 | (scalar >> 6 & 63));
    out += static_cast<char>(0x80 | (scalar & 63));
  }
  return out;
}

TEST(Utf8, EveryScalarValueIsValidAndNoSurrogate) {
  for (uint32_t scalar = 0; scalar < 0x110000; ++scalar) {
    const bool surrogate = scalar >= 0xD800 && scalar <= 0xDFFF;
    ASSERT_EQ(valid(encode(scalar)), !surrogate) << scalar;
  }
  EXPECT_FALSE(valid(encode(0x110000)));
  EXPECT_FALSE(valid("\xF5\x80\x80\x80"));
  EXPECT_FALSE(valid("\xFF"));
}

TEST(Utf8, OverlongFormsAreRefused) {
  EXPECT_FALSE(valid(std::string("\xC0\x80", 2)));
  EXPECT_FALSE(valid("\xC1\xBF"));
  EXPECT_FALSE(valid("\xE0\x9F\xBF"));
  EXPECT_FALSE(valid("\xF0\x8F\xBF\xBF"));
}

TEST(Utf8, EveryPrefixOfACharacterIsRefusedAtEveryPosition) {
  for (const uint32_t scalar : {0xE9U, 0x20ACU, 0x1F389U}) {
    const std::string character = encode(scalar);
    for (size_t before = 0; before < 70; ++before) {
      for (size_t after : {size_t{0}, size_t{1}, size_t{40}}) {
        const std::string left(before, 'x');
        const std::string right(after, 'y');
        ASSERT_TRUE(valid(left + character + right));
        for (size_t cut = 1; cut < character.size(); ++cut) {
          ASSERT_FALSE(valid(left + character.substr(0, cut) + right)) << before;
          ASSERT_FALSE(valid(left + character.substr(cut) + right)) << before;
        }
      }
    }
  }
}

TEST(Utf8, EmptyTextIsValid) { EXPECT_TRUE(valid_utf8(nullptr, 0)); }

}  // namespace
}  // namespace clutch::columnar
