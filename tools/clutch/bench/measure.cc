#include "bench/measure.h"

#include <dirent.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "bench/timing.h"
#include "child.h"
#include "common.h"

namespace clutch::tool {
namespace {

constexpr int kBatchesARepeat = 40;

Spec spec_of(const RowCase& one, const std::string& mode) {
  Spec spec(one.kind, source(one.source));
  spec.step_name(one.steps.front()).step_option("attribute", one.steps.front());
  for (size_t i = 1; i < one.steps.size(); ++i) {
    spec.then(one.kind, source(one.source)).step_name(one.steps[i]).step_option("attribute", one.steps[i]);
  }
  spec.name("f").input("x: " + one.type).output(one.output).mode(mode);
  return spec;
}

// The function that times the plain loop where the function itself runs: nanoseconds for `n` rows.
Function open_baseline(const Host& host, const RowCase& one, const std::string& mode) {
  const std::string text = one.source +
                           "\nimport time\n"
                           "from collections import deque\n"
                           "def baseline(n):\n"
                           "    xs = [" +
                           one.make_row +
                           " for i in range(n)]\n"
                           "    best = []\n"
                           "    for _ in range(" +
                           std::to_string(kBatchesARepeat) +
                           "):\n"
                           "        start = time.perf_counter_ns()\n"
                           "        " +
                           one.loop +
                           "\n"
                           "        best.append(time.perf_counter_ns() - start)\n"
                           "    return sum(best)\n";
  Spec spec("table.scalar", source(text));
  spec.name("baseline").step_option("attribute", "baseline").input("n: int64").output("int64").mode(mode);
  return host.open(spec);
}

// The rows of the batch, made by the interpreter itself so that both sides see the same values.
Input make_input(const Host& host, const RowCase& one, const std::string& mode, int64_t rows) {
  Spec spec("table.table", source("def make(n):\n    return [" + one.make_row + " for i in range(n)]\n"));
  spec.name("make").input("n: int64").output("x: " + one.type).mode(mode);
  Output output = host.open(spec).call(columns(std::vector<int64_t>{rows}));
  return Input(output.take());
}

Function open_identity(const Host& host, const std::string& mode) {
  Spec spec("table.scalar", source("def f(x):\n    return x\n"));
  return host.open(spec.name("f").input("x: int64").output("int64").mode(mode));
}

int64_t status_field(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key, 0) == 0) return std::stoll(line.substr(line.find(':') + 1));
  }
  throw std::runtime_error(std::string("/proc/self/status has no ") + key);
}

int64_t open_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) throw std::runtime_error("cannot read /proc/self/fd");
  int64_t count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

}  // namespace

std::vector<RowCase> row_cases() {
  return {
      {"int64 x + 1", "table.scalar", "def f(x):\n    return x + 1\n", "[f(x) for x in xs]", "i + 1000", "int64",
       "int64"},
      {"s.upper(), 12 bytes", "table.scalar", "def f(x):\n    return x.upper()\n", "[f(x) for x in xs]",
       "'%012d' % i if i % 2 else 'abcdef%06d' % i", "string", "string"},
      {"flat_map, 3 tokens", "stream.flat_map", "def f(x):\n    yield x\n    yield x\n    yield x\n",
       "[t for x in xs for t in f(x)]", "'%012d' % i", "string", "string"},
      {"three chained calls",
       "table.scalar",
       "def f(x):\n    return x + 1\ndef g(x):\n    return x * 2\ndef h(x):\n    return x - 3\n",
       "[h(g(f(x))) for x in xs]",
       "i + 1000",
       "int64",
       "int64",
       {"f", "g", "h"}},
      {"table function, 2 ints", "table.table", "def f(x):\n    yield x, 1\n    yield x, 2\n",
       "deque((t for x in xs for t in f(x)), 0)", "i + 1000", "int64", "a: int64, b: int64"},
  };
}

Figure measure_rows(const Host& host, const std::string& mode, const RowCase& one, size_t depth,
                    const BenchSettings& settings) {
  const Function function = host.open(spec_of(one, mode));
  const Function baseline = open_baseline(host, one, mode);
  const Input input = make_input(host, one, mode, settings.rows);
  depth = std::min<size_t>(depth, function.max_in_flight());
  run_batches(function, input, depth, kBatchesARepeat);

  std::vector<double> ours;
  std::vector<double> plain;
  const double rows = static_cast<double>(settings.rows) * kBatchesARepeat;
  for (int repeat = 0; repeat < settings.repeats; ++repeat) {
    plain.push_back(
        static_cast<double>(baseline.call(columns(std::vector<int64_t>{settings.rows})).column<int64_t>(0)[0]) / rows);
    ours.push_back(run_batches(function, input, depth, kBatchesARepeat) / rows);
  }
  Figure figure{one.what, mode, median(ours) / median(plain), "x", 0, ""};
  figure.note = text_of(median(ours), "%.1f ns a row") + text_of(median(plain), ", plain loop %.1f ns") + ", " +
                std::to_string(depth) + " in flight";
  return figure;
}

Figure measure_empty_idle(const Host& host, const std::string& mode) {
  const Function function = open_identity(host, mode);
  const Input input(columns(std::vector<int64_t>{}));
  std::vector<double> times;
  for (int i = 0; i < 300; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const auto start = Clock::now();
    function.call(input.look());
    times.push_back(nanoseconds_since(start) / 1000);
  }
  return {"empty batch, idle", mode, median(times), "us", 0, "300 calls, 2 ms apart"};
}

