// Rows as CSV (RFC 4180): comma, double quotes, a header line with the columns' names.
//
// A field that is empty and not quoted is null; "" in quotes is empty text. Numbers, dates and the like are written
// as in json_rows.h without the quotes; nested values as JSON text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::rows {

struct CsvField {
  std::string text;
  bool quoted = false;
};

// Takes CSV text piece by piece and gives whole records.
class CsvReader {
 public:
  // Add text that follows what was fed before.
  void feed(std::string_view text) { rest_.append(text); }
  // No text follows: a last record without a line end counts.
  void finish() { finished_ = true; }

  // The next record; nothing if more text is needed, or at the end. Fails with CLUTCH_ERR_VALUE, naming the line, on
  // text behind a closing quote and on a quote that is never closed.
  Result<std::optional<std::vector<CsvField>>> next();

  // Line on which the record last given began, from 1.
  int64_t line() const { return record_line_; }

 private:
  std::string rest_;
  size_t position_ = 0;
  bool finished_ = false;
  int64_t line_ = 1;
  int64_t record_line_ = 1;
};

// For each column of the batch the position of its field; fails where a column is missing, naming those that are there.
Result<std::vector<size_t>> match_csv_header(const std::vector<CsvField>& header, const columnar::Field& batch);

// Append one record, its fields found through `positions`.
Status append_csv_row(const std::vector<CsvField>& record, const std::vector<size_t>& positions,
                      const columnar::Field& batch, columnar::ArrayBuilder& out);

// The header line and one row, each with its line end.
std::string csv_header(const columnar::Field& batch);
void append_csv_line(const columnar::Field& batch, const ArrowArray& rows, int64_t row, std::string& out);

}  // namespace clutch::rows
