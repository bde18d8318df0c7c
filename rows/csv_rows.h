// Rows of typed columns from CSV records, and rows as CSV lines.
//
// A field that is not quoted and has the dialect's null text (nothing, if not said) is null; "" in quotes is empty
// text. Numbers, dates and the like are written as in json_rows.h without the quotes; nested values as JSON text.
#pragma once

#include <string>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "rows/csv.h"

namespace clutch::rows {

// For each column of the batch the position of its field; fails where a column is missing, naming those that are there.
Result<std::vector<size_t>> match_csv_header(const std::vector<CsvField>& header, const columnar::Field& batch);

// Append one record, its fields found through `positions`. On failure nothing was appended.
Status append_csv_row(const std::vector<CsvField>& record, const std::vector<size_t>& positions,
                      const columnar::Field& batch, columnar::ArrayBuilder& out, const CsvDialect& dialect = {});

// The header line and one row, each with its line end.
std::string csv_header(const columnar::Field& batch, const CsvDialect& dialect = {});
void append_csv_line(const columnar::Field& batch, const ArrowArray& rows, int64_t row, std::string& out,
                     const CsvDialect& dialect = {});

}  // namespace clutch::rows
