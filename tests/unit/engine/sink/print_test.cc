#include "sink/print/print.h"

#include <gtest/gtest.h>

#include <thread>

#include "connectors.h"

namespace clutch::engine {
namespace {

using Json = nlohmann::json;

// A stream into a file, and what came of it.
class Stream {
 public:
  Stream() : file_(std::fopen((folder_ / "out").c_str(), "w")) {}
  ~Stream() { std::fclose(file_); }
  std::FILE* file() const { return file_; }
  std::string text() const { return read_file(folder_ / "out"); }

 private:
  TestFolder folder_;
  std::FILE* file_;
};

std::string printed(const std::string& prefix, SinkContext context, std::string_view type, std::string_view values) {
  const Stream stream;
  const columnar::Field element = value_field(type);
  auto writer = print_sink({prefix, stream.file()})->writer(element, context);
  if (!writer.ok()) return std::string(writer.status().message());
  EXPECT_TRUE((*writer)->open().ok());
  const columnar::Array batch = batch_of(element, values);
  EXPECT_TRUE((*writer)->write(*batch).ok());
  std::string text = stream.text();
  EXPECT_TRUE((*writer)->finish().ok());
  (*writer)->close();
  return text;
}

TEST(PrintSink, PutsPrefixAndSubtaskInFront) {
  EXPECT_EQ(printed("", {0, 1, ""}, "string", R"(["a", null])"), "a\nnull\n");
  EXPECT_EQ(printed("p", {0, 1, ""}, "struct<a: int64>", "[[1]]"), "p> +I[1]\n");
  EXPECT_EQ(printed("", {1, 4, ""}, "bool", "[true]"), "2> true\n");
  EXPECT_EQ(printed("p", {1, 4, ""}, "float64", "[1]"), "p:2> 1.0\n");
}

TEST(PrintSink, KeepsLinesWhole) {
  const Stream stream;
  const auto sink = print_sink({"", stream.file()});
  const columnar::Field element = value_field("string");
  std::vector<std::thread> threads;
  for (int32_t subtask = 0; subtask < 3; ++subtask) {
    threads.emplace_back([&, subtask] {
      auto writer = *sink->writer(element, {subtask, 3, ""});
      const std::string word = Json(std::string(3000, static_cast<char>('a' + subtask))).dump();
      const columnar::Array batch = batch_of(element, "[" + word + "," + word + "]");
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(writer->write(*batch).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(stream.text());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_EQ(line.size(), 3003U);
    EXPECT_EQ(line, std::string(1, static_cast<char>('1' + (line[3] - 'a'))) + "> " + std::string(3000, line[3]));
  }
  EXPECT_EQ(count, 600);
}

TEST(PrintSink, SaysThatNothingTakesItsLines) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  const columnar::Field element = value_field("string");
  auto writer = *print_sink({"", full})->writer(element, {});
  EXPECT_EQ(writer->write(*batch_of(element, R"(["a"])")).message(),
            "cannot print to standard output: No space left on device; give it a place to go, or use another sink");
  std::fclose(full);
}

TEST(PrintSink, RefusesTypesAndMembers) {
  EXPECT_EQ(printed("", {}, "day_time_interval", "[]"),
            "cannot print: field \"value\" has the type day_time_interval, which has no text; take duration or an "
            "interval of months");
  EXPECT_EQ(make_print_sink({{"type", "print"}, {"prefix", 1}}, "nodes[2].sink").status().message(),
            "nodes[2].sink.prefix: 1 is no text");
  EXPECT_EQ(make_print_sink({{"stderr", "yes"}}, "nodes[2].sink").status().message(),
            "nodes[2].sink.stderr: \"yes\" is neither true nor false");
  EXPECT_EQ(make_print_sink({{"standard", true}}, "nodes[2].sink").status().message(),
            "nodes[2].sink.standard: is not known; there are prefix, stderr");
  EXPECT_TRUE(make_print_sink({{"type", "print"}, {"stderr", true}}, "nodes[2].sink").ok());
}

}  // namespace
}  // namespace clutch::engine
