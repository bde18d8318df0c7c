// What the files that implement writers share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "convert/convert.h"

namespace clutch::pyembed {

// Turns the derived class's `bool put(PyObject* value, ArrayBuilder& out)` into the loops without a virtual call per
// value. put appends values of the exact class it expects at once, and gives everything else to put_slow.
template <typename Derived>
class WriterOf : public Writer {
 public:
  bool append(PyObject* value, columnar::ArrayBuilder& out) final {
    return static_cast<Derived*>(this)->put(value, out);
  }
  int64_t write_many(PyObject* const* values, int64_t count, columnar::ArrayBuilder& out) final {
    auto* self = static_cast<Derived*>(this);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t before = out.length();
      if (self->put(values[i], out)) [[likely]]
        continue;
      undo(out, before);
      return i;
    }
    return count;
  }

 protected:
  WriterOf(const columnar::Field& field, const Module& module, Fast fast = Fast::kGeneric)
      : Writer(field, module, fast) {}

  // The cold end of put: None and what stands for it become a null, numpy scalars are unwrapped and put again, the rest
  // goes to the derived class's `bool coerce(PyObject* value, ArrayBuilder& out)`.
  [[gnu::noinline, gnu::cold]] bool put_slow(PyObject* value, columnar::ArrayBuilder& out) {
    if (value == Py_None || is_missing(value)) return put_null(value, out);
    auto* self = static_cast<Derived*>(this);
    if (!is_numpy_scalar(value)) return self->coerce(value, out);
    PyRef plain = unwrap(value);
    if (!plain) return false;
    if (plain.get() == Py_None) return put_null(value, out);  // numpy's NaT
    // A scalar that Python has no class for (numpy.longdouble) gives itself.
    return is_numpy_scalar(plain.get()) ? self->coerce(plain.get(), out) : self->put(plain.get(), out);
  }

  bool put_null(PyObject* value, columnar::ArrayBuilder& out) {
    if (field_.nullable) [[likely]] {
      out.append_null();
      return true;
    }
    return fail(value, "", "return a value, or declare the result type nullable");
  }
};

// Makers of the other files.
std::unique_ptr<Writer> make_number_writer(const columnar::Field& field, const Module& module);
std::unique_ptr<Writer> make_text_writer(const columnar::Field& field, const Module& module);
Result<std::unique_ptr<Writer>> make_time_writer(const columnar::Field& field, const Module& module);
Result<std::unique_ptr<Writer>> make_nested_writer(const columnar::Field& field, const Module& module);
Result<std::unique_ptr<Writer>> make_struct_writer(const columnar::Field& field, const Module& module);
Result<std::unique_ptr<Writer>> make_pickle_writer(const columnar::Field& field, const Module& module);
std::unique_ptr<Writer> make_tuple_writer(const columnar::Field& field, const Module& module,
                                          std::vector<std::unique_ptr<Writer>> columns);

// The int an object stands for by __index__ (new reference): an int itself, or a scalar of some package. Empty without
// a Python error where it stands for none; empty with one where its __index__ raised.
PyRef integer_of(PyObject* value, const Module& module);

// True if the attribute is there; Python errors other than AttributeError count as absent and are cleared.
bool has_attribute(PyObject* object, const PyRef& name);

}  // namespace clutch::pyembed
