// What the measurements share: time, medians, and batches that are handed in again and again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "clutch/clutch.hpp"

namespace clutch::tool {

using Clock = std::chrono::steady_clock;

double nanoseconds_since(Clock::time_point start);
double median(std::vector<double> values);
std::string text_of(double value, const char* format);

// A batch that stays here; each call gets a look at it.
class Input {
 public:
  explicit Input(Rows rows) : rows_(std::move(rows)) {}
  Rows look() const;
  int64_t size() const { return rows_.size(); }

 private:
  Rows rows_;
};

// Nanoseconds that `count` batches take with `depth` of them in flight.
double run_batches(const Function& function, const Input& input, size_t depth, int count);

// The ratio of the medians of two contenders, which alternate after a warm-up; each gives the nanoseconds it took.
Figure contest(const std::string& what, const std::string& mode, int repeats, const std::function<double()>& ours,
               const std::function<double()>& plain);

}  // namespace clutch::tool
