// A plugin's table of functions, taken over into this host's layout and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "clutch/abi.h"
#include "clutch/columnar/result.h"
#include "plugin/manifest.h"

namespace clutch::host {

// Size of the table at level 1: every plugin has that much.
inline constexpr uint32_t kFirstTableSize =
    offsetof(clutch_plugin_api, function_close) + sizeof(clutch_plugin_api::function_close);

// Copy what the plugin has of the table, and fill the slots behind its end with stubs: those that return a status give
// CLUTCH_ERR_UNSUPPORTED, those that return a pointer give NULL, others do nothing. function_poll may be NULL.
// @param first_size  Smallest size to accept.
// @return CLUTCH_ERR_PROTOCOL if the table is smaller, or a slot the plugin has is NULL.
Result<clutch_plugin_api> adopt_table(const clutch_plugin_api& theirs, uint32_t first_size = kFirstTableSize);

// Compare what a plugin's table says of the plugin with its manifest: id, version, mode, capabilities.
// @return CLUTCH_ERR_PROTOCOL naming the first difference.
Status compare_with_manifest(const clutch_plugin_api& api, const Manifest& manifest);

}  // namespace clutch::host
