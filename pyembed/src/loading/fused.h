// The options of fused steps (abi/spec.h: "arguments", "constant.N", "output").
#pragma once

#include "loading/spec.h"

namespace clutch::pyembed {

// Fill arguments, constants and output of each step, and `fused`, from the options. A function without such options is
// left as it is. Fails with CLUTCH_ERR_ARGUMENT in a sentence that names function, step and option.
Status read_fused(FunctionSpec& spec);

}  // namespace clutch::pyembed
