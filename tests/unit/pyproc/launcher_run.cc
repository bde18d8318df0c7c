#include "launcher_run.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

extern char** environ;

namespace clutch::pyproc::testing {
namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set; run this through meson test");
  return value;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string probe() { return from_environment("CLUTCH_LAUNCHER_PROBE"); }

std::string read_all(int fd) {
  std::string out;
  char part[4096];
  for (;;) {
    const ssize_t size = read(fd, part, sizeof part);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    out.append(part, static_cast<size_t>(size));
  }
  close(fd);
  return out;
}

Started start(const std::vector<std::string>& options, const std::vector<std::string>& command) {
  int result[2];
  int output[2];
  if (pipe2(result, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
  // The launcher gets the write ends under numbers that do not close on exec.
  const int result_end = dup(result[1]);
  const int output_end = dup(output[1]);
  std::vector<std::string> words = {from_environment("CLUTCH_LAUNCHER"), "--result=" + std::to_string(result_end),
                                    "--fd=" + std::to_string(output_end) + ":1",
                                    "--fd=" + std::to_string(output_end) + ":2"};
  bool has_parent = false;
  for (const std::string& option : options) has_parent = has_parent || option.rfind("--parent=", 0) == 0;
  if (!has_parent) words.push_back("--parent=" + std::to_string(getpid()));
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> argv = pointers(words);
  Started out;
  const int error = posix_spawn(&out.pid, argv[0], nullptr, nullptr, argv.data(), environ);
  for (const int fd : {result_end, output_end, result[1], output[1]}) close(fd);
  if (error != 0) throw std::runtime_error("cannot start " + words[0]);
  out.result = result[0];
  out.output = output[0];
  return out;
}

Outcome run(const std::vector<std::string>& options, const std::vector<std::string>& command) {
  const Started started = start(options, command);
  Outcome out;
  out.result = read_all(started.result);
  out.output = read_all(started.output);
  waitpid(started.pid, &out.wait_status, 0);
  return out;
}

}  // namespace clutch::pyproc::testing
