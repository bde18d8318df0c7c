// The nodes "window" and "interval_join".
#pragma once

#include "job/description.h"
#include "job/members.h"

namespace clutch::engine {

WindowSpec read_window(Members& members, const Blobs& blobs);
IntervalJoinSpec read_interval_join(Members& members, const Blobs& blobs);

}  // namespace clutch::engine
