// Measures the row loops against the plain Python loop on the same interpreter, in one run, alternating, as medians of
// processor time.
//
//   pyembed_loops RUNTIME LIBPYTHON PYTHON [rows [only]]    (only: part of the name of what to measure)
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "clutch/pyembed.h"
#include "fake_host.h"

namespace {

using clutch::columnar::Array;
using namespace clutch::pyembed::testing;

double clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double wall_ns() { return clock_ns(CLOCK_MONOTONIC); }
// Of this thread, so that other work on the machine does not count.
double now_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

const clutch_plugin_api* api = nullptr;
FakeHost host;
clutch_runtime* runtime = nullptr;
const char* only = "";

void* load(const char* path, int flags) {
  void* library = dlopen(path, flags);
  if (library != nullptr) return library;
  std::fprintf(stderr, "%s\n", dlerror());
  std::exit(1);
}

class Function {
 public:
  explicit Function(SpecText& spec) : context_{spec.name} {
    clutch_function_info info{sizeof(info), 0};
    clutch_error error;
    if (api->function_open(runtime, spec.view(), &context_, &function_, &info, &error) == CLUTCH_OK) return;
    std::fprintf(stderr, "%s\n%s\n", error.message.c_str(), error.details["traceback"].c_str());
    std::exit(1);
  }
  ~Function() {
    clutch_error error;
    api->function_close(function_, &error);
  }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  // Gives the first value of an int64 result.
  int64_t submit(const Array& rows) {
    clutch_batch_context context;
    clutch_batch batch{};
    batch.struct_size = sizeof(batch);
    batch.context = &context;
    batch.sequence = ++sequence_;
    batch.rows = rows.get();
    clutch_error error;
    if (api->function_submit(function_, &batch, &error) == CLUTCH_OK) {
      if (context.emitted.empty() || context.emitted[0].rows.empty()) return 0;
      return static_cast<const int64_t*>(context.emitted[0].rows->children[0]->buffers[1])[0];
    }
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::exit(1);
  }

