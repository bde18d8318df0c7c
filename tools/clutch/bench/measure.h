// The measurements of `clutch bench`. Each compares with a baseline of the same run, contenders alternating, and gives
// medians.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clutch/clutch.hpp"

namespace clutch::tool {

// One line of the table.
struct Figure {
  std::string what;
  std::string mode;
  double value = 0;
  std::string unit;  // "x" for a ratio to the baseline, otherwise "us", "ms", "MiB", ...
  double limit = 0;  // At most; 0: no limit is set.
  std::string note;  // How it was got: both sides of a ratio, counts.
};

struct BenchSettings {
  int64_t rows = 4096;    // A batch.
  int repeats = 15;       // Of each contender.
  int64_t opens = 10000;  // Of the open/close measurement.
};

// A row function, or a chain of them, against the plain list comprehension in the same interpreter.
struct RowCase {
  std::string what;
  std::string kind;      // "table.scalar", "stream.flat_map"
  std::string source;    // Defines f.
  std::string loop;      // Baseline, an expression over xs: "[f(x) for x in xs]"
  std::string make_row;  // Value of row i: "i + 1000"
  std::string type;      // Of the column.
  std::string output;
  std::vector<std::string> steps{"f"};  // What of the source runs, one after the other.
};

std::vector<RowCase> row_cases();

// @param depth  Batches in flight.
Figure measure_rows(const Host& host, const std::string& mode, const RowCase& one, size_t depth,
                    const BenchSettings& settings);

// Whole columns, aggregates and coroutines against the same done by hand in the same interpreter.
std::vector<Figure> measure_kinds(const Host& host, const std::string& mode, const BenchSettings& settings);

// An empty batch: called after 2 ms of idleness, or back to back with as many in flight as the mode takes.
Figure measure_empty_idle(const Host& host, const std::string& mode);
Figure measure_empty_busy(const Host& host, const std::string& mode);

// Resident memory of a worker after a first batch.
Figure measure_worker_memory(const Host& host, const std::string& mode);

// What many openings and closings leave behind: memory, threads and descriptors of this process.
std::vector<Figure> measure_open_close(const Host& host, const std::string& mode, const BenchSettings& settings);

// Milliseconds from opening a host to the first result; meaningful in a fresh process.
double time_to_first_result(const HostSettings& settings, const std::string& mode);

// The same rows through multiprocessing.Pool.map and concurrent.futures, in a process of `python`.
std::vector<Figure> measure_rivals(const std::string& python, const BenchSettings& settings);

}  // namespace clutch::tool
