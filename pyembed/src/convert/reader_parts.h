// What the files that implement readers share.
#pragma once

#include <vector>

#include "clutch/columnar/view.h"
#include "convert/convert.h"

namespace clutch::pyembed {

inline PyObject* none() {
  Py_INCREF(Py_None);
  return Py_None;
}

// A reader of one array: binds, and turns the derived class's `PyObject* value(int64_t row)` (for rows that are not
// null) into the loops. No virtual call per value inside of read_many.
template <typename Derived>
class ReaderOf : public Reader {
 public:
  bool bind(const ArrowArray& array) override {
    view_ = columnar::ArrayView(array);
    return true;
  }

  PyObject* read(int64_t row) final {
    if (view_.is_null(row)) return none();
    return static_cast<Derived*>(this)->value(row);
  }

  int64_t read_many(int64_t first, int64_t count, PyObject** out) final {
    auto* self = static_cast<Derived*>(this);
    if (view_.no_nulls()) {
      for (int64_t i = 0; i < count; ++i) {
        out[i] = self->value(first + i);
        if (out[i] == nullptr) [[unlikely]]
          return i;
      }
      return count;
    }
    for (int64_t i = 0; i < count; ++i) {
      out[i] = view_.is_null(first + i) ? none() : self->value(first + i);
      if (out[i] == nullptr) [[unlikely]]
        return i;
    }
    return count;
  }

 protected:
  ReaderOf(const columnar::Field& field, const Module& module, Fast fast = Fast::kGeneric)
      : Reader(field, module, fast), view_(kEmpty) {}

  static constexpr ArrowArray kEmpty{};
  columnar::ArrayView view_;
};

// Makers of the other files; each returns null for a type it does not serve.
Result<std::unique_ptr<Reader>> make_time_reader(const columnar::Field& field, const Module& module);
Result<std::unique_ptr<Reader>> make_nested_reader(const columnar::Field& field, const Module& module);
Result<std::unique_ptr<Reader>> make_pickle_reader(const columnar::Field& field, const Module& module);
std::unique_ptr<Reader> make_tuple_reader(const columnar::Field& field, const Module& module,
                                          std::vector<std::unique_ptr<Reader>> columns);

// Raise OverflowError: `what` in this column is outside of what the Python class can hold.
PyObject* raise_outside(const columnar::Field& field, const std::string& what, const char* holder);

}  // namespace clutch::pyembed
