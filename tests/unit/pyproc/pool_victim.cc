// A host that is going to be killed at the moment that its argument names. Prints the pids of its workers.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "pool_host.h"

using namespace clutch;
using namespace clutch::pyproc::testing;

namespace {

struct Moment {
  const char* name;
  const char* function;
  bool runs = true;       // a batch each
  bool finishes = false;  // and waits for it
};

constexpr char kDeaf[] =
    "import collections, itertools, signal\n"
    "def f(x):\n"
    "    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
    "    collections.deque(itertools.repeat(0), maxlen=0)\n";

constexpr Moment kMoments[] = {
    {"starting", "", false},
    {"opening", "import time\ntime.sleep(1000)\n", false},
    {"idle", "def f(x):\n    return x\n", true, true},
    {"sleeping", "import time\ndef f(x):\n    time.sleep(1000)\n"},
    {"deaf", kDeaf},
    {"stopped", "import os, signal\ndef f(x):\n    os.kill(os.getpid(), signal.SIGSTOP)\n"},
    {"printing", "import os\ndef f(x):\n    while True: os.write(1, b'on and on' * 1000)\n"},
    {"closing",
     "import time\nclass F:\n    def eval(self, x): return x\n    def close(self): time.sleep(1000)\nf = F()\n", true,
     true},
};

}  // namespace

int main(int argc, char** argv) {
  const Moment* moment = nullptr;
  for (const Moment& one : kMoments) {
    if (argc > 1 && one.name == std::string(argv[1])) moment = &one;
  }
  if (moment == nullptr) return 2;
  TestHost host;
  pyproc::Pool pool(test_options({{"python.process.workers", "2"}}), test_paths(), host.table());
  Batch first(int64_batch({1}));
  Batch second(int64_batch({2}));
  second.sequence = 2;
  size_t workers = 3;  // with a spare
  std::thread opener;
  if (!moment->runs) {
    workers = 2;
    opener = std::thread([&] { (void)pool.open(function_of("f", moment->function), nullptr); });
  } else {
    Result<pyproc::Function*> opened = pool.open(function_of("f", moment->function), nullptr);
    if (!opened.ok()) return 1;
    for (Batch* batch : {&first, &second}) {
      batch->submit(pool, *opened);
      if (moment->finishes && !batch->wait(pool, *opened)) return 1;
    }
    if (moment->name == std::string("closing")) {
      opener = std::thread([&pool, function = *opened] { (void)pool.close(function); });
    }
  }
  while (pool.pids(false).size() < workers) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (const int pid : pool.pids(false)) std::printf("%d\n", pid);
  std::printf("end\n");
  std::fflush(stdout);
  while (true) ::pause();
}
