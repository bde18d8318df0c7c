// The Python text a worker starts with, in the interpreters of this machine.
#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "launcher_run.h"
#include "worker/bootstrap.h"

namespace clutch::pyproc::testing {
namespace {

std::vector<std::string> interpreters() {
  std::vector<std::string> out = {std::getenv("CLUTCH_TEST_PYTHON")};
  const char* root = std::getenv("PYENV_ROOT");
  const char* home = std::getenv("HOME");
  std::filesystem::path versions = root != nullptr ? root : std::string(home != nullptr ? home : "/") + "/.pyenv";
  versions /= "versions";
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(versions, none)) {
    const std::string python = (entry.path() / "bin" / "python3").string();
    if (std::filesystem::exists(python, none)) out.push_back(python);
  }
  return out;
}

Outcome start_worker(const std::string& python, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {python, "-I", "-c", kBootstrap};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run({}, command);
}

bool is_old(const std::string& python) {
  return run({}, {python, "-I", "-c", "import sys; print(sys.version_info < (3, 8))"}).output == "True\n";
}

TEST(Bootstrap, SaysWhatIsWrongInEveryInterpreter) {
  for (const std::string& python : interpreters()) {
    const Outcome out = start_worker(python, {"/no/such/clutch_pyembed.so", "/no/such/clutch_worker.so", "1"});
    EXPECT_EQ(WEXITSTATUS(out.wait_status), 3) << python;
    EXPECT_EQ(out.output.rfind("clutch worker: ", 0), 0U) << out.output;
    EXPECT_EQ(out.output.find("Traceback"), std::string::npos) << out.output;
    if (is_old(python)) {
      EXPECT_NE(out.output.find(", and Clutch needs 3.8 or later; set python.executable to a newer interpreter\n"),
                std::string::npos)
          << out.output;
      EXPECT_NE(out.output.find(" is Python 3."), std::string::npos) << out.output;
    } else {
      EXPECT_NE(out.output.find("/no/such/clutch_pyembed.so does not load into "), std::string::npos) << out.output;
      EXPECT_NE(out.output.find("; it belongs to the same Clutch as the host\n"), std::string::npos) << out.output;
    }
  }
}

TEST(Bootstrap, IsNotForPeople) {
  const Outcome out = start_worker(std::getenv("CLUTCH_TEST_PYTHON"), {});
  EXPECT_EQ(out.output,
            "clutch worker: it is started by Clutch, with the runtime and the worker library as arguments\n");
}

TEST(Bootstrap, LoadsNoFurtherModules) {
  // What it imports before the runtime, seen from a runtime that does not load.
  std::string text = kBootstrap;
  const std::string before =
      "import sys\nwhole = set(sys.modules)\nimport atexit\n"
      "atexit.register(lambda: print('more:', *sorted(set(sys.modules) - whole)))\n";
  const Outcome out = run({}, {std::getenv("CLUTCH_TEST_PYTHON"), "-I", "-S", "-c", before + text, "/no.so", "/no.so"});
  const std::string more = out.output.substr(out.output.find("more:"));
  for (const char* heavy : {" json", " asyncio", " socket", " logging", " ctypes", " signal", " re", " enum"}) {
    EXPECT_EQ((more + " ").find(std::string(heavy) + " "), std::string::npos) << more;
  }
}

}  // namespace
}  // namespace clutch::pyproc::testing
