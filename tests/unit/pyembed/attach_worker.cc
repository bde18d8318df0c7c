// The library that attach.py has run inside an interpreter that lives already: a host that opens a function, submits,
// and gives 0 if all is as expected, else the number of the check that failed.
#include <cstdio>
#include <thread>

#include "batches.h"
#include "clutch/columnar/ops.h"
#include "clutch/pyembed.h"
#include "session.h"

namespace {

using namespace clutch::pyembed::testing;
using clutch::columnar::Array;

class Check {
 public:
  void that(bool holds, const std::string& what) {
    ++number_;
    if (holds) return;
    std::fprintf(stderr, "check %d failed: %s\n", number_, what.c_str());
    if (failed_ == 0) failed_ = number_;
  }
  int failed() const { return failed_; }

 private:
  int number_ = 0;
  int failed_ = 0;
};

void submit(const clutch_plugin_api* table, clutch_function* function, uint64_t sequence, Check& check) {
  Array rows = ints({41});
  clutch_batch_context context;
  clutch_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.context = &context;
  batch.sequence = sequence;
  batch.rows = rows.get();
  clutch_error error;
  check.that(table->function_submit(function, &batch, &error) == CLUTCH_OK, error.message);
  check.that(context.emitted.size() == 1, "one output");
  if (context.emitted.size() != 1) return;
  check.that(static_cast<const int64_t*>(context.emitted[0].rows->children[0]->buffers[1])[0] == 42, "41 + 1");
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int clutch_worker_main(const clutch_plugin_api* table, int argc,
                                                                         const char* const* argv) {
  Check check;
  check.that(argc == 2, "two arguments");
  if (argc != 2) return check.failed();
  const bool adopted = std::string(argv[0]) == "adopted";
  check.that(std::string(argv[1]) == "7", "the second argument as text");
  FakeHost host;
  OptionList none;
  const clutch_options options = none.view();
  clutch_runtime* runtime = nullptr;
  clutch_error error;
  check.that(table->runtime_open(host.table(), &options, &runtime, &error) == CLUTCH_OK, error.message);
  SpecText spec;
  spec.name = "f";
  spec.steps.push_back({"f", "table.scalar", "source", "def f(x):\n    print('line')\n    return x + 1\n"});
  spec.input = {column("x", "int64")};
  spec.output = {column("y", "int64")};
  clutch_function* function = nullptr;
  clutch_function_info info{sizeof(info), 0};
  clutch_function_context context{"f"};
  check.that(table->function_open(runtime, spec.view(), &context, &function, &info, &error) == CLUTCH_OK,
             error.message);
  if (check.failed() != 0) return check.failed();
  submit(table, function, 1, check);
  submit(table, function, 2, check);
  if (adopted) std::thread([&] { submit(table, function, 3, check); }).join();
  check.that(table->function_close(function, &error) == CLUTCH_OK, error.message);
  table->runtime_close(runtime);
  check.that(host.lines().size() == (adopted ? 3u : 0u), "what is printed goes to the host if it owns the interpreter");
  return check.failed();
}
