// How fast the pool alone is, with a host that does nothing: printed, not judged (bench/ judges the whole way).
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>

#include "pool_host.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Runs batches so many in flight and gives the time of one. (unit: us)
double per_batch(Pool& pool, Function* function, int64_t rows, int in_flight, int rounds, int pause_us = 0) {
  std::vector<int64_t> values(static_cast<size_t>(rows));
  std::iota(values.begin(), values.end(), 0);
  std::vector<std::unique_ptr<Batch>> ring;
  std::vector<double> times;
  for (int i = 0; i < in_flight; ++i) {
    ring.push_back(std::make_unique<Batch>(int64_batch(values)));
    ring.back()->submit(pool, function);
  }
  int64_t last = now_ns();
  for (int i = 0; i < rounds; ++i) {
    Batch& batch = *ring[static_cast<size_t>(i % in_flight)];
    batch.wait(pool, function);
    if (batch.context.status != CLUTCH_OK) std::abort();
    const int64_t now = now_ns();
    times.push_back(static_cast<double>(now - last) / 1e3);
    if (pause_us > 0) ::usleep(static_cast<useconds_t>(pause_us));
    last = now_ns();
    batch.context.emitted.clear();
    batch.context.complete = false;
    batch.submit(pool, function);
    if (pause_us == 0) last = now;
  }
  for (auto& batch : ring) batch->wait(pool, function);
  return median(times);
}

void resident(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS", 0) == 0 || line.rfind("RssAnon", 0) == 0) std::printf("  %s\n", line.c_str());
  }
}

int run() {
  TestHost host;
  const int64_t start = now_ns();
  Pool pool(test_options({{"python.process.spares", "0"}}), test_paths(), host.table());
  Result<Function*> opened = pool.open(function_of("inc", "def inc(x):\n    return x + 1\n"), nullptr);
  if (!opened.ok()) {
    std::printf("%s\n", std::string(opened.status().message()).c_str());
    return 1;
  }
  Batch first(int64_batch({1}));
  first.submit(pool, *opened);
  first.wait(pool, *opened);
  std::printf("start to first result:          %8.1f ms\n", static_cast<double>(now_ns() - start) / 1e6);
  resident(pool.pids(true).front());
  std::printf("empty, 1 in flight, idle 2 ms:  %8.1f us\n", per_batch(pool, *opened, 0, 1, 500, 2000));
  std::printf("empty, 1 in flight:             %8.1f us\n", per_batch(pool, *opened, 0, 1, 20000));
  std::printf("empty, 2 in flight:             %8.1f us\n", per_batch(pool, *opened, 0, 2, 20000));
  for (int i = 0; i < 3; ++i) {
    std::printf("4096 rows x + 1, 1 in flight:   %8.1f us\n", per_batch(pool, *opened, 4096, 1, 2000));
    std::printf("4096 rows x + 1, 2 in flight:   %8.1f us\n", per_batch(pool, *opened, 4096, 2, 2000));
  }
  resident(pool.pids(true).front());
  pool.describe([](std::string_view key, std::string_view value) {
    std::printf("  %s = %s\n", std::string(key).c_str(), std::string(value).c_str());
  });
  return pool.close(*opened).ok() ? 0 : 1;
}

}  // namespace
}  // namespace clutch::pyproc::testing

int main() { return clutch::pyproc::testing::run(); }
