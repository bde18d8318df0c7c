// The source `stdin`: the lines of standard input.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "clutch/columnar/result.h"
#include "source/source.h"

namespace clutch::engine {

// No members. One subtask reads; it ends with its input, and cannot go back.
Result<std::unique_ptr<Source>> make_stdin_source(const nlohmann::json& members, const columnar::Field& element,
                                                  std::string_view place);

// The same of any descriptor, which is borrowed and stays open. `what` is what messages call it.
std::unique_ptr<Source> descriptor_source(int fd, std::string_view what, const columnar::Field& element);

}  // namespace clutch::engine
