#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "batches.h"
#include "exchange/input_gate.h"

namespace clutch::engine {
namespace {

using Kind = InputGate::Taken::Kind;

StreamElement mark(int64_t time) { return TimeSignal{TimeSignal::Kind::kWatermark, time}; }

// The time of a mark, and what stands for the rest.
constexpr int64_t kNothing = -1;
constexpr int64_t kEnd = -2;
int64_t taken(InputGate& gate) {
  auto result = gate.take(InputGate::Deadline());
  while (result.ok() && result->kind == Kind::kWoken) result = gate.take(InputGate::Deadline());
  EXPECT_TRUE(result.ok()) << result.status().message();
  if (!result.ok() || result->kind == Kind::kTimeout) return kNothing;
  return result->kind == Kind::kEnded ? kEnd : std::get<TimeSignal>(result->element).time;
}

void wait_for_blocked_put(InputGate& gate, size_t channel) {
  while (gate.blocked_puts(channel) == 0) std::this_thread::yield();
}

TEST(InputGate, GivesTheElementsOfAllChannelsAsTheyCame) {
  InputGate gate(2, 1000);
  EXPECT_EQ(taken(gate), kNothing);
  ASSERT_TRUE(gate.put(0, mark(1), 1).ok());
  ASSERT_TRUE(gate.put(1, mark(2), 1).ok());
  ASSERT_TRUE(gate.put(0, batch_of(7, 3), 100).ok());
  EXPECT_EQ(gate.buffered(0), InputGate::kMinBytes + 100);
  EXPECT_EQ(taken(gate), 1);
  EXPECT_EQ(taken(gate), 2);
  auto last = gate.take();
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->channel, 0U);
  EXPECT_EQ(rows_of(*std::get<columnar::Array>(last->element)), (std::vector<int64_t>{7, 8, 9}));
  EXPECT_EQ(gate.buffered(0), 0);
}

TEST(InputGate, EndsWhenAllChannelsAreClosedAndEmpty) {
  InputGate gate(2, 1000);
  ASSERT_TRUE(gate.put(0, mark(1), 1).ok());
  gate.close(0);
  gate.close(0);
  EXPECT_EQ(taken(gate), 1);
  EXPECT_EQ(taken(gate), kNothing);
  gate.close(1);
  EXPECT_EQ(taken(gate), kEnd);
  EXPECT_EQ(taken(gate), kEnd);
  EXPECT_EQ(gate.put(1, mark(2), 1).message(), "channel 1 was closed; put every element before close()");
  EXPECT_EQ(gate.put(1, mark(2), 1).code(), CLUTCH_ERR_CLOSED);
}

TEST(InputGate, APausedChannelKeepsWhatItHas) {
  InputGate gate(2, 1000);
  ASSERT_TRUE(gate.put(0, mark(1), 1).ok());
  ASSERT_TRUE(gate.put(1, mark(2), 1).ok());
  gate.pause(0);
  gate.close(0);
  gate.close(1);
  EXPECT_FALSE(gate.is_over(1));
  EXPECT_EQ(taken(gate), 2);
  EXPECT_TRUE(gate.is_over(1));
  EXPECT_FALSE(gate.is_over(0));
  EXPECT_EQ(taken(gate), kNothing);
  gate.resume(0);
  EXPECT_EQ(taken(gate), 1);
  EXPECT_EQ(taken(gate), kEnd);
}

TEST(InputGate, AnEndIsHeardWhileAnotherChannelIsPaused) {
  InputGate gate(2, 1000);
  ASSERT_TRUE(gate.put(0, mark(1), 1).ok());
  gate.pause(0);
  gate.close(1);
  EXPECT_EQ(gate.take()->kind, Kind::kWoken);
  EXPECT_TRUE(gate.is_over(1));
}

TEST(InputGate, AnElementOverTheCapacityGoesIntoAnEmptyChannelAlone) {
  InputGate gate(2, 100);
  ASSERT_TRUE(gate.put(0, mark(1), 5000).ok());
  ASSERT_TRUE(gate.put(1, mark(2), 5000).ok());  // each channel has its own room
  std::thread sender([&] { EXPECT_TRUE(gate.put(0, mark(3), 1).ok()); });
  wait_for_blocked_put(gate, 0);
  EXPECT_EQ(gate.buffered(0), 5000);
  EXPECT_EQ(taken(gate), 1);
  sender.join();
  EXPECT_EQ(gate.buffered(0), InputGate::kMinBytes);
  EXPECT_EQ(gate.blocked_puts(1), 0U);
}

TEST(InputGate, TakeWaitsForAnElementAndForTheEnd) {
  InputGate gate(1, 1000);
  std::atomic<int> seen = 0;
  std::thread receiver([&] {
    auto first = gate.take();
    EXPECT_TRUE(first.ok() && first->kind == Kind::kElement);
    seen = 1;
    auto second = gate.take();
    EXPECT_TRUE(second.ok() && second->kind == Kind::kEnded);
  });
  ASSERT_TRUE(gate.put(0, mark(1), 1).ok());
  while (seen == 0) std::this_thread::yield();
  gate.close(0);
  receiver.join();
}

TEST(InputGate, CancelWakesBothSidesAndFreesWhatWaits) {
  InputGate gate(2, 100);
  ASSERT_TRUE(gate.put(0, batch_of(0, 10), 100).ok());
  gate.pause(0);
  std::thread sender([&] { EXPECT_EQ(gate.put(0, batch_of(0, 10), 100).message(), "the job was cancelled"); });
  std::thread receiver([&] { EXPECT_EQ(gate.take().status().code(), CLUTCH_ERR_CANCELLED); });
  wait_for_blocked_put(gate, 0);
  gate.cancel(Status(CLUTCH_ERR_CANCELLED, "the job was cancelled"));
  gate.cancel(Status(CLUTCH_ERR_INTERNAL, "the second reason does not count"));
  sender.join();
  receiver.join();
  EXPECT_EQ(gate.buffered(0), 0);
  EXPECT_EQ(gate.put(1, mark(1), 1).code(), CLUTCH_ERR_CANCELLED);
  EXPECT_EQ(gate.take(InputGate::Deadline()).status().code(), CLUTCH_ERR_CANCELLED);
}

TEST(InputGate, ManySendersLoseNothingAndNeverExceedTheirRoom) {
  constexpr size_t kSenders = 4;
  constexpr int64_t kElements = 2000;
  constexpr int64_t kCapacity = 300;
  InputGate gate(kSenders, kCapacity);
  std::vector<std::thread> senders;
  for (size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&gate, sender] {
      for (int64_t i = 0; i < kElements; ++i) {
        EXPECT_TRUE(gate.put(sender, mark(i), 64 + i % 200).ok());
      }
      gate.close(sender);
    });
  }
  std::vector<int64_t> next(kSenders, 0);
  while (true) {
    auto result = gate.take();
    ASSERT_TRUE(result.ok());
    if (result->kind == Kind::kEnded) break;
    EXPECT_EQ(std::get<TimeSignal>(result->element).time, next[result->channel]++);
    EXPECT_LE(gate.buffered(result->channel), kCapacity);
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(next, std::vector<int64_t>(kSenders, kElements));
}

