// Resources of which a process has only one, such as libpython.
#pragma once

#include "clutch/columnar/result.h"
#include "plugin/manifest.h"

namespace clutch::host {

// Check that no other plugin in this process holds a resource that this one claims for itself. The same library loaded
// again is no other plugin.
//
// Why: several hosts, even several copies of libclutch, may live in one process, so none of them can keep the list. The
// dynamic linker has it: a mapped library that exports the plugin's symbol and stands beside a manifest is a plugin.
//
// @return CLUTCH_ERR_LOAD naming the other plugin.
Status check_exclusive(const Manifest& manifest);

}  // namespace clutch::host
