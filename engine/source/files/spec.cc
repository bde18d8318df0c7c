#include "source/files/spec.h"

#include "spec/connector_members.h"
#include "spec/csv_dialect.h"
#include "spec/local_path.h"

namespace clutch::engine {
namespace {

constexpr int64_t kLongestWait = 86'400'000;

Charset charset_of(ConnectorMembers& read) {
  switch (read.choice("charset", {"utf-8", "latin-1", "utf-16", "utf-16le", "utf-16be"}, "utf-8")) {
    case 1:
      return Charset::kLatin1;
    case 2:
      return Charset::kUtf16;
    case 3:
      return Charset::kUtf16Little;
    case 4:
      return Charset::kUtf16Big;
    default:
      return Charset::kUtf8;
  }
}

}  // namespace

Result<FilesSpec> read_files_spec(const nlohmann::json& members, std::string_view place) {
  ConnectorMembers read(members, place);
  FilesSpec spec;
  spec.path = local_path(read, "path");
  spec.recursive = read.flag("recursive", true);
  spec.format = static_cast<FileFormat>(read.choice("format", {"text", "csv", "json"}, "text"));
  spec.charset = charset_of(read);
  spec.skip = read.choice("on_error", {"fail", "skip"}, "fail") == 1;
  spec.split_bytes = read.optional_integer("split_bytes", 1, INT64_MAX);
  spec.watch_ms = read.optional_integer("watch_ms", 1, kLongestWait);
  spec.settle_ms = read.integer("settle_ms", 1, kLongestWait, 3 * spec.watch_ms.value_or(1));
  if (spec.format != FileFormat::kCsv && read.has("csv")) read.refuse("csv", "is for the format csv only");
  if (spec.format != FileFormat::kJson && read.has("json")) read.refuse("json", "is for the format json only");
  if (!spec.watch_ms && read.has("settle_ms")) read.refuse("settle_ms", "is for files that are watched; set watch_ms");
  ConnectorMembers csv(read.object("csv"), read.place("csv"));
  spec.csv = read_csv_dialect(csv);
  spec.csv.comment = csv.character("comment", 0, /*absent=*/true);
  spec.csv.multiline = csv.flag("multiline", true);
  spec.csv_header = csv.flag("header", false);
  ConnectorMembers json(read.object("json"), read.place("json"));
  spec.json_unknown_fields = json.choice("unknown_fields", {"ignore", "fail"}, "ignore") == 0;
  CLUTCH_RETURN_IF_ERROR(read.finish());
  CLUTCH_RETURN_IF_ERROR(csv.finish());
  CLUTCH_RETURN_IF_ERROR(json.finish());
  return spec;
}

}  // namespace clutch::engine
