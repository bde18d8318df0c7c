// Readers of lists, structs, maps and dictionary-encoded columns.
#include <algorithm>
#include <new>
#include <vector>

#include "convert/mismatch.h"
#include "convert/reader_parts.h"

namespace clutch::pyembed {

using columnar::Field;
using columnar::TypeId;

namespace {

constexpr int64_t kChunk = 64;  // items read at a time into a buffer on the stack

// A list of rows [first, first + count) of `items`.
PyObject* read_list(Reader& items, int64_t first, int64_t count) {
  PyRef list = PyRef::steal(PyList_New(count));
  if (!list) return nullptr;
  PyObject* chunk[kChunk];
  for (int64_t done = 0; done < count;) {
    const int64_t wanted = std::min(kChunk, count - done);
    const int64_t got = items.read_many(first + done, wanted, chunk);
    for (int64_t i = 0; i < got; ++i) PyList_SetItem(list.get(), done + i, chunk[i]);
    if (got < wanted) return nullptr;
    done += got;
  }
  return list.release();
}

template <typename Offset>
class ListReader final : public ReaderOf<ListReader<Offset>> {
 public:
  ListReader(const Field& field, const Module& module, std::unique_ptr<Reader> items)
      : ReaderOf<ListReader<Offset>>(field, module), items_(std::move(items)) {}
  bool bind(const ArrowArray& array) override {
    this->view_ = columnar::ArrayView(array);
    return items_->bind(*array.children[0]);
  }
  void unbind() override { items_->unbind(); }
  PyObject* value(int64_t row) const {
    const auto [first, end] = this->view_.template range_at<Offset>(row);
    return read_list(*items_, first, end - first);
  }

 private:
  std::unique_ptr<Reader> items_;
};

class FixedListReader final : public ReaderOf<FixedListReader> {
 public:
  FixedListReader(const Field& field, const Module& module, std::unique_ptr<Reader> items)
      : ReaderOf(field, module), items_(std::move(items)) {}
  bool bind(const ArrowArray& array) override {
    view_ = columnar::ArrayView(array);
    return items_->bind(*array.children[0]);
  }
  void unbind() override { items_->unbind(); }
  PyObject* value(int64_t row) const {
    const int64_t width = field_.type.width;
    return read_list(*items_, (view_.array().offset + row) * width, width);
  }

 private:
  std::unique_ptr<Reader> items_;
};

class StructReader final : public ReaderOf<StructReader> {
 public:
  StructReader(const Field& field, const Module& module, std::vector<std::unique_ptr<Reader>> columns, PyRef names)
      : ReaderOf(field, module), columns_(std::move(columns)), names_(std::move(names)) {}
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
    PyRef values = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(columns_.size())));
    if (!values) return nullptr;
    for (size_t i = 0; i < columns_.size(); ++i) {
      PyObject* object = columns_[i]->read(at);
      if (object == nullptr) return nullptr;
      PyList_SetItem(values.get(), static_cast<Py_ssize_t>(i), object);
    }
    return module_->make_row(values.release(), names_.get());
  }

 private:
  std::vector<std::unique_ptr<Reader>> columns_;
  PyRef names_;
};

class MapReader final : public ReaderOf<MapReader> {
 public:
  MapReader(const Field& field, const Module& module, std::unique_ptr<Reader> keys, std::unique_ptr<Reader> values)
      : ReaderOf(field, module), keys_(std::move(keys)), values_(std::move(values)) {}
  bool bind(const ArrowArray& array) override {
    view_ = columnar::ArrayView(array);
    const ArrowArray& entries = *array.children[0];
    entries_offset_ = entries.offset;
    return keys_->bind(*entries.children[0]) && values_->bind(*entries.children[1]);
  }
  void unbind() override {
    keys_->unbind();
    values_->unbind();
  }
  PyObject* value(int64_t row) const {
    const auto [first, end] = view_.range_at<int32_t>(row);
    PyRef dict = PyRef::steal(PyDict_New());
    if (!dict) return nullptr;
    for (int64_t i = entries_offset_ + first; i < entries_offset_ + end; ++i) {
      PyRef key = PyRef::steal(keys_->read(i));
      if (!key) return nullptr;
      PyRef item = PyRef::steal(values_->read(i));
      if (!item || PyDict_SetItem(dict.get(), key.get(), item.get()) != 0) return nullptr;
    }
    return dict.release();
  }

 private:
  std::unique_ptr<Reader> keys_;
  std::unique_ptr<Reader> values_;
  int64_t entries_offset_ = 0;
};

