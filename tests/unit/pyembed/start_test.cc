// Starts that fail. Each runs in a process of its own, because the first start of a process decides for good.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

namespace fs = std::filesystem;

class Start : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// A folder of this test and this interpreter: other interpreters run the same test at the same time.
std::string scratch(const char* name) {
  const size_t whose = std::hash<std::string>()(program());
  fs::path folder = fs::path(::testing::TempDir()) / ("clutch-start-" + std::string(name) + std::to_string(whose));
  fs::remove_all(folder);
  fs::create_directories(folder / "bin");
  return folder.string();
}

// Open a function over an interpreter named `program`, twice, and from another thread; tell the sentence, and end with
// 0 if the process is alive and well and got the same sentence each time.
[[noreturn]] void open_twice(const std::string& program) {
  FakeHost host;
  OptionList options{{"python.embed.program", program}};
  const clutch_options view = options.view();
  clutch_runtime* runtime = nullptr;
  clutch_error error;
  if (table()->runtime_open(host.table(), &view, &runtime, &error) != CLUTCH_OK) std::exit(3);
  SpecText spec = source("table.scalar", "def f(x):\n    return x\n");
  const auto open = [&] {
    clutch_function_context context{spec.name};
    clutch_function* function = nullptr;
    clutch_function_info info{sizeof(info), 0};
    clutch_error refused;
    const int32_t status = table()->function_open(runtime, spec.view(), &context, &function, &info, &refused);
    return std::to_string(status) + " " + refused.message;
  };
  const std::string first = open();
  std::string second;
  std::thread([&] { second = open(); }).join();
  std::fprintf(stderr, "\n<<%s>>\n", first.c_str());
  table()->runtime_close(runtime);
  std::quick_exit(first == second && first.front() == '-' ? 0 : 1);
}

// End with 0 if a function opens whose source begins like this.
[[noreturn]] void open_once(const std::string& program, const std::string& text) {
  FakeHost host;
  OptionList options{{"python.embed.program", program}};
  const clutch_options view = options.view();
  clutch_runtime* runtime = nullptr;
  clutch_error error;
  if (table()->runtime_open(host.table(), &view, &runtime, &error) != CLUTCH_OK) std::exit(3);
  SpecText spec = source("table.scalar", text + "def f(x):\n    return x\n");
  clutch_function_context context{spec.name};
  clutch_function* function = nullptr;
  clutch_function_info info{sizeof(info), 0};
  const int32_t status = table()->function_open(runtime, spec.view(), &context, &function, &info, &error);
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::quick_exit(-status);
}

const std::string kLoad = "<<" + std::to_string(CLUTCH_ERR_LOAD) + " cannot start Python for ";

TEST_F(Start, APythonHomeWithoutAStandardLibraryIsAnError) {
  const std::string empty = scratch("home");
  EXPECT_EXIT(
      {
        setenv("PYTHONHOME", empty.c_str(), 1);
        open_twice(program());
      },
      ::testing::ExitedWithCode(0),
      kLoad + program() + ": .*; PYTHONHOME is \"" + empty +
          "\", where its standard library must be; unset PYTHONHOME, or name the folder that has this version's lib>>");
}

TEST_F(Start, AStandardLibraryWithoutEncodingsIsAnError) {
  const std::string home = scratch("encodings");
  EXPECT_EXIT(
      {
        for (int minor = 8; minor < 20; ++minor) {
          const fs::path lib = fs::path(home) / "lib" / ("python3." + std::to_string(minor));
          fs::create_directories(lib / "lib-dynload");
          std::ofstream(lib / "os.py") << "\n";
        }
        setenv("PYTHONHOME", home.c_str(), 1);
        open_twice(program());
      },
      ::testing::ExitedWithCode(0), kLoad + program() + ": .*PYTHONHOME is \"" + home + "\"");
}

TEST_F(Start, AStandardLibraryThatDoesNotImportIsAnError) {
  const std::string folder = scratch("path");
  const std::string beside = program().substr(0, program().rfind('/'));
  EXPECT_EXIT(
      {
        fs::create_directories(folder + "/encodings");
        std::ofstream(folder + "/encodings/__init__.py") << "raise ImportError('broken')\n";
        setenv("PYTHONPATH", folder.c_str(), 1);
        open_twice(program());
      },
      ::testing::ExitedWithCode(0),
      kLoad + program() + ": .*; its standard library must be below " + beside +
          "/../lib; see what it lacks with: " + program() + " -c pass, in the environment of this process>>");
}

// Also ends with 0 only if the environment's packages are there and its prefix is its own.
TEST_F(Start, AVirtualEnvironmentsPackagesAreFound) {
  const std::string venv = scratch("packages");
  ASSERT_EQ(std::system((program() + " -m venv --without-pip --clear " + venv).c_str()), 0);
  for (const auto& folder : fs::directory_iterator(venv + "/lib")) {
    const fs::path site = folder.path() / "site-packages";
    fs::create_directories(venv + "/elsewhere");
    std::ofstream(site / "clutch_only_here.py") << "place = 'site-packages'\n";
    std::ofstream(site / "clutch.pth") << venv << "/elsewhere\n";
    std::ofstream(venv + "/elsewhere/clutch_by_pth.py") << "place = 'pth'\n";
  }
  const std::string python = venv + "/bin/python3";
  EXPECT_EXIT(open_once(python,
                        "import sys, clutch_only_here, clutch_by_pth\n"
                        "assert clutch_only_here.place == 'site-packages' and clutch_by_pth.place == 'pth'\n"
                        "assert sys.prefix == '" +
                            venv + "' and sys.base_prefix != sys.prefix, sys.prefix\n" + "assert sys.executable == '" +
                            python + "', sys.executable\n"),
              ::testing::ExitedWithCode(0), "");
}

TEST_F(Start, AVirtualEnvironmentWhoseInterpreterIsGoneUsesTheLibraryOfLibpython) {
  const std::string venv = scratch("venv");
  std::ofstream(venv + "/pyvenv.cfg") << "home = " << venv << "/gone/bin\nversion = 3.8.0\n";
  EXPECT_EXIT(open_once(venv + "/bin/python3", "import json\n"), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace clutch::pyembed::testing
