#include "source/files/files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "connectors.h"

namespace clutch::engine {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

std::unique_ptr<Source> source_of(const Json& members, std::string_view type = "string") {
  auto source = make_files_source(members, value_field(type), "nodes[0].source");
  EXPECT_TRUE(source.ok()) << source.status().message();
  return source.ok() ? *std::move(source) : nullptr;
}

std::string refusal(const Json& members, std::string_view type = "string") {
  auto source = make_files_source(members, value_field(type), "nodes[0].source");
  return source.ok() ? "not refused" : std::string(source.status().message());
}

Texts sorted(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

TEST(FilesSource, ReadsLinesOfAFile) {
  const TestFolder folder;
  const std::string path = folder.write("a.txt", "Mike\r\n\nTed, \"x\"\nlast");
  EXPECT_EQ(read_all(*source_of({{"type", "files"}, {"path", path}})),
            (Texts{"\"Mike\"", "\"\"", "\"Ted, \\\"x\\\"\"", "\"last\""}));
  EXPECT_EQ(read_all(*source_of({{"path", "file://" + path}}), 1, 1).size(), 4U);
}

TEST(FilesSource, ReadsAFolderInOrderAndLeavesHiddenFiles) {
  const TestFolder folder;
  folder.write("b", "2\n");
  folder.write("a", "1\n");
  folder.write("c/d", "3\n");
  folder.write(".hidden", "no\n");
  folder.write("_SUCCESS", "no\n");
  EXPECT_EQ(read_all(*source_of({{"path", folder.path()}})), (Texts{"\"1\"", "\"2\"", "\"3\""}));
  EXPECT_EQ(read_all(*source_of({{"path", folder.path()}, {"recursive", false}})), (Texts{"\"1\"", "\"2\""}));
}

TEST(FilesSource, ReadsCharsets) {
  const TestFolder folder;
  const auto read = [&](std::string_view text, const char* charset, const char* format = "text") {
    const std::string path = folder.write("x", text);
    return read_all(*source_of({{"path", path}, {"charset", charset}, {"format", format}},
                               format == std::string("csv") ? "struct<a: string, b: int64>" : "string"));
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(read("caf\xE9\n\xFC\n", "latin-1"), (Texts{"\"caf\u00E9\"", "\"\u00FC\""}));
  EXPECT_EQ(read("\xEF\xBB\xBFx\n", "utf-8"), (Texts{"\"x\""}));
  EXPECT_EQ(read("\xFF\xFEh\0\xE9\0\n\0\x3D\xD8\x00\xDE"sv, "utf-16"), (Texts{"\"h\u00E9\"", "\"\U0001F600\""}));
  EXPECT_EQ(read("\0h\0\n\0i"sv, "utf-16"), (Texts{"\"h\"", "\"i\""}));
  EXPECT_EQ(read("\xFE\xFF\0h\0,\0\x31\0\n"sv, "utf-16be", "csv"), (Texts{"{\"a\":\"h\",\"b\":1}"}));
  EXPECT_EQ(read("\xE9,1\n", "latin-1", "csv"), (Texts{"{\"a\":\"\u00E9\",\"b\":1}"}));
  EXPECT_EQ(read("ok\nx\xFFy\n", "utf-8").back(),
            folder / "x" + ":2: the text is not UTF-8; name the file's charset (utf-8, latin-1, utf-16), or repair it");
  EXPECT_EQ(
      read("a\0\n\0b\0\x3D\xD8\n\0c"sv, "utf-16le").back(),
      folder / "x" + ":2: the text is not UTF-16; name the file's charset (utf-8, latin-1, utf-16), or repair it");
  EXPECT_EQ(
      read("a\0\n\0b"sv, "utf-16le").back(),
      folder / "x" + ":2: the text is not UTF-16; name the file's charset (utf-8, latin-1, utf-16), or repair it");
}

TEST(FilesSource, ReadsCsv) {
  const TestFolder folder;
  const std::string type = "struct<a: string, b: int64>";
  const auto read = [&](std::string_view text, const Json& csv) {
    const std::string path = folder.write("x.csv", text);
    return read_all(*source_of({{"path", path}, {"format", "csv"}, {"csv", csv}}, type));
  };
  EXPECT_EQ(read("x,1\n\"y\n\"\"z\",\n", Json::object()), (Texts{R"({"a":"x","b":1})", R"({"a":"y\n\"z","b":null})"}));
  EXPECT_EQ(read("b;c;a\n1;;x\n#;\nN;;N\n\n", {{"header", true}, {"delimiter", ";"}, {"comment", "#"}, {"null", "N"}}),
            (Texts{R"({"a":"x","b":1})", R"({"a":null,"b":null})"}));
  EXPECT_EQ(read("", {{"header", true}}), Texts());
  EXPECT_EQ(read("x,1\ny,z\n", Json::object()).back(),
            folder / "x.csv" + ":2: column \"b\": \"z\" does not fit int64; write a whole number");
  EXPECT_EQ(read("x,1\n\ny,1,2\n", Json::object()).back(),
            folder / "x.csv" + ":3: a record of 3 fields where there are 2 columns; see delimiter and quote");
  EXPECT_EQ(read("a,c\n", {{"header", true}}).back(),
            folder / "x.csv" + ":1: column \"b\" is not in the header; it has: a, c");
  EXPECT_EQ(read("x,1\n\"y,1\n", Json::object()).back(), folder / "x.csv" + ":2: a quoted field is never closed");
}

TEST(FilesSource, ReadsJsonLines) {
  const TestFolder folder;
  const std::string type = "struct<a: string, b: list<int64>>";
  const auto read = [&](std::string_view text, const char* unknown) {
    const std::string path = folder.write("x.json", text);
    return read_all(*source_of({{"path", path}, {"format", "json"}, {"json", {{"unknown_fields", unknown}}}}, type));
  };
  EXPECT_EQ(read("{\"a\":\"x\",\"b\":[1,2]}\n\n  {\"c\":{\"d\":1}}\nnull\n", "ignore"),
            (Texts{R"({"a":"x","b":[1,2]})", R"({"a":null,"b":null})", "null"}));
  EXPECT_EQ(read("{\"a\":\"x\"}\n{\"a\":1}\n", "ignore").back(),
            folder / "x.json" + ":2: column \"a\": 1 does not fit string; write text");
  EXPECT_EQ(read("{\"a\":\n", "ignore").back(), folder / "x.json" + ":1: not JSON at column 6: {\"a\":");
  EXPECT_EQ(read("{\"c\":1}\n", "fail").back(),
            folder / "x.json" + ":1: there is no column \"c\" in struct<a: string, b: list<int64>>");
  EXPECT_EQ(
      read("{\"a\":\"\xFF\"}\n", "fail").back(),
      folder / "x.json" + ":1: the text is not UTF-8; name the file's charset (utf-8, latin-1, utf-16), or repair it");
}

TEST(FilesSource, SkipsAndCountsWhatIsBad) {
  const TestFolder folder;
  folder.write("a.csv", "1\nx\n2\n\"3\"4\n5\n\xFF\n");
  const auto source = source_of({{"path", folder.path()}, {"format", "csv"}, {"on_error", "skip"}}, "struct<n: int64>");
  auto reader = *source->reader({});
  ASSERT_TRUE(reader->open().ok());
  EXPECT_EQ(drain(*source, *reader), (Texts{R"({"n":1})", R"({"n":2})", R"({"n":5})"}));
  EXPECT_EQ(reader->skipped(), 3);
}

TEST(FilesSource, SaysWhatIsTheMatterWithAFile) {
  const TestFolder folder;
  EXPECT_EQ(read_all(*source_of({{"path", folder / "no"}})).back(),
            "there is no file or folder \"" + folder / "no" + "\"; check source.path");
  const std::string gone = folder.write("gone", "x\n");
  const auto source = source_of({{"path", folder.path()}});
  auto reader = *source->reader({});
  ASSERT_TRUE(reader->open().ok());
  std::filesystem::remove(gone);
  EXPECT_EQ(drain(*source, *reader).back(), "cannot open the file \"" + gone +
                                                "\": No such file or directory; it is gone; keep files until they were "
                                                "read");
  std::filesystem::create_directory(folder / "sub");
  ASSERT_EQ(symlink("/dev/null", (folder / "sub/device").c_str()), 0);
  EXPECT_EQ(read_all(*source_of({{"path", folder / "sub/device"}})).back(),
            "\"" + folder / "sub/device" +
                "\" is neither a file nor a folder; read pipes and devices with the source "
                "stdin");
  if (geteuid() != 0) {
    const std::string closed = folder.write("closed", "x\n");
    std::filesystem::permissions(closed, std::filesystem::perms::none);
    EXPECT_EQ(
        read_all(*source_of({{"path", closed}})).back(),
        "cannot open the file \"" + closed + "\": Permission denied; check source.path and the rights of the file");
  }
}

TEST(FilesSource, SaysThatAFileWasShortened) {
  const TestFolder folder;
  const std::string path = folder.write("x", "1\n2\n3\n");
  const auto source = source_of({{"path", path}});
  auto reader = *source->reader({});
  ASSERT_TRUE(reader->open().ok());
  folder.write("x", "1\n");
  EXPECT_EQ(drain(*source, *reader).back(),
            "the file \"" + path +
                "\" ends at byte 2, and had 6 when it was listed; do not shorten files while they are "
                "read");
}

TEST(FilesSource, WhatIsWrittenBehindTheEndIsNotRead) {
  const TestFolder folder;
  const std::string path = folder.write("x", "1\n2\n");
  const auto source = source_of({{"path", path}});
  auto reader = *source->reader({});
  ASSERT_TRUE(reader->open().ok());
  folder.append("x", "3\n");
  EXPECT_EQ(drain(*source, *reader), (Texts{"\"1\"", "\"2\""}));
}

// Any file in any ranges on any number of subtasks gives the same records as one reader of the whole.
TEST(FilesSource, RangesGiveEveryRecordOnce) {
  const TestFolder folder;
  std::mt19937 random(20240117);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto check = [&](const std::string& text, Json members, const std::string& type) {
    members["path"] = folder.write("x", text);
    const Texts whole = sorted(read_all(*source_of(members, type)));
    for (int round = 0; round < 4; ++round) {
      members["split_bytes"] = 1 + below(40);
      const auto parallelism = static_cast<int32_t>(1 + below(4));
      EXPECT_EQ(sorted(read_all(*source_of(members, type), parallelism, 1 + below(5))), whole)
          << members.dump() << " of " << Json(text).dump();
    }
    return whole.size();
  };
  size_t records = 0;
  for (int file = 0; file < 60; ++file) {
    const std::string mark = below(3) == 0 ? "\xEF\xBB\xBF" : "";
    std::string lines = mark;
    std::string csv = mark + (below(2) == 0 ? "n,s\n" : "n,s\r\n");
    std::string json = mark;
    const unsigned count = below(30);
    for (unsigned i = 0; i < count; ++i) {
      const std::string end = below(4) == 0 ? "\r\n" : "\n";
      const bool last = i + 1 == count && below(2) == 0;
      std::string word(below(12), 'w');
      if (below(3) == 0) word += "\u00E9";
      lines += (below(6) == 0 ? "" : std::to_string(i) + word) + (last ? "" : end);
      csv += std::to_string(i) + (below(2) == 0 ? ",\"" + word + ",\"\"\"" : "," + word) + (last ? "" : end);
      json += "{\"n\": " + std::to_string(i) + ", \"s\": \"" + word + "\"}" + (last ? "" : end) +
              (below(9) == 0 && !last ? " \n" : "");
    }
    records += check(lines, {{"format", "text"}}, "string");
    records += check(csv, {{"format", "csv"}, {"csv", {{"header", true}, {"multiline", false}}}},
                     "struct<s: string, n: int64>");
    records += check(json, {{"format", "json"}}, "struct<n: int64, s: string>");
  }
  EXPECT_GT(records, 1000U);
}

TEST(FilesSource, GoesOnFromAPosition) {
  const TestFolder folder;
  std::string text = "n\n";
  for (int i = 0; i < 50; ++i) text += std::to_string(i) + "\n";
  folder.write("a.csv", text);
  folder.write("b.csv", text);
  for (const char* charset : {"utf-8", "latin-1"}) {
    const Json members = {{"path", folder.path()},
                          {"format", "csv"},
                          {"charset", charset},
                          {"csv", {{"header", true}, {"multiline", false}}},
                          {"split_bytes", 30}};
    const auto source = source_of(members, "struct<n: int64>");
    const Texts whole = read_all(*source, 1, 7);
    EXPECT_EQ(whole.size(), 100U);
    auto reader = *source->reader({0, 1, 7});
    ASSERT_TRUE(reader->open().ok());
    Texts read;
    while (true) {
      const std::string position = *reader->position();
      reader = *source->reader({0, 1, 7});
      ASSERT_TRUE(reader->restore(position).ok());
      ASSERT_TRUE(reader->open().ok());
      auto polled = reader->poll(std::nullopt);
      ASSERT_TRUE(polled.ok()) << polled.status().message();
      if (polled->kind == SourceReader::Polled::Kind::kEnded) break;
      append_values(source->element(), *polled->batch, read);
    }
    EXPECT_EQ(read, whole);
    EXPECT_EQ(
        (*source->reader({1, 2, 7}))->restore(*reader->position()).message(),
        "the position of subtask 0 of 1 cannot be taken by subtask 1 of 2; restore a source of files with the same "
        "parallelism");
    EXPECT_EQ((*source->reader({}))->restore("x").message(),
              "the position of a source of files cannot be read: 1 bytes that are no position of this version");
  }
}

TEST(FilesSource, RefusesMembersByTheirPlace) {
  const std::string row = "struct<a: int64>";
  EXPECT_EQ(refusal({{"type", "files"}}), "nodes[0].source.path: is missing; give a text");
  EXPECT_EQ(refusal({{"path", ""}}), "nodes[0].source.path: is empty; give the path of a file or a folder");
  EXPECT_EQ(
      refusal({{"path", "hdfs://x/y"}}),
      "nodes[0].source.path: \"hdfs://x/y\" is of the scheme hdfs, and only files of this machine can be used; mount "
      "it, and give its path");
  EXPECT_EQ(refusal({{"path", "x"}, {"format", "xml"}}),
            "nodes[0].source.format: \"xml\" is not known; there are text, csv, json");
  EXPECT_EQ(refusal({{"path", "x"}, {"pth", 1}}),
            "nodes[0].source.pth: is not known; there are path, recursive, format, charset, on_error, split_bytes, "
            "watch_ms, settle_ms, csv, json");
  EXPECT_EQ(refusal({{"path", "x"}, {"watch_ms", 0}}),
            "nodes[0].source.watch_ms: 0 is no whole number from 1 to 86400000");
  EXPECT_EQ(refusal({{"path", "x"}, {"format", "csv"}, {"csv", {{"delimiter", "ab"}}}}, row),
            "nodes[0].source.csv.delimiter: \"ab\" is not one character of ASCII");
  EXPECT_EQ(refusal({{"path", "x"}, {"format", "csv"}, {"csv", {{"quote", ","}}}}, row),
            "nodes[0].source.csv.quote: is also the delimiter; take another character");
  EXPECT_EQ(refusal({{"path", "x"}, {"csv", Json::object()}}), "nodes[0].source.csv: is for the format csv only");
  EXPECT_EQ(refusal({{"path", "x"}}, "int64"),
            "nodes[0].source: gives text, and \"output\" is int64; write \"output\": \"string\"");
  EXPECT_EQ(refusal({{"path", "x"}, {"format", "csv"}}),
            "nodes[0].source: gives rows, and \"output\" is string; write \"output\": \"struct<a: int64, b: string>\"");
  EXPECT_EQ(refusal(Json::array()), "nodes[0].source: an array is no object");
}

}  // namespace
}  // namespace clutch::engine
