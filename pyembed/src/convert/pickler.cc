#include "convert/pickler.h"

#include "convert/plain_pickle.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {
namespace {

constexpr long kProtocol = 5;
constexpr std::string_view kMain = "__main__";

PyRef attribute(const PyRef& owner, const char* name) {
  return owner ? PyRef::steal(PyObject_GetAttrString(owner.get(), name)) : PyRef();
}

PyObject* call(PyObject* callable, PyObject* first, PyObject* second) {
  PyObject* stack[3] = {nullptr, first, second};
  return slots().vectorcall(callable, stack + 1, (second != nullptr ? 2U : 1U) | kArgsOffset, nullptr);
}

bool names_main(PyObject* bytes) {
  const std::string_view text(PyBytes_AsString(bytes), static_cast<size_t>(PyBytes_Size(bytes)));
  return text.find(kMain) != std::string_view::npos;
}

// The Python error that is set, kept while something else is tried.
class KeptError {
 public:
  KeptError() { PyErr_Fetch(&type_, &value_, &traceback_); }
  ~KeptError() {
    Py_XDECREF(type_);
    Py_XDECREF(value_);
    Py_XDECREF(traceback_);
  }
  KeptError(const KeptError&) = delete;
  KeptError& operator=(const KeptError&) = delete;
  void restore() {
    PyErr_Restore(type_, value_, traceback_);
    type_ = value_ = traceback_ = nullptr;
  }

 private:
  PyObject *type_ = nullptr, *value_ = nullptr, *traceback_ = nullptr;
};

// An Exception, but none that says the interpreter is at its end.
bool is_refusal() {
  return PyErr_ExceptionMatches(PyExc_Exception) != 0 && PyErr_ExceptionMatches(PyExc_MemoryError) == 0;
}

}  // namespace

Result<Pickler> Pickler::make(const ObjectLayout& layout) {
  Pickler made;
  made.layout_ = &layout;
  PyRef pickle = PyRef::steal(PyImport_ImportModule("pickle"));
  PyRef io = PyRef::steal(pickle ? PyImport_ImportModule("io") : nullptr);
  made.dumps_ = attribute(pickle, "dumps");
  made.loads_ = attribute(pickle, "loads");
  made.pickler_ = attribute(pickle, "Pickler");
  made.file_ = attribute(io, "BytesIO");
  made.protocol_ = PyRef::steal(PyLong_FromLong(kProtocol));
  if (made.dumps_ && made.loads_ && made.pickler_ && made.file_ && made.protocol_) return made;
  PyErr_Clear();
  return Status(CLUTCH_ERR_UNSUPPORTED,
                "this interpreter has no usable module pickle; declare the type of the values, or use a CPython whose "
                "standard library is complete");
}

bool Pickler::dump(PyObject* value, std::string_view& ret_bytes) {
  plain_.clear();
  if (dump_plain(value, *layout_, keys_, plain_)) [[likely]] {
    ret_bytes = plain_;
    return true;
  }
  given_ = reinterpret_cast<PyObject*>(Py_TYPE(value)) == by_value_.get() ? dump_by_value(value) : dump_object(value);
  if (!given_ && is_refusal()) {
    KeptError first;
    given_ = find_cloudpickle() ? dump_by_value(value) : PyRef();
    if (given_) {
      by_value_ = PyRef::share(reinterpret_cast<PyObject*>(Py_TYPE(value)));
    } else if (PyErr_Occurred() == nullptr || is_refusal()) {
      first.restore();  // what pickle says is shorter, and its users know it
    }
  } else if (given_ && names_main(given_.get()) && find_cloudpickle()) {
    if (PyRef whole = dump_by_value(value); whole) {
      given_ = std::move(whole);
    } else if (is_refusal()) {
      PyErr_Clear();  // the pickle by name is good where it was made
    } else {
      given_.reset();
    }
  }
  if (!given_) return false;
  ret_bytes = {PyBytes_AsString(given_.get()), static_cast<size_t>(PyBytes_Size(given_.get()))};
  return true;
}

PyRef Pickler::dump_object(PyObject* value) const {
  return keys_ ? dump_equal(value, pickler_.get()) : PyRef::steal(call(dumps_.get(), value, protocol_.get()));
}

// By an object of the class `pickler` that takes no notice of which parts are the same.
PyRef Pickler::dump_equal(PyObject* value, PyObject* pickler) const {
  PyRef file = PyRef::steal(PyObject_CallObject(file_.get(), nullptr));
  PyRef made = PyRef::steal(file ? call(pickler, file.get(), protocol_.get()) : nullptr);
  if (!made || PyObject_SetAttrString(made.get(), "fast", Py_True) != 0) return {};
  if (!PyRef::steal(PyObject_CallMethod(made.get(), "dump", "O", value))) return {};
  return PyRef::steal(PyObject_CallMethod(file.get(), "getvalue", nullptr));
}

PyRef Pickler::dump_by_value(PyObject* value) {
  if (keys_) return dump_equal(value, cloud_pickler_.get());
  return PyRef::steal(call(cloud_dumps_.get(), value, protocol_.get()));
}

bool Pickler::find_cloudpickle() {
  if (!cloud_dumps_) {
    PyRef module = PyRef::steal(PyImport_ImportModule("cloudpickle"));
    cloud_dumps_ = attribute(module, "dumps");
    cloud_pickler_ = attribute(module, "CloudPickler");
    if (!cloud_dumps_ || !cloud_pickler_) cloud_dumps_ = PyRef::share(Py_None);
    PyErr_Clear();
  }
  return cloud_dumps_.get() != Py_None;
}

PyObject* Pickler::load(std::string_view bytes) const {
  PyRef plain = load_plain(bytes, *layout_);
  if (plain || PyErr_Occurred() != nullptr) return plain.release();
  PyRef given = PyRef::steal(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
  return given ? call(loads_.get(), given.get(), nullptr) : nullptr;
}

}  // namespace clutch::pyembed
