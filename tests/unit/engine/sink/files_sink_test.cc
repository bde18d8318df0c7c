#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>

#include "connectors.h"
#include "manual_clock.h"
#include "sink/files/bucket.h"
#include "sink/files/files.h"
#include "sink/files/part_file.h"
#include "source/files/files.h"

namespace clutch::engine {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

Json with(Json object, const Json& more) {
  object.update(more);
  return object;
}

FileSinkSpec spec_of(const Json& members) {
  auto spec = read_file_sink_spec(members, "nodes[2].sink");
  EXPECT_TRUE(spec.ok()) << spec.status().message();
  return *std::move(spec);
}

std::string refusal(const Json& members) {
  return std::string(make_files_sink(members, "nodes[2].sink").status().message());
}

// A writer of text with clocks that the test moves.
struct Writer {
  explicit Writer(const Json& members, std::string_view type = "string", SinkContext context = {})
      : element(value_field(type)), sink(files_sink(spec_of(members), &wall, &steady)) {
    auto made = sink->writer(element, context);
    EXPECT_TRUE(made.ok()) << made.status().message();
    writer = *std::move(made);
    const Status opened = writer->open();
    EXPECT_TRUE(opened.ok()) << opened.message();
  }

  std::string write(std::string_view values) {
    const Status status = writer->write(*batch_of(element, values));
    return std::string(status.message());
  }

