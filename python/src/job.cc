#include "job.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "array.h"
#include "runtime/batch.h"
#include "source/packed.h"

namespace clutch::python {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A signal is answered after so long at the latest.
constexpr milliseconds kSlice(50);

// Runs `body` without the interpreter lock, which the threads of a job may need.
template <typename Body>
auto unlocked(Body&& body) {
  class Released {
   public:
    Released() : state_(PyEval_SaveThread()) {}
    ~Released() { PyEval_RestoreThread(state_); }
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;

   private:
    PyThreadState* state_;
  };
  const Released released;
  return body();
}

JobValue* live(PyObject* self) {
  JobValue& value = unbox<JobValue>(self);
  return check_process(value.pid, "Job") ? &value : nullptr;
}

Status status_of(const Error& error) {
  Status status(error.code(), error.what());
  for (const auto& [key, value] : error.details()) status.with(key, value);
  return status;
}

// Pairs of text from a list, copied. False with a Python error set.
bool read_pairs(PyObject* list, Options& out) {
  for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
    const char *key = nullptr, *value = nullptr;
    if (PyArg_ParseTuple(PyList_GetItem(list, i), "ss", &key, &value) == 0) return false;
    out.emplace_back(key, value);
  }
  return true;
}

bool read_blobs(PyObject* list, std::vector<std::string>& out) {
  for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(PyList_GetItem(list, i), &data, &size) != 0) return false;
    out.emplace_back(data, static_cast<size_t>(size));
  }
  return true;
}

Status open(JobValue& value, const std::string& description, std::vector<std::string> blobs, HostSettings settings) {
  try {
    value.host = std::make_unique<Host>(std::move(settings));
    CLUTCH_ASSIGN_OR_RETURN(value.job, engine::Job::make(description, std::move(blobs), *value.host));
    return {};
  } catch (const Error& error) {
    return status_of(error);
  }
}

PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject*) {
  return guarded([&]() -> PyObject* {
    const char *description = nullptr, *plugin_path = nullptr;
    PyObject *blob_list = nullptr, *option_list = nullptr;
    if (PyArg_ParseTuple(arguments, "sO!O!z", &description, &PyList_Type, &blob_list, &PyList_Type, &option_list,
                         &plugin_path) == 0) {
      return nullptr;
    }
    std::vector<std::string> blobs;
    HostSettings settings;
    if (!read_blobs(blob_list, blobs) || !read_pairs(option_list, settings.options)) return nullptr;
    if (plugin_path != nullptr) settings.plugin_path = plugin_path;
    JobValue value;
    value.pid = getpid();
    const std::string text = description;  // the str is not ours while the lock is not
    const Status status = unlocked([&] { return open(value, text, std::move(blobs), std::move(settings)); });
    return status.ok() ? box(type, std::move(value)) : raise(status);
  });
}

PyObject* plan(PyObject* self, PyObject* argument) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    const char* name = value != nullptr ? text_of(argument) : nullptr;
    if (name == nullptr) return nullptr;
    const std::string_view format = name;
    if (format != "text" && format != "json") {
      PyErr_Format(PyExc_ValueError, "the format of a plan is 'text' or 'json', not %R", argument);
      return nullptr;
    }
    return make_text(unlocked([&] { return value->job->plan(format == "json" ? Format::kJson : Format::kText); }));
  });
}

// start(snapshot): goes on from the bytes, or begins anew where there are none.
PyObject* start(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    PyObject* bytes = nullptr;
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (value == nullptr || PyArg_ParseTuple(arguments, "|S", &bytes) == 0) return nullptr;
    if (bytes != nullptr && PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return nullptr;
    const std::string snapshot(data != nullptr ? data : "", static_cast<size_t>(size));  // not ours without the lock
    const Status status = unlocked([&] { return value->job->start(snapshot); });
    return status.ok() ? none() : raise(status);
  });
}

PyObject* cancel(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    if (value == nullptr) return nullptr;
    unlocked([&] { value->job->cancel(); });
    return none();
  });
}

// Until when to wait: seconds, or None for ever. False with a Python error set.
bool read_deadline(PyObject* seconds, std::optional<steady_clock::time_point>& out) {
  if (seconds == Py_None) return true;
  const double value = PyFloat_AsDouble(seconds);
  if (PyErr_Occurred() != nullptr) return false;
  if (!(value >= 0 && value <= 1e9)) {
    PyErr_Format(PyExc_ValueError, "a timeout is None or seconds from 0 to 1e9, not %R", seconds);
    return false;
  }
  out = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(value));
  return true;
}

