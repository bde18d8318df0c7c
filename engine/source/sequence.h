// The numbers from `first` to `last`.
#pragma once

#include <memory>

#include "job/description.h"
#include "source/source.h"

namespace clutch::engine {

// Each subtask gives a share of its own, in ascending order: subtask i of n gives first + i, first + i + n, ...
Result<std::unique_ptr<Source>> make_sequence(const SourceSpec& spec);

}  // namespace clutch::engine
