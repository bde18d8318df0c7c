// The sink `print`: every element as a line on standard output or standard error.
#pragma once

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "sink/sink.h"

namespace clutch::engine {

struct PrintSpec {
  std::string prefix;  // "" for none
  std::FILE* stream = stdout;
};

// Lines are `text`; with a prefix `prefix> text`; of several subtasks `2> text` and `prefix:2> text`, counted from 1.
// A line is never mixed with another of the process, and is there when write() returns. Borrows the stream.
std::unique_ptr<Sink> print_sink(PrintSpec spec);

// Members: `prefix` (text), `stderr` (true or false).
Result<std::unique_ptr<Sink>> make_print_sink(const nlohmann::json& members, std::string_view place);

}  // namespace clutch::engine
