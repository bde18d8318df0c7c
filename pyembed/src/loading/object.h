// The user's object behind one step: loaded from its payload, opened once, called, closed once.
#pragma once

#include <memory>

#include "errors/exception.h"
#include "loading/spec.h"
#include "table/host.h"

namespace clutch::pyembed {

class UserObject {
 public:
  // Load a step; nothing is opened yet. Fails with CLUTCH_ERR_FUNCTION. `host` must outlive the object.
  static Result<std::unique_ptr<UserObject>> load(const Gil& gil, Interpreter& interpreter, const StepSpec& step,
                                                  const Options& options, const Host& host,
                                                  clutch_function_context* context);

  // Needs the lock. Close first, unless the interpreter is gone.
  ~UserObject();
  UserObject(const UserObject&) = delete;
  UserObject& operator=(const UserObject&) = delete;

  // Call open(context) if the object has it. Once it was called, close() will be too, also if it failed. `states` is
  // what the context gets states from, NULL for none.
  Status open(const Gil& gil, PyObject* states);
  // Call close() if open() was called, or if the object has no open() and was ready for rows. Once.
  Status close(const Gil& gil);

  // Hand what the function counted to the host.
  void flush_metrics(const Gil& gil);

  PyObject* object() const { return object_.get(); }
  PyObject* callable() const { return callable_.get(); }

  // Forget the Python objects without touching them, because their interpreter is gone.
  void abandon();

 private:
  UserObject(Interpreter& interpreter, const StepSpec& step) : interpreter_(&interpreter), step_(step) {}
  Status failed(const Gil& gil, std::string_view what);
  Result<PyRef> load_payload(const Gil& gil, PyRef& ret_module_name);
  PyRef make_context(const Gil& gil, PyObject* states);

  Interpreter* interpreter_;
  StepSpec step_;
  const Options* options_ = nullptr;
  const Host* host_ = nullptr;
  clutch_function_context* host_context_ = nullptr;
  PyRef object_;
  PyRef callable_;
  PyRef context_;
  PyRef module_name_;  // of a module made for this function alone
  bool ready_ = false;
};

}  // namespace clutch::pyembed
