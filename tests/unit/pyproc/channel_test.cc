// ctl: whole messages, sizes, descriptors, and what a hostile peer sends.
#include "protocol/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/messages.h"

namespace clutch::pyproc {
namespace {

class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ends = *Channel::make_pair();
    host_ = Channel(std::move(ends.first));
    worker_ = Channel(std::move(ends.second));
  }
  void raw(const void* bytes, size_t size) {
    ASSERT_EQ(::send(worker_.fd(), bytes, size, 0), static_cast<ssize_t>(size));
  }

  Channel host_;
  Channel worker_;
  Message message_;
};

TEST_F(ChannelTest, CarriesStructs) {
  BatchSubmit submit;
  submit.ticket = 7;
  submit.in_bytes = 99;
  ASSERT_TRUE(host_.send(submit, false).ok());
  ASSERT_EQ(worker_.receive(message_, true, true), Received::kMessage);
  BatchSubmit got;
  ASSERT_TRUE(message_.read(got));
  EXPECT_EQ(got.ticket, 7u);
  EXPECT_EQ(got.in_bytes, 99u);
  BatchDone wrong;
  EXPECT_FALSE(message_.read(wrong));
}

TEST_F(ChannelTest, SaysNothingAndGone) {
  EXPECT_EQ(host_.receive(message_, false, false), Received::kNothing);
  ASSERT_TRUE(worker_.send(BatchDone{}, true).ok());
  worker_.close();
  EXPECT_EQ(host_.receive(message_, false, false), Received::kMessage);  // what it said before it went is not lost
  EXPECT_EQ(host_.receive(message_, false, false), Received::kClosed);
  EXPECT_EQ(host_.send(BatchSubmit{}, false).code(), CLUTCH_ERR_WORKER_LOST);
}

TEST_F(ChannelTest, LosesNothingOfAPeerThatGoesWithoutReading) {
  ASSERT_TRUE(host_.send(BatchSubmit{}, false).ok());
  ASSERT_TRUE(worker_.send(BatchDone{}, true).ok());
  worker_.close();
  EXPECT_EQ(host_.receive(message_, false, false), Received::kMessage);
  EXPECT_EQ(host_.receive(message_, false, false), Received::kClosed);
}

TEST_F(ChannelTest, CarriesLargeBodiesInSealedMemory) {
  OpenFunction open;
  open.name = "f";
  open.input = open.output = columnar::struct_of({});
  open.steps.push_back({"f", "table.scalar", 1, "pickle", std::string(5 << 20, 'p'), {}});
  ASSERT_TRUE(host_.send_large_body(FrameType::kOpenFunction, 3, encode(open)).ok());
  ASSERT_EQ(worker_.receive(message_, true, true), Received::kMessage);
  EXPECT_EQ(message_.header().type, FrameType::kOpenFunction);
  ASSERT_TRUE(message_.attached.valid());
  EXPECT_LT(::write(message_.attached.get(), "x", 1), 0);
  const auto body = read_body(message_);
  ASSERT_TRUE(body.ok());
  OpenFunction got;
  ASSERT_TRUE(decode(*body, got).ok());
  EXPECT_EQ(got.steps[0].payload.size(), size_t{5} << 20);
}

TEST_F(ChannelTest, RefusesBodiesThatAreTooLarge) {
  const Bytes body(kMaxMessageBytes);
  const Status status = worker_.send_body(FrameType::kLog, 1, body, true);
  EXPECT_EQ(status.code(), CLUTCH_ERR_ARGUMENT);
  EXPECT_NE(status.message().find("too large for ctl"), std::string_view::npos);
}

TEST_F(ChannelTest, NeverWaitsForAWorkerThatDoesNotRead) {
  Status status;
  for (int i = 0; i < 100000 && status.ok(); ++i) status = host_.send(BatchSubmit{}, false);
  EXPECT_EQ(status.code(), CLUTCH_ERR_PROTOCOL);
  EXPECT_EQ(status.message(), "the worker does not read its control socket");
}

TEST_F(ChannelTest, TellsTextFromFrames) {
  raw("clutch-launcher/1 ok\n", 21);
  EXPECT_EQ(host_.receive(message_, false, false), Received::kText);
  raw("x", 1);
  EXPECT_EQ(host_.receive(message_, false, false), Received::kBroken);
}

TEST_F(ChannelTest, RefusesBrokenFrames) {
  BatchDone done;
  done.header.size = 12;
  raw(&done, sizeof(done));
  EXPECT_EQ(host_.receive(message_, false, false), Received::kBroken);
  done = {};
  done.header.version = 99;
  raw(&done, sizeof(done));
  EXPECT_EQ(host_.receive(message_, false, false), Received::kBroken);
  done = {};
  done.header.body_bytes = 1 << 20;
  raw(&done, sizeof(done));
  EXPECT_EQ(host_.receive(message_, false, false), Received::kBroken);
  done = {};
  raw(&done, 20);
  EXPECT_EQ(host_.receive(message_, false, false), Received::kBroken);
  const std::vector<uint8_t> huge(kMaxMessageBytes + 1, 'C');
  raw(huge.data(), huge.size());
  EXPECT_EQ(host_.receive(message_, false, false), Received::kBroken);
}

TEST_F(ChannelTest, TakesNoDescriptorFromAWorker) {
  const Fd memory(::memfd_create("hostile", MFD_CLOEXEC));
  const int before = ::dup(0);
  ::close(before);
  BatchDone done;
  ASSERT_TRUE(worker_.send(done, true, memory.get()).ok());
  // The kernel drops what no room was made for, and says that it did.
  EXPECT_EQ(host_.receive(message_, false, false), Received::kBroken);
  const int after = ::dup(0);
  ::close(after);
  EXPECT_EQ(before, after);
}

TEST_F(ChannelTest, RefusesAnAttachedBodyThatIsNotThere) {
  FrameHeader header;
  header.type = FrameType::kOpenFunction;
  header.size = sizeof(header);
  header.flags = kBodyAttached;
  header.body_bytes = 100;
  ASSERT_EQ(::send(host_.fd(), &header, sizeof(header), 0), static_cast<ssize_t>(sizeof(header)));
  ASSERT_EQ(worker_.receive(message_, true, true), Received::kMessage);
  EXPECT_EQ(read_body(message_).status().code(), CLUTCH_ERR_PROTOCOL);
}

}  // namespace
}  // namespace clutch::pyproc
