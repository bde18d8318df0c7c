#include <gtest/gtest.h>

#include "time/clock.h"
#include "time/timestamp.h"

namespace clutch::engine {
namespace {

TEST(Clock, WallTimeIsInMillisecondsSince1970) {
  const int64_t now = WallClock().now();
  EXPECT_GT(now, 1'700'000'000'000);   // 2023
  EXPECT_LT(now, 32'000'000'000'000);  // 2984: no other unit fits between
}

TEST(Clock, SteadyTimeDoesNotGoBack) {
  const SteadyClock clock;
  const int64_t before = clock.now();
  EXPECT_GE(clock.now(), before);
}

TEST(Timestamp, SumsStopAtTheEndsOfTheRange) {
  EXPECT_EQ(saturating_add(kMaxWatermark - 1, 2), kMaxWatermark);
  EXPECT_EQ(saturating_add(kMinWatermark + 1, -2), kMinWatermark);
  EXPECT_EQ(saturating_add(5, -7), -2);
  EXPECT_EQ(saturating_subtract(kMinWatermark + 1, 2), kMinWatermark);
  EXPECT_EQ(saturating_subtract(kMaxWatermark, -1), kMaxWatermark);
  EXPECT_EQ(saturating_subtract(5, 7), -2);
}

TEST(Timestamp, ModuloIsNeverNegative) {
  EXPECT_EQ(floor_modulo(7, 5), 2);
  EXPECT_EQ(floor_modulo(-1, 5), 4);
  EXPECT_EQ(floor_modulo(-5, 5), 0);
  EXPECT_EQ(floor_modulo(kNoTimestamp, 5), 2);
}

}  // namespace
}  // namespace clutch::engine