  ManualClock wall;
  ManualClock steady;
  columnar::Field element;
  std::unique_ptr<Sink> sink;
  std::unique_ptr<SinkWriter> writer;
};

TEST(FilesSink, WritesWhatIsVisibleWhenItIsFinished) {
  const TestFolder folder;
  Writer writer({{"path", folder / "new/out"}, {"prefix", "p"}, {"suffix", ".txt"}}, "struct<a: string>", {3, 4, ""});
  EXPECT_EQ(files_below(folder / "new/out"), Texts());
  EXPECT_EQ(writer.write(R"([["x"], [null]])"), "");
  EXPECT_EQ(files_below(folder / "new/out"), (Texts{".p-3-0.txt.inprogress: "}));
  ASSERT_TRUE(writer.writer->finish().ok());
  writer.writer->close();
  EXPECT_EQ(files_below(folder / "new/out"), (Texts{"p-3-0.txt: +I[x]\n+I[null]\n"}));
}

TEST(FilesSink, LeavesUnfinishedWhatAFailureStopped) {
  const TestFolder folder;
  Writer writer(Json::object({{"path", folder.path()}}));
  EXPECT_EQ(writer.write(R"(["x"])"), "");
  writer.writer->close();
  ASSERT_EQ(files_below(folder.path()).size(), 1U);
  EXPECT_EQ(files_below(folder.path())[0].substr(0, 21), ".part-0-0.inprogress:");
}

TEST(FilesSink, NeverWritesOverAFile) {
  const TestFolder folder;
  folder.write("part-0-0", "old\n");
  folder.write(".part-0-1.inprogress", "left\n");
  Writer writer(Json::object({{"path", folder.path()}}));
  EXPECT_EQ(writer.write(R"(["x"])"), "");
  folder.write("part-0-2", "came meanwhile\n");
  ASSERT_TRUE(writer.writer->finish().ok());
  EXPECT_EQ(files_below(folder.path()),
            (Texts{".part-0-1.inprogress: left\n", "part-0-0: old\n", "part-0-2: came meanwhile\n", "part-0-3: x\n"}));
}

TEST(FilesSink, RollsBySize) {
  const TestFolder folder;
  Writer writer({{"path", folder.path()}, {"format", "csv"}, {"csv", {{"header", true}}}, {"roll_bytes", 6}},
                "struct<n: int64>");
  EXPECT_EQ(writer.write("[[1], [2], [3], [4], [5]]"), "");
  ASSERT_TRUE(writer.writer->finish().ok());
  EXPECT_EQ(files_below(folder.path()), (Texts{"part-0-0: n\n1\n2\n", "part-0-1: n\n3\n4\n", "part-0-2: n\n5\n"}));
}

TEST(FilesSink, RollsByAgeAndByInactivity) {
  const TestFolder folder;
  Writer writer(Json::object({{"path", folder.path()}, {"roll_ms", 100}, {"inactive_ms", 30}}));
  EXPECT_FALSE(writer.writer->next_tick().has_value());
  writer.steady.set(1000);
  EXPECT_EQ(writer.write(R"(["a"])"), "");
  const auto due = writer.writer->next_tick();
  ASSERT_TRUE(due.has_value());
  EXPECT_LE(*due, std::chrono::steady_clock::now() + std::chrono::milliseconds(30));
  writer.steady.set(1029);
  ASSERT_TRUE(writer.writer->tick().ok());
  EXPECT_EQ(files_below(folder.path()).size(), 1U);
  for (int64_t now = 1029; now < 1100; now += 20) {
    writer.steady.set(now);
    EXPECT_EQ(writer.write(R"(["b"])"), "");
  }
  writer.steady.set(1100);
  ASSERT_TRUE(writer.writer->tick().ok());
  EXPECT_EQ(files_below(folder.path()), (Texts{"part-0-0: a\nb\nb\nb\nb\n"}));
  EXPECT_EQ(writer.write(R"(["c"])"), "");
  writer.steady.set(1130);
  ASSERT_TRUE(writer.writer->tick().ok());
  EXPECT_EQ(files_below(folder.path()), (Texts{"part-0-0: a\nb\nb\nb\nb\n", "part-0-1: c\n"}));
  EXPECT_FALSE(writer.writer->next_tick().has_value());
}

TEST(FilesSink, PutsFilesIntoBucketsOfTime) {
  const TestFolder folder;
  setenv("TZ", "UTC", 1);
  tzset();
  Writer writer(Json::object({{"path", folder.path()}, {"bucket", "%Y-%m-%d--%H"}}));
  writer.wall.set(0);
  EXPECT_EQ(writer.write(R"(["a"])"), "");
  EXPECT_EQ(writer.write(R"(["b"])"), "");
  writer.wall.set(3'600'000);
  ASSERT_TRUE(writer.writer->tick().ok());
  EXPECT_EQ(files_below(folder.path()), (Texts{"1970-01-01--00/part-0-0: a\nb\n"}));
  EXPECT_EQ(writer.write(R"(["c"])"), "");
  ASSERT_TRUE(writer.writer->finish().ok());
  EXPECT_EQ(files_below(folder.path()), (Texts{"1970-01-01--00/part-0-0: a\nb\n", "1970-01-01--01/part-0-1: c\n"}));
}

TEST(FilesSink, ABucketStaysBelowItsFolder) {
  EXPECT_EQ(bucket_at("../%Y/./x//", 0).substr(4), "/x");
  EXPECT_EQ(bucket_at("", 0), "");
  EXPECT_EQ(bucket_at("..", 0), "");
}

// What is written is read back the same.
TEST(FilesSink, CsvAndJsonComeBack) {
  const std::string type =
      "struct<s: string, i: int64, f: float64, b: bool, t: timestamp[ms], d: decimal128(6, 2), "
      "l: list<int32>, x: binary>";
  const std::string values =
      R"([["a,\"b\"\nc", -1, 0.1, true, "2021-01-09T12:00:00.011", "12.50", [1, null], "AP8="],)"
      R"(["", null, "NaN", null, null, null, null, null], ["NULL", 9007199254740993, -1e300, false, null, "0.00", [], ""]])";
  for (const Json& format :
       {Json{{"format", "csv"}, {"csv", {{"header", true}, {"null", "NULL"}}}},
        Json{{"format", "csv"}, {"csv", {{"delimiter", ";"}, {"quote", "'"}}}}, Json{{"format", "json"}}}) {
    const TestFolder folder;
    const Json members = with(format, {{"path", folder.path()}});
    Writer writer(members, type);
    EXPECT_EQ(writer.write(values), "");
    ASSERT_TRUE(writer.writer->finish().ok());
    const auto source = make_files_source(members, writer.element, "nodes[0].source");
    ASSERT_TRUE(source.ok()) << source.status().message();
    Texts expected;
    append_values(writer.element, *batch_of(writer.element, values), expected);
    EXPECT_EQ(read_all(**source), expected) << format.dump();
  }
}

