#include "row_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <vector>

#include "clutch/columnar/validate.h"
#include "rows/csv.h"
#include "rows/csv_rows.h"
#include "rows/json_rows.h"
#include "stop.h"

namespace clutch::tool {
namespace {

using columnar::ArrayBuilder;
using columnar::Field;
using rows::Json;

constexpr int64_t kRowsToInferFrom = 1000;

Result<Field> batch_of(const std::string& columns) {
  auto type = columnar::parse_type("struct<" + columns + ">");
  if (!type.ok()) return std::move(type).status();
  Field batch;
  batch.type = *std::move(type);
  batch.nullable = false;
  return batch;
}

Field text_column(std::string name) {
  Field field;
  field.name = std::move(name);
  field.type.id = columnar::TypeId::kUtf8;
  return field;
}

class LineReader final : public RowReader {
 public:
  using RowReader::RowReader;

 private:
  Status start(const std::string& columns) override {
    if (columns.empty()) {
      batch_ = columnar::struct_of({text_column("line")});
      return {};
    }
    CLUTCH_ASSIGN_OR_RETURN(batch_, batch_of(columns));
    if (batch_.type.children.size() != 1 || batch_.type.children[0].type.id != columnar::TypeId::kUtf8) {
      return {CLUTCH_ERR_ARGUMENT,
              "lines are one column of text, not \"" + columns + "\"; use csv or jsonl for others"};
    }
    return {};
  }

  Result<bool> next(ArrayBuilder& out) override {
    std::string_view line;
    CLUTCH_ASSIGN_OR_RETURN(const bool more, next_line(&line));
    if (!more) return false;
    if (!columnar::valid_utf8(reinterpret_cast<const uint8_t*>(line.data()), static_cast<int64_t>(line.size()))) {
      return at_line({CLUTCH_ERR_VALUE, "not UTF-8; convert the file first", CLUTCH_ORIGIN_USER});
    }
    CLUTCH_RETURN_IF_ERROR(out.child(0).append_bytes(line));
    out.append_struct();
    return true;
  }
};

class CsvFileReader final : public RowReader {
 public:
  using RowReader::RowReader;

 private:
  Status start(const std::string& columns) override {
    CLUTCH_ASSIGN_OR_RETURN(const rows::CsvRecord* header, next_record());
    if (header == nullptr) return at_line({CLUTCH_ERR_VALUE, "there is no header line", CLUTCH_ORIGIN_USER});
    if (columns.empty()) {
      std::vector<Field> fields;
      for (const rows::CsvField& name : header->fields()) fields.push_back(text_column(std::string(name.text)));
      batch_ = columnar::struct_of(std::move(fields));
    } else {
      CLUTCH_ASSIGN_OR_RETURN(batch_, batch_of(columns));
    }
    auto positions = rows::match_csv_header(header->fields(), batch_);
    if (!positions.ok()) return at_line(std::move(positions).status());
    positions_ = *std::move(positions);
    return {};
  }

  Result<bool> next(ArrayBuilder& out) override {
    CLUTCH_ASSIGN_OR_RETURN(const rows::CsvRecord* record, next_record());
    if (record == nullptr) return false;
    Status status = rows::append_csv_row(record->fields(), positions_, batch_, out);
    if (!status.ok()) return at_line(std::move(status));
    return true;
  }

  Result<const rows::CsvRecord*> next_record() {
    while (true) {
      auto record = csv_.next();
      if (!record.ok() || *record != nullptr || ended_) {
        line_ = csv_.line();
        return record;
      }
      CLUTCH_ASSIGN_OR_RETURN(const std::string_view chunk, next_chunk());
      if (chunk.empty()) {
        csv_.finish();
        ended_ = true;
      } else {
        csv_.feed(chunk);
      }
    }
  }

  rows::CsvReader csv_;
  std::vector<size_t> positions_;
  bool ended_ = false;
};

// The type that JSON values show, kept as the widest seen: int64 below float64; everything else that disagrees is text
// of JSON, which is an error to guess, so it is refused.
class Inference {
 public:
  Status add(const Json& row) {
    if (!row.is_object())
      return {CLUTCH_ERR_VALUE,
              "the columns of a row that is no object cannot be guessed; name them with --input-type"};
    for (const auto& [key, value] : row.items()) {
      size_t i = 0;
      while (i < names_.size() && names_[i] != key) ++i;
      if (i == names_.size()) {
        names_.push_back(key);
        types_.emplace_back();
      }
      CLUTCH_ASSIGN_OR_RETURN(const std::string type, type_of(value));
      std::string& known = types_[i];
      if (type.empty() || type == known) continue;
      const bool numbers = (type == "int64" || type == "float64") && (known == "int64" || known == "float64");
      if (numbers) {
        known = "float64";
      } else if (known.empty()) {
        known = type;
      } else {
        return {CLUTCH_ERR_VALUE, "column \"" + key + "\" is " + known + " in one row and " + type +
                                      " in another; name the columns with --input-type"};
      }
    }
    return {};
  }

