// The members of CSV that sources and sinks share.
#pragma once

#include "rows/csv.h"
#include "spec/members.h"

namespace clutch::engine {

// `delimiter`, `quote` and `null`. Refuses a quote that is the delimiter.
rows::CsvDialect read_csv_dialect(Members& members);

}  // namespace clutch::engine
