// The small parts of the supervisor: options, log tail, arenas' seals, processes, row numbers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/collect.h"
#include "supervisor/log_tail.h"
#include "supervisor/memory.h"
#include "supervisor/options.h"
#include "supervisor/process.h"

namespace clutch::pyproc {
namespace {

Status read(const std::string& key, const std::string& value, PoolOptions* ret = nullptr) {
  const clutch_option option{{key.data(), key.size()}, {value.data(), value.size()}};
  const clutch_options options{&option, 1};
  Result<PoolOptions> out = read_pool_options(options);
  if (out.ok() && ret != nullptr) *ret = *out;
  return out.status();
}

TEST(PoolOptions, ReadsWhatIsLegal) {
  PoolOptions out;
  ASSERT_TRUE(read("python.process.workers", "4", &out).ok());
  EXPECT_EQ(out.workers, 4u);
  ASSERT_TRUE(read("python.process.start-timeout", "3 s", &out).ok());
  EXPECT_EQ(out.start_timeout_ms, 3000);
  ASSERT_TRUE(read("python.process.batch-timeout", "0", &out).ok());
  EXPECT_EQ(out.batch_timeout_ms, 0);
  ASSERT_TRUE(read("python.process.memory-limit", "512 MiB", &out).ok());
  EXPECT_EQ(out.memory_limit, uint64_t{512} << 20);
  ASSERT_TRUE(read("python.process.sandbox", "Require", &out).ok());
  EXPECT_EQ(out.sandbox, Sandbox::kRequire);
  ASSERT_TRUE(read("some.other", "x", &out).ok());
  EXPECT_EQ(out.all, (Options{{"some.other", "x"}}));
}

TEST(PoolOptions, RefusesWhatIsNot) {
  EXPECT_EQ(read("python.process.workers", "0").message(),
            "python.process.workers has the value '0'; it takes a whole number from 1 to 256");
  EXPECT_EQ(read("python.process.depth", "4").message(),
            "python.process.depth has the value '4'; it takes a whole number from 1 to 3");
  EXPECT_EQ(read("python.process.sandbox", "maybe").message(),
            "python.process.sandbox has the value 'maybe'; it takes auto, off or require");
  EXPECT_EQ(
      read("python.process.start-timeout", "soon").message(),
      "python.process.start-timeout has the value 'soon'; it takes whole milliseconds or a number with ms, s, min "
      "or h, for example 20 s");
  EXPECT_EQ(
      read("python.process.memory-limit", "lots").message(),
      "python.process.memory-limit has the value 'lots'; it takes a number of bytes, for example 512 MiB; 0 means "
      "no limit");
  EXPECT_EQ(read("python.process.launcher", "here").message(),
            "python.process.launcher has the value 'here'; it takes an absolute path");
  EXPECT_EQ(read("python.process.retries", "-1").code(), CLUTCH_ERR_CONFIG);
  EXPECT_EQ(read("python.process.memory-limit", "99999999999999999999").code(), CLUTCH_ERR_CONFIG);
  EXPECT_EQ(read("python.process.memory-limit", "9999999999 t").code(), CLUTCH_ERR_CONFIG);
}

TEST(LogTail, GivesWholeLinesWhateverThePieces) {
  LogTail tail;
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  tail.append("one\ntw", take);
  tail.append("o\n\xff\nthr", take);
  tail.append("ee", take);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "?"}));
  tail.finish(take);
  EXPECT_EQ(lines.back(), "three");
  EXPECT_EQ(tail.last_lines(100), "one\ntwo\n?\nthree");
  EXPECT_EQ(tail.last_lines(8), "?\nthree");
  lines.clear();
  tail.append(std::string(3 * LogTail::kLongest, 'x') + "\n", take);
  EXPECT_EQ(lines.size(), 3u);
}

TEST(LogTail, FindsTheStackAndKeepsItOutOfTheLines) {
  LogTail tail;
  const auto ignore = [](std::string_view) {};
  tail.append(
      "before\nFatal Python error: Segmentation fault\n\nCurrent thread 0x00007f0 (most recent call first):\n"
      "  File \"job.py\", line 3 in f\n  File \"<string>\", line 9 in <module>\n\n"
      "Extension modules: numpy (total: 1)\nafter\n",
      ignore);
  EXPECT_EQ(tail.stack(),
            "Fatal Python error: Segmentation fault\nCurrent thread 0x00007f0 (most recent call first):\n"
            "  File \"job.py\", line 3 in f");
  EXPECT_EQ(tail.last_lines(1000), "before\nafter");
  EXPECT_EQ(tail.stacks(), 1);
}

TEST(LogTail, ALineThatComesAnotherWayDoesNotCutAStack) {
  LogTail tail;
  const auto ignore = [](std::string_view) {};
  tail.append("Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n", ignore);
  tail.note("about to fall");
  tail.append("  File \"f.py\", line 5 in crash\n", ignore);
  EXPECT_EQ(tail.last_lines(1000), "about to fall");
  EXPECT_NE(tail.stack().find("line 5 in crash"), std::string::npos) << tail.stack();
  EXPECT_EQ(tail.stack().find("about to fall"), std::string::npos) << tail.stack();
  EXPECT_EQ(tail.stacks(), 1);
}

