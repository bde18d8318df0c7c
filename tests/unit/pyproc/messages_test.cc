// The Cap'n Proto bodies: there and back, and hostile bytes.
#include "protocol/messages.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace clutch::pyproc {
namespace {

Status sample_error() {
  Status error(CLUTCH_ERR_USER, "function \"f\" row 3: ValueError: no", CLUTCH_ORIGIN_USER);
  error.with(CLUTCH_DETAIL_ROW, "3");
  error.with(CLUTCH_DETAIL_TRACEBACK, "Traceback ...");
  return error;
}

TEST(Messages, OpenFunctionComesBackEqual) {
  OpenFunction open;
  open.function = 9;
  open.name = "geo";
  open.steps.push_back({"a", "stream.map", 1, "pickle", std::string("\0\x80\xff", 3), {{"attribute", "x"}}});
  open.steps.push_back({"b", "stream.filter", 2, "source", "def b(x): return x", {}});
  open.input = columnar::struct_of({});
  open.input.type = *columnar::parse_type(
      "struct<a: int64, b: list<struct<x: decimal128(10, 2), y: timestamp[us, UTC]>>, c: map<string, int32>, "
      "d: dictionary<int32, string>, e: pickle, f: list<tuple<f0: int64, f1: dictionary<int8, pickle>>>>");
  open.output.type = *columnar::parse_type("struct<r: string not null>");
  open.on_error = 2;
  open.options = {{"python.row-deadline", "10"}, {"empty", ""}};
  OpenFunction got;
  ASSERT_TRUE(decode(encode(open), got).ok());
  EXPECT_EQ(got.function, 9u);
  EXPECT_EQ(got.name, "geo");
  ASSERT_EQ(got.steps.size(), 2u);
  EXPECT_EQ(got.steps[0].payload, open.steps[0].payload);
  EXPECT_EQ(got.steps[0].options, open.steps[0].options);
  EXPECT_EQ(got.steps[1].kind_revision, 2u);
  EXPECT_EQ(got.input.type, open.input.type);
  EXPECT_EQ(got.output.type, open.output.type);
  EXPECT_EQ(got.on_error, 2);
  EXPECT_EQ(got.options, open.options);
}

TEST(Messages, ErrorsComeBackEqual) {
  BatchError error{5, sample_error()};
  BatchError got;
  ASSERT_TRUE(decode(encode(error), got).ok());
  EXPECT_EQ(got.ticket, 5u);
  EXPECT_EQ(got.error.code(), CLUTCH_ERR_USER);
  EXPECT_EQ(got.error.origin(), CLUTCH_ORIGIN_USER);
  EXPECT_EQ(got.error.message(), error.error.message());
  EXPECT_EQ(got.error.details(), error.error.details());
}

TEST(Messages, NotesReadyOpenedAndLogComeBackEqual) {
  BatchNotes notes;
  notes.ticket = 4;
  for (int i = 0; i < 100; ++i) notes.dead_letters.push_back({i, sample_error()});
  notes.metrics.push_back({CLUTCH_OK, "rows", 2.5});
  BatchNotes got_notes;
  ASSERT_TRUE(decode(encode(notes), got_notes).ok());
  ASSERT_EQ(got_notes.dead_letters.size(), 100u);
  EXPECT_EQ(got_notes.dead_letters[99].row, 99);
  EXPECT_EQ(got_notes.metrics[0].value, 2.5);

  FunctionOpened opened;
  opened.function = 2;
  opened.states = {{"count", 0, 1000}};
  opened.side_outputs.push_back({"late", columnar::struct_of({})});
  FunctionOpened got_opened;
  ASSERT_TRUE(decode(encode(opened), got_opened).ok());
  EXPECT_EQ(got_opened.states, opened.states);
  EXPECT_EQ(got_opened.side_outputs, opened.side_outputs);
  EXPECT_TRUE(got_opened.error.ok());

  LogLine got_log;
  ASSERT_TRUE(decode(encode(LogLine{3, 7, "stdout", std::string(50000, 'l')}), got_log).ok());
  EXPECT_EQ(got_log.text.size(), 50000u);
  Ready got_ready;
  ASSERT_TRUE(decode(encode(Ready{{}, 77, {{"python.version", "3.11.2"}}}), got_ready).ok());
  EXPECT_EQ(got_ready.pid, 77);
}

TEST(Messages, CleansTextThatIsNoUtf8AndCodesThatAreNone) {
  LogLine got;
  ASSERT_TRUE(decode(encode(LogLine{2, 0, "s",
                                    "a\xff\xfe"
                                    "b"}),
                     got)
                  .ok());
  EXPECT_EQ(got.text, "a??b");
  BatchError error;
  ASSERT_TRUE(decode(encode(BatchError{1, Status(CLUTCH_PENDING, "x")}), error).ok());
  EXPECT_EQ(error.error.code(), CLUTCH_ERR_INTERNAL);
}

TEST(Messages, FitsErrorsIntoAMessage) {
  Status error(CLUTCH_ERR_USER, std::string(100000, 'm'), CLUTCH_ORIGIN_USER);
  for (int i = 0; i < 5; ++i) error.with("detail" + std::to_string(i), std::string(90000, 'd'));
  error.with(CLUTCH_DETAIL_ROW, "17");
  fit(error, kMaxBodyBytes);
  EXPECT_LE(encode(BatchError{1, error}).size(), kMaxBodyBytes);
  EXPECT_EQ(error.detail(CLUTCH_DETAIL_ROW), "17");
  EXPECT_NE(error.message().find("[...]"), std::string_view::npos);
  Status small = sample_error();
  fit(small, kMaxBodyBytes);
  EXPECT_EQ(small.message(), sample_error().message());
}

TEST(Messages, RefusesWhatIsNoMessage) {
  LogLine line;
  EXPECT_EQ(decode(std::span<const uint8_t>(), line).code(), CLUTCH_ERR_PROTOCOL);
  Bytes odd = encode(LogLine{});
  odd.pop_back();
  EXPECT_NE(decode(odd, line).message().find("whole number of words"), std::string_view::npos);
  Bytes segments = encode(LogLine{});
  segments[0] = 1;
  EXPECT_NE(decode(segments, line).message().find("more than one segment"), std::string_view::npos);
}

TEST(Messages, SurvivesFlippedBits) {
  std::mt19937 random(11);
  BatchNotes notes;
  for (int i = 0; i < 5; ++i) notes.dead_letters.push_back({i, sample_error()});
  const Bytes good = encode(notes);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes bad = good;
    for (int flip = 0; flip < 4; ++flip) bad[random() % bad.size()] ^= static_cast<uint8_t>(1u << (random() % 8));
    BatchNotes got;
    refused += decode(bad, got).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace clutch::pyproc
