// The Python packages that a function needs of its interpreter, and the sentence for those it does not have.
#pragma once

#include <string>
#include <vector>

#include "clutch/abi/spec.h"
#include "interpreter/interpreter.h"

namespace clutch::interpreter {

// What the function's kind and style stand on; mostly nothing, because asking for a package costs 10 ms.
std::vector<std::string> packages_of(const clutch_spec& spec);

// CLUTCH_ERR_UNSUPPORTED for the first of the packages (which were asked for) that the interpreter lacks.
Status check_packages(const Interpreter& python, const std::vector<std::string>& packages);

}  // namespace clutch::interpreter
