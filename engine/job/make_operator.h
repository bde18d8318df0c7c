// From planned operators to those that run, and to the functions that they ask libclutch for.
#pragma once

#include <memory>
#include <optional>

#include "job/plan.h"
#include "operators/operator.h"
#include "runtime/function_definition.h"
#include "sink/sink.h"

namespace clutch::engine {

// The Python function behind an operator; nothing where there is none.
std::optional<FunctionDefinition> function_of(const JobDescription& job, const Graph& graph,
                                              const PlannedOperator& planned);

// `sink` of an operator that is one, nullptr if it is written in Python. Nothing (nullptr) for a source, which is read
// and not run.
Result<std::unique_ptr<Operator>> make_operator(const JobDescription& job, const Graph& graph,
                                                const PlannedOperator& planned, const Sink* sink);

}  // namespace clutch::engine
