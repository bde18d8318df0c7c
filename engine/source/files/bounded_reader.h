// One subtask of a source of files that ends.
#pragma once

#include <memory>

#include "clutch/columnar/builder.h"
#include "source/files/range.h"
#include "source/source.h"

namespace clutch::engine {

// @param decoder  Of this reader alone.
// @param plan     Why shared: readers list through it in turn, and need not end before the source.
std::unique_ptr<SourceReader> bounded_files_reader(std::shared_ptr<FilePlan> plan, const columnar::Field& element,
                                                   const SourceContext& context, std::string_view place);

}  // namespace clutch::engine
