// List and map states in the worker: what came with the batch, and what it asks its host for.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "clutch/abi/status.h"
#include "clutch/columnar/builder.h"
#include "worker_host.h"

namespace clutch::pyproc::testing {
namespace {

const std::string kLong(300'000, 'l');

// Entries of one key that come with the batch, and the host's cursor behind them; empty if that is all.
struct First {
  int32_t key;
  std::vector<Entry> entries;
  std::string next = {};
};

void append(columnar::ArrayBuilder& column, const std::optional<std::string>& text) {
  if (!text) {
    column.append_null();
  } else {
    ASSERT_TRUE(column.append_bytes(*text).ok());
  }
}

columnar::Array section(const std::vector<First>& firsts) {
  columnar::ArrayBuilder out(state_entries_field());
  for (const First& first : firsts) {
    for (size_t i = 0; i < first.entries.size(); ++i) {
      const bool last = i + 1 == first.entries.size() && !first.next.empty();
      out.child(0).append<int32_t>(first.key);
      append(out.child(1), first.entries[i].map_key);
      append(out.child(2), first.entries[i].value);
      append(out.child(3), last ? std::optional<std::string>(first.next) : std::nullopt);
      out.append_struct();
    }
  }
  return out.finish();
}

class WorkerEntries : public ::testing::Test {
 protected:
  WorkerEntries() {
    host_.configure();
    // The lists of keys 0 and 2 came whole; of the list of key 1 and the map of key 0 there is more.
    lists_ = {{0, {{std::nullopt, "a"}, {std::nullopt, "b"}, {std::nullopt, "c"}}},
              {1, {{std::nullopt, "d"}}, "0"},
              {2, {{std::nullopt, "z"}}}};
    maps_ = {{0, {{"b", "1"}, {"d", "2"}}, "0"}, {2, {{"b", "9"}}}};
    host_.behind[{0, 1}] = {{std::nullopt, "e"}, {std::nullopt, "f"}, {std::nullopt, "g"}};
    host_.behind[{1, 0}] = {{"f", "3"}, {"h", "4"}, {kLong, "5"}};
  }

  // One batch of a function that reads as the script says.
  Answer run(const std::string& script) {
    const FunctionOpened opened = host_.open(1, "entries:" + script);
    EXPECT_TRUE(opened.error.ok()) << opened.error.message();
    ArenaWriter& in = host_.in();
    in.add(SectionKind::kRows, 0, rows_of("x"), *batch_of({1}));
    columnar::ArrayBuilder keys(keys_field());
    for (const char* key : {"k", "l", "m"}) append(keys, key);
    in.add(SectionKind::kKeys, 0, keys_field(), *keys.finish());
    in.add(SectionKind::kStateEntries, 0, state_entries_field(), *section(lists_));
    in.add(SectionKind::kStateEntries, 1, state_entries_field(), *section(maps_));
    host_.submit(1, 70);
    Answer answer = host_.wait(70);
    host_.close(1);
    return answer;
  }
  std::string told(const std::string& script) {
    host_.logs.clear();
    const Answer answer = run(script);
    EXPECT_EQ(answer.done.status, CLUTCH_OK) << answer.error.message();
    return host_.logs.empty() ? "" : host_.logs.front().text;
  }

  FakeHost host_;
  std::vector<First> lists_;
  std::vector<First> maps_;
};

using Lines = std::vector<std::string>;

TEST_F(WorkerEntries, PagesOfWhatCameAskNobody) {
  EXPECT_EQ(told("page 0 0 1000"), "page -=a -=b -=c");
  EXPECT_EQ(told("page 0 0 2"), "page -=a -=b | -=c");
  EXPECT_EQ(told("page 0 0 0"), "page -=a | -=b | -=c");
  EXPECT_EQ(told("page 1 1 1000"), "page");
  EXPECT_EQ(told("page 1 2 1000"), "page b=9");
  EXPECT_EQ(host_.questions, Lines());
}

TEST_F(WorkerEntries, PagesBehindWhatCameAreAskedFor) {
  EXPECT_EQ(told("page 0 1 100"), "page -=d | -=e -=f | -=g");
  EXPECT_EQ(host_.questions, (Lines{"page 0 1:0 max 100", "page 0 1:2 max 100"}));
  host_.questions.clear();
  host_.behind[{1, 0}].pop_back();
  EXPECT_EQ(told("page 1 0 1"), "page b=1 | d=2 | f=3 h=4");
  EXPECT_EQ(host_.questions, (Lines{"page 1 0:0 max 1"}));
}

TEST_F(WorkerEntries, ACursorGivesTheSamePageAgain) {
  EXPECT_EQ(told("twice 0 0 1"), "twice -=a | -=b | -=b");
  EXPECT_EQ(told("twice 0 1 1"), "twice -=d | -=e -=f | -=e -=f");
}

TEST_F(WorkerEntries, ALookupAsksOnlyForWhatMayBeBehind) {
  EXPECT_EQ(told("find 1 0 a,b,c,d"), "find - 1 - 2");
  EXPECT_EQ(told("find 1 2 a,b,x"), "find - 9 -");
  EXPECT_EQ(told("find 1 1 a"), "find -");
  EXPECT_EQ(host_.questions, Lines());
  EXPECT_EQ(told("find 1 0 h,b,g,e,f,long,a"), "find 4 1 - - 3 5 -");
  EXPECT_EQ(host_.questions, (Lines{"find 1 0:h 0:g 0:e 0:f 0:llllllll"}));
}

// A name that does not fit the OUT arena makes the worker ask for a larger one; later questions use that.
TEST_F(WorkerEntries, ANameOfAnySizeIsAskedFor) {
  const Answer answer = run("find 1 0 long\nfind 1 0 long\nfind 1 0 h");
  EXPECT_EQ(answer.done.status, CLUTCH_OK) << answer.error.message();
  EXPECT_EQ(answer.need_arena, 1);
  ASSERT_EQ(host_.logs.size(), 3U);
  EXPECT_EQ(host_.logs[1].text, "find 5");
  EXPECT_EQ(host_.logs[2].text, "find 4");
  EXPECT_EQ(host_.questions.size(), 3U);
}

TEST_F(WorkerEntries, FirstPagesOfAllKeysAskNobody) {
  EXPECT_EQ(told("all 0 1000"), "all 0:-=a 0:-=b 0:-=c 1:-=d+ 2:-=z");
  EXPECT_EQ(told("all 0 2"), "all 0:-=a 0:-=b+ 1:-=d+ 2:-=z");
  EXPECT_EQ(told("all 1 1000"), "all 0:b=1 0:d=2+ 2:b=9");
  EXPECT_EQ(host_.questions, Lines());
}

TEST_F(WorkerEntries, WhatTheHostRefusesFailsTheCall) {
  host_.state_status = CLUTCH_ERR_DATA;
  const Answer answer = run("find 1 0 x");
  EXPECT_EQ(answer.done.status, CLUTCH_ERR_DATA);
  EXPECT_EQ(answer.error.message(),
            "the host did not read state 1 while the batch ran (status " + std::to_string(CLUTCH_ERR_DATA) + ")");
}

TEST_F(WorkerEntries, WhatMakesNoSenseIsRefused) {
  EXPECT_EQ(run("bad 0 0").error.message(),
            "a cursor is not one that a page of this state gave; pass it on as it came");
  EXPECT_EQ(run("find 0 0 x").error.message(), "state \"l\" is no map state; it has no entries to look up");
  EXPECT_EQ(run("page 7 0 1").error.message(), "state 7 is no list or map state of this batch");
  EXPECT_EQ(run("page 1 3 1").error.message(), "key 3 is not one of the batch's 3 keys");
  EXPECT_EQ(run("find 1 3 x").error.message(), "key 3 is not one of the batch's 3 keys");
  EXPECT_EQ(host_.questions, Lines());
}

}  // namespace
}  // namespace clutch::pyproc::testing
