// Measures functions of whole columns against the bare operation of numpy and pandas in the same interpreter, and async
// rows against their sleeps: alternating, in one run, as medians of wall time.
//
//   pyembed_columns RUNTIME LIBPYTHON PYTHON
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "clutch/pyembed.h"
#include "fake_host.h"

namespace {

using clutch::columnar::Array;
using clutch::columnar::ArrayBuilder;
using namespace clutch::pyembed::testing;

const clutch_plugin_api* api = nullptr;
FakeHost host;
clutch_runtime* runtime = nullptr;

double now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void* load(const char* path, int flags) {
  void* library = dlopen(path, flags);
  if (library != nullptr) return library;
  std::fprintf(stderr, "%s\n", dlerror());
  std::exit(1);
}

class Function {
 public:
  explicit Function(SpecText spec) : spec_(std::move(spec)), context_{spec_.name} {
    clutch_function_info info{sizeof(info), 0};
    clutch_error error;
    if (api->function_open(runtime, spec_.view(), &context_, &function_, &info, &error) == CLUTCH_OK) return;
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::exit(1);
  }
  ~Function() {
    clutch_error error;
    api->function_close(function_, &error);
  }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  // The first value of an int64 result, with the result freed.
  int64_t submit(const Array& rows) {
    clutch_batch_context context;
    clutch_batch batch{};
    batch.struct_size = sizeof(batch);
    batch.context = &context;
    batch.sequence = ++sequence_;
    batch.rows = rows.get();
    clutch_error error;
    if (api->function_submit(function_, &batch, &error) != CLUTCH_OK) {
      std::fprintf(stderr, "%s\n", error.message.c_str());
      std::exit(1);
    }
    return static_cast<const int64_t*>(context.emitted[0].rows->children[0]->buffers[1])[0];
  }

 private:
  SpecText spec_;
  clutch_function_context context_;
  clutch_function* function_ = nullptr;
  uint64_t sequence_ = 0;
};

SpecText spec_of(const std::string& kind, const std::string& text, const std::string& type, const std::string& style) {
  SpecText spec;
  spec.name = "f";
  spec.steps.push_back({"f", kind, "source", text});
  if (!style.empty()) spec.steps[0].options.add("style", style);
  spec.input = {column("x", type)};
  spec.output = {column("y", type)};
  return spec;
}

Array batch(Array values) {
  std::vector<Array> columns;
  columns.push_back(std::move(values));
  return batch_of(std::move(columns));
}

void compare(const char* name, const std::string& style, int64_t rows, int rounds, double bound) {
  ArrayBuilder builder(column("x", "float64"));
  for (int64_t i = 0; i < rows; ++i) builder.append(static_cast<double>(i));
  const Array data = batch(builder.finish());
  const Array one = batch(int64_column({0}));
  Function ours(spec_of("table.scalar.vectorized", "def f(x): return x * 2\n", "float64", style));
  const std::string values = "numpy.arange(" + std::to_string(rows) + ", dtype='float64')";
  Function bare(
      spec_of("table.scalar",
              "import numpy\nfrom time import perf_counter_ns\n" +
                  (style == "pandas" ? "import pandas\nx = pandas.Series(" + values + ")\n" : "x = " + values) +
                  "\ndef f(_):\n    t = perf_counter_ns()\n    x * 2\n    return perf_counter_ns() - t\n",
              "int64", ""));
  std::vector<double> mine, plain, ratios;
  for (int i = 0; i < rounds + 10; ++i) {
    const double start = now_ns();
    ours.submit(data);
    const double took = now_ns() - start;
    const auto base = static_cast<double>(bare.submit(one));
    if (i < 10) continue;
    mine.push_back(took);
    plain.push_back(base);
    ratios.push_back(took / base);
  }
  std::printf("%-28s %9.1f us  bare %9.1f us  ratio %5.2f  of the best runs %5.2f  (target %.2f)\n", name,
              median(mine) / 1e3, median(plain) / 1e3, median(ratios),
              *std::min_element(mine.begin(), mine.end()) / *std::min_element(plain.begin(), plain.end()), bound);
}

// Beside the ideal, what asyncio alone takes: a semaphore and gather.
void compare_async() {
  constexpr int64_t kRows = 10000;
  std::vector<int64_t> values;
  for (int64_t i = 0; i < kRows; ++i) values.push_back(i);
  const Array data = batch(int64_column(values));
  const Array one = batch(int64_column({0}));
  SpecText spec =
      spec_of("table.scalar.async", "import asyncio\nasync def f(x):\n    await asyncio.sleep(0.01)\n    return x\n",
              "int64", "");
  spec.options.add("table.exec.async-scalar.max-concurrent-operations", "100");
  Function ours(std::move(spec));
  Function bare(spec_of("table.scalar",
                        "import asyncio, time\n"
                        "async def row(gate, x):\n"
                        "    async with gate:\n        await asyncio.sleep(0.01)\n        return x\n"
                        "async def all_rows():\n"
                        "    gate = asyncio.Semaphore(100)\n"
                        "    return await asyncio.gather(*[row(gate, x) for x in range(10000)])\n"
                        "def f(_):\n    t = time.perf_counter_ns()\n    loop = asyncio.new_event_loop()\n"
                        "    loop.run_until_complete(all_rows())\n    loop.close()\n"
                        "    return time.perf_counter_ns() - t\n",
                        "int64", ""));
  std::vector<double> mine, plain;
  for (int i = 0; i < 5; ++i) {
    const double start = now_ns();
    ours.submit(data);
    mine.push_back(now_ns() - start);
    plain.push_back(static_cast<double>(bare.submit(one)));
  }
  std::printf("%-28s %9.2f s   asyncio alone %5.2f s  ratio to the ideal 1 s %5.2f  (target 1.20)\n",
              "async, 10,000 x 10 ms", median(mine) / 1e9, median(plain) / 1e9, median(mine) / 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s RUNTIME LIBPYTHON PYTHON\n", argv[0]);
    return 2;
  }
  load(argv[2], RTLD_NOW | RTLD_GLOBAL);
  void* library = load(argv[1], RTLD_NOW | RTLD_LOCAL);
  api = reinterpret_cast<decltype(&clutch_pyembed_table_v1)>(dlsym(library, CLUTCH_PYEMBED_SYMBOL))();
  OptionList options{{CLUTCH_PYEMBED_PROGRAM, argv[3]}};
  const clutch_options view = options.view();
  clutch_error error;
  if (api->runtime_open(host.table(), &view, &runtime, &error) != CLUTCH_OK) return 1;
  compare("numpy x * 2, 1 M rows", "numpy", 1'000'000, 101, 1.10);
  compare("numpy x * 2, 64 Ki rows", "numpy", 65'536, 301, 1.10);
  compare("pandas x * 2, 64 Ki rows", "pandas", 65'536, 301, 1.20);
  compare_async();
  api->runtime_close(runtime);
  return 0;
}
