// The thread plugin by its table. A process can have one interpreter of its own, so each suite here is a process of its
// own (see meson.build). CLUTCH_TEST_PYTHON names the interpreter, CLUTCH_TEST_OTHER_PYTHON one of another version.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "fake_host.h"
#include "interpreter/interpreter.h"

namespace clutch::test {
namespace {

using columnar::Array;
using columnar::ArrayBuilder;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string test_python() {
  const std::string named = environment("CLUTCH_TEST_PYTHON");
  return named.empty() ? "/usr/bin/python3" : named;
}

// An interpreter of another version than test_python() with a libpython, empty if there is none on this machine.
std::string other_python() { return environment("CLUTCH_TEST_OTHER_PYTHON"); }

interpreter::Interpreter facts_of(const std::string& executable) {
  interpreter::Request request;
  request.executable = executable;
  request.packages = {"numpy"};
  auto python = interpreter::probe(request);
  if (!python.ok()) throw std::runtime_error(std::string(python.status().message()));
  return *python;
}

Array count_to(const columnar::Field& field, int64_t n) {
  ArrayBuilder rows(field);
  for (int64_t i = 0; i < n; ++i) {
    rows.child(0).append<int64_t>(i);
    rows.append_struct();
  }
  return rows.finish();
}

class ThreadPlugin : public ::testing::Test {
 protected:
  ThreadPlugin() : plugin_(THREAD_PLUGIN) {}
  ~ThreadPlugin() override {
    if (runtime_ != nullptr) plugin_.api().runtime_close(runtime_);
  }

  int32_t open_runtime(const Options& options) {
    const auto texts = c_options(options);
    const clutch_options configuration = {texts.data(), texts.size()};
    return plugin_.api().runtime_open(host_.get(), &configuration, &runtime_, &error_);
  }
  clutch_function* open(Spec& spec) {
    clutch_function* function = nullptr;
    clutch_function_info info = {sizeof(info), 0};
    EXPECT_EQ(CLUTCH_OK, plugin_.api().function_open(runtime_, spec.get(), &context_, &function, &info, &error_))
        << error_.message << error_.details["traceback"];
    return function;
  }
  // Calls the function for the rows 0 and 1; what it gives as text, or the error.
  std::string call(clutch_function* function, const Spec& spec, std::chrono::milliseconds timeout = {}) {
    clutch_batch_context staged;
    clutch_batch batch{};
    batch.struct_size = sizeof(batch);
    batch.context = &staged;
    batch.sequence = sequence_.fetch_add(1) + 1;
    if (timeout.count() != 0) {
      const auto deadline = std::chrono::steady_clock::now() + timeout;
      batch.deadline_ns = std::chrono::nanoseconds(deadline.time_since_epoch()).count();
    }
    const Array rows = count_to(spec.input, 2);
    batch.rows = rows.get();
    clutch_error error;
    if (plugin_.api().function_submit(function, &batch, &error) != CLUTCH_OK) return error.message;
    return staged.emitted.empty() ? "nothing" : rows_text(spec.output, *staged.emitted[0].rows);
  }
  void close(clutch_function* function) {
    EXPECT_EQ(CLUTCH_OK, plugin_.api().function_close(function, &error_)) << error_.message;
  }

