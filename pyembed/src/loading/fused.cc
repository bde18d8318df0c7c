#include "loading/fused.h"

#include <algorithm>
#include <charconv>

namespace clutch::pyembed {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The number that is all of the text; what is no number is higher than any that is legal.
constexpr size_t kNoNumber = SIZE_MAX;
size_t to_number(std::string_view text) {
  size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? number : kNoNumber;
}

std::string counted(size_t count, const char* what) {
  return count == 1 ? std::string("there is 1 ") + what
                    : "there are " + std::to_string(count) + " " + std::string(what) + "s";
}

// Reads the options of one step.
class StepReader {
 public:
  StepReader(const FunctionSpec& spec, size_t index, StepSpec& step) : spec_(spec), index_(index), step_(step) {}

  Status read() {
    if (step_.kind != CLUTCH_KIND_TABLE_SCALAR) {
      return refuse("is of kind " + step_.kind + "; only steps of kind table.scalar run in a fused function");
    }
    if (const auto text = find_option(step_.options, CLUTCH_OPTION_OUTPUT); text) CLUTCH_RETURN_IF_ERROR(output(*text));
    const auto text = find_option(step_.options, CLUTCH_OPTION_ARGUMENTS);
    if (!text) {
      defaults();
      return {};
    }
    std::string_view rest = trim(*text);
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      CLUTCH_RETURN_IF_ERROR(argument(trim(rest.substr(0, comma))));
      rest = comma == rest.size() ? std::string_view() : rest.substr(comma + 1);
    }
    return {};
  }

 private:
  Status refuse(const std::string& why) const {
    return Status(CLUTCH_ERR_ARGUMENT,
                  "function \"" + spec_.name + "\": step " + std::to_string(index_) + " \"" + step_.name + "\" " + why);
  }

  void defaults() {
    if (index_ > 0) {
      step_.arguments.push_back({Argument::From::kStep, index_ - 1});
      return;
    }
    for (size_t i = 0; i < spec_.input.type.children.size(); ++i) {
      step_.arguments.push_back({Argument::From::kColumn, i});
    }
  }

  Status output(std::string_view text) {
    const size_t column = to_number(trim(text));
    const size_t count = spec_.output.type.children.size();
    if (column >= count) {
      return refuse("has output \"" + std::string(text) + "\"; give the number of a result column from 0 on, " +
                    counted(count, "result column"));
    }
    step_.output = column;
    return {};
  }

  Status argument(std::string_view text) {
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string_view word = trim(text.substr(0, colon));
    const size_t number = colon == text.size() ? kNoNumber : to_number(trim(text.substr(colon + 1)));
    const std::string what = "has the argument \"" + std::string(text) + "\"";
    if (number == kNoNumber || (word != "column" && word != "step" && word != "constant")) {
      return refuse(what + "; write column:N, step:N or constant:N, separated by commas");
    }
    if (word == "column") {
      const size_t count = spec_.input.type.children.size();
      if (number >= count) return refuse(what + ", but " + counted(count, "input column") + ", counted from 0");
      step_.arguments.push_back({Argument::From::kColumn, number});
      return {};
    }
    if (word == "step") {
      if (number >= index_) return refuse(what + "; a step takes results of the steps before it only");
      step_.arguments.push_back({Argument::From::kStep, number});
      return {};
    }
    return constant(what, number);
  }

  Status constant(const std::string& what, size_t number) {
    const std::string key = CLUTCH_OPTION_CONSTANT + std::to_string(number);
    const auto literal = find_option(step_.options, key);
    const auto pickled = find_option(step_.options, key + ".pickle");
    if (!literal && !pickled)
      return refuse(what + ", but neither the option \"" + key + "\" nor \"" + key + ".pickle\"");
    if (literal && pickled) return refuse("has both options \"" + key + "\" and \"" + key + ".pickle\"; give one");
    step_.arguments.push_back({Argument::From::kConstant, step_.constants.size()});
    step_.constants.push_back({std::string(literal ? *literal : *pickled), !literal});
    return {};
  }

  const FunctionSpec& spec_;
  size_t index_;
  StepSpec& step_;
};

Status check_outputs(FunctionSpec& spec) {
  const auto& columns = spec.output.type.children;
  const auto given = [](const StepSpec& step) { return step.output.has_value(); };
  if (std::none_of(spec.steps.begin(), spec.steps.end(), given)) return {};
  for (size_t column = 0; column < columns.size(); ++column) {
    const auto count = std::count_if(spec.steps.begin(), spec.steps.end(),
                                     [column](const StepSpec& step) { return step.output == column; });
    if (count == 1) continue;
    return Status(CLUTCH_ERR_ARGUMENT, "function \"" + spec.name + "\": result column " + std::to_string(column) +
                                           " \"" + columns[column].name + "\" is the output of " +
                                           (count == 0 ? "no step" : "several steps") + "; it must be that of one");
  }
  return {};
}

}  // namespace

Status read_fused(FunctionSpec& spec) {
  for (const StepSpec& step : spec.steps) {
    if (find_option(step.options, CLUTCH_OPTION_ARGUMENTS) || find_option(step.options, CLUTCH_OPTION_OUTPUT)) {
      spec.fused = true;
    }
  }
  if (!spec.fused) return {};
  for (size_t i = 0; i < spec.steps.size(); ++i) CLUTCH_RETURN_IF_ERROR(StepReader(spec, i, spec.steps[i]).read());
  return check_outputs(spec);
}

}  // namespace clutch::pyembed