TEST(InputGate, WakesOneTakeThatWaitsOrIsToCome) {
  InputGate gate(1, 1000);
  gate.wake();
  gate.wake();
  EXPECT_EQ(gate.take()->kind, Kind::kWoken);
  EXPECT_EQ(taken(gate), kNothing);  // the two calls counted once
  std::thread waiting([&gate] { EXPECT_EQ(gate.take()->kind, Kind::kWoken); });
  gate.wake();
  waiting.join();
  // An element comes first, and the call is heard behind it.
  gate.wake();
  ASSERT_TRUE(gate.put(0, mark(3), 1).ok());
  EXPECT_EQ(taken(gate), 3);
  EXPECT_EQ(gate.take()->kind, Kind::kWoken);
  gate.close(0);
  EXPECT_EQ(taken(gate), kEnd);
}

TEST(InputGate, CarriesBarriersInOrder) {
  InputGate gate(1, 1000);
  ASSERT_TRUE(gate.put(0, mark(1), 1).ok());
  ASSERT_TRUE(gate.put(0, Barrier{7}, 0).ok());
  EXPECT_EQ(taken(gate), 1);
  EXPECT_EQ(std::get<Barrier>(gate.take()->element), Barrier{7});
}

}  // namespace
}  // namespace clutch::engine
