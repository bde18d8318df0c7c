#include "rows/csv_rows.h"

#include <charconv>

#include "clutch/columnar/view.h"
#include "rows/json_rows.h"

namespace clutch::rows {
namespace {

using columnar::ArrayBuilder;
using columnar::ArrayView;
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
  if (is_text(column.type.id)) return std::string(field.text);
  Json value = Json::parse(field.text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(std::string(field.text)) : value;
}

template <typename T>
bool append_number(std::string_view text, ArrayBuilder& out) {
  T value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  out.append(value);
  return true;
}

// from_chars() also takes "inf" and "nan", which are written otherwise here.
template <typename T>
bool append_real(std::string_view text, ArrayBuilder& out) {
  const char first = text.empty() ? '\0' : text.size() > 1 && text[0] == '-' ? text[1] : text[0];
  return first >= '0' && first <= '9' && append_number<T>(text, out);
}

// The usual forms of the usual types, without JSON between; false: not appended, see what JSON makes of it.
bool append_plain(std::string_view text, const Field& column, ArrayBuilder& out) {
  switch (column.type.id) {
    case TypeId::kBool:
      if (text != "true" && text != "false") return false;
      out.append_bool(text == "true");
      return true;
    case TypeId::kInt8:
      return append_number<int8_t>(text, out);
    case TypeId::kInt16:
      return append_number<int16_t>(text, out);
    case TypeId::kInt32:
      return append_number<int32_t>(text, out);
    case TypeId::kInt64:
      return append_number<int64_t>(text, out);
    case TypeId::kUint8:
      return append_number<uint8_t>(text, out);
    case TypeId::kUint16:
      return append_number<uint16_t>(text, out);
    case TypeId::kUint32:
      return append_number<uint32_t>(text, out);
    case TypeId::kUint64:
      return append_number<uint64_t>(text, out);
    case TypeId::kFloat32:
      return append_real<float>(text, out);
    case TypeId::kFloat64:
      return append_real<double>(text, out);
    default:
      return false;
  }
}

Status append_field(const CsvField& field, const Field& column, std::string_view null, ArrayBuilder& out) {
  if (!field.quoted && field.text == null) return append_json(nullptr, column, out);
  if (column.type.id == TypeId::kUtf8 || column.type.id == TypeId::kLargeUtf8) return out.append_bytes(field.text);
  if (append_plain(field.text, column, out)) return {};
  return append_json(json_of(field, column), column, out);
}

void append_quoted(std::string_view text, const CsvDialect& dialect, std::string& out) {
  const char special[] = {dialect.delimiter, dialect.quote, '\r', '\n'};
  if (dialect.quote == 0 ||
      (text != dialect.null && text.find_first_of(special, 0, sizeof special) == std::string_view::npos)) {
    out += text;
    return;
  }
  out += dialect.quote;
  for (const char c : text) {
    if (c == dialect.quote) out += dialect.quote;
    out += c;
  }
  out += dialect.quote;
}

}  // namespace

Result<std::vector<size_t>> match_csv_header(const std::vector<CsvField>& header, const Field& batch) {
  std::vector<size_t> positions;
  for (const Field& column : batch.type.children) {
    size_t found = 0;
    while (found < header.size() && header[found].text != column.name) ++found;
    if (found == header.size()) {
      std::string names;
      for (const CsvField& field : header) names += (names.empty() ? "" : ", ") + std::string(field.text);
      return Status(CLUTCH_ERR_VALUE, "column \"" + column.name + "\" is not in the header; it has: " + names,
                    CLUTCH_ORIGIN_USER);
    }
    positions.push_back(found);
  }
  return positions;
}

Status append_csv_row(const std::vector<CsvField>& record, const std::vector<size_t>& positions, const Field& batch,
                      ArrayBuilder& out, const CsvDialect& dialect) {
  const int64_t before = out.length();
  Status status;
  for (size_t i = 0; i < positions.size() && status.ok(); ++i) {
    const Field& column = batch.type.children[i];
    if (positions[i] < record.size()) {
      status = append_field(record[positions[i]], column, dialect.null, out.child(i));
    } else {
      status = Status(CLUTCH_ERR_VALUE,
                      "a record of " + std::to_string(record.size()) + " fields where column \"" + column.name +
                          "\" is field " + std::to_string(positions[i] + 1),
                      CLUTCH_ORIGIN_USER);
    }
  }
  if (status.ok()) {
    out.append_struct();
  } else {
    for (size_t i = 0; i < out.child_count(); ++i) out.child(i).truncate(before);
  }
  return status;
}

std::string csv_header(const Field& batch, const CsvDialect& dialect) {
  std::string out;
  for (size_t i = 0; i < batch.type.children.size(); ++i) {
    if (i > 0) out += dialect.delimiter;
    append_quoted(batch.type.children[i].name, dialect, out);
  }
  return out + "\n";
}

void append_csv_line(const Field& batch, const ArrowArray& rows, int64_t row, std::string& out,
                     const CsvDialect& dialect) {
  for (size_t i = 0; i < batch.type.children.size(); ++i) {
    if (i > 0) out += dialect.delimiter;
    const Field& column = batch.type.children[i];
    const ArrayView view(*rows.children[i]);
    const int64_t at = rows.offset + row;
    if (view.is_null(at)) {
      out += dialect.null;
    } else if (column.type.id == TypeId::kUtf8) {
      append_quoted(view.bytes_at<int32_t>(at), dialect, out);
    } else {
      const Json value = value_json(column, *rows.children[i], at);
      append_quoted(value.is_string() ? value.get_ref<const std::string&>()
                                      : value.dump(-1, ' ', false, Json::error_handler_t::replace),
                    dialect, out);
    }
  }
  out += '\n';
}

}  // namespace clutch::rows
