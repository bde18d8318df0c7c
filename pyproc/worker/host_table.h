// The tables of the worker as a host: what the runtime in this process calls.
#pragma once

#include "clutch/abi/host.h"
#include "worker/log.h"

namespace clutch::pyproc {

// Everything that is not of one function or batch. The tables point here through clutch_host.self.
struct HostServices {
  LogSender& log;
};

// The host table; `services` must outlive it.
clutch_host make_host(HostServices& services);

}  // namespace clutch::pyproc
