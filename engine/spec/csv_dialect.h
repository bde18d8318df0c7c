// The members of CSV that sources and sinks share.
#pragma once

#include "rows/csv.h"
#include "spec/connector_members.h"

namespace clutch::engine {

// `delimiter`, `quote` and `null`. Refuses a quote that is the delimiter.
rows::CsvDialect read_csv_dialect(ConnectorMembers& members);

}  // namespace clutch::engine
