// What the runtime leaves alone in the host's process, and how it behaves among the host's threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

#include "batches.h"
#include "session.h"

extern char** environ;

namespace clutch::pyembed::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

// What belongs to the host.
struct Belongings {
  std::array<void*, 65> handlers{};
  std::string locale;
  std::string folder;
  std::vector<std::string> variables;

  static Belongings now() {
    Belongings found;
    for (int signal = 1; signal < 65; ++signal) {
      struct sigaction action {};
      if (sigaction(signal, nullptr, &action) == 0) {
        found.handlers[static_cast<size_t>(signal)] = reinterpret_cast<void*>(action.sa_handler);
      }
    }
    found.locale = setlocale(LC_ALL, nullptr);
    found.folder = std::filesystem::current_path().string();
    for (char** variable = environ; *variable != nullptr; ++variable) found.variables.emplace_back(*variable);
    return found;
  }
};

void on_pipe(int) {}

// Taken before the first test starts Python.
class Before : public ::testing::Environment {
 public:
  void SetUp() override {
    signal(SIGPIPE, on_pipe);
    taken() = Belongings::now();
  }
  static Belongings& taken() {
    static Belongings belongings;
    return belongings;
  }
};

const ::testing::Environment* const kBefore = ::testing::AddGlobalTestEnvironment(new Before);

std::string ask(Session& session, const std::string& body) {
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n" + body, "int64", "string"));
  Outcome outcome = f.submit(ints({0}));
  EXPECT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  return outcome.rows.empty() ? "" : outcome.rows[0];
}

TEST(Process, TheHostKeepsSignalsLocaleFolderAndEnvironment) {
  Session session;
  ask(session,
      "    import asyncio, signal, locale, subprocess, multiprocessing\n"
      "    try:\n"
      "        import numpy\n"
      "    except ImportError:\n"
      "        pass\n"
      "    async def nothing():\n"
      "        return 'done'\n"
      "    return asyncio.run(nothing())\n");
  const Belongings after = Belongings::now();
  const Belongings& before = Before::taken();
  for (size_t i = 1; i < after.handlers.size(); ++i) EXPECT_EQ(after.handlers[i], before.handlers[i]) << "signal " << i;
  EXPECT_EQ(after.locale, before.locale);
  EXPECT_EQ(after.folder, before.folder);
  EXPECT_EQ(after.variables, before.variables);
}

TEST(Process, TheInterpreterIsTheOneOfTheProgram) {
  Session session;
  EXPECT_EQ(ask(session, "    import sys; return sys.executable\n"), "{'y': '" + program() + "'}");
  EXPECT_EQ(ask(session, "    import multiprocessing.spawn as s; import os; return os.fsdecode(s.get_executable())\n"),
            "{'y': '" + program() + "'}");
  EXPECT_EQ(ask(session, "    import sys; return str(sys.flags.utf8_mode)\n"), "{'y': '1'}");
  EXPECT_EQ(session.facts()["python.executable"], program());
  EXPECT_EQ(session.facts()["python.attached"], "false");
  EXPECT_EQ("{'y': '" + session.facts()["python.version"] + "'}",
            ask(session, "    import platform; return platform.python_version()\n"));
}

TEST(Process, PythonsMainThreadIsNoneOfTheHosts) {
  Session session;
  EXPECT_EQ(ask(session,
                "    import threading\n"
                "    return str(threading.current_thread() is threading.main_thread())\n"),
            "{'y': 'False'}");
  EXPECT_EQ(ask(session,
                "    import signal\n"
                "    try: signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                "    except ValueError: return 'refused'\n"),
            "{'y': 'refused'}");
}

TEST(Process, AThreadKeepsItsThreadLocalValues) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "import threading\n"
                                       "local = threading.local()\n"
                                       "def f(x):\n"
                                       "    local.n = getattr(local, 'n', 0) + 1\n"
                                       "    return local.n\n"));
  EXPECT_THAT(f.submit(ints({0, 0})).rows, ElementsAre("{'y': 1}", "{'y': 2}"));
  EXPECT_THAT(f.submit(ints({0})).rows, ElementsAre("{'y': 3}"));
  std::thread([&] { EXPECT_THAT(f.submit(ints({0})).rows, ElementsAre("{'y': 1}")); }).join();
  EXPECT_THAT(f.submit(ints({0})).rows, ElementsAre("{'y': 4}"));
}

