// What a sink of files is to do: the members of `files` in a job's description.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "rows/csv.h"

namespace clutch::engine {

enum class FileSinkFormat : uint8_t { kText, kCsv, kJson };

struct FileSinkSpec {
  std::string path;  // of the folder; made if it is not there
  FileSinkFormat format = FileSinkFormat::kText;
  std::string prefix = "part";
  std::string suffix;
  std::string bucket;  // strftime pattern of a folder in the folder; "" for none
  rows::CsvDialect csv;
  bool csv_header = false;             // each file begins with the columns' names
  std::optional<int64_t> roll_bytes;   // a file that has so many is finished; nothing: for no size
  std::optional<int64_t> roll_ms;      // one that is open for so long
  std::optional<int64_t> inactive_ms;  // one that nothing was written to for so long
};

Result<FileSinkSpec> read_file_sink_spec(const nlohmann::json& members, std::string_view place);

}  // namespace clutch::engine
