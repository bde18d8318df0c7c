// One child process: started without fork, watched and signalled through its pidfd.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "clutch/columnar/result.h"
#include "protocol/channel.h"

namespace clutch::pyproc {

// How a process ended.
struct Ending {
  bool known = false;  // false: somebody else in this program reaped it
  int signal = 0;      // 0: it ended by itself
  int exit_code = 0;
};

// "was ended by signal SIGSEGV (Segmentation fault)", "ended with exit code 3".
std::string to_string(const Ending& ending);
std::string signal_name(int signal);

struct Spawn {
  std::vector<std::string> arguments;  // the first is the program's absolute path
  int output = -1;                     // becomes 1 and 2 of the child
  int control = -1;                    // becomes kControlFd
  int progress = -1;                   // becomes kProgressFd
};

class Process {
 public:
  Process() = default;
  // Start it with the environment of this process, the five descriptors of layout.h and nothing else open.
  // CLUTCH_ERR_LOAD names the program and the reason.
  static Result<Process> start(const Spawn& spawn);

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // readable when the process has ended
  bool running() const { return pidfd_.valid(); }

  // Signal the process; does nothing once it was reaped.
  void signal(int number) const;
  // Kill it with everything it started and that stayed in its session's process group.
  void kill_group() const;
  // After the pidfd became readable: kill what is left of the group, take the exit state, let go.
  Ending reap();

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
};

}  // namespace clutch::pyproc
