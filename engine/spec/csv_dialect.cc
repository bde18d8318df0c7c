#include "spec/csv_dialect.h"

namespace clutch::engine {

rows::CsvDialect read_csv_dialect(ConnectorMembers& members) {
  rows::CsvDialect dialect;
  dialect.delimiter = members.character("delimiter", ',');
  dialect.quote = members.character("quote", '"', /*absent=*/true);
  dialect.null = members.text("null", "");
  if (dialect.quote == dialect.delimiter) members.refuse("quote", "is also the delimiter; take another character");
  return dialect;
}

}  // namespace clutch::engine
