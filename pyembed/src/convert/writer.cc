#include <cstring>

#include "convert/mismatch.h"
#include "convert/writer_parts.h"

namespace clutch::pyembed {

using columnar::Field;
using columnar::TypeId;

namespace {

// Classes of optional packages are known by their names, so that nothing is imported to look.
bool named(PyObject* value, const char* module, const char* name) {
  const std::string full = type_name(Py_TYPE(value));
  const size_t length = std::strlen(module);
  return full.compare(0, length, module) == 0 && full.size() > length && full[length] == '.' &&
         full.compare(full.rfind('.') + 1, std::string::npos, name) == 0;
}

class NullWriter final : public WriterOf<NullWriter> {
 public:
  NullWriter(const Field& field, const Module& module) : WriterOf(field, module) {}
  bool put(PyObject* value, columnar::ArrayBuilder& out) {
    if (value != Py_None) return put_slow(value, out);
    out.append_null();
    return true;
  }
  bool coerce(PyObject* value, columnar::ArrayBuilder&) {
    return fail(value, "", "return None, or change the result type");
  }
};

}  // namespace

PyRef integer_of(PyObject* value, const Module& module) {
  if (PyLong_Check(value)) return PyRef::share(value);
  auto* type = reinterpret_cast<PyObject*>(Py_TYPE(value));
  // Arrays of one number have __index__ too, but are no numbers.
  if (!PyIndex_Check(value) || has_attribute(type, module.names().dunder_len)) return {};
  return PyRef::steal(PyNumber_Index(value));
}

bool has_attribute(PyObject* object, const PyRef& name) {
  PyRef value = PyRef::steal(PyObject_GetAttr(object, name.get()));
  if (!value) PyErr_Clear();
  return static_cast<bool>(value);
}

bool Writer::fail(PyObject* value, std::string reason, std::string hint) {
  PyErr_Clear();
  mismatch_ = Mismatch();
  mismatch_.python_type = type_name(Py_TYPE(value));
  if (!describe(value, mismatch_.value)) return false;  // the Python error that is set is the failure
  mismatch_.expected = columnar::to_string(field_.type) + (field_.nullable ? "" : " not null");
  mismatch_.reason = std::move(reason);
  mismatch_.hint = std::move(hint);
  return false;
}

bool Writer::fail_below(Writer& below, const std::string& step) {
  if (PyErr_Occurred() != nullptr) return false;
  mismatch_ = below.take_mismatch();
  mismatch_.path = step + mismatch_.path;
  return false;
}

bool Writer::is_numpy_time(PyObject* value) {
  return named(value, "numpy", "datetime64") || named(value, "numpy", "timedelta64");
}

bool Writer::is_missing(PyObject* value) {
  if (named(value, "pandas", "NAType") || named(value, "pandas", "NaTType")) return true;
  if (!is_numpy_time(value)) return false;
  PyRef text = PyRef::steal(PyObject_Str(value));
  if (!text) PyErr_Clear();
  return text && text_of(text.get()) == "NaT";
}

bool Writer::is_numpy_scalar(PyObject* value) {
  const std::string full = type_name(Py_TYPE(value));
  if (full.compare(0, 6, "numpy.") != 0 || is_numpy_time(value)) return false;
  // Arrays have a length; so have numpy's str and bytes, but those are subclasses of Python's.
  return PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(value)), "__len__") == 0;
}

PyRef Writer::unwrap(PyObject* value) { return PyRef::steal(PyObject_CallMethod(value, "item", nullptr)); }

Result<std::unique_ptr<Writer>> Writer::make(const Field& field, const Module& module) {
  switch (field.type.id) {
    case TypeId::kNull:
      return std::unique_ptr<Writer>(std::make_unique<NullWriter>(field, module));
    case TypeId::kBool:
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint8:
    case TypeId::kUint16:
    case TypeId::kUint32:
    case TypeId::kUint64:
    case TypeId::kFloat16:
    case TypeId::kFloat32:
    case TypeId::kFloat64:
    case TypeId::kDecimal128:
      return make_number_writer(field, module);
    case TypeId::kBinary:
      if (!field.type.object.empty()) return make_pickle_writer(field, module);
      [[fallthrough]];
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
    case TypeId::kLargeBinary:
    case TypeId::kFixedSizeBinary:
      return make_text_writer(field, module);
    case TypeId::kDate32:
    case TypeId::kDate64:
    case TypeId::kTime32:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
    case TypeId::kIntervalMonths:
    case TypeId::kIntervalDayTime:
    case TypeId::kIntervalMonthDayNano:
      return make_time_writer(field, module);
    case TypeId::kList:
    case TypeId::kLargeList:
    case TypeId::kFixedSizeList:
    case TypeId::kStruct:
    case TypeId::kMap:
      return make_nested_writer(field, module);
    case TypeId::kDictionary:
      break;
  }
  return Status(CLUTCH_ERR_UNSUPPORTED, place_of("result", field) + ": type " + columnar::to_string(field.type) +
                                            " cannot be written; declare the type of its values as the result type");
}

}  // namespace clutch::pyembed