 private:
  clutch_function_context context_;
  clutch_function* function_ = nullptr;
  uint64_t sequence_ = 0;
};

Array batch(Array column) {
  std::vector<Array> columns;
  columns.push_back(std::move(column));
  return batch_of(std::move(columns));
}

// The baseline runs inside the same interpreter: a source function that times the plain loop over a list it keeps and
// gives the time of one pass.
SpecText baseline(const std::string& function, const std::string& data, const std::string& loop, int64_t rows) {
  SpecText spec;
  spec.name = "baseline";
  const std::string text = function +
                           "\nfrom time import thread_time_ns\n"
                           "xs = " +
                           data +
                           "\n"
                           "def loop(f, xs):\n    return " +
                           loop +
                           "\n"
                           "def run(_):\n"
                           "    t = thread_time_ns()\n"
                           "    loop(f, xs)\n"
                           "    t = thread_time_ns() - t\n"
                           "    return t\n";
  StepText step{"baseline", "table.scalar", "source", text};
  step.options.add("attribute", "run");
  std::string::size_type at;
  while ((at = step.payload.find("ROWS")) != std::string::npos) step.payload.replace(at, 4, std::to_string(rows));
  spec.steps.push_back(std::move(step));
  spec.input = {column("x", "int64")};
  spec.output = {column("t", "int64")};
  return spec;
}

double run_baseline(Function& function) {
  static const Array kOneRow = batch(int64_column({0}));
  return static_cast<double>(function.submit(kOneRow));
}

void compare(const char* name, double bound, const std::string& function, const std::string& kind,
             const std::string& in, const std::string& out, Array rows, const std::string& data,
             const std::string& loop) {
  if (std::strstr(name, only) == nullptr) return;
  const int64_t count = rows->length;
  SpecText spec;
  spec.name = name;
  spec.steps.push_back({name, kind, "source", function});
  spec.input = {column("x", in)};
  spec.output = {column(kind == "stream.filter" ? "x" : "y", out)};
  Function ours(spec);
  SpecText base = baseline(function, data, loop, count);
  Function theirs(base);
  for (int i = 0; i < 5; ++i) {
    ours.submit(rows);
    run_baseline(theirs);
  }
  std::vector<double> mine, plain, ratios;
  for (int i = 0; i < 301; ++i) {
    const double start = now_ns();
    ours.submit(rows);
    mine.push_back(now_ns() - start);
    plain.push_back(run_baseline(theirs));
    ratios.push_back(mine.back() / plain.back());
  }
  const double n = static_cast<double>(count);
  const double best = *std::min_element(mine.begin(), mine.end()) / *std::min_element(plain.begin(), plain.end());
  std::printf("%-24s %7.1f ns/row  python %7.1f ns/row  ratio %5.2f  of the best runs %5.2f  (target %.2f)\n", name,
              median(mine) / n, median(plain) / n, median(ratios), best, bound);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s RUNTIME LIBPYTHON PYTHON [rows [only]]\n", argv[0]);
    return 2;
  }
  const int64_t rows = argc > 4 ? std::atoll(argv[4]) : 4096;
  if (argc > 5) only = argv[5];
  load(argv[2], RTLD_NOW | RTLD_GLOBAL);
  void* library = load(argv[1], RTLD_NOW | RTLD_LOCAL);
  api = reinterpret_cast<decltype(&clutch_pyembed_table_v1)>(dlsym(library, CLUTCH_PYEMBED_SYMBOL))();
  OptionList options{{CLUTCH_PYEMBED_PROGRAM, argv[3]}};
  const clutch_options view = options.view();
  clutch_error error;
  if (api->runtime_open(host.table(), &view, &runtime, &error) != CLUTCH_OK) return 1;
  {
    const double start = wall_ns();
    const double busy = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    SpecText spec;
    spec.name = "first";
    spec.steps.push_back({"first", "table.scalar", "source", "def f(x):\n    return x\n"});
    spec.input = {column("x", "int64")};
    spec.output = {column("y", "int64")};
    Function first(spec);
    first.submit(batch(int64_column({1})));
    std::printf("%-24s %7.1f ms, %.1f ms of processor time\n", "start to first result", (wall_ns() - start) / 1e6,
                (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - busy) / 1e6);
    Array empty = batch(int64_column({}));
    Array one = batch(int64_column({1}));
    for (const auto& [label, rows_of] : {std::pair{"empty batch", &empty}, std::pair{"batch of one row", &one}}) {
      std::vector<double> times;
      for (int i = 0; i < 2001; ++i) {
        const double before = wall_ns();
        first.submit(*rows_of);
        times.push_back(wall_ns() - before);
      }
      std::printf("%-28s %7.2f us\n", label, median(times) / 1e3);
    }
  }
  std::vector<int64_t> values;
  std::vector<std::string> texts, sentences;
  for (int64_t i = 0; i < rows; ++i) {
    values.push_back(100000 + i);
    char text[32];
    std::snprintf(text, sizeof(text), "row%09d", static_cast<int>(i));
    texts.emplace_back(text);
    sentences.push_back("alpha beta" + std::to_string(i) + " gamma");
  }
  compare("int64 x + 1", 1.0, "def f(x):\n    return x + 1\n", "table.scalar", "int64", "int64",
          batch(int64_column(values)), "[100000 + i for i in range(ROWS)]", "[f(x) for x in xs]");
  compare("utf8 s.upper()", 1.4, "def f(s):\n    return s.upper()\n", "table.scalar", "string", "string",
          batch(text_column(texts)), "['row%09d' % i for i in range(ROWS)]", "[f(x) for x in xs]");
  compare("flat_map, 3 tokens", 1.3, "def f(s):\n    for t in s.split():\n        yield t\n", "stream.flat_map",
          "string", "string", batch(text_column(sentences)), "['alpha beta%d gamma' % i for i in range(ROWS)]",
          "[y for x in xs for y in f(x)]");
  compare("flat_map, list of 3", 1.3, "def f(s):\n    return s.split()\n", "stream.flat_map", "string", "string",
          batch(text_column(sentences)), "['alpha beta%d gamma' % i for i in range(ROWS)]",
          "[y for x in xs for y in f(x)]");
  compare("filter", 1.0, "def f(x):\n    return x % 2 == 0\n", "stream.filter", "int64", "int64",
          batch(int64_column(values)), "[100000 + i for i in range(ROWS)]", "[x for x in xs if f(x)]");
  api->runtime_close(runtime);
  return 0;
}
