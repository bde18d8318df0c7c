#include "progress.h"

#include <algorithm>
#include <cstdio>

namespace clutch::tool {

void Progress::update(int64_t bytes, int64_t rows) {
  if (!shown_) return;
  const auto now = Clock::now();
  if (now - last_ < std::chrono::milliseconds(250)) return;
  last_ = now;
  const double rate = static_cast<double>(rows) / std::chrono::duration<double>(now - start_).count();
  if (total_ > 0) {
    const double part = std::min(static_cast<double>(bytes) / static_cast<double>(total_), 1.0);
    const int filled = static_cast<int>(part * 30);
    std::fprintf(stderr, "\r[%.*s%.*s] %3.0f%%  %lld rows  %.0f rows/s ", filled,
                 "==============================", 30 - filled, "                              ", part * 100,
                 static_cast<long long>(rows), rate);
  } else {
    std::fprintf(stderr, "\r%lld rows  %.0f rows/s ", static_cast<long long>(rows), rate);
  }
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) std::fprintf(stderr, "\r\033[K");
  drawn_ = false;
}

}  // namespace clutch::tool
