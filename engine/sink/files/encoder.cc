#include "sink/files/encoder.h"

#include <utility>

#include "clutch/columnar/view.h"
#include "rows/csv_rows.h"
#include "rows/json_rows.h"
#include "text/object_kind.h"
#include "text/value_text.h"

namespace clutch::engine {
namespace {

using columnar::Field;

class TextEncoder final : public Encoder {
 public:
  explicit TextEncoder(ValueText text) : text_(std::move(text)) {}

  void append(const ArrowArray& values, int64_t row, std::string& out) const override {
    text_.append(values, row, out);
    out += '\n';
  }

 private:
  ValueText text_;
};

class CsvEncoder final : public Encoder {
 public:
  CsvEncoder(const FileSinkSpec& spec, Field element)
      : element_(std::move(element)), dialect_(spec.csv), header_(spec.csv_header) {}

  std::string header() const override { return header_ ? rows::csv_header(element_, dialect_) : std::string(); }

  void append(const ArrowArray& values, int64_t row, std::string& out) const override {
    rows::append_csv_line(element_, values, row, out, dialect_);
  }

 private:
  Field element_;
  rows::CsvDialect dialect_;
  bool header_;
};

class JsonEncoder final : public Encoder {
 public:
  explicit JsonEncoder(Field element) : element_(std::move(element)) {}

  void append(const ArrowArray& values, int64_t row, std::string& out) const override {
    out += rows::value_json(element_, values, row).dump(-1, ' ', false, rows::Json::error_handler_t::replace);
    out += '\n';
  }

 private:
  Field element_;
};

bool has_pickle(const Field& field) {
  if (object_kind(field.type) == "pickle") return true;
  for (const Field& child : field.type.children) {
    if (has_pickle(child)) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Encoder>> make_encoder(const FileSinkSpec& spec, const Field& element) {
  if (spec.format == FileSinkFormat::kText) {
    auto text = ValueText::make(element);
    if (!text.ok()) return std::move(text).status().prefixed("cannot write text files");
    return std::unique_ptr<Encoder>(std::make_unique<TextEncoder>(*std::move(text)));
  }
  if (has_pickle(element)) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "cannot write pickled objects to files of CSV or JSON; give the elements a type first");
  }
  if (spec.format == FileSinkFormat::kJson) return std::unique_ptr<Encoder>(std::make_unique<JsonEncoder>(element));
  if (element.type.id != columnar::TypeId::kStruct) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "cannot write " + columnar::to_string(element.type) +
                                              " to files of CSV, which have rows; map the elements to rows first");
  }
  return std::unique_ptr<Encoder>(std::make_unique<CsvEncoder>(spec, element));
}

}  // namespace clutch::engine
