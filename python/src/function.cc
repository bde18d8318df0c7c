// An open function: batches go in by submit, results come out by wait.
#include <unistd.h>

#include "array.h"
#include "clutch/abi/spec.h"
#include "handles.h"
#include "owner.h"

namespace clutch::python {
namespace {

// One call that is inside of libclutch without the interpreter lock. Empty with a Python error set if it may not.
class Inside {
 public:
  explicit Inside(PyObject* self) : function_(unbox<FunctionValue>(self)) {
    if (!check_process(function_.pid, "function")) return;
    if (function_.function == nullptr || function_.closing) {
      PyErr_SetString(PyExc_ValueError, "the function is closed");
      return;
    }
    ++function_.inside;
    entered_ = true;
  }
  ~Inside() {
    if (entered_) --function_.inside;
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  explicit operator bool() const { return entered_; }
  clutch_app_function* get() const { return function_.function; }
  const FunctionValue& value() const { return function_; }

 private:
  FunctionValue& function_;
  bool entered_ = false;
};

struct ResultFree {
  void operator()(clutch_app_result* result) const { clutch_app_result_free(result); }
};
using ResultOwner = std::unique_ptr<clutch_app_result, ResultFree>;

// A share of an array that stands beside the rows; empty for None. False with a Python error set.
bool share_beside(PyObject* given, columnar::Array& ret_array) {
  if (given == Py_None) return true;
  const ArrayValue* value = array_value(given);
  if (value == nullptr) return false;
  ret_array = share(value->array, *value->array->get());
  return true;
}

// submit(rows, timeout_ms, keys = None, key_index = None, row_kinds = None): the number of the batch.
PyObject* submit(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *rows = nullptr, *keys = Py_None, *index = Py_None, *kinds = Py_None;
    long long timeout = 0;
    if (PyArg_ParseTuple(arguments, "OL|OOO", &rows, &timeout, &keys, &index, &kinds) == 0) return nullptr;
    const ArrayValue* value = array_value(rows);
    const Inside inside(self);
    if (value == nullptr || !inside) return nullptr;
    columnar::Array key_array, index_array, kind_array;
    if (!share_beside(keys, key_array) || !share_beside(index, index_array) || !share_beside(kinds, kind_array)) {
      return nullptr;
    }
    ArrowArray moved = share(value->array, *value->array->get()).detach();
    clutch_app_batch_options options{};
    options.struct_size = sizeof options;
    if (keys != Py_None) options.keys = key_array.get();
    if (index != Py_None) options.key_index = index_array.get();
    if (kinds != Py_None) options.row_kinds = kind_array.get();
    options.timeout_ms = timeout;
    options.flags = CLUTCH_APP_UNTRUSTED_INPUT;
    uint64_t sequence = 0;
    clutch_app_error* error = nullptr;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS;
    status = clutch_app_function_submit(inside.get(), &moved, &options, &sequence, &error);
    Py_END_ALLOW_THREADS;
    bury();
    return status < 0 ? raise(status, error) : PyLong_FromUnsignedLongLong(sequence);
  });
}

// Rows that were put aside: pairs of a row number and a clutch.Error.
PyObject* dead_letters(const clutch_app_result* result) {
  const uint64_t count = clutch_app_result_dead_letter_count(result);
  PyRef list = PyRef::steal(PyList_New(0));
  for (uint64_t i = 0; list && i < count; ++i) {
    PyRef error = PyRef::steal(make_error(clutch_app_result_dead_letter_error(result, i)));
    PyRef row = PyRef::steal(PyLong_FromLongLong(clutch_app_result_dead_letter_row(result, i)));
    PyRef pair = PyRef::steal(error && row ? PyTuple_Pack(2, row.get(), error.get()) : nullptr);
    if (!pair || PyList_Append(list.get(), pair.get()) != 0) return nullptr;
  }
  return list.release();
}

PyObject* take(const FunctionValue& function, clutch_app_result* result) {
  PyRef origin = PyRef::share(Py_None);
  if (const int32_t* numbers = clutch_app_result_origin(result); numbers != nullptr) {
    const int64_t size = clutch_app_result_row_count(result) * static_cast<int64_t>(sizeof(int32_t));
    origin =
        PyRef::steal(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(numbers), static_cast<Py_ssize_t>(size)));
  }
  PyRef letters = PyRef::steal(dead_letters(result));
  ArrowArray rows{};
  if (!origin || !letters) return nullptr;
  if (const int32_t status = clutch_app_result_take_rows(result, &rows); status < 0) return raise(status, nullptr);
  PyRef array = PyRef::steal(make_array_object(function.output, columnar::Array(std::move(rows))));
  return array ? PyTuple_Pack(3, array.get(), origin.get(), letters.get()) : nullptr;
}

