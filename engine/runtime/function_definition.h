// A Python function as the engine asks libclutch for it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clutch/clutch.hpp"
#include "clutch/columnar/type.h"

namespace clutch::engine {

struct FunctionDefinition {
  struct Step {
    std::string kind;
    Code code;
    std::string name;
    Options options;
  };

  std::string name;
  std::vector<Step> steps;
  columnar::Field input;   // struct of the columns
  columnar::Field output;  // likewise
  int32_t on_error = CLUTCH_APP_ON_ERROR_FAIL;
  std::string mode;  // empty: the host's
  Options options;
  bool alone = false;                             // its batches wait for something, and would hold up others
  int64_t timeout_ms = 0;                         // of a batch; 0: the plugin's default
  const clutch_app_state_store* store = nullptr;  // of state and timers; must outlive the function

  // What user code sees of its subtask in its runtime context (docs/kinds.md), and whom it shares its worker with: the
  // functions of all subtasks of one number, unless it is `alone`.
  void set_task(int32_t index, int32_t parallelism, int32_t max_parallelism) {
    options.emplace_back("task.name", name);
    options.emplace_back("task.parallelism", std::to_string(parallelism));
    options.emplace_back("task.max-parallelism", std::to_string(max_parallelism));
    options.emplace_back("task.index", std::to_string(index));
    options.emplace_back("task.attempt", "0");
    options.emplace_back("task.worker", alone ? name + "/" + std::to_string(index) : std::to_string(index));
  }

  // Call `use` with the form that libclutch takes, which lives for the call.
  template <typename Use>
  auto with_spec(Use use) const {
    const columnar::Schema in = columnar::export_field(input);
    const columnar::Schema out = columnar::export_field(output);
    Spec spec = Spec(steps.front().kind, steps.front().code);
    for (size_t i = 0; i < steps.size(); ++i) {
      if (i > 0) spec.then(steps[i].kind, steps[i].code);
      spec.step_name(steps[i].name);
      for (const auto& [key, value] : steps[i].options) spec.step_option(key, value);
    }
    spec.name(name).input(in.get()).output(out.get()).on_error(static_cast<OnError>(on_error)).mode(mode);
    spec.state_store(store);
    for (const auto& [key, value] : options) spec.option(key, value);
    return use(spec);
  }
};

}  // namespace clutch::engine