TEST(FilesSink, SaysThatAFolderCannotBeWritten) {
  const TestFolder folder;
  const std::string file = folder.write("file", "");
  const auto open = [&](const std::string& path) {
    auto writer = *files_sink(spec_of({{"path", path}}))->writer(value_field("string"), {});
    return std::string(writer->open().message());
  };
  EXPECT_EQ(open(file + "/x"), "cannot make the folder \"" + file + "/x\": Not a directory; check sink.path");
  EXPECT_EQ(open("/proc/self"),
            "cannot make the file \"/proc/self/.part-0-0.inprogress\": No such file or directory; "
            "check sink.path");
}

// A limit on the size of files stands for a full disk: writing fails in the middle in the same way.
TEST(FilesSink, SaysThatThereIsNoMoreRoom) {
  const TestFolder folder;
  Writer writer(Json::object({{"path", folder.path()}}));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_EQ(writer.write("[" + Json(std::string(5000, 'x')).dump() + "]"), "");
  const Status status = writer.writer->finish();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(status.message(), "cannot write to \"" + folder / ".part-0-0.inprogress" +
                                  "\": File too large; set roll_bytes below the limit on the size of files");
  writer.writer->close();
  EXPECT_EQ(std::filesystem::file_size(folder / ".part-0-0.inprogress"), 1000U);
  EXPECT_FALSE(std::filesystem::exists(folder / "part-0-0"));
}

TEST(FilesSink, SaysThatTheDiskIsFull) {
  const TestFolder folder;
  int64_t counter = 0;
  auto part = PartFile::create({folder.path(), "part", "", 0}, counter);
  ASSERT_TRUE(part.ok());
  ASSERT_TRUE((*part)->append("x").ok());
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  // The descriptor of the part becomes one of a device that is always full.
  int of_part = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) == folder / ".part-0-0.inprogress") {
      of_part = std::atoi(entry.path().filename().c_str());
    }
  }
  ASSERT_GE(of_part, 0);
  ASSERT_GE(dup2(full, of_part), 0);
  close(full);
  EXPECT_EQ(
      (*part)->finish().message(),
      "cannot write to \"" + folder / ".part-0-0.inprogress" +
          "\": No space left on device; make room, or write to another folder; what was written so far is in files "
          "that are not finished");
}

TEST(FilesSink, RefusesMembersAndTypes) {
  EXPECT_EQ(refusal({{"type", "files"}}), "nodes[2].sink.path: is missing; give a text");
  EXPECT_EQ(refusal({{"path", "x"}, {"prefix", "a/b"}}),
            "nodes[2].sink.prefix: \"a/b\" is no part of a file's name: it has a slash or a zero byte");
  EXPECT_EQ(refusal({{"path", "x"}, {"prefix", ".p"}}),
            "nodes[2].sink.prefix: \".p\" begins as the names of unfinished files do, or is empty; take another word");
  EXPECT_EQ(refusal({{"path", "x"}, {"format", "parquet"}}),
            "nodes[2].sink.format: \"parquet\" is not known; there are text, csv, json");
  EXPECT_EQ(refusal({{"path", "x"}, {"roll_bytes", -1}}),
            "nodes[2].sink.roll_bytes: -1 is no whole number from 1 to 9223372036854775807");
  EXPECT_EQ(refusal({{"path", "x"}, {"rolling", 1}}),
            "nodes[2].sink.rolling: is not known; there are path, format, prefix, suffix, roll_bytes, roll_ms, "
            "inactive_ms, bucket, csv");
  EXPECT_EQ(refusal({{"path", "x"}, {"format", "csv"}, {"csv", {{"quote", ""}}}}),
            "nodes[2].sink.csv.quote: is empty, and text with the delimiter could not be written; name one");
  const auto sink = files_sink(spec_of({{"path", "x"}, {"format", "csv"}}));
  EXPECT_EQ(sink->writer(value_field("int64"), {}).status().message(),
            "cannot write int64 to files of CSV, which have rows; map the elements to rows first");
}

}  // namespace
}  // namespace clutch::engine
