// Rows as JSON: the form that `clutch apply` reads and writes and that the conformance table is written in.
//
//   bool, integers, floats  as themselves; NaN and infinities as "NaN", "Infinity", "-Infinity"
//   decimal                 text, "12.50"
//   utf8                    text
//   binary                  base64 text
//   date, time, timestamp   ISO 8601 text; with a zone: an instant, written in UTC with "Z"
//   duration, months        whole number of the unit
//   other intervals         {"days": 1, "milliseconds": 2}, {"months": 1, "days": 2, "nanoseconds": 3}
//   list                    array
//   struct                  object; on input also an array of all fields
//   map                     array of [key, value]; on input also an object where keys are text
//   dictionary              the value
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::rows {

using Json = nlohmann::ordered_json;

// What becomes of a member of an object that no field of the struct has.
enum class UnknownMembers : uint8_t { kRefuse, kIgnore };

// The value that a text is. Fails with CLUTCH_ERR_VALUE, naming the column of the text (in bytes, from 1).
Result<Json> parse_json(std::string_view text);

// Append one value. On failure nothing was appended, and the error (CLUTCH_ERR_VALUE) names the path of the field,
// what was found and what the type takes.
Status append_json(const Json& value, const columnar::Field& field, columnar::ArrayBuilder& out,
                   UnknownMembers unknown = UnknownMembers::kRefuse);

// Append one row of a batch: an array with one value a column, or an object with the columns' names, where a missing
// name is null and an unknown one an error. `out` is the builder of the batch's struct.
Status append_json_row(const Json& row, const columnar::Field& batch, columnar::ArrayBuilder& out);

// One value, and one row as an array or as an object.
Json value_json(const columnar::Field& field, const ArrowArray& array, int64_t row);
Json row_json_array(const columnar::Field& batch, const ArrowArray& rows, int64_t row);
Json row_json_object(const columnar::Field& batch, const ArrowArray& rows, int64_t row);

// A batch from text with a JSON row a line; empty lines are passed over. Errors name the line.
Result<columnar::Array> batch_from_json_lines(std::string_view text, const columnar::Field& batch);

}  // namespace clutch::rows