// wait(number, timeout_ms): rows, origin and dead letters, or None if the time is over first. The timeout is short, so
// that signals are seen and a close gets through; the caller asks again.
PyObject* wait(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    unsigned long long sequence = 0;
    long long timeout = 0;
    if (PyArg_ParseTuple(arguments, "KL", &sequence, &timeout) == 0) return nullptr;
    const Inside inside(self);
    if (!inside) return nullptr;
    clutch_app_result* raw = nullptr;
    clutch_app_error* error = nullptr;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS;
    status = clutch_app_function_await(inside.get(), sequence, timeout, &raw, &error);
    Py_END_ALLOW_THREADS;
    const ResultOwner result(raw);
    bury();
    if (status < 0) return raise(status, error);
    if (status == CLUTCH_PENDING) return PyErr_CheckSignals() == 0 ? none() : nullptr;
    return take(inside.value(), result.get());
  });
}

PyObject* cancel(PyObject* self, PyObject* argument) {
  const unsigned long long sequence = PyLong_AsUnsignedLongLong(argument);
  if (PyErr_Occurred() != nullptr) return nullptr;
  const Inside inside(self);
  if (!inside) return nullptr;
  Py_BEGIN_ALLOW_THREADS;
  clutch_app_function_cancel(inside.get(), sequence);
  Py_END_ALLOW_THREADS;
  return none();
}

// close(): True when it is closed, False while another thread is inside; ask again then.
PyObject* close(PyObject* self, PyObject*) {
  FunctionValue& function = unbox<FunctionValue>(self);
  if (function.function == nullptr) return PyBool_FromLong(1);
  if (!check_process(function.pid, "function")) return nullptr;
  function.closing = true;
  if (function.inside > 0) return PyBool_FromLong(0);
  clutch_app_function* const closed = std::exchange(function.function, nullptr);
  clutch_app_error* error = nullptr;
  int32_t status;
  Py_BEGIN_ALLOW_THREADS;
  status = clutch_app_function_close(closed, &error);
  Py_END_ALLOW_THREADS;
  bury();
  return status < 0 ? raise(status, error) : PyBool_FromLong(1);
}

PyObject* report(PyObject* self, char* (*ask)(const clutch_app_function*, int32_t), int32_t format) {
  const Inside inside(self);
  if (!inside) return nullptr;
  char* text = ask(inside.get(), format);
  if (text == nullptr) return PyErr_NoMemory();
  PyObject* object = make_text(text);
  clutch_app_text_free(text);
  return object;
}

// decision(json)
PyObject* decision(PyObject* self, PyObject* argument) {
  return report(self, clutch_app_function_decision, PyObject_IsTrue(argument) == 1 ? CLUTCH_APP_JSON : CLUTCH_APP_TEXT);
}

PyObject* metrics(PyObject* self, PyObject*) {
  return report(
      self,
      [](const clutch_app_function* function, int32_t format) {
        return clutch_app_function_metrics_report(const_cast<clutch_app_function*>(function), format);
      },
      CLUTCH_APP_JSON);
}

PyObject* facts(PyObject* self, PyObject*) {
  const Inside inside(self);
  if (!inside) return nullptr;
  return Py_BuildValue("(sssI)", clutch_app_function_name(inside.get()), clutch_app_function_mode(inside.get()),
                       clutch_app_function_plugin(inside.get()), clutch_app_function_max_in_flight(inside.get()));
}