  Result<Field> batch() const {
    std::vector<Field> fields;
    for (size_t i = 0; i < names_.size(); ++i) {
      CLUTCH_ASSIGN_OR_RETURN(columnar::Type type, columnar::parse_type(types_[i].empty() ? "string" : types_[i]));
      fields.push_back(Field{names_[i], std::move(type), true});
    }
    return columnar::struct_of(std::move(fields));
  }

 private:
  static Result<std::string> type_of(const Json& value) {
    if (value.is_null()) return std::string();
    if (value.is_boolean()) return std::string("bool");
    if (value.is_number_integer()) return std::string("int64");
    if (value.is_number_float()) return std::string("float64");
    if (value.is_string()) return std::string("string");
    if (value.is_array()) {
      std::string item;
      for (const Json& element : value) {
        CLUTCH_ASSIGN_OR_RETURN(const std::string type, type_of(element));
        if (item.empty()) item = type;
      }
      return "list<" + (item.empty() ? std::string("string") : item) + ">";
    }
    return Status(CLUTCH_ERR_VALUE,
                  "the type of a nested object cannot be guessed; name the columns with --input-type");
  }

  std::vector<std::string> names_;
  std::vector<std::string> types_;
};

class JsonLinesReader final : public RowReader {
 public:
  using RowReader::RowReader;

 private:
  Status start(const std::string& columns) override {
    if (!columns.empty()) {
      CLUTCH_ASSIGN_OR_RETURN(batch_, batch_of(columns));
      return {};
    }
    Inference inference;
    while (static_cast<int64_t>(ahead_.size()) < kRowsToInferFrom) {
      Json row;
      CLUTCH_ASSIGN_OR_RETURN(const bool more, read_row(row));
      if (!more) break;
      if (Status status = inference.add(row); !status.ok()) return at_line(status);
      ahead_.emplace_back(line_, std::move(row));
    }
    CLUTCH_ASSIGN_OR_RETURN(batch_, inference.batch());
    return {};
  }

  Result<bool> next(ArrayBuilder& out) override {
    Json row;
    if (!ahead_.empty()) {
      line_ = ahead_.front().first;
      row = std::move(ahead_.front().second);
      ahead_.pop_front();
    } else {
      CLUTCH_ASSIGN_OR_RETURN(const bool more, read_row(row));
      if (!more) return false;
    }
    if (Status status = rows::append_json_row(row, batch_, out); !status.ok()) return at_line(status);
    return true;
  }

  Result<bool> read_row(Json& ret_row) {
    std::string_view line;
    do {
      CLUTCH_ASSIGN_OR_RETURN(const bool more, next_line(&line));
      if (!more) return false;
    } while (line.find_first_not_of(" \t\r") == std::string_view::npos);
    ret_row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (ret_row.is_discarded())
      return at_line({CLUTCH_ERR_VALUE, "not JSON: " + std::string(line.substr(0, 200)), CLUTCH_ORIGIN_USER});
    return true;
  }