  LoadedPlugin plugin_;
  FakeHost host_;
  clutch_error error_;
  clutch_runtime* runtime_ = nullptr;
  clutch_function_context context_;
  std::atomic<uint64_t> sequence_{0};
};

Spec plus_one() { return Spec("table.scalar", "source", "def f(x): return x + 1", "x: int64", "y: int64"); }

// ---- Refusals that need no interpreter in this process.

class ThreadRefusals : public ThreadPlugin {};

TEST_F(ThreadRefusals, OfConfigurationNameKeyAndValue) {
  EXPECT_EQ(CLUTCH_ERR_CONFIG, open_runtime({{"python.thread.interpreters", "0"}}));
  EXPECT_EQ("python.thread.interpreters is '0'; give a whole number from 1 to 16", error_.message);
  EXPECT_EQ(CLUTCH_ORIGIN_CONFIG, error_.origin);
  EXPECT_EQ(CLUTCH_ERR_CONFIG, open_runtime({{"python.thread.interpreters", "2x"}}));
  EXPECT_EQ(CLUTCH_ERR_CONFIG, open_runtime({{"python.executable", "bin/python3"}}));
  EXPECT_EQ(
      "python.executable is the relative path bin/python3, which means another file in every folder; give the "
      "absolute path, or a name without a slash to look it up on PATH",
      error_.message);
  EXPECT_EQ(CLUTCH_ERR_CONFIG, open_runtime({{"python.embed.library", "clutch_pyembed.so"}}));
  EXPECT_EQ(nullptr, runtime_);
}

TEST_F(ThreadRefusals, OfAnExecutableAreAnswersOfTheProbe) {
  Spec spec = plus_one();
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", "/nowhere/python3"}})) << "opening starts nothing";
  EXPECT_EQ(CLUTCH_ERR_UNSUPPORTED, plugin_.api().runtime_probe(runtime_, spec.get(), &error_));
  EXPECT_EQ("python.executable /nowhere/python3 does not exist", error_.message);
  EXPECT_EQ(CLUTCH_ORIGIN_CONFIG, error_.origin);

  spec.options = {{"python.executable", "/bin/sh"}};
  EXPECT_EQ(CLUTCH_ERR_UNSUPPORTED, plugin_.api().runtime_probe(runtime_, spec.get(), &error_));
  EXPECT_EQ(0u, error_.message.find("/bin/sh is not a Python interpreter")) << error_.message;
}

// ---- One interpreter in this process.

class ThreadShared : public ThreadPlugin {};

TEST_F(ThreadShared, ProbeTellsTheFactsAndLoadsNothing) {
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}}));
  Spec spec = plus_one();
  ASSERT_EQ(CLUTCH_OK, plugin_.api().runtime_probe(runtime_, spec.get(), &error_)) << error_.message;
  const interpreter::Interpreter python = facts_of(test_python());
  EXPECT_EQ(python.version.text(), error_.details["python.version"]);
  EXPECT_EQ(python.executable, error_.details["python.executable"]);
  EXPECT_EQ(python.libpython, error_.details["libpython"]);
  EXPECT_EQ(nullptr, dlsym(RTLD_DEFAULT, "Py_IsInitialized"));
}

TEST_F(ThreadShared, RunsAFunctionAndStaysUpForTheNextRuntime) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}}));
    Spec spec = plus_one();
    clutch_function* function = open(spec);
    ASSERT_NE(nullptr, function);
    EXPECT_EQ("{'y': 1}\n{'y': 2}\n", call(function, spec));
    close(function);
    plugin_.api().runtime_close(runtime_);
    runtime_ = nullptr;
  }
}

TEST_F(ThreadShared, ImportsExtensionModulesOfThatInterpreter) {
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}}));
  Spec spec("table.scalar", "source",
            "import sys, decimal, _struct, json\n"
            "def f(x): return sys.executable + '|' + sys.version.split()[0]\n",
            "x: int64", "y: string");
  clutch_function* function = open(spec);
  ASSERT_NE(nullptr, function);
  const interpreter::Interpreter python = facts_of(test_python());
  const std::string row = "{'y': '" + python.executable + "|" + python.version.text() + "'}\n";
  EXPECT_EQ(row + row, call(function, spec));
  close(function);
}

TEST_F(ThreadShared, KeepsTheErrorOfTheUsersCode) {
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}}));
  Spec spec("table.scalar", "source", "def f(x): return 1 // x", "x: int64", "y: int64");
  clutch_function* function = open(spec);
  ASSERT_NE(nullptr, function);
  EXPECT_NE(std::string::npos, call(function, spec).find("function \"f\" row 0: ZeroDivisionError: "));
  close(function);
}

TEST_F(ThreadShared, RefusesAnotherVersionOnceOneIsThere) {
  if (other_python().empty()) GTEST_SKIP() << "no interpreter of another version was named";
  const interpreter::Interpreter python = facts_of(test_python());
  const interpreter::Interpreter other = facts_of(other_python());
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}}));
  Spec spec = plus_one();
  clutch_function* function = open(spec);
  ASSERT_NE(nullptr, function);
  close(function);

  spec.options = {{"python.executable", other_python()}};
  EXPECT_EQ(CLUTCH_ERR_UNSUPPORTED, plugin_.api().runtime_probe(runtime_, spec.get(), &error_));
  EXPECT_EQ(
      "this process already runs Python for " + python.executable + ", so it cannot also run " + other.executable +
          "; use one python.executable for all functions of this mode, set python.thread.interpreters above 1, or "
          "use a mode that runs Python in its own process",
      error_.message);
}

