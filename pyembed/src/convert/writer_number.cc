// Writers of bool, integers, floats and decimals.
#include <cmath>
#include <limits>
#include <type_traits>

#include "convert/decimal.h"
#include "convert/float16.h"
#include "convert/mismatch.h"
#include "convert/writer_parts.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {

using columnar::ArrayBuilder;
using columnar::Field;
using columnar::TypeId;

namespace {

class BoolWriter final : public WriterOf<BoolWriter> {
 public:
  BoolWriter(const Field& field, const Module& module) : WriterOf(field, module) {}
  bool put(PyObject* value, ArrayBuilder& out) {
    if (value != Py_True && value != Py_False) [[unlikely]]
      return put_slow(value, out);
    out.append_bool(value == Py_True);
    return true;
  }
  bool coerce(PyObject* value, ArrayBuilder&) {
    return fail(value, "", "return a bool, for instance bool(x), or change the result type");
  }
};

template <typename T>
class IntWriter final : public WriterOf<IntWriter<T>> {
 public:
  IntWriter(const Field& field, const Module& module) : WriterOf<IntWriter<T>>(field, module, fast()) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!PyLong_CheckExact(value)) [[unlikely]]
      return this->put_slow(value, out);
    return put_integer(value, value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    PyRef integer = integer_of(value, *this->module_);
    if (integer) return put_integer(integer.get(), value, out);
    if (PyErr_Occurred() != nullptr) return false;
    if (PyFloat_Check(value)) {
      if (std::isnan(PyFloat_AsDouble(value))) {
        return this->fail(value, "", "return None for a missing value, or change the result type to float64");
      }
      return this->fail(value, "",
                        "return int(x) if cutting off the fraction is meant, or change the result type to float64");
    }
    return this->fail(value, "", "return an int or change the result type");
  }

 private:
  static constexpr Fast fast() {
    if constexpr (std::is_same_v<T, int32_t>) return Fast::kInt32;
    if constexpr (std::is_same_v<T, int64_t>) return Fast::kInt64;
    return Fast::kGeneric;
  }

  bool put_integer(PyObject* integer, PyObject* value, ArrayBuilder& out) {
    if constexpr (std::is_same_v<T, uint64_t>) {
      const unsigned long long plain = PyLong_AsUnsignedLongLong(integer);
      if (plain == static_cast<unsigned long long>(-1) && PyErr_Occurred() != nullptr) return outside(value);
      out.append<T>(plain);
    } else {
      int64_t plain = 0;
      if (!this->module_->layout().read_int(integer, plain)) {
        plain = PyLong_AsLong(integer);
        if (plain == -1 && PyErr_Occurred() != nullptr) [[unlikely]]
          return outside(value);
      }
      if constexpr (sizeof(T) < sizeof(long)) {
        if (plain < std::numeric_limits<T>::min() || plain > std::numeric_limits<T>::max()) [[unlikely]] {
          return outside(value);
        }
      }
      out.append<T>(static_cast<T>(plain));
    }
    return true;
  }

  [[gnu::noinline, gnu::cold]] bool outside(PyObject* value) {
    if (PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_OverflowError) == 0) return false;
    return this->fail(value,
                      " is outside of " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                          std::to_string(std::numeric_limits<T>::max()),
                      sizeof(T) < 8 ? "return a number in that range, or change the result type to a wider one"
                                    : "return a number in that range, or change the result type to decimal128(38, 0)");
  }
};

// What differs between the three float types.
struct Half {
  using Storage = uint16_t;
  static Storage pack(double value) { return double_to_half(value); }
  static double unpack(Storage value) { return half_to_double(value); }
  static constexpr const char* kRange = "-65504 to 65504";
};
struct Single {
  using Storage = float;
  static Storage pack(double value) { return static_cast<float>(value); }
  static double unpack(Storage value) { return static_cast<double>(value); }
  static constexpr const char* kRange = "-3.4028235e+38 to 3.4028235e+38";
};
struct Double {
  using Storage = double;
  static Storage pack(double value) { return value; }
  static double unpack(Storage value) { return value; }
  static constexpr const char* kRange = "-1.7976931348623157e+308 to 1.7976931348623157e+308";
};

