// A host that is going to be killed: a pool with two busy workers and a spare, whose pids it prints.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "pool_host.h"

using namespace clutch;
using namespace clutch::pyproc::testing;

int main() {
  TestHost host;
  pyproc::Pool pool(test_options({{"python.process.workers", "2"}}), test_paths(), host.table());
  Result<pyproc::Function*> opened =
      pool.open(function_of("nap", "import time\ndef nap(x):\n    time.sleep(1000)\n    return x\n"), nullptr);
  if (!opened.ok()) return 1;
  Batch first(int64_batch({1}));
  Batch second(int64_batch({2}));
  first.submit(pool, *opened);
  second.submit(pool, *opened);
  while (pool.pids(false).size() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (const int pid : pool.pids(false)) std::printf("%d\n", pid);
  std::printf("end\n");
  std::fflush(stdout);
  while (true) ::pause();
}