// ---- A Python that somebody else brought into this process.

class ThreadForeign : public ThreadPlugin {};

TEST_F(ThreadForeign, OfAnotherVersionIsRefusedWithBothVersions) {
  if (other_python().empty()) GTEST_SKIP() << "no interpreter of another version was named";
  const interpreter::Interpreter python = facts_of(test_python());
  const interpreter::Interpreter other = facts_of(other_python());
  ASSERT_NE(nullptr, dlopen(other.libpython.c_str(), RTLD_NOW | RTLD_LOCAL)) << dlerror();
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}}));
  Spec spec = plus_one();
  EXPECT_EQ(CLUTCH_ERR_UNSUPPORTED, plugin_.api().runtime_probe(runtime_, spec.get(), &error_));
  EXPECT_EQ("this process already holds Python " + other.version.text() + " (" + other.libpython +
                "), so it cannot also run Python " + python.version.text() + " of " + test_python() +
                "; set python.executable to an interpreter of version " + other.version.text() +
                ", set python.thread.interpreters above 1, or use a mode that runs Python in its own process",
            error_.message);
}

class ThreadAdopted : public ThreadPlugin {};

TEST_F(ThreadAdopted, LocalLibpythonOfTheSameVersionIsPromotedAndUsed) {
  const interpreter::Interpreter python = facts_of(test_python());
  ASSERT_NE(nullptr, dlopen(python.libpython.c_str(), RTLD_NOW | RTLD_LOCAL)) << dlerror();
  ASSERT_EQ(nullptr, dlsym(RTLD_DEFAULT, "Py_IsInitialized"));
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}}));
  Spec spec = plus_one();
  clutch_function* function = open(spec);
  ASSERT_NE(nullptr, function);
  EXPECT_NE(nullptr, dlsym(RTLD_DEFAULT, "Py_IsInitialized"));
  EXPECT_EQ("{'y': 1}\n{'y': 2}\n", call(function, spec));
  close(function);
}

// ---- Several interpreters, each in a link namespace of its own.

class ThreadIsolated : public ThreadPlugin {};

TEST_F(ThreadIsolated, AMissingRuntimeLibraryIsNamed) {
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()},
                                     {"python.embed.library", "/nowhere/clutch_pyembed.so"},
                                     {"python.thread.interpreters", "2"}}));
  Spec spec = plus_one();
  clutch_function* function = nullptr;
  clutch_function_info info = {sizeof(info), 0};
  EXPECT_EQ(CLUTCH_ERR_LOAD, plugin_.api().function_open(runtime_, spec.get(), &context_, &function, &info, &error_));
  EXPECT_EQ(0u, error_.message.find("the Python runtime /nowhere/clutch_pyembed.so could not be loaded: "))
      << error_.message;
}

TEST_F(ThreadIsolated, FunctionsTakeTurnsAndShareNothing) {
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}, {"python.thread.interpreters", "2"}}));
  Spec spec("table.scalar", "source",
            "import sys, decimal\n"
            "def f(x):\n"
            "    sys.clutch_calls = getattr(sys, 'clutch_calls', 0) + 1\n"
            "    return sys.clutch_calls\n",
            "x: int64", "y: int64");
  std::vector<clutch_function*> functions;
  for (int i = 0; i < 3; ++i) functions.push_back(open(spec));
  for (clutch_function* function : functions) ASSERT_NE(nullptr, function);
  EXPECT_EQ("{'y': 1}\n{'y': 2}\n", call(functions[0], spec));
  EXPECT_EQ("{'y': 1}\n{'y': 2}\n", call(functions[1], spec)) << "the second interpreter has a sys of its own";
  EXPECT_EQ("{'y': 3}\n{'y': 4}\n", call(functions[2], spec)) << "the third function is in the first interpreter";
  EXPECT_EQ(nullptr, dlsym(RTLD_DEFAULT, "Py_IsInitialized")) << "the process's own namespace has no Python";
  for (clutch_function* function : functions) close(function);
}

