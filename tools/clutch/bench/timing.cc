#include "bench/timing.h"

#include <algorithm>
#include <cstdio>
#include <deque>

#include "clutch/columnar/ops.h"

namespace clutch::tool {

double nanoseconds_since(Clock::time_point start) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string text_of(double value, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

Rows Input::look() const { return Rows(columnar::slice(*rows_.get(), 0, rows_.size()).detach()); }

double run_batches(const Function& function, const Input& input, size_t depth, int count) {
  const auto start = Clock::now();
  if (depth <= 1) {
    for (int i = 0; i < count; ++i) function.call(input.look());
    return nanoseconds_since(start);
  }
  std::deque<uint64_t> in_flight;
  for (int i = 0; i < count; ++i) {
    if (in_flight.size() == depth) {
      function.await(in_flight.front());
      in_flight.pop_front();
    }
    in_flight.push_back(function.submit(input.look()));
  }
  for (const uint64_t sequence : in_flight) function.await(sequence);
  return nanoseconds_since(start);
}

Figure contest(const std::string& what, const std::string& mode, int repeats, const std::function<double()>& ours,
               const std::function<double()>& plain) {
  std::vector<double> mine;
  std::vector<double> theirs;
  for (int i = -2; i < repeats; ++i) {
    const double by_hand = plain();
    const double took = ours();
    if (i < 0) continue;
    theirs.push_back(by_hand);
    mine.push_back(took);
  }
  Figure figure{what, mode, median(mine) / median(theirs), "x", 0, ""};
  figure.note = text_of(median(mine) / 1e6, "%.3f ms") + text_of(median(theirs) / 1e6, ", by hand %.3f ms");
  return figure;
}

}  // namespace clutch::tool
