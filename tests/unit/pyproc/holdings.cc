#include "holdings.h"

#include <dirent.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <ostream>
#include <thread>

#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

std::string folder_of(int pid) { return "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)); }

std::vector<std::string> entries(const std::string& path) {
  std::vector<std::string> out;
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return out;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  }
  ::closedir(folder);
  return out;
}

// The fields of /proc/PID/stat behind the name, which may hold anything.
std::string stat_of(int pid) {
  std::ifstream file(folder_of(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return "";
  const size_t end = text.rfind(')');
  return end == std::string::npos || end + 2 >= text.size() ? "" : text.substr(end + 2);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Holdings& holdings) {
  return out << holdings.descriptors << " descriptors, " << holdings.memfds << " mapped memfds, " << holdings.threads
             << " threads";
}

Holdings holdings(int pid) {
  Holdings out;
  out.descriptors = static_cast<int64_t>(entries(folder_of(pid) + "/fd").size());
  out.threads = static_cast<int64_t>(entries(folder_of(pid) + "/task").size());
  std::ifstream maps(folder_of(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) out.memfds += line.find("/memfd:") != std::string::npos ? 1 : 0;
#ifdef __SANITIZE_THREAD__
  // Its own thread comes with the first that the process makes.
  if (pid == 0 && out.threads > 1) --out.threads;
#endif
  return out;
}

int64_t own_memory(int pid) {
  std::ifstream status(folder_of(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0) return std::atoll(line.c_str() + 8);
  }
  return 0;
}

bool lives(int pid) {
  const std::string stat = stat_of(pid);
  return !stat.empty() && stat.front() != 'Z' && stat.front() != 'X';
}

bool dead(int pid) {
  const std::string stat = stat_of(pid);
  return !stat.empty() && stat.front() == 'Z' && entries(folder_of(pid) + "/task").size() == 1;
}

std::vector<int> children_of(int pid) {
  std::vector<int> out;
  for (const std::string& name : entries("/proc")) {
    const int child = std::atoi(name.c_str());
    const std::string stat = child > 0 ? stat_of(child) : "";
    if (stat.size() > 2 && std::atoi(stat.c_str() + 2) == pid) out.push_back(child);
  }
  return out;
}

bool within(int64_t ms, const std::function<bool()>& condition) {
  const int64_t until = now_ns() + ms * kMillisecond;
  while (!condition()) {
    if (now_ns() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace clutch::pyproc::testing
