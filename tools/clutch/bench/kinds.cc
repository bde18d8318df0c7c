// Whole columns, aggregates and coroutines: kinds whose work is not a call a row.
#include <cstdlib>
#include <stdexcept>

#include "bench/timing.h"
#include "clutch/columnar/builder.h"
#include "common.h"

namespace clutch::tool {
namespace {

constexpr int64_t kMillion = 1 << 20;
constexpr int64_t kBatch = 1 << 16;

// A function of the interpreter that `mode` uses: `text` defines run(), which gives the nanoseconds it took.
Function open_timer(const Host& host, const std::string& mode, const std::string& text) {
  Spec spec("table.scalar", source("from time import perf_counter_ns\n" + text +
                                   "\ndef timed(_):\n"
                                   "    start = perf_counter_ns()\n"
                                   "    run()\n"
                                   "    return perf_counter_ns() - start\n"));
  spec.name("by hand").step_option("attribute", "timed").input("x: int64").output("int64").mode(mode);
  return host.open(spec);
}

double time_of(const Function& timer) {
  return static_cast<double>(timer.call(columns(std::vector<int64_t>{0})).column<int64_t>(0)[0]);
}

// A batch of doubles times two, several times.
Figure measure_columns(const Host& host, const std::string& what, const std::string& mode, const std::string& style,
                       int64_t batch, int batches, int repeats) {
  Spec spec("table.scalar.vectorized", source("def f(x):\n    return x * 2\n"));
  spec.name("f").step_option("style", style).input("x: float64").output("float64").mode(mode);
  const Function function = host.open(spec);
  std::vector<double> values(static_cast<size_t>(batch));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  const Input input(columns(values));
  const std::string column = "numpy.arange(" + std::to_string(batch) + ", dtype='float64')";
  const Function timer = open_timer(
      host, mode,
      "import numpy\n" + (style == "pandas" ? "import pandas\nx = pandas.Series(" + column + ")" : "x = " + column) +
          "\ndef run():\n    for _ in range(" + std::to_string(batches) + "): x * 2\n");
  return contest(
      what, mode, repeats, [&] { return run_batches(function, input, function.max_in_flight(), batches); },
      [&] { return time_of(timer); });
}

constexpr char kSum[] =
    "class Sum:\n"
    "    def create_accumulator(self):\n"
    "        return [0]\n"
    "    def accumulate(self, accumulator, x):\n"
    "        accumulator[0] += x\n"
    "    def get_value(self, accumulator):\n"
    "        return accumulator[0]\n";

// A loop over a dict that calls the same accumulate.
constexpr char kSumByHand[] =
    "xs = [100000 + i for i in range(1 << 20)]\n"
    "keys = [i * 7919 % 1000 for i in range(1 << 20)]\n"
    "def run():\n"
    "    f = Sum()\n"
    "    accumulate, accumulators = f.accumulate, {}\n"
    "    for key, x in zip(keys, xs):\n"
    "        accumulator = accumulators.get(key)\n"
    "        if accumulator is None:\n"
    "            accumulator = accumulators[key] = f.create_accumulator()\n"
    "        accumulate(accumulator, x)\n"
    "    return {key: f.get_value(accumulator) for key, accumulator in accumulators.items()}\n";

columnar::Array int32_array(const std::vector<int32_t>& values) {
  columnar::ArrayBuilder builder({"n", unwrap(columnar::parse_type("int32")), false});
  for (const int32_t value : values) builder.append(value);
  return builder.finish();
}

// A million rows in batches of 64 Ki; only the calls count.
double sum_groups(const Function& function) {
  double took = 0;
  for (int64_t start = 0; start < kMillion; start += kBatch) {
    std::vector<int64_t> xs;
    std::vector<int32_t> groups;
    for (int64_t i = start; i < start + kBatch; ++i) {
      xs.push_back(100000 + i);
      groups.push_back(static_cast<int32_t>(i * 7919 % 1000));
    }
    columnar::ArrayBuilder keys({"keys", unwrap(columnar::parse_type("binary")), false});
    for (int key = 0; key < 1000; ++key) {
      const Status status = keys.append_bytes("key" + std::to_string(key));
      if (!status.ok()) throw std::runtime_error(std::string(status.message()));
    }
    columnar::Array key_array = keys.finish();
    columnar::Array index = int32_array(groups);
    clutch_app_batch_options options{};
    options.struct_size = sizeof options;
    options.keys = key_array.get();
    options.key_index = index.get();
    Rows rows = columns(xs);
    const auto begun = Clock::now();
    const Output output = function.call(std::move(rows), options);
    took += nanoseconds_since(begun);
    if (output.size() != 1000) throw std::runtime_error("a batch of 1000 groups gave other than 1000 sums");
  }
  return took;
}

Figure measure_sum(const Host& host, const std::string& mode, int repeats) {
  Spec spec("table.aggregate", source(kSum));
  spec.name("sum").step_option("accumulator", "ROW<s BIGINT>").input("x: int64").output("s: int64").mode(mode);
  const Function function = host.open(spec);
  const Function timer = open_timer(host, mode, std::string(kSum) + kSumByHand);
  return contest(
      "sum, 1000 groups", mode, repeats, [&] { return sum_groups(function); }, [&] { return time_of(timer); });
}

// 10,000 rows that sleep 10 ms each, 100 at a time: a second, if nothing else took time.
Figure measure_async(const Host& host, const std::string& mode, int repeats) {
  Spec spec("table.scalar.async",
            source("import asyncio\nasync def f(x):\n    await asyncio.sleep(0.01)\n    return x\n"));
  spec.name("f").option("table.exec.async-scalar.max-concurrent-operations", "100");
  spec.step_option("attribute", "f").input("x: int64").output("int64").mode(mode);
  const Function function = host.open(spec);
  const Input input(columns(std::vector<int64_t>(10000, 1)));
  std::vector<double> times(static_cast<size_t>(repeats));
  for (double& time : times) time = run_batches(function, input, 1, 1);
  return {"async, sleeping 10 ms", mode, median(times) / 1e9, "x", 0, "of the ideal second; 10000 rows, 100 at a time"};
}

bool has_pandas(const Host& host, const std::string& mode) {
  Spec spec("table.scalar.vectorized", source("def f(x):\n    return x\n"));
  spec.input("x: int64").output("int64").mode(mode);
  return host.explain(spec, Format::kJson).find("\"ok\": true") != std::string::npos;
}

}  // namespace

std::vector<Figure> measure_kinds(const Host& host, const std::string& mode, const BenchSettings& settings) {
  std::vector<Figure> figures;
  if (has_pandas(host, mode)) {
    const bool thread = mode == "thread";
    figures.push_back(measure_columns(host, "numpy x * 2, 1 M rows", mode, "numpy", thread ? kMillion : kBatch,
                                      thread ? 8 : 64, settings.repeats));
    figures.push_back(measure_columns(host, "pandas s * 2, 64 Ki rows", mode, "pandas", kBatch, 64, settings.repeats));
  }
  figures.push_back(measure_sum(host, mode, std::min(settings.repeats, 7)));
  figures.push_back(measure_async(host, mode, std::min(settings.repeats, 3)));
  return figures;
}

}  // namespace clutch::tool