milliseconds slice_of(const std::optional<steady_clock::time_point>& deadline) {
  if (!deadline.has_value()) return kSlice;
  const auto left = std::chrono::ceil<milliseconds>(*deadline - steady_clock::now());
  return std::clamp(left, milliseconds(0), kSlice);
}

bool has_passed(const std::optional<steady_clock::time_point>& deadline) {
  return deadline.has_value() && steady_clock::now() >= *deadline;
}

milliseconds time_until(const std::optional<steady_clock::time_point>& deadline) {
  constexpr milliseconds kLong = std::chrono::hours(24 * 365);
  return deadline.has_value() ? std::chrono::ceil<milliseconds>(*deadline - steady_clock::now()) : kLong;
}

PyObject* snapshot(PyObject* self, PyObject* argument) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    std::optional<steady_clock::time_point> deadline;
    if (value == nullptr || !read_deadline(argument, deadline)) return nullptr;
    const Result<std::string> taken = unlocked([&] { return value->job->snapshot(time_until(deadline)); });
    if (!taken.ok()) return raise(taken.status());
    return PyBytes_FromStringAndSize(taken->data(), static_cast<Py_ssize_t>(taken->size()));
  });
}

// move(node, mode, seconds)
PyObject* move(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    int node = 0;
    const char* mode = nullptr;
    PyObject* seconds = nullptr;
    std::optional<steady_clock::time_point> deadline;
    if (value == nullptr || PyArg_ParseTuple(arguments, "isO", &node, &mode, &seconds) == 0 ||
        !read_deadline(seconds, deadline)) {
      return nullptr;
    }
    const std::string wanted = mode;  // the str is not ours while the lock is not
    const Status status = unlocked([&] { return value->job->move(node, wanted, time_until(deadline)); });
    return status.ok() ? none() : raise(status);
  });
}

// wait(seconds): whether the job has ended well; raises its error.
PyObject* wait(PyObject* self, PyObject* argument) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    std::optional<steady_clock::time_point> deadline;
    if (value == nullptr || !read_deadline(argument, deadline)) return nullptr;
    for (;;) {
      const std::optional<Status> ended = unlocked([&] { return value->job->wait(slice_of(deadline)); });
      if (ended.has_value()) return ended->ok() ? PyBool_FromLong(1) : raise(*ended);
      if (PyErr_CheckSignals() != 0) return nullptr;
      if (has_passed(deadline)) return PyBool_FromLong(0);
    }
  });
}

PyObject* objects_of(engine::Collected collected) {
  auto field =
      std::make_shared<const columnar::Field>(columnar::struct_of({collected.element, engine::timestamp_field()}));
  PyRef rows = PyRef::steal(make_array_object(std::move(field), std::move(collected.batch)));
  PyRef column = PyRef::steal(rows ? PyObject_CallMethod(rows.get(), "child", "i", 0) : nullptr);
  PyRef list = PyRef::steal(column ? PyObject_CallMethod(column.get(), "tolist", nullptr) : nullptr);
  return list ? Py_BuildValue("(iO)", static_cast<int>(collected.node), list.get()) : nullptr;
}

// What arrived, if anything did in one slice; nothing and `ret_ended`: there is nothing more.
Result<std::optional<engine::Collected>> take(JobValue& value, milliseconds slice, bool& ret_ended) {
  Result<std::optional<engine::Collected>> taken = value.job->collected(slice);
  if (!taken.ok() || taken->has_value()) return taken;
  // The queue does not tell its end from the timeout. Nothing is put into it once the job has ended.
  if (!value.job->wait(milliseconds(0)).has_value()) return taken;
  taken = value.job->collected(milliseconds(0));
  ret_ended = taken.ok() && !taken->has_value();
  return taken;
}

// collected(seconds): id of a collect sink and elements, None at the end, () where the time has passed.
PyObject* collected(PyObject* self, PyObject* argument) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    std::optional<steady_clock::time_point> deadline;
    if (value == nullptr || !read_deadline(argument, deadline)) return nullptr;
    for (;;) {
      bool ended = false;
      auto taken = unlocked([&] { return take(*value, slice_of(deadline), ended); });
      if (!taken.ok()) return raise(taken.status());
      if (taken->has_value()) return objects_of(**std::move(taken));
      if (ended) return none();
      if (PyErr_CheckSignals() != 0) return nullptr;
      if (has_passed(deadline)) return PyTuple_New(0);
    }
  });
}