TEST(LogTail, StaysSmall) {
  LogTail tail;
  const auto ignore = [](std::string_view) {};
  for (int i = 0; i < 100000; ++i) tail.append("a line of some length\n", ignore);
  EXPECT_LE(tail.last_lines(SIZE_MAX).size(), 2 * LogTail::kKept);
}

TEST(Arenas, HaveSizesByClass) {
  EXPECT_EQ(arena_size(1), uint64_t{64} << 10);
  EXPECT_EQ(arena_size((64 << 10) + 1), uint64_t{1} << 20);
  EXPECT_EQ(arena_size(uint64_t{17} << 20), uint64_t{64} << 20);
  EXPECT_EQ(arena_size(uint64_t{65} << 20), uint64_t{128} << 20);
}

TEST(Arenas, AnInArenaCannotBeWrittenByWhoGetsItsDescriptor) {
  auto arena = *ArenaMemory::create(ArenaRole::kIn, 1, 65536);
  arena->writable()[5] = 42;
  EXPECT_EQ(::mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, arena->fd(), 0), MAP_FAILED);
  EXPECT_LT(::write(arena->fd(), "x", 1), 0);
  EXPECT_LT(::ftruncate(arena->fd(), 0), 0);
  EXPECT_LT(::ftruncate(arena->fd(), 1 << 20), 0);
  EXPECT_LT(::fallocate(arena->fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
  const std::string again = "/proc/self/fd/" + std::to_string(arena->fd());
  const Fd reopened(::open(again.c_str(), O_RDWR | O_CLOEXEC));
  if (reopened.valid()) {
    EXPECT_EQ(::mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, reopened.get(), 0), MAP_FAILED);
  }
  void* look = ::mmap(nullptr, 65536, PROT_READ, MAP_SHARED, arena->fd(), 0);
  ASSERT_NE(look, MAP_FAILED);
  EXPECT_LT(::mprotect(look, 65536, PROT_READ | PROT_WRITE), 0);
  EXPECT_EQ(static_cast<uint8_t*>(look)[5], 42);
  arena->writable()[5] = 43;  // The host still writes.
  EXPECT_EQ(static_cast<uint8_t*>(look)[5], 43);
  ::munmap(look, 65536);
}

TEST(Arenas, AnOutArenaCannotBeShrunkUnderTheHost) {
  auto arena = *ArenaMemory::create(ArenaRole::kOut, 1, 65536);
  void* worker = ::mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, arena->fd(), 0);
  ASSERT_NE(worker, MAP_FAILED);
  static_cast<uint8_t*>(worker)[9] = 7;
  EXPECT_EQ(arena->readable()[9], 7);
  EXPECT_LT(::ftruncate(arena->fd(), 0), 0);
  EXPECT_LT(::fcntl(arena->fd(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  ::munmap(worker, 65536);
}

Ending run(const std::vector<std::string>& arguments) {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  Spawn spawn;
  spawn.arguments = arguments;
  spawn.output = spawn.control = spawn.progress = null.get();
  Result<Process> process = Process::start(spawn);
  EXPECT_TRUE(process.ok()) << process.status().message();
  pollfd entry{process->pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 10000), 1);
  return process->reap();
}

TEST(Process, SaysHowItEnded) {
  EXPECT_EQ(to_string(run({"/bin/sh", "-c", "exit 3"})), "ended with exit code 3");
  EXPECT_EQ(to_string(run({"/bin/sh", "-c", "kill -SEGV $$"})), "was ended by signal SIGSEGV (Segmentation fault)");
}

TEST(Process, HasFiveDescriptorsAndNoMore) {
  const Fd kept(::fcntl(0, F_DUPFD, 50));  // Not close-on-exec: an application's own.
  EXPECT_EQ(to_string(run({"/bin/sh", "-c",
                           "for fd in 0 1 2 3 4; do test -e /proc/self/fd/$fd || exit 1; done; "
                           "test ! -e /proc/self/fd/" +
                               std::to_string(kept.get())})),
            "ended with exit code 0");
}

TEST(Process, NamesAProgramThatIsNotThere) {
  Spawn spawn;
  spawn.arguments = {"/no/such/program"};
  spawn.output = spawn.control = spawn.progress = 0;
  const Result<Process> process = Process::start(spawn);
  EXPECT_EQ(process.status().message(), "cannot start /no/such/program: No such file or directory");
}

TEST(Rows, OfAPartBecomeRowsOfTheBatch) {
  Status error(CLUTCH_ERR_USER, "function \"f\" row 3: ValueError: row 3: no", CLUTCH_ORIGIN_USER);
  error.with(CLUTCH_DETAIL_ROW, "3");
  const Status shifted = in_batch_rows(error, 40);
  EXPECT_EQ(shifted.message(), "function \"f\" row 43: ValueError: row 3: no");
  EXPECT_EQ(shifted.detail(CLUTCH_DETAIL_ROW), "43");
  EXPECT_EQ(in_batch_rows(error, 0).message(), error.message());
  const Status without(CLUTCH_ERR_USER, "no row here");
  EXPECT_EQ(in_batch_rows(without, 40).message(), "no row here");
}

}  // namespace
}  // namespace clutch::pyproc
