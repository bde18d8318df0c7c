#include "plan/composite.h"

#include <algorithm>

#include "errors/exception.h"

namespace clutch::pyembed {
namespace {

Result<PyRef> make_constant(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec, size_t step, size_t i) {
  const ConstantSpec& constant = spec.steps[step].constants[i];
  PyRef load = interpreter.helper(gil, Interpreter::File::kLoading, "load_constant");
  PyRef text =
      PyRef::steal(PyUnicode_DecodeUTF8(constant.text.data(), static_cast<Py_ssize_t>(constant.text.size()), nullptr));
  PyRef made;
  if (load && text) {
    made = PyRef::steal(
        PyObject_CallFunctionObjArgs(load.get(), text.get(), constant.pickled ? Py_True : Py_False, nullptr));
  }
  if (made) return made;
  return to_status(CLUTCH_ERR_FUNCTION,
                   "function \"" + spec.steps[step].name + "\": constant " + std::to_string(i) + " of step " +
                       std::to_string(step) + " cannot be made",
                   describe(gil, interpreter, take_exception(gil), true));
}

// What stands before a number in the text.
std::string numbered(char letter, size_t number) { return letter + std::to_string(number); }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// stream.*: one value, whatever the columns are.
size_t column_count(const FunctionSpec& spec) { return spec.steps.front().table ? spec.input.type.children.size() : 1; }

// The value of this step goes to the next one and nowhere else, so its call can stand in that one's arguments.
bool goes_on(const FunctionSpec& spec, const std::vector<size_t>& results, size_t step) {
  if (step + 1 == spec.steps.size() || std::find(results.begin(), results.end(), step) != results.end()) return false;
  if (!spec.fused) return true;
  size_t uses = 0;
  for (size_t i = step + 1; i < spec.steps.size(); ++i) {
    for (const Argument& argument : spec.steps[i].arguments) {
      if (argument.from != Argument::From::kStep || argument.index != step) continue;
      if (i != step + 1) return false;
      ++uses;
    }
  }
  return uses == 1;
}

}  // namespace

Result<std::unique_ptr<Composite>> Composite::make(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec,
                                                   const std::vector<std::unique_ptr<UserObject>>& objects) {
  std::unique_ptr<Composite> made(new Composite);
  made->results_.assign(spec.output.type.children.size(), spec.steps.size() - 1);
  const bool told =
      std::any_of(spec.steps.begin(), spec.steps.end(), [](const auto& s) { return s.output.has_value(); });
  if (!told) made->results_.resize(1);
  for (size_t i = 0; i < spec.steps.size(); ++i) {
    if (spec.steps[i].output) made->results_[*spec.steps[i].output] = i;
  }
  made->names_ = PyRef::steal(PyDict_New());
  made->lines_ = PyRef::steal(PyList_New(0));
  made->sources_ = PyRef::steal(PyDict_New());
  bool good = made->names_ && made->lines_ && made->sources_;
  const auto define = [&](const std::string& name, PyView value) {
    good = good && PyDict_SetItemString(made->names_.get(), name.c_str(), value.get()) == 0;
  };
  const auto add_line = [&](const std::string& line) {
    PyRef object = PyRef::steal(PyUnicode_FromStringAndSize(line.data(), static_cast<Py_ssize_t>(line.size())));
    good = good && object && PyList_Append(made->lines_.get(), object.get()) == 0;
  };
  // Older versions tell the line of a call that raised, but not its place in the line.
  const bool nested = minor_version(interpreter.version()) >= 11;
  std::vector<std::string> values;  // of the steps so far, as text: a name or a call
  size_t constants = 0;
  for (size_t i = 0; i < spec.steps.size(); ++i) {
    define(numbered('f', i), PyView(objects[i]->callable()));
    std::vector<std::string> arguments;
    for (const Argument& argument : spec.steps[i].arguments) {
      if (argument.from == Argument::From::kColumn) arguments.push_back(numbered('c', argument.index));
      if (argument.from == Argument::From::kStep) arguments.push_back(values[argument.index]);
      if (argument.from == Argument::From::kConstant) {
        CLUTCH_ASSIGN_OR_RETURN(PyRef constant, make_constant(gil, interpreter, spec, i, argument.index));
        arguments.push_back(numbered('k', constants++));
        define(arguments.back(), constant);
      }
    }
    for (size_t c = 0; !spec.fused && i == 0 && c < column_count(spec); ++c) arguments.push_back(numbered('c', c));
    if (!spec.fused && i > 0) arguments.push_back(values.back());
    values.push_back(numbered('f', i) + "(" + joined(arguments) + ")");
    const bool returned = i + 1 == spec.steps.size() && made->results_.size() == 1 && made->results_.front() == i;
    if (returned || (nested && goes_on(spec, made->results_, i))) continue;
    add_line(numbered('v', i) + " = " + values.back());
    values.back() = numbered('v', i);
  }
  std::vector<std::string> results;
  for (const size_t step : made->results_) results.push_back(values[step]);
  add_line("return " + joined(results));
  PyRef make = interpreter.helper(gil, Interpreter::File::kDrivers, "make_calls");
  made->failed_step_ = interpreter.helper(gil, Interpreter::File::kDrivers, "failed_step");
  PyRef columns = PyRef::steal(PyLong_FromSize_t(column_count(spec)));
  if (good && make && columns && made->failed_step_) {
    made->call_ = PyRef::steal(PyObject_CallFunctionObjArgs(make.get(), made->lines_.get(), made->names_.get(),
                                                            columns.get(), made->sources_.get(), nullptr));
  }
  if (made->call_) return made;
  return to_status(CLUTCH_ERR_INTERNAL, "function \"" + spec.name + "\": its steps cannot be put together",
                   describe(gil, interpreter, take_exception(gil), true));
}

size_t Composite::raised() const {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  long step = -1;
  if (traceback != nullptr) {
    PyRef found = PyRef::steal(PyObject_CallFunctionObjArgs(failed_step_.get(), traceback, sources_.get(), nullptr));
    if (found) step = PyLong_AsLong(found.get());
  }
  PyErr_Clear();
  PyErr_Restore(type, value, traceback);
  return step >= 0 ? static_cast<size_t>(step) : results_.front();  // what it gave could not be taken
}

size_t Composite::step_of(const Fault& fault, Outputs& outputs) const {
  if (fault.reason == Fault::Reason::kRead) return 0;
  if (fault.reason == Fault::Reason::kRaised) return raised();
  size_t step = results_.front();
  if (results_.size() == 1) return step;
  const std::string& path = outputs.writer().mismatch().path;  // ".column" and what is below it
  const auto& columns = outputs.writer().field().type.children;
  size_t longest = 0;  // a name may begin with another one
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i].name;
    if (path.compare(0, name.size() + 1, "." + name) != 0 || name.size() + 1 <= longest) continue;
    longest = name.size() + 1;
    step = results_[i];
  }
  return step;
}

}  // namespace clutch::pyembed