PyRef number_or_none(const std::optional<int64_t>& number) {
  return PyRef::steal(number.has_value() ? PyLong_FromLongLong(*number) : none());
}

PyObject* object_of(const engine::OperatorMetrics& of) {
  const PyRef backlog = number_or_none(of.backlog_bytes);
  const PyRef kept = number_or_none(of.kept);
  const PyRef workers = number_or_none(of.workers);
  if (!backlog || !kept || !workers) return nullptr;
  return Py_BuildValue(
      "{s:i,s:s,s:s,s:s,s:i,s:L,s:L,s:L,s:L,s:L,s:K,s:L,s:O,s:O,s:O}", "node", static_cast<int>(of.node), "name",
      of.name.c_str(), "mode", of.mode.c_str(), "plugin", of.plugin.c_str(), "subtask", static_cast<int>(of.subtask),
      "rows_in", static_cast<long long>(of.rows_in), "rows_out", static_cast<long long>(of.rows_out), "batches",
      static_cast<long long>(of.batches), "busy_ns", static_cast<long long>(of.busy_ns), "blocked_ns",
      static_cast<long long>(of.blocked_ns), "dead_letters", static_cast<unsigned long long>(of.dead_letters),
      "watermark", static_cast<long long>(of.watermark), "backlog_bytes", backlog.get(), "kept", kept.get(), "workers",
      workers.get());
}

// metrics(): a dict for each operator of each subtask.
PyObject* metrics(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    JobValue* value = live(self);
    if (value == nullptr) return nullptr;
    const engine::JobMetrics found = unlocked([&] { return value->job->metrics(); });
    PyRef list = PyRef::steal(PyList_New(0));
    for (const engine::OperatorMetrics& of : found.operators) {
      PyRef one = PyRef::steal(list ? object_of(of) : nullptr);
      if (!one || PyList_Append(list.get(), one.get()) != 0) return nullptr;
    }
    return list.release();
  });
}

PyMethodDef kMethods[] = {
    {"plan", plan, METH_O, "The physical plan: 'text' or 'json'."},
    {"start", start, METH_VARARGS, "Open all functions and start the job, from the bytes of snapshot() if given."},
    {"snapshot", snapshot, METH_O, "What a job of the same nodes goes on from, as bytes; in so many seconds."},
    {"move", move, METH_VARARGS, "Let the functions of a node move to another mode, in so many seconds."},
    {"wait", wait, METH_O,
     "Wait for the end, so many seconds or for ever; whether it is there. Raises the job's error."},
    {"cancel", cancel, METH_NOARGS, "Ask the job to end; does not wait."},
    {"collected", collected, METH_O, "(sink, elements) that arrived; None at the end, () if the time has passed."},
    {"metrics", metrics, METH_NOARGS, "What each operator of each subtask has done, as dicts."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot kSlots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(unbox_and_free<JobValue>)},
    {Py_tp_new, reinterpret_cast<void*>(make)},
    {Py_tp_methods, kMethods},
    {0, nullptr},
};
PyType_Spec kSpec = {"clutch._host.Job", sizeof(Boxed<JobValue>), 0, Py_TPFLAGS_DEFAULT, kSlots};

}  // namespace

JobValue::~JobValue() {
  if (job == nullptr && host == nullptr) return;
  if (pid != getpid()) {
    // A forked child has a copy of the memory, but not the threads and worker processes it speaks of: they are left.
    static_cast<void>(job.release());
    static_cast<void>(host.release());
    return;
  }
  unlocked([this] {
    job.reset();
    host.reset();
  });
}

PyObject* pack_elements(PyObject*, PyObject* array) {
  return guarded([&]() -> PyObject* {
    const ArrayValue* value = array_value(array);
    if (value == nullptr) return nullptr;
    std::string packed;
    const Status status = unlocked([&] { return engine::pack_elements(*value->field, *value->array->get(), packed); });
    if (!status.ok()) return raise(status);
    return PyBytes_FromStringAndSize(packed.data(), static_cast<Py_ssize_t>(packed.size()));
  });
}

bool add_job_type(PyObject* module) { return add_type(module, kSpec, "Job", nullptr); }

}  // namespace clutch::python
