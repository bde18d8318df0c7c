// Readers of types that say what a value is to Python: pickles and tuples.
#include <vector>

#include "convert/mismatch.h"
#include "convert/pickler.h"
#include "convert/reader_parts.h"

namespace clutch::pyembed {

using columnar::Field;

namespace {

class PickleReader final : public ReaderOf<PickleReader> {
 public:
  PickleReader(const Field& field, const Module& module, Pickler pickler)
      : ReaderOf(field, module), pickler_(std::move(pickler)) {}
  PyObject* value(int64_t row) const { return pickler_.load(view_.bytes_at<int32_t>(row)); }

 private:
  Pickler pickler_;
};

class TupleReader final : public ReaderOf<TupleReader> {
 public:
  TupleReader(const Field& field, const Module& module, std::vector<std::unique_ptr<Reader>> columns)
      : ReaderOf(field, module), columns_(std::move(columns)) {}
  bool bind(const ArrowArray& array) override {
    view_ = columnar::ArrayView(array);
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i]->bind(*array.children[i])) return false;
    }
    return true;
  }
  void unbind() override {
    for (const std::unique_ptr<Reader>& column : columns_) column->unbind();
  }
  PyObject* value(int64_t row) const {
    const int64_t at = view_.array().offset + row;  // the offset of a struct counts for its children too
    PyRef values = PyRef::steal(PyTuple_New(static_cast<Py_ssize_t>(columns_.size())));
    if (!values) return nullptr;
    for (size_t i = 0; i < columns_.size(); ++i) {
      PyObject* object = columns_[i]->read(at);
      if (object == nullptr) return nullptr;
      PyTuple_SetItem(values.get(), static_cast<Py_ssize_t>(i), object);
    }
    return values.release();
  }

 private:
  std::vector<std::unique_ptr<Reader>> columns_;
};

}  // namespace

Result<std::unique_ptr<Reader>> make_pickle_reader(const Field& field, const Module& module) {
  Result<Pickler> pickler = Pickler::make(module.layout());
  if (!pickler.ok()) return std::move(pickler).status().prefixed(place_of("column", field));
  return std::unique_ptr<Reader>(std::make_unique<PickleReader>(field, module, *std::move(pickler)));
}

std::unique_ptr<Reader> make_tuple_reader(const Field& field, const Module& module,
                                          std::vector<std::unique_ptr<Reader>> columns) {
  return std::make_unique<TupleReader>(field, module, std::move(columns));
}

}  // namespace clutch::pyembed