PyMethodDef kMethods[] = {
    {"submit", submit, METH_VARARGS, "Hand in rows; the number of the batch."},
    {"wait", wait, METH_VARARGS, "Rows, origin and dead letters of a batch, or None if the time is over first."},
    {"cancel", cancel, METH_O, "Ask that a batch end soon."},
    {"close", close, METH_NOARGS, "Close; False while another thread is inside."},
    {"decision", decision, METH_O, "Which plugin was chosen and why, as text or JSON."},
    {"metrics", metrics, METH_NOARGS, "What was counted, as JSON."},
    {"facts", facts, METH_NOARGS, "Name, mode, plugin, and how many batches may be in flight."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot kSlots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(unbox_and_free<FunctionValue>)},
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_methods, kMethods},
    {0, nullptr},
};
PyType_Spec kSpec = {"clutch._host.Function", sizeof(Boxed<FunctionValue>), 0, Py_TPFLAGS_DEFAULT, kSlots};

// Steps as tuples (name, kind, payload format, payload, options), borrowed.
struct Steps {
  std::vector<clutch_app_step> steps;
  std::vector<std::vector<clutch_app_option>> options;
  std::vector<const clutch_app_step*> pointers;

  bool read(PyObject* list) {
    for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
      clutch_app_step step{};
      step.struct_size = sizeof step;
      const char* payload = nullptr;
      Py_ssize_t size = 0;
      PyObject* pairs = nullptr;
      if (PyArg_ParseTuple(PyList_GetItem(list, i), "sssy#O!", &step.name, &step.kind, &step.payload_format, &payload,
                           &size, &PyList_Type, &pairs) == 0) {
        return false;
      }
      step.payload = payload;
      step.payload_size = static_cast<uint64_t>(size);
      options.emplace_back();
      if (!read_options(pairs, options.back())) return false;
      steps.push_back(step);
    }
    for (size_t i = 0; i < steps.size(); ++i) {
      steps[i].options = options[i].data();
      steps[i].n_options = options[i].size();
      pointers.push_back(&steps[i]);
    }
    return true;
  }
};

}  // namespace

FunctionValue::~FunctionValue() {
  if (function == nullptr || pid != getpid()) return;
  clutch_app_function* const closed = function;
  Py_BEGIN_ALLOW_THREADS;
  clutch_app_function_close(closed, nullptr);
  Py_END_ALLOW_THREADS;
}

PyObject* open_function(PyObject* host, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *list = nullptr, *pairs = nullptr;
    clutch_app_spec spec{};
    spec.struct_size = sizeof spec;
    if (PyArg_ParseTuple(arguments,
                         "O!ssiz"
                         "O!",
                         &PyList_Type, &list, &spec.input, &spec.output, &spec.on_error, &spec.name, &PyList_Type,
                         &pairs) == 0) {
      return nullptr;
    }
    Steps steps;
    std::vector<clutch_app_option> options;
    if (!steps.read(list) || !read_options(pairs, options)) return nullptr;
    spec.steps = steps.pointers.data();
    spec.n_steps = steps.pointers.size();
    spec.options = options.data();
    spec.n_options = options.size();
    FunctionValue function;
    function.host = PyRef::share(host);
    function.pid = getpid();
    clutch_app* const app = unbox<HostValue>(host).app;
    clutch_app_error* error = nullptr;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS;
    status = clutch_app_function_open(app, &spec, &function.function, &error);
    Py_END_ALLOW_THREADS;
    if (status < 0) return raise(status, error);
    Result<columnar::Field> output = columnar::import_field(*clutch_app_function_output_schema(function.function));
    if (!output.ok()) return raise(output.status());
    function.output = std::make_shared<const columnar::Field>(*std::move(output));
    return box(state().function, std::move(function));
  });
}

bool add_function_type(PyObject* module) { return add_type(module, kSpec, "Function", &state().function); }

}  // namespace clutch::python
