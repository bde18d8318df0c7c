// What tests of sources and sinks share: folders that go away, batches from JSON, and reading a source to its end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/type.h"
#include "rows/json_rows.h"
#include "sink/sink.h"
#include "source/source.h"

namespace clutch::engine {

class TestFolder {
 public:
  TestFolder() {
    std::string name = testing::TempDir() + "clutch-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    if (!path_.empty()) std::filesystem::remove_all(path_);
  }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, std::string_view text) const {
    const std::string path = *this / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  void append(const std::string& name, std::string_view text) const {
    std::ofstream(*this / name, std::ios::binary | std::ios::app) << text;
  }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Names of the files below a folder with their texts, hidden ones too, sorted: "part-0-0: a\nb\n".
inline std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path().lexically_relative(folder).string() + ": " + read_file(entry.path()));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline columnar::Field value_field(std::string_view type) {
  auto parsed = columnar::parse_type(type);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return {"value", parsed.ok() ? *std::move(parsed) : columnar::Type(), true};
}

// An array of the element's type from a JSON array of its values.
inline columnar::Array array_of(const columnar::Field& element, std::string_view values) {
  columnar::ArrayBuilder builder(element);
  for (const auto& value : rows::Json::parse(values)) {
    const Status status = rows::append_json(value, element, builder);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  return builder.finish();
}

// A batch as sinks get it.
inline columnar::Array batch_of(const columnar::Field& element, std::string_view values) {
  columnar::Array array = array_of(element, values);
  const int64_t rows = array->length;
  columnar::ArrayBuilder timestamps({"timestamp", *columnar::parse_type("int64"), true});
  for (int64_t i = 0; i < rows; ++i) timestamps.append_null();
  std::vector<columnar::Array> columns;
  columns.push_back(std::move(array));
  columns.push_back(timestamps.finish());
  return columnar::make_batch(rows, std::move(columns));
}

// The values of a batch of a source, each as JSON text.
inline void append_values(const columnar::Field& element, const ArrowArray& batch, std::vector<std::string>& out) {
  for (int64_t row = 0; row < batch.length; ++row) {
    out.push_back(rows::value_json(element, *batch.children[0], batch.offset + row).dump());
  }
}

// Poll until the source ends; the message of an error is the last value.
inline std::vector<std::string> drain(const Source& source, SourceReader& reader) {
  std::vector<std::string> values;
  while (true) {
    auto polled = reader.poll(std::nullopt);
    if (!polled.ok()) {
      values.emplace_back(polled.status().message());
      return values;
    }
    if (polled->kind == SourceReader::Polled::Kind::kEnded) return values;
    if (polled->kind == SourceReader::Polled::Kind::kBatch) append_values(source.element(), *polled->batch, values);
  }
}

// What each subtask reads, one after the other.
inline std::vector<std::string> read_all(const Source& source, int32_t parallelism = 1, int64_t batch_rows = 4096) {
  std::vector<std::string> values;
  for (int32_t subtask = 0; subtask < parallelism; ++subtask) {
    auto reader = source.reader({subtask, parallelism, batch_rows});
    EXPECT_TRUE(reader.ok());
    if (const Status status = (*reader)->open(); !status.ok()) {
      values.emplace_back(status.message());
      continue;
    }
    for (std::string& value : drain(source, **reader)) values.push_back(std::move(value));
  }
  return values;
}

}  // namespace clutch::engine