TEST_F(ThreadIsolated, ThreadsOfTheHostEnterAndLeave) {
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}, {"python.thread.interpreters", "2"}}));
  Spec spec("table.scalar", "source", "def f(x): return str(x).upper().isdigit()", "x: int64", "y: bool");
  std::vector<clutch_function*> functions = {open(spec), open(spec)};
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    std::vector<std::string> texts(functions.size());
    for (size_t i = 0; i < functions.size(); ++i) {
      clutch_function* const function = functions[i];
      ASSERT_NE(nullptr, function);
      threads.emplace_back([&, i, function] { texts[i] = call(function, spec); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& text : texts) ASSERT_EQ("{'y': true}\n{'y': true}\n", text);
  }
  for (clutch_function* function : functions) close(function);
}

TEST_F(ThreadIsolated, ABatchWaitsForItsInterpreterUntilItsDeadline) {
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}, {"python.thread.interpreters", "2"}}));
  std::array<int, 2> started{};
  std::array<int, 2> end{};
  ASSERT_EQ(0, pipe(started.data()));
  ASSERT_EQ(0, pipe(end.data()));
  Spec slow("table.scalar", "source",
            "import os\n"
            "def f(x):\n"
            "    os.write(" +
                std::to_string(started[1]) +
                ", b'x')\n"
                "    os.read(" +
                std::to_string(end[0]) +
                ", 1)\n"
                "    return x\n",
            "x: int64", "y: int64");
  Spec quick = plus_one();
  clutch_function* const first = open(slow);
  clutch_function* const beside = open(quick);
  clutch_function* const second = open(quick);
  ASSERT_TRUE(first != nullptr && beside != nullptr && second != nullptr);

  std::string slow_text;
  std::thread busy([&] { slow_text = call(first, slow); });
  char byte = 0;
  ASSERT_EQ(1, read(started[0], &byte, 1));
  EXPECT_EQ("{'y': 1}\n{'y': 2}\n", call(beside, quick)) << "the other interpreter is free";
  EXPECT_EQ(
      "the batch waited for its interpreter until its deadline, because functions that share it were still "
      "running; raise python.thread.interpreters or the deadline",
      call(second, quick, std::chrono::milliseconds(50)));
  ASSERT_EQ(2, write(end[1], "xx", 2));
  busy.join();
  EXPECT_EQ("{'y': 0}\n{'y': 1}\n", slow_text);
  EXPECT_EQ("{'y': 1}\n{'y': 2}\n", call(second, quick));
  for (clutch_function* function : {first, beside, second}) close(function);
  for (const int fd : {started[0], started[1], end[0], end[1]}) ::close(fd);
}

TEST_F(ThreadIsolated, EachHasItsOwnPackages) {
  if (!facts_of(test_python()).has_package("numpy")) GTEST_SKIP() << "no numpy in " << test_python();
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}, {"python.thread.interpreters", "3"}}));
  Spec spec("table.scalar", "source", "import numpy, ssl\ndef f(x): return int(numpy.arange(10).sum()) + x", "x: int64",
            "y: int64");
  std::vector<clutch_function*> functions = {open(spec), open(spec), open(spec)};
  for (clutch_function* function : functions) {
    ASSERT_NE(nullptr, function);
    EXPECT_EQ("{'y': 45}\n{'y': 46}\n", call(function, spec));
  }
  for (clutch_function* function : functions) close(function);
}

TEST_F(ThreadIsolated, AnotherVersionMayRunBeside) {
  if (other_python().empty()) GTEST_SKIP() << "no interpreter of another version was named";
  ASSERT_EQ(CLUTCH_OK, open_runtime({{"python.executable", test_python()}, {"python.thread.interpreters", "2"}}));
  Spec spec("table.scalar", "source", "import sys\ndef f(x): return '%d.%d.%d' % sys.version_info[:3]", "x: int64",
            "y: string");
  for (const std::string& executable : {test_python(), other_python()}) {
    spec.options = {{"python.executable", executable}};
    clutch_function* function = open(spec);
    ASSERT_NE(nullptr, function);
    const std::string row = "{'y': '" + facts_of(executable).version.text() + "'}\n";
    EXPECT_EQ(row + row, call(function, spec));
    close(function);
  }
}

}  // namespace
}  // namespace clutch::test
