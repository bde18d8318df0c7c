// The kinds that the Python runtime serves, as capabilities of a plugin. Thread and process mode serve the same ones,
// because the same runtime is behind both.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "clutch/abi/plugin.h"
#include "clutch/abi/spec.h"

namespace clutch::interpreter {

// All kinds, in the order of their ids. `extra` features are added to each: what the mode can and the runtime need not
// know.
template <uint64_t extra>
struct Kinds {
  static constexpr clutch_capability one(std::string_view id, uint64_t features) {
    constexpr std::string_view kFormats = "import,pickle,source";
    return {sizeof(clutch_capability), 0, {id.data(), id.size()}, 1, 1, {kFormats.data(), kFormats.size()},
            features | extra};
  }

  static constexpr clutch_capability kAll[] = {
      one(CLUTCH_KIND_STREAM_ASYNC, 0),
      one(CLUTCH_KIND_STREAM_BROADCAST_PROCESS, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_CO_FLAT_MAP, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_CO_MAP, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_CO_PROCESS, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_FILTER, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_FLAT_MAP, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_INTERVAL_JOIN, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_KEY_BY, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_KEYED_BROADCAST_PROCESS, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_KEYED_CO_PROCESS, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_KEYED_PROCESS, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_MAP, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_PROCESS, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_REDUCE, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_TIMESTAMPS, 0),
      one(CLUTCH_KIND_STREAM_WINDOW_AGGREGATE, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_WINDOW_APPLY, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_WINDOW_CO_GROUP, 0),
      one(CLUTCH_KIND_STREAM_WINDOW_FLAT_JOIN, 0),
      one(CLUTCH_KIND_STREAM_WINDOW_JOIN, 0),
      one(CLUTCH_KIND_STREAM_WINDOW_PROCESS, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_STREAM_WINDOW_REDUCE, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_TABLE_AGGREGATE, 0),
      one(CLUTCH_KIND_TABLE_AGGREGATE_VECTORIZED, 0),
      one(CLUTCH_KIND_TABLE_SCALAR, CLUTCH_FEATURE_CHAIN | CLUTCH_FEATURE_FUSED),
      one(CLUTCH_KIND_TABLE_SCALAR_ASYNC, 0),
      one(CLUTCH_KIND_TABLE_SCALAR_VECTORIZED, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_TABLE_TABLE, CLUTCH_FEATURE_CHAIN),
      one(CLUTCH_KIND_TABLE_TABLE_AGGREGATE, 0),
  };

  // What clutch_plugin_api.capabilities wants.
  static constexpr auto kPointers = [] {
    std::array<const clutch_capability*, std::size(kAll)> pointers{};
    for (size_t i = 0; i < pointers.size(); ++i) pointers[i] = &kAll[i];
    return pointers;
  }();
};

inline bool serves(std::string_view kind) {
  for (const clutch_capability& capability : Kinds<0>::kAll) {
    if (std::string_view(capability.kind.data, capability.kind.size) == kind) return true;
  }
  return false;
}

// "stream.filter, stream.flat_map, ... and table.table_aggregate"
inline std::string kinds_served() {
  std::string text;
  for (const clutch_capability& capability : Kinds<0>::kAll) {
    if (&capability != Kinds<0>::kAll) {
      text += &capability == std::end(Kinds<0>::kAll) - 1 ? " and " : ", ";
    }
    text.append(capability.kind.data, capability.kind.size);
  }
  return text;
}

}  // namespace clutch::interpreter
