// Sources written in Python.
#pragma once

#include <memory>

#include "job/description.h"
#include "source/source.h"

namespace clutch::engine {

// `spec` has the members of Python. Readers run the function of their context, which answers tickets (ticket.h).
std::unique_ptr<Source> make_python_source(const SourceSpec& spec);

}  // namespace clutch::engine
