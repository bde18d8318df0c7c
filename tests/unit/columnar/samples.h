// Arrays of every type with values that are easy to tell apart, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/type.h"
#include "clutch/columnar/validate.h"

namespace clutch::columnar {

// The text of at least one type of every TypeId, in the form to_string writes.
const std::vector<std::string>& all_types();

// A nullable field "c" of this type. The text must be right.
Field field_of(std::string_view text);

// Append the value number `seed`: the same for the same seed, legal for the type. Nested values have nulls inside.
void append_sample(ArrayBuilder& builder, int64_t seed);

// `rows` values from seed 0; with nulls each third row is null.
Array sample(const Field& field, int64_t rows, bool nulls);

// The extents of an array whose buffers are as large as its type, length and offsets say.
std::vector<Extent> extents_of(const Field& field, const ArrowArray& array);

}  // namespace clutch::columnar
