// Aggregates against a plain Python loop over a dict that calls the same accumulate, in one run, alternating, as
// medians of the ratios. The loop runs in the same interpreter as the aggregate, over lists that are there already.
//
//   fold [rounds]        CLUTCH_PLUGIN_PATH and CLUTCH_PYTHON_EXECUTABLE say what to run
#include <algorithm>
#include <chrono>
#include <clutch/clutch.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"

namespace {

namespace columnar = clutch::columnar;

constexpr int64_t kRows = 1'000'000;
constexpr int64_t kGroups = 1000;
constexpr int64_t kBatch = 64 * 1024;

constexpr char kSum[] =
    "class Sum:\n"
    "    def create_accumulator(self):\n"
    "        return [0]\n"
    "    def accumulate(self, acc, x):\n"
    "        acc[0] += x\n"
    "    def get_value(self, acc):\n"
    "        return acc[0]\n";

constexpr char kLoop[] =
    "from time import perf_counter_ns\n"
    "xs = [100000 + i for i in range(ROWS)]\n"
    "ks = [i * 7919 % GROUPS for i in range(ROWS)]\n"
    "def loop(f, ks, xs):\n"
    "    accs = {}\n"
    "    accumulate = f.accumulate\n"
    "    for k, x in zip(ks, xs):\n"
    "        acc = accs.get(k)\n"
    "        if acc is None:\n"
    "            acc = accs[k] = f.create_accumulator()\n"
    "        accumulate(acc, x)\n"
    "    return {k: f.get_value(acc) for k, acc in accs.items()}\n"
    "def run(_):\n"
    "    t = perf_counter_ns()\n"
    "    loop(Sum(), ks, xs)\n"
    "    return perf_counter_ns() - t\n";

std::string with_numbers(std::string text) {
  for (const auto& [word, number] : {std::pair{"ROWS", kRows}, std::pair{"GROUPS", kGroups}}) {
    for (size_t at; (at = text.find(word)) != std::string::npos;) {
      text.replace(at, std::string(word).size(), std::to_string(number));
    }
  }
  return text;
}

double now_ns() {
  return static_cast<double>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

// All rows in batches; gives the time that the calls took.
double fold(const clutch::Function& function) {
  double spent = 0;
  for (int64_t start = 0; start < kRows; start += kBatch) {
    const int64_t count = std::min(kBatch, kRows - start);
    std::vector<int64_t> xs(static_cast<size_t>(count));
    columnar::ArrayBuilder keys({"keys", *columnar::parse_type("binary"), false});
    columnar::ArrayBuilder index({"key_index", *columnar::parse_type("int32"), false});
    for (int64_t key = 0; key < kGroups; ++key) {
      if (!keys.append_bytes("key" + std::to_string(key)).ok()) std::abort();
    }
    for (int64_t i = 0; i < count; ++i) {
      xs[static_cast<size_t>(i)] = 100000 + start + i;
      index.append<int32_t>(static_cast<int32_t>((start + i) * 7919 % kGroups));
    }
    columnar::Array key_array = keys.finish();
    columnar::Array index_array = index.finish();
    clutch_app_batch_options options{};
    options.struct_size = sizeof(options);
    options.keys = key_array.get();
    options.key_index = index_array.get();
    clutch::Rows rows = clutch::columns(xs);
    const double begun = now_ns();
    const clutch::Output output = function.call(std::move(rows), options);
    spent += now_ns() - begun;
    if (output.size() != kGroups) std::abort();
  }
  return spent;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) try {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  clutch::HostSettings settings;
  settings.options.emplace_back("python.process.workers", "1");
  const clutch::Host host(settings);
  for (const auto& [mode, target] : {std::pair{"thread", 1.2}, std::pair{"process", 1.5}}) {
    clutch::Spec sum("table.aggregate", clutch::source(kSum));
    sum.step_option("accumulator", "ROW<s BIGINT>").name("sum").mode(mode);
    sum.input(std::string("x: int64")).output("s: int64");
    clutch::Spec plain("table.scalar", clutch::source(kSum + with_numbers(kLoop)));
    plain.step_option("attribute", "run").name("loop").mode(mode).input(std::string("x: int64")).output("t: int64");
    const clutch::Function ours = host.open(sum);
    const clutch::Function theirs = host.open(plain);
    std::vector<double> mine, loop, ratios;
    for (int i = -1; i < rounds; ++i) {
      const double spent = fold(ours);
      const clutch::Output told = theirs.call(clutch::columns(std::vector<int64_t>{0}));
      const auto took = static_cast<double>(static_cast<const int64_t*>(told.rows()->children[0]->buffers[1])[0]);
      if (i < 0) continue;  // warm
      mine.push_back(spent / kRows);
      loop.push_back(took / kRows);
      ratios.push_back(spent / took);
    }
    std::printf("sum, 1000 groups, %-8s %6.1f ns/row  python %6.1f ns/row  ratio %.2f  (target %.2f)\n", mode,
                median(mine), median(loop), median(ratios), target);
  }
  return 0;
} catch (const clutch::Error& error) {
  std::fprintf(stderr, "%s: %s\n", error.code_name(), error.what());
  return 1;
}