template <typename Format>
class FloatWriter final : public WriterOf<FloatWriter<Format>> {
 public:
  FloatWriter(const Field& field, const Module& module)
      : WriterOf<FloatWriter<Format>>(field, module, std::is_same_v<Format, Double> ? Fast::kFloat64 : Fast::kGeneric) {
  }

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!PyFloat_CheckExact(value)) [[unlikely]]
      return this->put_slow(value, out);
    return put_double(PyFloat_AsDouble(value), value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (PyFloat_Check(value)) return put_double(PyFloat_AsDouble(value), value, out);
    PyRef integer = integer_of(value, *this->module_);
    if (integer) return put_integer(integer.get(), value, out);
    if (PyErr_Occurred() != nullptr) return false;
    if (!has_float(value)) return this->fail(value, "", "return a float or change the result type");
    PyRef number = PyRef::steal(PyNumber_Float(value));
    return number && put_double(PyFloat_AsDouble(number.get()), value, out);
  }

 private:
  // Decimals would lose digits without anybody asking for it, complex numbers half of themselves.
  bool has_float(PyObject* value) {
    auto* type = reinterpret_cast<PyObject*>(Py_TYPE(value));
    const Names& names = this->module_->names();
    return has_attribute(type, names.dunder_float) && !has_attribute(type, names.dunder_len) &&
           !PyType_IsSubtype(Py_TYPE(value), this->module_->decimal_type()) &&
           type_name(Py_TYPE(value)).find("complex") == std::string::npos;
  }

  bool put_double(double number, PyObject* value, ArrayBuilder& out) {
    const typename Format::Storage packed = Format::pack(number);
    if constexpr (!std::is_same_v<Format, Double>) {
      if (std::isinf(Format::unpack(packed)) && !std::isinf(number)) [[unlikely]]
        return outside(value);
    }
    out.append(packed);
    return true;
  }

  bool put_integer(PyObject* integer, PyObject* value, ArrayBuilder& out) {
    const double number = PyLong_AsDouble(integer);
    if (number == -1.0 && PyErr_Occurred() != nullptr) return outside(value);
    const typename Format::Storage packed = Format::pack(number);
    if (std::isinf(Format::unpack(packed))) return outside(value);
    PyRef back = PyRef::steal(PyLong_FromDouble(Format::unpack(packed)));
    const int same = back ? PyObject_RichCompareBool(back.get(), integer, Py_EQ) : -1;
    if (same < 0) return false;
    if (same == 0) {
      return this->fail(value, " has no exact " + columnar::to_string(this->field_.type),
                        "return float(x) if rounding is meant, or change the result type");
    }
    out.append(packed);
    return true;
  }

  [[gnu::noinline, gnu::cold]] bool outside(PyObject* value) {
    return this->fail(value, std::string(" is outside of ") + Format::kRange,
                      "return a number in that range, float('inf'), or change the result type");
  }
};

class DecimalWriter final : public WriterOf<DecimalWriter> {
 public:
  DecimalWriter(const Field& field, const Module& module) : WriterOf(field, module) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    if (Py_TYPE(value) != module_->decimal_type()) [[unlikely]]
      return put_slow(value, out);
    return put_decimal(value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (PyType_IsSubtype(Py_TYPE(value), module_->decimal_type())) return put_decimal(value, out);
    PyRef integer = integer_of(value, *module_);
    if (integer) return put_integer(integer.get(), value, out);
    if (PyErr_Occurred() != nullptr) return false;
    if (PyFloat_Check(value)) {
      return fail(value, "", "return decimal.Decimal(str(x)), which has the digits that are shown");
    }
    return fail(value, "", "return a decimal.Decimal or an int, or change the result type");
  }

 private:
  bool put_decimal(PyObject* value, ArrayBuilder& out) {
    PyRef text = PyRef::steal(PyObject_CallFunctionObjArgs(module_->decimal_to_text(), value, nullptr));
    return text && put_text(text.get(), value, out);
  }

  bool put_integer(PyObject* integer, PyObject* value, ArrayBuilder& out) {
    const double size = PyLong_AsDouble(integer);
    if (PyErr_Occurred() != nullptr || std::fabs(size) > 1e39) return too_long(value);
    PyRef text = PyRef::steal(PyNumber_ToBase(integer, 10));
    return text && put_text(text.get(), value, out);
  }

  bool put_text(PyObject* text, PyObject* value, ArrayBuilder& out) {
    Py_ssize_t size = 0;
    const char* digits = slots().utf8_and_size(text, &size);
    if (digits == nullptr) return false;
    Int128 unscaled = 0;
    switch (parse_decimal({digits, static_cast<size_t>(size)}, field_.type.precision, field_.type.scale, unscaled)) {
      case DecimalParse::kOk:
        out.append(unscaled);
        return true;
      case DecimalParse::kTooManyDigits:
        return too_long(value);
      case DecimalParse::kNotFinite:
        return fail(value, " is not finite", "return None for a missing value");
      case DecimalParse::kNotANumber:
        break;
    }
    return fail(value, " does not print as a number", "return a decimal.Decimal");
  }

  [[gnu::noinline, gnu::cold]] bool too_long(PyObject* value) {
    const int32_t whole = field_.type.precision - field_.type.scale;
    return fail(value, " has more than " + std::to_string(whole) + " digits before the point",
                "return a smaller number, or change the result type to one with more digits (38 at most)");
  }
};

template <typename T>
std::unique_ptr<Writer> writer(const Field& field, const Module& module) {
  return std::make_unique<T>(field, module);
}

}  // namespace

std::unique_ptr<Writer> make_number_writer(const Field& field, const Module& module) {
  switch (field.type.id) {
    case TypeId::kBool:
      return writer<BoolWriter>(field, module);
    case TypeId::kInt8:
      return writer<IntWriter<int8_t>>(field, module);
    case TypeId::kInt16:
      return writer<IntWriter<int16_t>>(field, module);
    case TypeId::kInt32:
      return writer<IntWriter<int32_t>>(field, module);
    case TypeId::kInt64:
      return writer<IntWriter<int64_t>>(field, module);
    case TypeId::kUint8:
      return writer<IntWriter<uint8_t>>(field, module);
    case TypeId::kUint16:
      return writer<IntWriter<uint16_t>>(field, module);
    case TypeId::kUint32:
      return writer<IntWriter<uint32_t>>(field, module);
    case TypeId::kUint64:
      return writer<IntWriter<uint64_t>>(field, module);
    case TypeId::kFloat16:
      return writer<FloatWriter<Half>>(field, module);
    case TypeId::kFloat32:
      return writer<FloatWriter<Single>>(field, module);
    case TypeId::kFloat64:
      return writer<FloatWriter<Double>>(field, module);
    default:
      return writer<DecimalWriter>(field, module);
  }
}

}  // namespace clutch::pyembed
