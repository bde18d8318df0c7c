#include "source/files/decoder.h"

#include <string>
#include <vector>

#include "clutch/columnar/validate.h"
#include "rows/csv_rows.h"
#include "rows/json_rows.h"
#include "source/common/element_batch.h"

namespace clutch::engine {
namespace {

using columnar::ArrayBuilder;
using columnar::Field;

bool valid(std::string_view text) {
  return columnar::valid_utf8(reinterpret_cast<const uint8_t*>(text.data()), static_cast<int64_t>(text.size()));
}

Status check_text(std::string_view text, Charset charset) {
  if (valid(text)) return {};
  const char* name = charset_name(charset);
  return {CLUTCH_ERR_VALUE,
          std::string("the text is not ") + name + "; name the file's charset (utf-8, latin-1, utf-16), or repair it",
          CLUTCH_ORIGIN_USER};
}

// Formats of which a line is a record.
class LineDecoder : public Decoder {
 public:
  explicit LineDecoder(const FilesSpec& spec) : charset_(spec.charset), skip_(spec.skip) {}

  Decoded decode(std::string_view text, const DecodeLimits& limits, ArrayBuilder& out) final {
    Decoded done;
    while (out.length() < limits.rows && done.consumed < limits.end && done.consumed < text.size() &&
           static_cast<int64_t>(done.consumed) < limits.bytes) {
      const size_t newline = text.find('\n', done.consumed);
      if (newline == std::string_view::npos && !limits.last) break;
      std::string_view line = text.substr(done.consumed, newline - done.consumed);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      Status status = check_text(line, charset_);
      if (status.ok()) status = append(line, out);
      if (!status.ok() && !skip_) {
        done.status = std::move(status);
        return done;
      }
      done.skipped += status.ok() ? 0 : 1;
      done.consumed = newline == std::string_view::npos ? text.size() : newline + 1;
    }
    return done;
  }

 protected:
  virtual Status append(std::string_view line, ArrayBuilder& out) = 0;

 private:
  Charset charset_;
  bool skip_;
};

class TextDecoder final : public LineDecoder {
 public:
  using LineDecoder::LineDecoder;

 private:
  Status append(std::string_view line, ArrayBuilder& out) override { return out.append_bytes(line); }
};

// One JSON value a line; lines of blanks are passed over.
class JsonDecoder final : public LineDecoder {
 public:
  JsonDecoder(const FilesSpec& spec, Field element)
      : LineDecoder(spec),
        element_(std::move(element)),
        unknown_(spec.json_unknown_fields ? rows::UnknownMembers::kIgnore : rows::UnknownMembers::kRefuse) {}

 private:
  Status append(std::string_view line, ArrayBuilder& out) override {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
    CLUTCH_ASSIGN_OR_RETURN(const rows::Json value, rows::parse_json(line));
    return rows::append_json(value, element_, out, unknown_);
  }

  Field element_;
  rows::UnknownMembers unknown_;
};

class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(const FilesSpec& spec, Field element)
      : dialect_(spec.csv),
        header_(spec.csv_header),
        skip_(spec.skip),
        charset_(spec.charset),
        element_(std::move(element)) {
    expect_columns();
  }

  Result<int64_t> header(std::string_view text, bool last) override {
    // A file without a byte has no records, and is none that lacks its header.
    if (!header_ || (last && text.empty())) return int64_t{0};
    size_t consumed = 0;
    while (true) {
      const rows::CsvSplit found = rows::split_csv(text.substr(consumed), last, dialect_, record_);
      consumed += found.size;
      switch (found.kind) {
        case rows::CsvSplit::Kind::kMore:
          if (!last) return int64_t{-1};
          return Status(CLUTCH_ERR_VALUE, "there is no header line; write one, or set csv.header to false",
                        CLUTCH_ORIGIN_USER);
        case rows::CsvSplit::Kind::kBroken:
          return Status(CLUTCH_ERR_VALUE, std::string(found.problem), CLUTCH_ORIGIN_USER);
        case rows::CsvSplit::Kind::kPassedOver:
          break;
        case rows::CsvSplit::Kind::kRecord:
          CLUTCH_ASSIGN_OR_RETURN(positions_, rows::match_csv_header(record_.fields(), element_));
          fields_ = record_.fields().size();
          return static_cast<int64_t>(consumed);
      }
    }
  }

  Decoded decode(std::string_view text, const DecodeLimits& limits, ArrayBuilder& out) override {
    Decoded done;
    while (out.length() < limits.rows && done.consumed < limits.end && done.consumed < text.size() &&
           static_cast<int64_t>(done.consumed) < limits.bytes) {
      const rows::CsvSplit found = rows::split_csv(text.substr(done.consumed), limits.last, dialect_, record_);
      if (found.kind == rows::CsvSplit::Kind::kMore) break;
      Status status;
      if (found.kind == rows::CsvSplit::Kind::kBroken) {
        status = Status(CLUTCH_ERR_VALUE, std::string(found.problem), CLUTCH_ORIGIN_USER);
      } else if (found.kind == rows::CsvSplit::Kind::kRecord) {
        status = append(text.substr(done.consumed, found.size), out);
      }
      if (!status.ok() && !skip_) {
        done.status = std::move(status);
        return done;
      }
      done.skipped += status.ok() ? 0 : 1;
      done.consumed += found.size;
    }
    return done;
  }

 private:
  // Without a header the fields are the columns in their order.
  void expect_columns() {
    fields_ = element_.type.children.size();
    for (size_t i = 0; i < fields_; ++i) positions_.push_back(i);
  }

  Status append(std::string_view text, ArrayBuilder& out) {
    if (record_.blank() && fields_ != 1) return {};
    if (record_.fields().size() != fields_) {
      return {CLUTCH_ERR_VALUE,
              "a record of " + std::to_string(record_.fields().size()) + " fields where there are " +
                  std::to_string(fields_) + (header_ ? " in the header" : " columns") + "; see delimiter and quote",
              CLUTCH_ORIGIN_USER};
    }
    CLUTCH_RETURN_IF_ERROR(check_text(text, charset_));
    return rows::append_csv_row(record_.fields(), positions_, element_, out, dialect_);
  }

  rows::CsvDialect dialect_;
  bool header_;
  bool skip_;
  Charset charset_;
  Field element_;
  rows::CsvRecord record_;
  std::vector<size_t> positions_;  // of each column, the field
  size_t fields_ = 0;              // that a record must have
};

}  // namespace

Result<std::unique_ptr<Decoder>> make_decoder(const FilesSpec& spec, const Field& element, std::string_view place) {
  switch (spec.format) {
    case FileFormat::kText:
      CLUTCH_RETURN_IF_ERROR(check_text_element(element, place));
      return std::unique_ptr<Decoder>(std::make_unique<TextDecoder>(spec));
    case FileFormat::kCsv:
      CLUTCH_RETURN_IF_ERROR(check_struct_element(element, place));
      return std::unique_ptr<Decoder>(std::make_unique<CsvDecoder>(spec, element));
    case FileFormat::kJson:
      return std::unique_ptr<Decoder>(std::make_unique<JsonDecoder>(spec, element));
  }
  return Status(CLUTCH_ERR_INTERNAL, "a format of files that nothing reads");
}

}  // namespace clutch::engine
