#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "runtime/lane.h"

namespace clutch::engine {
namespace {

TEST(Lane, RunsTasksInTheirOrderInOneThread) {
  std::vector<int> ran;
  std::set<std::thread::id> threads;
  {
    Lane lane;
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(lane.post([&, i] {
                        ran.push_back(i);
                        threads.insert(std::this_thread::get_id());
                      })
                      .ok());
    }
  }
  ASSERT_EQ(ran.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ran[static_cast<size_t>(i)], i);
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0U);
}

TEST(Lane, RunWaitsForWhatWasPostedBefore) {
  Lane lane;
  std::atomic<int> ran{0};
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(lane.post([&] { ++ran; }).ok());
  int before = 0;
  ASSERT_TRUE(lane.run([&] { before = ran; }).ok());
  EXPECT_EQ(before, 10);
}

TEST(Lane, WhatATaskThrowsComesOutOfRun) {
  Lane lane;
  EXPECT_THROW((void)lane.run([] { throw std::bad_alloc(); }), std::bad_alloc);
  bool ran = false;
  EXPECT_TRUE(lane.run([&] { ran = true; }).ok());
  EXPECT_TRUE(ran);
}

TEST(Lane, BeginsAgainAfterItsEnd) {
  Lane lane;
  lane.end();
  int ran = 0;
  ASSERT_TRUE(lane.post([&] { ++ran; }).ok());
  lane.end();
  EXPECT_EQ(ran, 1);
  ASSERT_TRUE(lane.run([&] { ++ran; }).ok());
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace clutch::engine
