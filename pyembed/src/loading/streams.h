// The rules of single kinds of the DataStream API, which say what columns come in and go out.
#pragma once

#include "loading/spec.h"

namespace clutch::pyembed {

// stream.key_by ends its chain and gives value and key; stream.timestamps takes value and timestamp and gives an int64.
// Fails with CLUTCH_ERR_UNSUPPORTED or CLUTCH_ERR_ARGUMENT in a sentence that stands alone.
Status check_streams(const FunctionSpec& spec);

}  // namespace clutch::pyembed