TEST(Process, ManyThreadsComeAndGo) {
  Session session;
  const auto count = [&session] { return ask(session, "    import sys; return str(len(sys._current_frames()))\n"); };
  const std::string before = count();
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&session, i] {
        OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return x + 1\n"));
        for (int batch = 0; batch < 5; ++batch) {
          EXPECT_THAT(f.submit(ints(std::vector<int64_t>(2000, i))).rows, Each("{'y': " + std::to_string(i + 1) + "}"));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(count(), before);
}

TEST(Process, PrintedLinesCarryTheirFunction) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "import sys\n"
                                       "def f(x):\n"
                                       "    print('row', x, end='')\n"
                                       "    print('!')\n"
                                       "    sys.stderr.write('to stderr\\nhalf')\n"
                                       "    return x\n"));
  f.submit(ints({1}));
  std::vector<std::string> seen;
  for (const FakeHost::Line& line : session.host().lines()) {
    EXPECT_EQ(line.function, "f");
    seen.push_back(line.source + ": " + line.text);
  }
  EXPECT_THAT(seen, ElementsAre("stdout: row 1!", "stderr: to stderr", "stderr: half"));
}

TEST(Process, LongLinesAreCutBetweenCharacters) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    print('x' + 'ö' * 10000)\n    return x\n"));
  f.submit(ints({1}));
  const std::vector<FakeHost::Line> lines = session.host().lines();
  ASSERT_THAT(lines, SizeIs(3));
  std::string all;
  for (const FakeHost::Line& line : lines) {
    EXPECT_LE(line.text.size(), 8192u);
    EXPECT_NE(static_cast<unsigned char>(line.text[0]) & 0xC0, 0x80);
    all += line.text;
  }
  EXPECT_EQ(all.size(), 20001u);
}

TEST(Process, LinesOfOtherThreadsGoToTheHostWithoutAFunction) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "import threading\n"
                                       "def f(x):\n"
                                       "    t = threading.Thread(target=print, args=('from a thread',))\n"
                                       "    t.start()\n"
                                       "    t.join()\n"
                                       "    return x\n"));
  ASSERT_EQ(f.submit(ints({1})).status, CLUTCH_OK);
  const std::vector<FakeHost::Line> lines = session.host().lines();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].text, "from a thread");
  EXPECT_EQ(lines[0].function, "");
}

TEST(Process, StagesOfABatchAreReported) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return x\n"));
  Outcome outcome = f.submit(ints({1}));
  EXPECT_GT(outcome.context->stages[CLUTCH_STAGE_RUN], 0);
  EXPECT_EQ(outcome.context->stages.count(CLUTCH_STAGE_QUEUE), 1u);
}

TEST(Process, TheProbeTellsWhatIsServed) {
  Session session;
  OpenFunction first = session.open(source("table.scalar", "def f(x):\n    return x\n"));
  SpecText spec = source("table.scalar", "def f(x):\n    return x\n");
  clutch_error reason;
  EXPECT_EQ(table()->runtime_probe(session.runtime(), spec.view(), &reason), CLUTCH_OK);
  EXPECT_EQ(reason.details["python.executable"], program());
  SpecText other = source("window.apply", "def f(x):\n    return x\n");
  EXPECT_EQ(table()->runtime_probe(session.runtime(), other.view(), &reason), CLUTCH_ERR_UNSUPPORTED);
}

TEST(Process, ForksOfTheHostAreRefused) {
  Session session;
  for (const char* body :
       {"    import os\n    os.fork()\n    return x\n", "    import posix\n    posix.fork()\n    return x\n",
        "    import multiprocessing\n"
        "    multiprocessing.get_context('fork').Process(target=print).start()\n"
        "    return x\n"}) {
    OpenFunction f = session.open(source("table.scalar", std::string("def f(x):\n") + body));
    Outcome outcome = f.submit(ints({1}));
    EXPECT_EQ(
        outcome.error.message,
        "function \"f\" row 0: RuntimeError: os.fork() would copy the host's process without its threads and hang "
        "on their locks; start programs with subprocess, use multiprocessing.get_context('spawn') with functions "
        "of an importable module, or run this function with python.execution-mode = process");
  }
  // What execs at once is no copy.
  EXPECT_EQ(
      ask(session,
          "    import subprocess, sys\n"
          "    return subprocess.check_output([sys.executable, '-c', 'print(6 * 7)'], close_fds=True).decode()[:2]\n"),
      "{'y': '42'}");
}

TEST(Process, OtherProcessesAreSpawned) {
  Session session;
  EXPECT_EQ(ask(session,
                "    import multiprocessing, operator\n"
                "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
                "        return str(pool.apply(operator.mul, (6, 7)))\n"),
            "{'y': '42'}");
}

TEST(Process, TwoRuntimesServeTwoHosts) {
  Session one;
  Session two;
  OpenFunction f = one.open(source("table.scalar", "def f(x):\n    print('one')\n    return x\n"));
  OpenFunction g = two.open(source("table.scalar", "def f(x):\n    print('two')\n    return x\n"));
  f.submit(ints({1}));
  g.submit(ints({1}));
  ASSERT_THAT(one.host().lines(), SizeIs(1));
  ASSERT_THAT(two.host().lines(), SizeIs(1));
  EXPECT_EQ(one.host().lines()[0].text, "one");
  EXPECT_EQ(two.host().lines()[0].text, "two");
}

}  // namespace
}  // namespace clutch::pyembed::testing
