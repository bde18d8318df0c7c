// Elements as bytes: the form of the blobs of a `collection`.
//
//   element after element: its size (32 bits, little endian) | bytes of columnar::RowCodec
#pragma once

#include <string>
#include <string_view>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// Append the elements of an array to a blob. CLUTCH_ERR_UNSUPPORTED for a type with a dictionary, CLUTCH_ERR_VALUE for
// an element of 2^32 bytes or more.
Status pack_elements(const columnar::Field& element, const ArrowArray& array, std::string& blob);

// Read the elements from `at` on, at most `rows` of them, and move `at` behind them. The blob may come from anywhere:
// CLUTCH_ERR_DATA says what is wrong with it.
Result<columnar::Array> unpack_elements(const columnar::Field& element, std::string_view blob, int64_t rows,
                                        size_t& at);

}  // namespace clutch::engine
