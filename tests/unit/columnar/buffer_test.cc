#include "clutch/columnar/buffer.h"

#include <gtest/gtest.h>

#include <new>
#include <utility>

namespace clutch::columnar {
namespace {

TEST(Buffer, StartsEmptyAndGrowsAligned) {
  Buffer buffer;
  EXPECT_EQ(buffer.data(), nullptr);
  for (int64_t i = 0; i < 1000; ++i) buffer.push<int64_t>(i);
  EXPECT_EQ(buffer.size(), 8000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0U);
  EXPECT_EQ(buffer.capacity() % 64, 0);
  for (int64_t i = 0; i < 1000; ++i) {
    int64_t value;
    std::memcpy(&value, buffer.data() + i * 8, sizeof value);
    ASSERT_EQ(value, i);
  }
}

TEST(Buffer, DetachZeroesTheSlackAndStartsOver) {
  Buffer buffer;
  buffer.resize(64);
  std::memset(buffer.data(), 0xFF, 64);
  buffer.resize(3);
  uint8_t* memory = buffer.detach();
  for (int i = 0; i < 64; ++i) EXPECT_EQ(memory[i], i < 3 ? 0xFF : 0) << i;
  Buffer::free_memory(memory);
  EXPECT_EQ(buffer.size(), 0);
  EXPECT_EQ(buffer.data(), nullptr);
}

TEST(Buffer, GrowsToTheLastSizeAtOnce) {
  Buffer buffer;
  buffer.append_zeros(10000);
  Buffer::free_memory(buffer.detach());
  buffer.push<uint8_t>(1);
  EXPECT_GE(buffer.capacity(), 10000);
}

TEST(Buffer, DetachOfNothingIsNull) {
  Buffer buffer;
  EXPECT_EQ(buffer.detach(), nullptr);
  buffer.reserve(10);
  EXPECT_EQ(buffer.detach(), nullptr);
  Buffer::free_memory(nullptr);
}

TEST(Buffer, MovesItsMemory) {
  Buffer one;
  one.append("abc", 3);
  const uint8_t* memory = one.data();
  Buffer two = std::move(one);
  EXPECT_EQ(two.data(), memory);
  Buffer three;
  three.append("xy", 2);
  three = std::move(two);
  EXPECT_EQ(three.data(), memory);
  EXPECT_EQ(three.size(), 3);
}

TEST(Buffer, ImpossibleSizeThrows) {
  Buffer buffer;
  EXPECT_THROW(buffer.reserve(INT64_MAX - 1), std::bad_alloc);
}

}  // namespace
}  // namespace clutch::columnar
