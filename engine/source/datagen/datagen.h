// The source `datagen`: rows that are made up.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "clutch/columnar/result.h"
#include "source/source.h"

namespace clutch::engine {

// Members: `fields`, one object for each column of the element (see generator.h); `rows` (absent: until a sequence
// ends, or for ever); `rows_per_second` of all subtasks together (absent: as fast as they are taken); `seed` of the
// random values (absent: another in every run). Row number i is made by subtask i modulo the parallelism.
Result<std::unique_ptr<Source>> make_datagen_source(const nlohmann::json& members, const columnar::Field& element,
                                                    std::string_view place);

}  // namespace clutch::engine
