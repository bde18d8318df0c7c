// What the engine and a source written in Python say to each other: a ticket asks for elements, the answer has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// Asks for at most `most` elements. `given` elements were given before, which ended at `position`, if the source has
// positions: an instance that gave fewer stands in for one that was lost.
struct Ticket {
  int64_t most = 0;
  int64_t given = 0;
  std::optional<std::string> position;
};

// The columns of the function: one ticket a row.
columnar::Field ticket_field();
columnar::Array write_ticket(const Ticket& ticket);

// The columns of what it gives: an element a row, and behind the elements of a ticket one row that has only a mark.
columnar::Field answer_field(const columnar::Field& element);

struct Answer {
  columnar::Array batch;  // struct<value, timestamp>; empty: nothing came for a while
  bool ended = false;     // and nothing will come any more
  std::optional<std::string> position;
};

// Reads what a ticket gave. CLUTCH_ERR_DATA if it has no mark at its end: the function serves no tickets.
Result<Answer> read_answer(columnar::Array rows);

}  // namespace clutch::engine
