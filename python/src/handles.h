// The two handles of libclutch that Python code holds.
#pragma once

#include <cstdint>
#include <vector>

#include "clutch/columnar/type.h"
#include "state.h"

namespace clutch::python {

struct HostValue {
  clutch_app* app = nullptr;
  int pid = 0;

  HostValue() = default;
  HostValue(HostValue&& other) noexcept : app(std::exchange(other.app, nullptr)), pid(other.pid) {}
  HostValue& operator=(HostValue&&) = delete;
  ~HostValue();
};

// A function is closed when nobody is inside of a call; `closing` keeps new calls out, and makes those inside leave.
// All members are used with the interpreter lock held.
struct FunctionValue {
  clutch_app_function* function = nullptr;
  PyRef host;  // stays open as long
  int pid = 0;
  int inside = 0;
  bool closing = false;
  std::shared_ptr<const columnar::Field> output{};

  FunctionValue() = default;
  FunctionValue(FunctionValue&& other) noexcept
      : function(std::exchange(other.function, nullptr)),
        host(std::move(other.host)),
        pid(other.pid),
        output(std::move(other.output)) {}
  FunctionValue& operator=(FunctionValue&&) = delete;
  ~FunctionValue();
};

// Host.open(steps, input, output, on_error, name, options): a clutch._host.Function. NULL with a Python error set.
PyObject* open_function(PyObject* host, PyObject* arguments);

// Options as tuples of two str in a list, borrowed from it. False with a Python error set.
bool read_options(PyObject* list, std::vector<clutch_app_option>& ret_options);

}  // namespace clutch::python