  std::deque<std::pair<int64_t, Json>> ahead_;
};

void append_line(const Field& batch, const ArrowArray& rows, int64_t row, std::string& out) {
  for (size_t i = 0; i < batch.type.children.size(); ++i) {
    if (i > 0) out += '\t';
    const Json value = rows::value_json(batch.type.children[i], *rows.children[i], rows.offset + row);
    if (value.is_string()) {
      out += value.get_ref<const std::string&>();
    } else if (!value.is_null()) {
      out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
  }
  out += '\n';
}

}  // namespace

Result<RowFormat> parse_row_format(std::string_view word) {
  if (word == "lines") return RowFormat::kLines;
  if (word == "csv") return RowFormat::kCsv;
  if (word == "jsonl") return RowFormat::kJsonLines;
  return Status(CLUTCH_ERR_ARGUMENT, "unknown format \"" + std::string(word) + "\"; there are lines, csv and jsonl");
}

RowReader::RowReader(File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {
  struct stat facts {};
  if (fstat(fileno(file_.get()), &facts) == 0 && S_ISREG(facts.st_mode)) bytes_total_ = facts.st_size;
}

Result<std::unique_ptr<RowReader>> RowReader::open(const std::string& path, RowFormat format,
                                                   const std::string& columns) {
  File file(path == "-" ? stdin : std::fopen(path.c_str(), "re"));
  if (!file) {
    return Status(CLUTCH_ERR_NOT_FOUND, "cannot open " + path + ": " + std::strerror(errno), CLUTCH_ORIGIN_USER);
  }
  std::string name = path == "-" ? "standard input" : path;
  std::unique_ptr<RowReader> reader;
  switch (format) {
    case RowFormat::kLines:
      reader = std::make_unique<LineReader>(std::move(file), std::move(name));
      break;
    case RowFormat::kCsv:
      reader = std::make_unique<CsvFileReader>(std::move(file), std::move(name));
      break;
    case RowFormat::kJsonLines:
      reader = std::make_unique<JsonLinesReader>(std::move(file), std::move(name));
      break;
  }
  CLUTCH_RETURN_IF_ERROR(reader->start(columns));
  return reader;
}

Result<int64_t> RowReader::read(int64_t max_rows, ArrayBuilder& out, std::vector<int64_t>& ret_lines) {
  for (int64_t row = 0; row < max_rows; ++row) {
    CLUTCH_ASSIGN_OR_RETURN(const bool more, next(out));
    if (!more) return row;
    ret_lines.push_back(line_);
  }
  return max_rows;
}

Status RowReader::at_line(Status status) const { return std::move(status).prefixed(place(line_)); }

Result<std::string_view> RowReader::next_chunk() {
  chunk_.resize(64 << 10);
  const size_t count = std::fread(chunk_.data(), 1, chunk_.size(), file_.get());
  if (count == 0 && std::ferror(file_.get()) != 0) {
    return Status(CLUTCH_ERR_NOT_FOUND, "cannot read " + path_ + ": " + std::strerror(errno), CLUTCH_ORIGIN_USER);
  }
  chunk_.resize(count);
  chunk_position_ = 0;
  bytes_read_ += static_cast<int64_t>(count);
  return std::string_view(chunk_);
}

Result<bool> RowReader::next_line(std::string_view* ret_line) {
  partial_.clear();
  while (true) {
    if (chunk_position_ == chunk_.size()) {
      CLUTCH_ASSIGN_OR_RETURN(const std::string_view chunk, next_chunk());
      if (chunk.empty()) {
        if (partial_.empty()) return false;
        ++line_;
        *ret_line = partial_;
        return true;
      }
    }
    const std::string_view rest = std::string_view(chunk_).substr(chunk_position_);
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      partial_ += rest;
      chunk_position_ = chunk_.size();
      continue;
    }
    chunk_position_ += end + 1;
    ++line_;
    if (partial_.empty()) {
      *ret_line = rest.substr(0, end);
    } else {
      partial_ += rest.substr(0, end);
      *ret_line = partial_;
    }
    if (!ret_line->empty() && ret_line->back() == '\r') ret_line->remove_suffix(1);
    return true;
  }
}

RowWriter::RowWriter(std::FILE* stream, std::string name, RowFormat format, Field batch)
    : stream_(stream), name_(std::move(name)), format_(format), batch_(std::move(batch)) {}

Status RowWriter::write(const ArrowArray& rows) {
  text_.clear();
  if (format_ == RowFormat::kCsv && !header_written_) text_ += rows::csv_header(batch_);
  header_written_ = true;
  for (int64_t row = 0; row < rows.length; ++row) {
    switch (format_) {
      case RowFormat::kLines:
        append_line(batch_, rows, row, text_);
        break;
      case RowFormat::kCsv:
        rows::append_csv_line(batch_, rows, row, text_);
        break;
      case RowFormat::kJsonLines:
        text_ += rows::row_json_object(batch_, rows, row).dump(-1, ' ', false, Json::error_handler_t::replace);
        text_ += '\n';
        break;
    }
  }
  if (std::fwrite(text_.data(), 1, text_.size(), stream_) != text_.size()) return write_failure();
  return {};
}

Status RowWriter::flush() {
  if (std::fflush(stream_) != 0) return write_failure();
  return {};
}

Status RowWriter::write_failure() const {
  if (errno == EPIPE) throw Stopped{SIGPIPE};
  return {CLUTCH_ERR_NOT_FOUND, "cannot write " + name_ + ": " + std::strerror(errno), CLUTCH_ORIGIN_USER};
}

}  // namespace clutch::tool
