// What Clutch writes into the metadata of an ArrowSchema: one key, which says what a value is to Python.
#pragma once

#include <string>
#include <string_view>

#include "clutch/columnar/result.h"

namespace clutch::columnar {

inline constexpr char kObjectKey[] = "clutch.object";

// The bytes of ArrowSchema.metadata that say Type::object. `object` is not empty.
std::string object_metadata(std::string_view object);

// The value that Type::object has in ArrowSchema.metadata; empty for NULL and where the key is not there. Other keys
// are passed over. Fails with CLUTCH_ERR_ARGUMENT and half a sentence for malformed bytes; as Arrow gives no length, a
// length inside that is too long cannot be told.
Result<std::string> object_of(const char* metadata);

}  // namespace clutch::columnar
