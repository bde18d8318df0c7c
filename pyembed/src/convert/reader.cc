// Readers of null, bool, numbers, text and bytes.
#include <type_traits>

#include "convert/decimal.h"
#include "convert/float16.h"
#include "convert/mismatch.h"
#include "convert/reader_parts.h"

namespace clutch::pyembed {

using columnar::Field;
using columnar::TypeId;

namespace {

class NullReader final : public ReaderOf<NullReader> {
 public:
  NullReader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t) const { return none(); }
};

class BoolReader final : public ReaderOf<BoolReader> {
 public:
  BoolReader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t row) const {
    PyObject* object = view_.bool_at(row) ? Py_True : Py_False;
    Py_INCREF(object);
    return object;
  }
};

template <typename T>
constexpr Fast fast_of() {
  if constexpr (std::is_same_v<T, int32_t>) return Fast::kInt32;
  if constexpr (std::is_same_v<T, int64_t>) return Fast::kInt64;
  return Fast::kGeneric;
}

template <typename T>
class IntReader final : public ReaderOf<IntReader<T>> {
 public:
  IntReader(const Field& field, const Module& module) : ReaderOf<IntReader<T>>(field, module, fast_of<T>()) {}
  PyObject* value(int64_t row) const {
    const T plain = this->view_.template values<T>()[row];
    if constexpr (std::is_same_v<T, uint64_t>) {
      return PyLong_FromUnsignedLongLong(plain);
    } else {
      return PyLong_FromLong(static_cast<long>(plain));
    }
  }
};

class Float16Reader final : public ReaderOf<Float16Reader> {
 public:
  Float16Reader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t row) const { return PyFloat_FromDouble(half_to_double(view_.values<uint16_t>()[row])); }
};

template <typename T>
class FloatReader final : public ReaderOf<FloatReader<T>> {
 public:
  FloatReader(const Field& field, const Module& module)
      : ReaderOf<FloatReader<T>>(field, module, std::is_same_v<T, double> ? Fast::kFloat64 : Fast::kGeneric) {}
  PyObject* value(int64_t row) const {
    return PyFloat_FromDouble(static_cast<double>(this->view_.template values<T>()[row]));
  }
};

// Why text: decimal has no C interface, and Decimal(str) is its fastest constructor and exact whatever the context.
class DecimalReader final : public ReaderOf<DecimalReader> {
 public:
  DecimalReader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t row) const {
    const Int128 unscaled = view_.values<Int128>()[row];
    char digits[64];
    const int32_t size = format_decimal(unscaled, field_.type.scale, digits);
    PyRef text = PyRef::steal(PyUnicode_FromStringAndSize(digits, size));
    if (!text) return nullptr;
    return PyObject_CallFunctionObjArgs(module_->decimal_class(), text.get(), nullptr);
  }
};

template <typename Offset>
class TextReader final : public ReaderOf<TextReader<Offset>> {
 public:
  TextReader(const Field& field, const Module& module)
      : ReaderOf<TextReader<Offset>>(field, module, std::is_same_v<Offset, int32_t> ? Fast::kUtf8 : Fast::kGeneric) {}
  PyObject* value(int64_t row) const {
    return this->module_->layout().make_text(this->view_.template bytes_at<Offset>(row));
  }
};

template <typename Offset>
class BytesReader final : public ReaderOf<BytesReader<Offset>> {
 public:
  BytesReader(const Field& field, const Module& module) : ReaderOf<BytesReader<Offset>>(field, module) {}
  PyObject* value(int64_t row) const {
    const std::string_view bytes = this->view_.template bytes_at<Offset>(row);
    return PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
  }
};

class FixedBytesReader final : public ReaderOf<FixedBytesReader> {
 public:
  FixedBytesReader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t row) const {
    const int32_t width = field_.type.width;
    return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(view_.fixed_at(row, width)), width);
  }
};

template <typename T>
Result<std::unique_ptr<Reader>> plain(const Field& field, const Module& module) {
  return std::unique_ptr<Reader>(std::make_unique<T>(field, module));
}

}  // namespace

PyObject* raise_outside(const Field& field, const std::string& what, const char* holder) {
  const std::string where = field.name.empty() ? "" : place_of("column", field) + ": ";
  PyErr_Format(PyExc_OverflowError, "%s%s %s is outside of what %s can hold", where.c_str(),
               columnar::to_string(field.type).c_str(), what.c_str(), holder);
  return nullptr;
}

Result<std::unique_ptr<Reader>> Reader::make(const Field& field, const Module& module) {
  switch (field.type.id) {
    case TypeId::kNull:
      return plain<NullReader>(field, module);
    case TypeId::kBool:
      return plain<BoolReader>(field, module);
    case TypeId::kInt8:
      return plain<IntReader<int8_t>>(field, module);
    case TypeId::kInt16:
      return plain<IntReader<int16_t>>(field, module);
    case TypeId::kInt32:
      return plain<IntReader<int32_t>>(field, module);
    case TypeId::kInt64:
      return plain<IntReader<int64_t>>(field, module);
    case TypeId::kUint8:
      return plain<IntReader<uint8_t>>(field, module);
    case TypeId::kUint16:
      return plain<IntReader<uint16_t>>(field, module);
    case TypeId::kUint32:
      return plain<IntReader<uint32_t>>(field, module);
    case TypeId::kUint64:
      return plain<IntReader<uint64_t>>(field, module);
    case TypeId::kFloat16:
      return plain<Float16Reader>(field, module);
    case TypeId::kFloat32:
      return plain<FloatReader<float>>(field, module);
    case TypeId::kFloat64:
      return plain<FloatReader<double>>(field, module);
    case TypeId::kDecimal128:
      return plain<DecimalReader>(field, module);
    case TypeId::kUtf8:
      return plain<TextReader<int32_t>>(field, module);
    case TypeId::kLargeUtf8:
      return plain<TextReader<int64_t>>(field, module);
    case TypeId::kBinary:
      if (!field.type.object.empty()) return make_pickle_reader(field, module);
      return plain<BytesReader<int32_t>>(field, module);
    case TypeId::kLargeBinary:
      return plain<BytesReader<int64_t>>(field, module);
    case TypeId::kFixedSizeBinary:
      return plain<FixedBytesReader>(field, module);
    case TypeId::kDate32:
    case TypeId::kDate64:
    case TypeId::kTime32:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
    case TypeId::kIntervalMonths:
    case TypeId::kIntervalDayTime:
    case TypeId::kIntervalMonthDayNano:
      return make_time_reader(field, module);
    case TypeId::kList:
    case TypeId::kLargeList:
    case TypeId::kFixedSizeList:
    case TypeId::kStruct:
    case TypeId::kMap:
    case TypeId::kDictionary:
      return make_nested_reader(field, module);
  }
  return Status(CLUTCH_ERR_UNSUPPORTED, place_of("column", field) + ": type " + columnar::to_string(field.type) +
                                            " cannot be read; convert the column to a type of docs/conversions.md");
}

}  // namespace clutch::pyembed
