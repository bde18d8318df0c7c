// Values of the job description as elements.
#pragma once

#include <nlohmann/json.hpp>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// Append one value: booleans, whole numbers (also dates, times, timestamps and durations in their unit), floats, texts,
// lists as arrays, rows as objects or arrays, maps as objects (keys that are texts) or arrays of pairs, null.
// CLUTCH_ERR_VALUE says what does not fit; the builder is as before then. CLUTCH_ERR_UNSUPPORTED for types without a
// form in JSON: bytes, decimals, intervals, dictionaries; those come in blobs.
Status append_value(const nlohmann::json& value, const columnar::Field& field, columnar::ArrayBuilder& out);

}  // namespace clutch::engine
