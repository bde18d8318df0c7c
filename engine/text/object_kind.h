// What Python object a value stands for where its Arrow type alone does not say it.
#pragma once

#include <string_view>

#include "clutch/columnar/type.h"

namespace clutch::engine {

// The metadata `clutch.object` of a type: "tuple", "pickle", or nothing.
inline std::string_view object_kind(const columnar::Type& type) { return type.object; }

}  // namespace clutch::engine