Figure measure_empty_busy(const Host& host, const std::string& mode) {
  const Function function = open_identity(host, mode);
  const Input input(columns(std::vector<int64_t>{}));
  constexpr int kCount = 2000;
  std::vector<double> times;
  for (int i = 0; i < 15; ++i)
    times.push_back(run_batches(function, input, function.max_in_flight(), kCount) / kCount / 1000);
  return {"empty batch, busy",
          mode,
          median(times),
          "us",
          0,
          "back to back, " + std::to_string(function.max_in_flight()) + " in flight"};
}

Figure measure_worker_memory(const Host& host, const std::string& mode) {
  Spec spec("table.scalar",
            source("def f(x):\n"
                   "    with open('/proc/self/status') as status:\n"
                   "        return next(int(l.split()[1]) for l in status if l.startswith('VmRSS'))\n"));
  const Function function = host.open(spec.name("rss").input("x: int64").output("int64").mode(mode));
  function.call(columns(std::vector<int64_t>{1}));
  const int64_t kibibytes = function.call(columns(std::vector<int64_t>{1})).column<int64_t>(0)[0];
  return {"worker's resident memory", mode, static_cast<double>(kibibytes) / 1024, "MiB", 0, "VmRSS, no numpy"};
}

std::vector<Figure> measure_open_close(const Host& host, const std::string& mode, const BenchSettings& settings) {
  const auto open_once = [&] {
    const Function function = open_identity(host, mode);
    function.call(columns(std::vector<int64_t>{1}));
  };
  for (int i = 0; i < 200; ++i) open_once();
  const int64_t memory = status_field("VmRSS");
  const int64_t threads = status_field("Threads");
  const int64_t descriptors = open_descriptors();
  const auto start = Clock::now();
  for (int64_t i = 0; i < settings.opens; ++i) open_once();
  const double each = nanoseconds_since(start) / static_cast<double>(settings.opens) / 1000;
  const std::string what = std::to_string(settings.opens) + " open/close: ";
  return {{what + "time each", mode, each, "us", 0, "with one batch of one row"},
          {what + "memory", mode, static_cast<double>(status_field("VmRSS") - memory) / 1024, "MiB more", 0, ""},
          {what + "threads", mode, static_cast<double>(status_field("Threads") - threads), "more", 0, ""},
          {what + "descriptors", mode, static_cast<double>(open_descriptors() - descriptors), "more", 0, ""}};
}

double time_to_first_result(const HostSettings& settings, const std::string& mode) {
  const auto start = Clock::now();
  const Host host(settings);
  const Function function = open_identity(host, mode);
  function.call(columns(std::vector<int64_t>{1}));
  return nanoseconds_since(start) / 1e6;
}

std::vector<Figure> measure_rivals(const std::string& python, const BenchSettings& settings) {
  const std::string script =
      "import concurrent.futures, multiprocessing, statistics, sys, time\n"
      "def f(x):\n    return x + 1\n"
      "def timed(run):\n"
      "    times = []\n"
      "    for _ in range(" +
      std::to_string(settings.repeats) +
      "):\n"
      "        start = time.perf_counter_ns()\n"
      "        run()\n"
      "        times.append(time.perf_counter_ns() - start)\n"
      "    return statistics.median(times)\n"
      "if __name__ == '__main__':\n"
      "    rows = " +
      std::to_string(settings.rows) +
      "\n"
      "    xs = [i + 1000 for i in range(rows * 16)]\n"
      "    context = multiprocessing.get_context('fork')\n"
      "    plain = timed(lambda: [f(x) for x in xs])\n"
      "    with context.Pool(1) as pool:\n"
      "        pool.map(f, xs[:10])\n"
      "        print('multiprocessing.Pool.map', timed(lambda: pool.map(f, xs, rows)) / plain)\n"
      "    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:\n"
      "        list(pool.map(f, xs[:10]))\n"
      "        print('ProcessPoolExecutor.map', timed(lambda: list(pool.map(f, xs, chunksize=rows))) / plain)\n"
      "    with concurrent.futures.ThreadPoolExecutor(1) as pool:\n"
      "        parts = [xs[i:i + rows] for i in range(0, len(xs), rows)]\n"
      "        print('ThreadPoolExecutor.map', timed(lambda: list(pool.map(lambda p: [f(x) for x in p], parts))) / "
      "plain)\n";
  Child child(python, {python, "-c", script});
  const auto text = child.read(std::chrono::seconds(300));
  const std::string ending = text ? child.wait() : "took more than 300 s";
  if (!ending.empty()) throw std::runtime_error("the rivals' script of " + python + " " + ending);
  std::vector<Figure> figures;
  size_t at = 0;
  while (at < text->size()) {
    const size_t end = std::min(text->find('\n', at), text->size());
    const std::string line = text->substr(at, end - at);
    at = end + 1;
    const size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    figures.push_back(
        {"int64 x + 1", line.substr(0, space), std::stod(line.substr(space + 1)), "x", 0, "rival, one worker"});
  }
  if (figures.empty()) throw std::runtime_error("the rivals' script of " + python + " printed no figures");
  return figures;
}

}  // namespace clutch::tool
