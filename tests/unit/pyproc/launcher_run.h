// Running clutch-launcher from a test.
#pragma once

#include <string>
#include <vector>

namespace clutch::pyproc::testing {

struct Outcome {
  std::string result;  // what came on the result descriptor
  std::string output;  // what the command wrote on its descriptor 1
  int wait_status = 0;
};

// Start the launcher with these options (--result, --parent and --fd for 1 and 2 are added) and this command. Gives the
// pid; output and result are the read ends.
struct Started {
  int pid = -1;
  int result = -1;
  int output = -1;
};
Started start(const std::vector<std::string>& options, const std::vector<std::string>& command);

// The same, to the end.
Outcome run(const std::vector<std::string>& options, const std::vector<std::string>& command);

// Path of the probe.
std::string probe();

std::string read_all(int fd);

}  // namespace clutch::pyproc::testing
