// The table every plugin gets, and the extensions behind it.
#pragma once

#include <string>
#include <vector>

#include "clutch/abi/host.h"
#include "log/log.h"

namespace clutch::host {

// What the table's `self` points to. Lives as long as the runtime it was given to.
struct HostServices {
  Logger* logger = nullptr;
  std::string plugin;  // Id.
};

clutch_host make_host_table(HostServices& services);

// Ids of the extensions this host has.
std::vector<std::string> host_extension_ids();

// Defined in a file each.
extern const struct clutch_host_state kStateService;
extern const struct clutch_host_timer kTimerService;

}  // namespace clutch::host
