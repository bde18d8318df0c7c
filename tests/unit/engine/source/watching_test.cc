#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "connectors.h"
#include "source/files/files.h"

namespace clutch::engine {
namespace {

using Json = nlohmann::json;
using Kind = SourceReader::Polled::Kind;
using Texts = std::vector<std::string>;

struct Watch {
  explicit Watch(Json members, std::string_view type = "string", SourceContext context = {}) {
    if (!members.contains("watch_ms")) members["watch_ms"] = 1;
    if (!members.contains("settle_ms")) members["settle_ms"] = 3'600'000;
    auto made = make_files_source(members, value_field(type), "nodes[0].source");
    EXPECT_TRUE(made.ok()) << made.status().message();
    source = *std::move(made);
    reader = *source->reader(context);
  }

  // Poll until so many values came, or an error, which is the last value.
  Texts take(size_t count) {
    Texts values;
    while (values.size() < count) {
      auto polled = reader->poll(std::nullopt);
      if (!polled.ok()) {
        values.emplace_back(polled.status().message());
        break;
      }
      if (polled->kind == Kind::kBatch) append_values(source->element(), *polled->batch, values);
    }
    return values;
  }

  // True if nothing is there now: two polls whose deadline has passed look at the folder at least once.
  bool quiet() {
    for (int i = 0; i < 2; ++i) {
      auto polled = reader->poll(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
      if (!polled.ok() || polled->kind != Kind::kNothing) return false;
    }
    return true;
  }

  std::unique_ptr<Source> source;
  std::unique_ptr<SourceReader> reader;
};

TEST(WatchingSource, ReadsFilesThatComeAndGrow) {
  const TestFolder folder;
  folder.write("a", "1\n2");
  Watch watch(Json::object({{"path", folder.path()}}));
  EXPECT_FALSE(watch.source->bounded());
  ASSERT_TRUE(watch.reader->open().ok());
  EXPECT_EQ(watch.take(1), (Texts{"\"1\""}));
  EXPECT_TRUE(watch.quiet());
  folder.append("a", "2\n");
  EXPECT_EQ(watch.take(1), (Texts{"\"22\""}));
  folder.write("b", "3\n");
  EXPECT_EQ(watch.take(1), (Texts{"\"3\""}));
  std::filesystem::remove(folder / "b");
  EXPECT_TRUE(watch.quiet());
  folder.write("b.new", "4\n");
  EXPECT_EQ(watch.take(1), (Texts{"\"4\""}));
}

TEST(WatchingSource, GivesALastLineThatHasSettled) {
  const TestFolder folder;
  folder.write("a", "1\n2");
  Watch watch(Json::object({{"path", folder.path()}, {"settle_ms", 1}}));
  ASSERT_TRUE(watch.reader->open().ok());
  EXPECT_EQ(watch.take(2), (Texts{"\"1\"", "\"2\""}));
  EXPECT_TRUE(watch.quiet());
}

TEST(WatchingSource, WaitsForAWholeHeader) {
  const TestFolder folder;
  folder.write("a", "n");
  Watch watch({{"path", folder.path()}, {"format", "csv"}, {"csv", {{"header", true}}}}, "struct<n: int64>");
  ASSERT_TRUE(watch.reader->open().ok());
  EXPECT_TRUE(watch.quiet());
  folder.append("a", ",m\n1,2\n");
  EXPECT_EQ(watch.take(1), (Texts{"{\"n\":1}"}));
  folder.append("a", "3,4\n");
  EXPECT_EQ(watch.take(1), (Texts{"{\"n\":3}"}));
}

TEST(WatchingSource, ReadsAReplacedFileFromItsFront) {
  const TestFolder folder;
  folder.write("a", "1\n22\n");
  Watch watch(Json::object({{"path", folder.path()}}));
  ASSERT_TRUE(watch.reader->open().ok());
  EXPECT_EQ(watch.take(2), (Texts{"\"1\"", "\"22\""}));
  folder.write(".b", "3\n");
  std::filesystem::rename(folder / ".b", folder / "a");
  EXPECT_EQ(watch.take(1), (Texts{"\"3\""}));
}

TEST(WatchingSource, RefusesAFileThatBecameShorter) {
  const TestFolder folder;
  folder.write("a", "1\n22\n");
  const std::string why = "the file \"" + folder / "a" +
                          "\" has 2 bytes, and was read up to byte 5; a file that is "
                          "watched may only grow: replace it by a new file instead";
  Watch watch(Json::object({{"path", folder.path()}}));
  ASSERT_TRUE(watch.reader->open().ok());
  EXPECT_EQ(watch.take(2).size(), 2U);
  std::filesystem::resize_file(folder / "a", 2);
  EXPECT_EQ(watch.take(1), (Texts{why}));
  folder.write("a", "1\n22\n");
  Watch skipping(Json::object({{"path", folder.path()}, {"on_error", "skip"}}));
  ASSERT_TRUE(skipping.reader->open().ok());
  EXPECT_EQ(skipping.take(2).size(), 2U);
  std::filesystem::resize_file(folder / "a", 2);
  EXPECT_TRUE(skipping.quiet());
  EXPECT_EQ(skipping.reader->skipped(), 1);
  folder.append("a", "4\n");
  EXPECT_EQ(skipping.take(1), (Texts{"\"4\""}));
}

TEST(WatchingSource, GoesOnFromAPosition) {
  const TestFolder folder;
  folder.write("a", "1\n2\n3");
  Watch first({{"path", folder.path()}}, "string", {0, 1, 1});
  ASSERT_TRUE(first.reader->open().ok());
  EXPECT_EQ(first.take(1), (Texts{"\"1\""}));
  const std::string position = *first.reader->position();
  folder.append("a", "3\n");
  Watch second(Json::object({{"path", folder.path()}}));
  ASSERT_TRUE(second.reader->restore(position).ok());
  ASSERT_TRUE(second.reader->open().ok());
  EXPECT_EQ(second.take(2), (Texts{"\"2\"", "\"33\""}));
  const auto once = *make_files_source({{"path", folder.path()}, {"format", "text"}}, value_field("string"), "s");
  EXPECT_EQ((*once->reader({}))->restore(position).message(),
            "the position of a source that watches files cannot be taken by one that reads them once; restore it with "
            "the same watch_ms");
}

TEST(WatchingSource, EachFileBelongsToOneSubtask) {
  const TestFolder folder;
  for (int i = 0; i < 20; ++i) folder.write("f" + std::to_string(i), std::to_string(i) + "\n");
  Texts all;
  for (int32_t subtask = 0; subtask < 3; ++subtask) {
    Watch watch({{"path", folder.path()}}, "string", {subtask, 3, 4096});
    ASSERT_TRUE(watch.reader->open().ok());
    auto polled = watch.reader->poll(std::nullopt);
    ASSERT_TRUE(polled.ok());
    const size_t before = all.size();
    append_values(watch.source->element(), *polled->batch, all);
    EXPECT_LT(all.size() - before, 20U);
  }
  EXPECT_EQ(all.size(), 20U);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST(WatchingSource, WakeEndsAWait) {
  const TestFolder folder;
  Watch watch(Json::object({{"path", folder.path()}, {"watch_ms", 3'600'000}}));
  ASSERT_TRUE(watch.reader->open().ok());
  std::thread waker([&] { watch.reader->wake(); });
  auto polled = watch.reader->poll(std::nullopt);
  waker.join();
  ASSERT_TRUE(polled.ok());
  EXPECT_EQ(polled->kind, Kind::kNothing);
}

}  // namespace
}  // namespace clutch::engine
