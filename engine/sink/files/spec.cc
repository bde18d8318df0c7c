#include "sink/files/spec.h"

#include "spec/connector_members.h"
#include "spec/csv_dialect.h"
#include "spec/local_path.h"

namespace clutch::engine {
namespace {

constexpr int64_t kLongestTime = int64_t{366} * 86'400'000;

// A part of a file's name; finished files must be seen by readers, so it cannot begin as hidden ones do.
std::string name_part(ConnectorMembers& read, std::string_view name, std::string_view otherwise, bool first) {
  std::string text = read.text(name, otherwise);
  if (text.find('/') != std::string::npos || text.find('\0') != std::string::npos) {
    read.refuse(name, "\"" + text + "\" is no part of a file's name: it has a slash or a zero byte");
  }
  if (first && (text.empty() || text[0] == '.' || text[0] == '_')) {
    read.refuse(name, "\"" + text + "\" begins as the names of unfinished files do, or is empty; take another word");
  }
  return text;
}

}  // namespace

Result<FileSinkSpec> read_file_sink_spec(const nlohmann::json& members, std::string_view place) {
  ConnectorMembers read(members, place);
  FileSinkSpec spec;
  spec.path = local_path(read, "path");
  spec.format = static_cast<FileSinkFormat>(read.choice("format", {"text", "csv", "json"}, "text"));
  spec.prefix = name_part(read, "prefix", "part", /*first=*/true);
  spec.suffix = name_part(read, "suffix", "", /*first=*/false);
  spec.roll_bytes = read.optional_integer("roll_bytes", 1, INT64_MAX);
  spec.roll_ms = read.optional_integer("roll_ms", 1, kLongestTime);
  spec.inactive_ms = read.optional_integer("inactive_ms", 1, kLongestTime);
  spec.bucket = read.text("bucket", "");
  if (spec.format != FileSinkFormat::kCsv && read.has("csv")) read.refuse("csv", "is for the format csv only");
  ConnectorMembers csv(read.object("csv"), read.place("csv"));
  spec.csv = read_csv_dialect(csv);
  if (spec.csv.quote == 0) csv.refuse("quote", "is empty, and text with the delimiter could not be written; name one");
  spec.csv_header = csv.flag("header", false);
  CLUTCH_RETURN_IF_ERROR(read.finish());
  CLUTCH_RETURN_IF_ERROR(csv.finish());
  return spec;
}

}  // namespace clutch::engine
