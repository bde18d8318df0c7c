// What a source of files is to do: the members of `files` in a job's description.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "rows/csv.h"
#include "source/files/charset.h"

namespace clutch::engine {

enum class FileFormat : uint8_t { kText, kCsv, kJson };

struct FilesSpec {
  std::string path;       // a file or a folder
  bool recursive = true;  // folders in the folder, too
  FileFormat format = FileFormat::kText;
  Charset charset = Charset::kUtf8;
  rows::CsvDialect csv;
  bool csv_header = false;             // the first record of a file has the columns' names
  bool json_unknown_fields = true;     // members that the type does not have are passed over
  bool skip = false;                   // bad records are passed over, and counted
  std::optional<int64_t> split_bytes;  // bytes that one subtask reads at a time; nothing: as many as even it out
  std::optional<int64_t> watch_ms;     // look for more so often; nothing: read what is there, and end
  int64_t settle_ms = 0;               // watching: a last line without an end counts if nothing came for so long

  // Records can be found from any byte on.
  bool splittable() const {
    return charset == Charset::kUtf8 && (format != FileFormat::kCsv || csv.quote == 0 || !csv.multiline);
  }
};

Result<FilesSpec> read_files_spec(const nlohmann::json& members, std::string_view place);

}  // namespace clutch::engine
