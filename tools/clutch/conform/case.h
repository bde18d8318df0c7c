// One case of the conformance table, as it stands in the TOML files (their README says what the keys mean).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::tool {

struct CaseStep {
  std::string name;
  std::string kind;
  std::string payload_format;  // "source", "import", "pickle", "native"
  std::string payload;
  std::string attribute;
  std::string style;
  std::string takes_row;
};

struct ExpectedError {
  bool at_open = false;
  std::string code;
  std::string message;   // Whole message, or empty.
  std::string contains;  // Part of it, or empty.
  std::optional<int64_t> row;
  std::map<std::string, std::string> details;
};

// What a batch has beside its rows, for kinds that take them by group or by key.
struct GroupParts {
  std::vector<std::string> keys;  // One a row.
  std::vector<int64_t> row_kinds;
  std::vector<int64_t> row_flags;
  std::vector<std::pair<std::string, std::string>> merges;  // Keys: into, from.
  std::vector<int64_t> timestamps;                          // (unit: ms) One a row; -1 for none.
  std::optional<int64_t> watermark;                         // (unit: ms)
  int64_t processing_time = 0;                              // (unit: ms); 0: now
  bool keyed = false;                                       // `keys` stands there, perhaps for no rows.

  bool empty() const {
    return !keyed && row_kinds.empty() && row_flags.empty() && merges.empty() && timestamps.empty() && !watermark &&
           processing_time == 0;
  }
};

// Expected rows of a side output.
using Sides = std::map<std::string, std::string>;

struct SecondBatch {
  std::string rows;
  std::string expect;
  GroupParts parts;
  std::optional<std::vector<int64_t>> origin;
  Sides sides;
  std::optional<ExpectedError> error;
};

struct Case {
  std::string name;
  std::string file;             // Where it stands, for messages.
  std::vector<CaseStep> steps;  // With Python payloads; empty if the case is for native plugins alone.
  std::string native;           // Symbol of the sample library, or empty.
  std::string native_kind;      // Its kind.
  std::string input;
  std::string output;
  std::string rows;  // JSON lines.
  GroupParts parts;
  std::string expect;  // JSON lines.
  std::optional<std::vector<int64_t>> origin;
  std::string on_error = "fail";
  std::string dead_letters;
  std::optional<ExpectedError> error;
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> step_options;
  int64_t timeout_ms = 0;
  std::string feature;
  std::vector<std::string> packages;
  Sides sides;
  std::vector<SecondBatch> after;
};

// All cases of the *.toml files of a folder, in order of file and place. Errors name file, line and key: an unknown
// key is one, so that a misspelt expectation cannot pass.
Result<std::vector<Case>> load_cases(const std::string& folder);

}  // namespace clutch::tool
