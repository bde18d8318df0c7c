// A child process whose standard output is read to its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace clutch::tool {

// Killed and reaped by the destructor if it still runs. Throws std::runtime_error where the system refuses.
class Child {
 public:
  Child(const std::string& program, const std::vector<std::string>& arguments);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  // Everything it printed until it closed its output; nothing if that took too long.
  std::optional<std::string> read(std::chrono::seconds timeout);

  // How it ended: "" for exit code 0 or 1, otherwise a sentence part, "ended by signal Segmentation fault".
  std::string wait();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

}  // namespace clutch::tool
