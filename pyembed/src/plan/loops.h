// The loops over rows. Each runs rows [first, last) and gives the row it stopped at: `last`, or the row that `fault`
// tells about, of which nothing is left in the outputs.
#pragma once

#include <vector>

#include "plan/inputs.h"
#include "plan/outputs.h"
#include "plan/step.h"

namespace clutch::pyembed {

struct Loop {
  const Slots* slots;
  const std::vector<PlannedStep>* steps;
  const Module* module;
  Inputs* inputs;
  Outputs* outputs;
  int64_t* progress;  // where the row being run is stored
  Fault* fault;
};

// One step, row to row, one argument.
int64_t run_map(const Loop& loop, int64_t first, int64_t last);

// Any chain.
int64_t run_chain(const Loop& loop, int64_t first, int64_t last);

}  // namespace clutch::pyembed
