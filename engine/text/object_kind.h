// What Python object a value stands for where its Arrow type alone does not say it.
#pragma once

#include <string_view>

#include "clutch/columnar/type.h"

namespace clutch::engine {

// The metadata `clutch.object` of a type: "tuple", "pickle", or nothing.
// Why a template: columnar::Type gets the member `object` by itself; until it has it, no type is anything but plain.
template <typename Type>
std::string_view object_kind_of(const Type& type) {
  if constexpr (requires { type.object; }) {
    return type.object;
  } else {
    return {};
  }
}

inline std::string_view object_kind(const columnar::Type& type) { return object_kind_of(type); }

}  // namespace clutch::engine