int64_t index_at(const columnar::ArrayView& view, TypeId type, int64_t row) {
  switch (type) {
    case TypeId::kInt8:
      return view.values<int8_t>()[row];
    case TypeId::kInt16:
      return view.values<int16_t>()[row];
    case TypeId::kInt32:
      return view.values<int32_t>()[row];
    case TypeId::kUint8:
      return view.values<uint8_t>()[row];
    case TypeId::kUint16:
      return view.values<uint16_t>()[row];
    case TypeId::kUint32:
      return view.values<uint32_t>()[row];
    case TypeId::kUint64:
      return static_cast<int64_t>(view.values<uint64_t>()[row]);
    default:
      return view.values<int64_t>()[row];
  }
}

// Makes each distinct value once a batch. Objects a function could change (lists, rows, dicts) are made for each row.
class DictionaryReader final : public ReaderOf<DictionaryReader> {
 public:
  DictionaryReader(const Field& field, const Module& module, std::unique_ptr<Reader> values)
      : ReaderOf(field, module), values_(std::move(values)), shared_(!is_mutable(values_->field().type)) {}

  bool bind(const ArrowArray& array) override {
    unbind();
    view_ = columnar::ArrayView(array);
    if (!values_->bind(*array.dictionary)) return false;
    if (!shared_) return true;
    try {
      cache_.resize(static_cast<size_t>(array.dictionary->length));
    } catch (const std::bad_alloc&) {
      PyErr_NoMemory();
      return false;
    }
    return true;
  }
  void unbind() override {
    cache_.clear();
    values_->unbind();
  }
  PyObject* value(int64_t row) {
    const int64_t index = index_at(view_, field_.type.index, row);
    if (!shared_) return values_->read(index);
    PyRef& kept = cache_[static_cast<size_t>(index)];
    if (!kept) {
      kept = PyRef::steal(values_->read(index));
      if (!kept) return nullptr;
    }
    Py_INCREF(kept.get());
    return kept.get();
  }

 private:
  static bool is_mutable(const columnar::Type& type) {
    const TypeId id = type.id;
    return type.object == "pickle" || id == TypeId::kList || id == TypeId::kLargeList || id == TypeId::kFixedSizeList ||
           id == TypeId::kStruct || id == TypeId::kMap;
  }

  std::unique_ptr<Reader> values_;
  bool shared_;
  std::vector<PyRef> cache_;
};

// True if the objects read for this type can be keys of a dict. Whether an object of a pickle can is known when it is
// read.
bool is_hashable(const columnar::Type& type) {
  switch (type.id) {
    case TypeId::kList:
    case TypeId::kLargeList:
    case TypeId::kFixedSizeList:
    case TypeId::kMap:
      return false;
    default:
      return std::all_of(type.children.begin(), type.children.end(),
                         [](const Field& child) { return is_hashable(child.type); });
  }
}

}  // namespace

Result<std::unique_ptr<Reader>> make_nested_reader(const Field& field, const Module& module) {
  std::vector<std::unique_ptr<Reader>> children;
  const bool map = field.type.id == TypeId::kMap;
  const std::vector<Field>& parts = map ? field.type.children[0].type.children : field.type.children;
  if (map && !is_hashable(parts[0].type)) {
    return Status(CLUTCH_ERR_UNSUPPORTED, place_of("column", field) + ": " + columnar::to_string(field.type) +
                                              " cannot become a dict, because Python's lists and dicts cannot be keys; "
                                              "use a list of structs with key and value instead");
  }
  for (const Field& part : parts) {
    Result<std::unique_ptr<Reader>> child = Reader::make(part, module);
    if (!child.ok()) return child;
    children.push_back(*std::move(child));
  }
  switch (field.type.id) {
    case TypeId::kList:
      return std::unique_ptr<Reader>(std::make_unique<ListReader<int32_t>>(field, module, std::move(children[0])));
    case TypeId::kLargeList:
      return std::unique_ptr<Reader>(std::make_unique<ListReader<int64_t>>(field, module, std::move(children[0])));
    case TypeId::kFixedSizeList:
      return std::unique_ptr<Reader>(std::make_unique<FixedListReader>(field, module, std::move(children[0])));
    case TypeId::kStruct: {
      if (!field.type.object.empty()) return make_tuple_reader(field, module, std::move(children));
      PyRef names = make_field_names(field);
      if (!names) {
        PyErr_Clear();
        return Status(CLUTCH_ERR_MEMORY, place_of("column", field) + ": no memory for the names of its fields");
      }
      return std::unique_ptr<Reader>(
          std::make_unique<StructReader>(field, module, std::move(children), std::move(names)));
    }
    case TypeId::kMap:
      return std::unique_ptr<Reader>(
          std::make_unique<MapReader>(field, module, std::move(children[0]), std::move(children[1])));
    default:
      return std::unique_ptr<Reader>(std::make_unique<DictionaryReader>(field, module, std::move(children[0])));
  }
}

}  // namespace clutch::pyembed
