// CSV text (RFC 4180) taken apart into records and fields, without memory of its own for a field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::rows {

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';       // 0: no field is quoted
  char comment = 0;       // a record that begins with it is passed over; 0: there are no comments
  bool multiline = true;  // a quoted field may go on in the next line
  std::string null;       // a field that is not quoted and has this text is null
};

struct CsvField {
  std::string_view text;
  bool quoted = false;
};

// What split_csv() found at the front of a text.
struct CsvSplit {
  enum class Kind : uint8_t {
    kRecord,      // the record has its fields
    kPassedOver,  // a comment
    kMore,        // the record may go on behind the text
    kBroken,      // `problem` says why; the rest of the line, or of an open quote, belongs to it
  };
  Kind kind = Kind::kMore;
  size_t size = 0;           // bytes of the text that this is, with the line end
  std::string_view problem;  // a sentence without its place
  size_t problem_at = 0;
};

// One record. Its fields are views of the text that was split, or of memory of the record where quotes were doubled;
// both hold until the next split into it.
class CsvRecord {
 public:
  const std::vector<CsvField>& fields() const { return fields_; }
  // An empty line. It is a record of one empty field where there is one column, and nothing where there are several.
  bool blank() const { return fields_.size() == 1 && fields_[0].text.empty() && !fields_[0].quoted; }

 private:
  friend class CsvScan;
  std::vector<CsvField> fields_;
  std::string unescaped_;
  std::vector<size_t> copied_;  // pairs: number of a field, where its text begins in unescaped_
};

// Read the record at the front of `text`. `last`: nothing follows the text, so that a record without a line end counts.
CsvSplit split_csv(std::string_view text, bool last, const CsvDialect& dialect, CsvRecord& out);

// Takes CSV text piece by piece and gives whole records.
class CsvReader {
 public:
  explicit CsvReader(CsvDialect dialect = {}) : dialect_(std::move(dialect)) {}

  // Add text that follows what was fed before. The record last given is gone.
  void feed(std::string_view text);
  // No text follows: a last record without a line end counts.
  void finish() { finished_ = true; }

  // The next record, which holds until the next call; nullptr if more text is needed, or at the end. Fails with
  // CLUTCH_ERR_VALUE, naming the line, on text behind a closing quote and on a quote that is never closed.
  Result<const CsvRecord*> next();

  // Line on which the record last given began, from 1.
  int64_t line() const { return record_line_; }

 private:
  CsvDialect dialect_;
  std::string rest_;
  size_t position_ = 0;
  size_t enough_ = 0;  // bytes behind position_ below which the open record need not be looked at again
  bool finished_ = false;
  int64_t line_ = 1;
  int64_t record_line_ = 1;
  CsvRecord record_;
};

}  // namespace clutch::rows
