// The source `files`: the records of a file, or of the files of a folder, once or for ever.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "source/files/spec.h"
#include "source/source.h"

namespace clutch::engine {

// Bounded: the files are listed once for all subtasks, big ones are read in ranges, and what is written behind their
// ends meanwhile is not read. Watching: each subtask looks for files that are new or grow, and a file belongs to one
// subtask as a whole. What `place` is: see Members.
Result<std::unique_ptr<Source>> make_files_source(const nlohmann::json& members, const columnar::Field& element,
                                                  std::string_view place);

}  // namespace clutch::engine
