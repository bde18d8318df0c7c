// One subtask of a source of files that goes on for ever.
#pragma once

#include <memory>

#include "clutch/columnar/type.h"
#include "source/files/spec.h"
#include "source/source.h"

namespace clutch::engine {

// Each file belongs to one subtask, by its path. Looks every `watch_ms` for files that are new or grew. A file that is
// gone is forgotten; one that another has taken the place of is read from its front; one that became shorter is an
// error. A last line without an end is given when its end comes, or when the file has not grown for `settle_ms`.
std::unique_ptr<SourceReader> watching_files_reader(const FilesSpec& spec, const columnar::Field& element,
                                                    const SourceContext& context, std::string_view place);

}  // namespace clutch::engine
