// Writers of types that say what a value is to Python: pickles and tuples.
#include <vector>

#include "convert/mismatch.h"
#include "convert/pickler.h"
#include "convert/writer_parts.h"

namespace clutch::pyembed {

using columnar::ArrayBuilder;
using columnar::Field;

namespace {

class PickleWriter final : public WriterOf<PickleWriter> {
 public:
  PickleWriter(const Field& field, const Module& module, Pickler pickler)
      : WriterOf(field, module), pickler_(std::move(pickler)) {}

  void use_for_keys() override { pickler_.use_for_keys(); }

  // Only None is null: what stands for a missing number elsewhere is an object like others here.
  bool put(PyObject* value, ArrayBuilder& out) {
    if (value == Py_None) return put_null(value, out);
    std::string_view bytes;
    if (!pickler_.dump(value, bytes)) [[unlikely]]
      return refused(value);
    const Status status = out.append_bytes(bytes);
    return status.ok() || fail(value, ": " + std::string(status.message()), "");
  }
  bool coerce(PyObject*, ArrayBuilder&) { return false; }  // put_slow is never called

 private:
  [[gnu::noinline, gnu::cold]] bool refused(PyObject* value) {
    if (PyErr_ExceptionMatches(PyExc_Exception) == 0 || PyErr_ExceptionMatches(PyExc_MemoryError) != 0) return false;
    const std::string why = take_python_error();
    return fail(value, " cannot be pickled (" + why + ")", "return what pickle takes, or declare a result type");
  }

  Pickler pickler_;
};

class TupleWriter final : public WriterOf<TupleWriter> {
 public:
  TupleWriter(const Field& field, const Module& module, std::vector<std::unique_ptr<Writer>> columns)
      : WriterOf(field, module), columns_(std::move(columns)) {}

  Writer* column(size_t i) override { return columns_[i].get(); }
  void use_for_keys() override {
    for (const std::unique_ptr<Writer>& column : columns_) column->use_for_keys();
  }

  bool put(PyObject* value, ArrayBuilder& out) {
    if (PyTuple_CheckExact(value)) [[likely]]
      return put_tuple(value, value, out);
    return put_slow(value, out);
  }

  // A Row and a namedtuple count by position, whatever their names.
  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (PyTuple_Check(value)) return put_tuple(value, value, out);
    PyRef list;
    if (PyList_Check(value)) {
      list = PyRef::share(value);
    } else if (module_->is_row(value)) {
      list = module_->row_values(value);
      if (!list) return false;
    } else {
      return fail(value, "", "return a tuple, list or Row of " + count_text() + ", or change the result type");
    }
    // A list may change while its values are converted; a tuple of them does not.
    PyRef items = PyRef::steal(PyList_AsTuple(list.get()));
    return items && put_tuple(items.get(), value, out);
  }

 private:
  std::string count_text() const {
    return std::to_string(columns_.size()) + (columns_.size() == 1 ? " value" : " values");
  }

  // `items` has the values of `value`.
  bool put_tuple(PyObject* items, PyObject* value, ArrayBuilder& out) {
    const Py_ssize_t size = PyTuple_Size(items);
    if (static_cast<size_t>(size) != columns_.size()) [[unlikely]] {
      return fail(value,
                  " has " + std::to_string(size) + (size == 1 ? " value, not " : " values, not ") +
                      std::to_string(columns_.size()),
                  "return " + count_text() + ", or change the result type");
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i]->append(PyTuple_GetItem(items, static_cast<Py_ssize_t>(i)), out.child(i))) [[likely]]
        continue;
      return fail_below(*columns_[i], "." + field_.type.children[i].name);
    }
    out.append_struct();
    return true;
  }

  std::vector<std::unique_ptr<Writer>> columns_;
};

}  // namespace

Result<std::unique_ptr<Writer>> make_pickle_writer(const Field& field, const Module& module) {
  Result<Pickler> pickler = Pickler::make(module.layout());
  if (!pickler.ok()) return std::move(pickler).status().prefixed(place_of("result", field));
  return std::unique_ptr<Writer>(std::make_unique<PickleWriter>(field, module, *std::move(pickler)));
}

std::unique_ptr<Writer> make_tuple_writer(const Field& field, const Module& module,
                                          std::vector<std::unique_ptr<Writer>> columns) {
  return std::make_unique<TupleWriter>(field, module, std::move(columns));
}

}  // namespace clutch::pyembed
