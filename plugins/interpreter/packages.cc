#include "interpreter/packages.h"

#include <string_view>

namespace clutch::interpreter {
namespace {

std::string_view view(clutch_str text) { return {text.data != nullptr ? text.data : "", text.size}; }

}  // namespace

std::vector<std::string> packages_of(const clutch_spec& spec) {
  bool numpy = false;
  bool pandas = false;
  for (uint64_t i = 0; i < spec.n_steps; ++i) {
    const clutch_step& step = *spec.steps[i];
    if (!view(step.kind).ends_with(".vectorized")) continue;
    std::string_view style = "pandas";
    for (uint64_t at = 0; at < step.options.count; ++at) {
      if (view(step.options.data[at].key) == "style") style = view(step.options.data[at].value);
    }
    pandas = pandas || style == "pandas";
    numpy = numpy || style == "pandas" || style == "numpy";
  }
  std::vector<std::string> packages;
  if (pandas) packages.emplace_back("pandas");
  if (numpy) packages.emplace_back("numpy");
  return packages;
}

Status check_packages(const Interpreter& python, const std::vector<std::string>& packages) {
  for (const std::string& package : packages) {
    if (python.has_package(package)) continue;
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "the function needs " + package + ", which " + python.asked + " does not have; install it there",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return {};
}

}  // namespace clutch::interpreter
