#include "supervisor/cpus.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace clutch::pyproc {
namespace {

// CPUs that a quota allows; 0 if there is none.
int quota_cpus() {
  long long quota = 0;
  long long period = 0;
  std::string word;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> word >> period) {
    if (word == "max" || period <= 0) return 0;
    quota = std::atoll(word.c_str());
  } else {
    std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (!(v1_quota >> quota) || !(v1_period >> period) || quota <= 0 || period <= 0) return 0;
  }
  return static_cast<int>(std::max(1LL, quota / period));
}

}  // namespace

int allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const int quota = quota_cpus(); quota > 0) cpus = std::min(cpus, quota);
  return std::max(cpus, 1);
}

}  // namespace clutch::pyproc
