// The sink `files`: elements as text, CSV or JSON lines in part files of a folder.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "clutch/columnar/result.h"
#include "sink/files/spec.h"
#include "sink/sink.h"
#include "time/clock.h"

namespace clutch::engine {

// Each subtask writes one part at a time; see part_file.h for the names. A part is finished when it is to roll, when
// the bucket changes, and by finish(); after a failure it stays unfinished. A writer without an element makes no file.
// @param wall    Time of the buckets. Outlives the sink, as `steady` does; nullptr: the system's.
// @param steady  Time of rolling.
std::unique_ptr<Sink> files_sink(FileSinkSpec spec, const Clock* wall = nullptr, const Clock* steady = nullptr);

Result<std::unique_ptr<Sink>> make_files_sink(const nlohmann::json& members, std::string_view place);

}  // namespace clutch::engine
