// Asking interpreters: every one on this machine, and everything that is none.
#include "interpreter/interpreter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace clutch::interpreter {
namespace {

namespace fs = std::filesystem;

class InterpreterTest : public ::testing::Test {
 protected:
  InterpreterTest() {
    std::string pattern = ::testing::TempDir() + "clutch-interpreter-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~InterpreterTest() override { fs::remove_all(folder_); }

  // An executable shell script.
  std::string script(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << "#!/bin/sh\n" << text;
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  // A script that answers a probe as an interpreter of these properties would.
  std::string impostor(const std::string& name, const std::string& version, const std::string& implementation) {
    return script(name, "printf 'clutch-probe-1\\000version\\000" + version + "\\000implementation\\000" +
                            implementation +
                            "\\000executable\\000/opt/it\\000base_prefix\\000/opt\\000ext_suffix\\000.so\\000'\n");
  }

  fs::path folder_;
};

std::string refusal(const Request& request) {
  const auto result = probe(request);
  return result.ok() ? "no refusal" : std::string(result.status().message());
}
std::string refusal(const std::string& executable) {
  Request request;
  request.executable = executable;
  return refusal(request);
}

TEST_F(InterpreterTest, TellsTheFactsOfTheTestsInterpreter) {
  const auto python = probe(TEST_PYTHON);
  ASSERT_TRUE(python.ok()) << python.status().message();
  EXPECT_EQ(TEST_PYTHON, python->asked);
  EXPECT_EQ("cpython", python->implementation);
  EXPECT_GE(python->version.minor, kMinMinor);
  EXPECT_EQ(python->version.text().substr(0, python->version.minor_text().size()), python->version.minor_text());
  EXPECT_TRUE(fs::is_directory(python->prefix));
  EXPECT_TRUE(python->libpython.empty() ? !python->libpython_reason.empty() : fs::is_regular_file(python->libpython));
  EXPECT_TRUE(python->ext_suffix.ends_with(".so")) << python->ext_suffix;
}

TEST_F(InterpreterTest, FindsPackagesByNameAndOnTheSearchPath) {
  std::ofstream(folder_ / "clutch_only_here.py") << "raise SystemExit('must not be imported')\n";
  Request request;
  request.executable = TEST_PYTHON;
  request.packages = {"json", "clutch_only_here"};
  const auto without = probe(request);
  ASSERT_TRUE(without.ok()) << without.status().message();
  EXPECT_TRUE(without->has_package("json"));
  EXPECT_FALSE(without->has_package("clutch_only_here"));
  request.search_path = {folder_.string()};
  const auto with = probe(request);
  ASSERT_TRUE(with.ok()) << with.status().message();
  EXPECT_TRUE(with->has_package("clutch_only_here"));
}

TEST_F(InterpreterTest, AVirtualEnvironmentStaysOne) {
  const std::string command =
      std::string(TEST_PYTHON) + " -m venv --without-pip --symlinks " + (folder_ / "venv").string();
  ASSERT_EQ(0, std::system(command.c_str()));
  const auto python = probe((folder_ / "venv/bin/python").string());
  ASSERT_TRUE(python.ok()) << python.status().message();
  EXPECT_EQ((folder_ / "venv/bin/python").string(), python->executable);
  EXPECT_EQ((folder_ / "venv").string(), python->prefix);
  EXPECT_EQ(probe(TEST_PYTHON)->base_prefix, python->base_prefix);
  EXPECT_EQ(probe(TEST_PYTHON)->libpython, python->libpython);
}

TEST_F(InterpreterTest, AShimIsSeenThrough) {
  const auto python = probe(script("shim", std::string("exec ") + TEST_PYTHON + " \"$@\"\n"));
  ASSERT_TRUE(python.ok()) << python.status().message();
  EXPECT_EQ((folder_ / "shim").string(), python->asked);
  EXPECT_EQ(probe(TEST_PYTHON)->executable, python->executable);
}

TEST_F(InterpreterTest, RefusesWhatIsNoInterpreterByItsSentence) {
  EXPECT_EQ(
      "python.executable is empty; set it to the absolute path of an interpreter, or to a name on PATH such as "
      "python3",
      refusal(""));
  EXPECT_EQ(
      "python.executable is the relative path ./python3, which means another file in every folder; give the "
      "absolute path, or a name without a slash to look it up on PATH",
      refusal("./python3"));
  EXPECT_EQ("there is no program no-such-python on PATH; set python.executable to the absolute path of an interpreter",
            refusal("no-such-python"));
  EXPECT_EQ("python.executable /nowhere/python3 does not exist", refusal("/nowhere/python3"));
  EXPECT_EQ("python.executable /etc is a folder; name the interpreter inside it, such as /etc/bin/python3",
            refusal("/etc"));
  EXPECT_EQ("python.executable /etc/passwd is not executable: Permission denied", refusal("/etc/passwd"));
  const std::string talker = script("talker", "echo hello >&2; exit 3\n");
  EXPECT_EQ(talker +
                " is not a Python interpreter: it did not answer when asked for its version (exit code 3; it "
                "printed: hello); set python.executable to a Python interpreter",
            refusal(talker));
  const std::string dead = script("dead", "kill -9 $$\n");
  EXPECT_EQ(dead +
                " is not a Python interpreter: it did not answer when asked for its version (ended by signal 9; it "
                "printed nothing); set python.executable to a Python interpreter",
            refusal(dead));
}

TEST_F(InterpreterTest, RefusesWhatIsTooOldOrAnotherImplementationByItsSentence) {
  const std::string old = impostor("old", "3.7.16", "cpython");
  EXPECT_EQ("Python 3.7.16 at " + old + " is too old: Clutch needs 3.8 or later; set python.executable", refusal(old));
  const std::string two = script("two", "echo 'Unknown option: -I' >&2; exit 2\n");
  EXPECT_EQ("the Python at " + two + " is too old: Clutch needs 3.8 or later; set python.executable", refusal(two));
  const std::string other = impostor("pypy", "3.10.12", "pypy");
  EXPECT_EQ(
      "the Python at " + other + " is pypy, not CPython: Clutch needs CPython 3.8 or later; set python.executable",
      refusal(other));
}

TEST_F(InterpreterTest, AMissingLibpythonIsAFactWithItsSentence) {
  const std::string path = impostor("static", "3.12.4", "cpython");
  const auto python = probe(path);
  ASSERT_TRUE(python.ok()) << python.status().message();
  EXPECT_EQ("", python->libpython);
  EXPECT_EQ(
      "Python 3.12.4 at " + path +
          " has no shared libpython (looked for libpython3.12.so under /opt): install it (Debian: libpython3.12), "
          "use a Python built with --enable-shared, or use a mode that runs Python in its own process",
      python->libpython_reason);
}

TEST_F(InterpreterTest, AProgramThatDoesNotEndIsKilledWithItsChildren) {
  Request request;
  request.executable = script("sleeper", "echo $$ > " + (folder_ / "pid").string() + "; sleep 600 & sleep 600\n");
  request.timeout_ms = 300;
  EXPECT_EQ(
      request.executable +
          " did not answer within 300 ms when asked for its version; it printed nothing; set python.executable to "
          "a Python interpreter",
      refusal(request));
  int pid = 0;
  std::ifstream(folder_ / "pid") >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_EQ(-1, kill(pid, 0));
}

TEST_F(InterpreterTest, OutputWithoutEndIsBounded) {
  Request request;
  request.executable = script("printer", "exec yes\n");
  request.timeout_ms = 300;
  const std::string text = refusal(request);
  EXPECT_EQ(0u, text.find(request.executable + " did not answer within 300 ms")) << text;
  EXPECT_LT(text.size(), 1000u);
}

TEST_F(InterpreterTest, NoDescriptorOfTheHostIsInherited) {
  const int leak = open("/dev/null", O_RDONLY);  // Without O_CLOEXEC.
  ASSERT_GE(leak, 0);
  const std::string path = script("lister", "ls /proc/self/fd | wc -l > " + (folder_ / "count").string() + "\n");
  refusal(path);
  close(leak);
  int count = 0;
  std::ifstream(folder_ / "count") >> count;
  EXPECT_LE(count, 5) << "0, 1, 2, the folder that ls reads, and the script that sh reads";
}

TEST_F(InterpreterTest, WorksForAHostThatIgnoresItsChildren) {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(0, sigaction(SIGCHLD, &ignore, &before));
  const auto python = probe(TEST_PYTHON);
  sigaction(SIGCHLD, &before, nullptr);
  EXPECT_TRUE(python.ok()) << python.status().message();
}

TEST_F(InterpreterTest, TheCacheAsksOnceUntilTheFileChanges) {
  const std::string count = (folder_ / "count").string();
  const auto write = [&](const std::string& more) {
    return script("counted", "echo x >> " + count + "\n" + more + "exec " + TEST_PYTHON + " \"$@\"\n");
  };
  const auto runs = [&] {
    std::ifstream file(count);
    return std::distance(std::istream_iterator<std::string>(file), {});
  };
  ProbeCache cache;
  Request request;
  request.executable = write("");
  ASSERT_TRUE(cache.probe(request).ok());
  ASSERT_TRUE(cache.probe(request).ok());
  EXPECT_EQ(1, runs());
  write("# Longer than before.\n");
  ASSERT_TRUE(cache.probe(request).ok());
  EXPECT_EQ(2, runs());
}

TEST_F(InterpreterTest, TheCacheAsksAgainForAPackageThatWasMissing) {
  const fs::path folder = folder_ / "packages";
  fs::create_directory(folder);
  ProbeCache cache;
  Request request;
  request.executable = TEST_PYTHON;
  request.packages = {"clutch_later"};
  request.search_path = {folder.string()};
  auto answer = cache.probe(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_FALSE(answer->has_package("clutch_later"));
  std::ofstream(folder / "clutch_later.py") << "";
  answer = cache.probe(request);
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_TRUE(answer->has_package("clutch_later"));
}

TEST_F(InterpreterTest, ANameIsLookedUpOnPathButNeverInTheCurrentFolder) {
  script("clutch-python", std::string("exec ") + TEST_PYTHON + " \"$@\"\n");
  const std::string before = std::getenv("PATH");
  const fs::path here = fs::current_path();
  fs::current_path(folder_);
  setenv("PATH", (".::" + before).c_str(), 1);
  const auto relative = resolve("clutch-python");
  setenv("PATH", (before + ":" + folder_.string()).c_str(), 1);
  const auto absolute = resolve("clutch-python");
  setenv("PATH", before.c_str(), 1);
  fs::current_path(here);
  EXPECT_FALSE(relative.ok());
  ASSERT_TRUE(absolute.ok());
  EXPECT_EQ((folder_ / "clutch-python").string(), *absolute);
}

}  // namespace
}  // namespace clutch::interpreter
