#include "rows/csv.h"

#include "rows/json_rows.h"

namespace clutch::rows {
namespace {

using columnar::Field;
using columnar::TypeId;

// True for types whose CSV field is the text of the value itself; the others are JSON.
bool is_text(TypeId id) {
  switch (id) {
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
    case TypeId::kBinary:
    case TypeId::kLargeBinary:
    case TypeId::kFixedSizeBinary:
    case TypeId::kDecimal128:
    case TypeId::kDate32:
    case TypeId::kDate64:
    case TypeId::kTime32:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
      return true;
    default:
      return false;
  }
}

Json json_of(const CsvField& field, const Field& column) {
  if (field.text.empty() && !field.quoted) return nullptr;
  if (is_text(column.type.id)) return field.text;
  Json value = Json::parse(field.text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(field.text) : value;
}

void append_quoted(std::string_view text, std::string& out) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

Result<std::optional<std::vector<CsvField>>> CsvReader::next() {
  std::vector<CsvField> record;
  CsvField field;
  size_t at = position_;
  int64_t line = line_;
  bool quoted = false;
  const auto complete = [&](size_t end) {
    record.push_back(std::move(field));
    position_ = end;
    record_line_ = line_;
    line_ = line;
    if (position_ > (1U << 16)) {
      rest_.erase(0, position_);
      position_ = 0;
    }
  };
  while (at < rest_.size()) {
    const char c = rest_[at];
    if (quoted) {
      if (c == '\n') ++line;
      if (c != '"') {
        field.text += c;
        ++at;
      } else if (at + 1 < rest_.size() && rest_[at + 1] == '"') {
        field.text += '"';
        at += 2;
      } else if (at + 1 == rest_.size() && !finished_) {
        return std::optional<std::vector<CsvField>>();
      } else {
        quoted = false;
        ++at;
      }
      continue;
    }
    if (c == ',') {
      record.push_back(std::move(field));
      field = CsvField();
      ++at;
    } else if (c == '\n') {
      ++line;
      complete(at + 1);
      return std::optional(std::move(record));
    } else if (c == '\r' && (at + 1 == rest_.size() ? finished_ : rest_[at + 1] == '\n')) {
      ++at;
    } else if (c == '\r' && at + 1 == rest_.size()) {
      return std::optional<std::vector<CsvField>>();
    } else if (field.quoted) {
      return Status(
          CLUTCH_ERR_VALUE,
          "line " + std::to_string(line) + ": text behind a closing quote; double a quote that is part of the text",
          CLUTCH_ORIGIN_USER);
    } else if (c == '"' && field.text.empty()) {
      field.quoted = quoted = true;
      ++at;
    } else {
      field.text += c;
      ++at;
    }
  }
  if (!finished_ || (record.empty() && field.text.empty() && !field.quoted))
    return std::optional<std::vector<CsvField>>();
  if (quoted) {
    return Status(CLUTCH_ERR_VALUE, "line " + std::to_string(line_) + ": a quoted field is never closed",
                  CLUTCH_ORIGIN_USER);
  }
  complete(at);
  return std::optional(std::move(record));
}

Result<std::vector<size_t>> match_csv_header(const std::vector<CsvField>& header, const Field& batch) {
  std::vector<size_t> positions;
  for (const Field& column : batch.type.children) {
    size_t found = 0;
    while (found < header.size() && header[found].text != column.name) ++found;
    if (found == header.size()) {
      std::string names;
      for (const CsvField& field : header) names += (names.empty() ? "" : ", ") + field.text;
      return Status(CLUTCH_ERR_VALUE, "column \"" + column.name + "\" is not in the header; it has: " + names,
                    CLUTCH_ORIGIN_USER);
    }
    positions.push_back(found);
  }
  return positions;
}

Status append_csv_row(const std::vector<CsvField>& record, const std::vector<size_t>& positions, const Field& batch,
                      columnar::ArrayBuilder& out) {
  Json row = Json::array();
  for (size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] >= record.size()) {
      return {CLUTCH_ERR_VALUE,
              "a record of " + std::to_string(record.size()) + " fields where column \"" + batch.type.children[i].name +
                  "\" is field " + std::to_string(positions[i] + 1),
              CLUTCH_ORIGIN_USER};
    }
    row.push_back(json_of(record[positions[i]], batch.type.children[i]));
  }
  return append_json_row(row, batch, out);
}

std::string csv_header(const Field& batch) {
  std::string out;
  for (size_t i = 0; i < batch.type.children.size(); ++i) {
    if (i > 0) out += ',';
    append_quoted(batch.type.children[i].name, out);
  }
  return out + "\n";
}

void append_csv_line(const Field& batch, const ArrowArray& rows, int64_t row, std::string& out) {
  for (size_t i = 0; i < batch.type.children.size(); ++i) {
    if (i > 0) out += ',';
    const Json value = value_json(batch.type.children[i], *rows.children[i], rows.offset + row);
    if (value.is_null()) continue;
    append_quoted(value.is_string() ? value.get_ref<const std::string&>()
                                    : value.dump(-1, ' ', false, Json::error_handler_t::replace),
                  out);
  }
  out += '\n';
}

}  // namespace clutch::rows
