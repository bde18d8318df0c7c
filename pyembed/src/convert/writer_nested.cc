// Writers of lists and maps. Structs are in writer_struct.cc.
#include <algorithm>
#include <array>

#include "convert/mismatch.h"
#include "convert/writer_parts.h"

namespace clutch::pyembed {

using columnar::ArrayBuilder;
using columnar::Field;
using columnar::TypeId;

namespace {

constexpr Py_ssize_t kChunk = 64;  // items written at a time from a buffer on the stack

class ListWriter final : public WriterOf<ListWriter> {
 public:
  ListWriter(const Field& field, const Module& module, std::unique_ptr<Writer> items)
      : WriterOf(field, module), items_(std::move(items)) {}

  void use_for_keys() override { items_->use_for_keys(); }

  bool put(PyObject* value, ArrayBuilder& out) {
    if (PyList_CheckExact(value)) [[likely]]
      return put_items<PyList_Size, PyList_GetItem>(value, value, out);
    if (PyTuple_CheckExact(value)) return put_items<PyTuple_Size, PyTuple_GetItem>(value, value, out);
    return put_slow(value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (PyUnicode_Check(value) || PyBytes_Check(value) || PyByteArray_Check(value) || PyMemoryView_Check(value)) {
      return fail(value, "", "return a list, for instance list(x) or [x], or change the result type");
    }
    if (PyList_Check(value)) return put_items<PyList_Size, PyList_GetItem>(value, value, out);
    if (PyTuple_Check(value)) return put_items<PyTuple_Size, PyTuple_GetItem>(value, value, out);
    auto* type = reinterpret_cast<PyObject*>(Py_TYPE(value));
    const Names& names = module_->names();
    const bool sequence = has_attribute(type, names.dunder_len) && has_attribute(type, names.dunder_getitem);
    // pandas.Series has keys(), but it is a sequence; it is known by its tolist().
    const bool array = sequence && has_attribute(type, names.tolist);
    if (!sequence || (!array && has_attribute(type, names.keys))) {
      return fail(value, "", "return a list, for instance list(x), or change the result type");
    }
    PyRef list = array ? to_list(value) : PyRef::steal(PySequence_List(value));
    if (!list) return false;
    if (PyList_Check(list.get()) == 0) {
      return fail(value, " has no length", "return a list, for instance [x.item()], or change the result type");
    }
    return put_items<PyList_Size, PyList_GetItem>(list.get(), value, out);
  }

 private:
  // tolist() makes Python objects of an array's numbers at once. Points in time would lose their unit, so arrays of
  // those are taken item by item.
  PyRef to_list(PyObject* value) {
    PyRef dtype = PyRef::steal(PyObject_GetAttr(value, module_->names().dtype.get()));
    PyRef kind = dtype ? PyRef::steal(PyObject_GetAttr(dtype.get(), module_->names().kind.get())) : PyRef();
    PyErr_Clear();
    const std::string letter = kind && PyUnicode_Check(kind.get()) ? text_of(kind.get()) : "";
    if (letter == "M" || letter == "m") return PyRef::steal(PySequence_List(value));
    return PyRef::steal(PyObject_CallMethodObjArgs(value, module_->names().tolist.get(), nullptr));
  }

  // `items` is what is walked, `value` what the function returned.
  template <auto size_of, auto item_of>
  bool put_items(PyObject* items, PyObject* value, ArrayBuilder& out) {
    const Py_ssize_t count = size_of(items);
    if (count < 0) return false;
    if (field_.type.id == TypeId::kFixedSizeList && count != field_.type.width) [[unlikely]] {
      return fail(value, " has " + std::to_string(count) + " items, not " + std::to_string(field_.type.width),
                  "return exactly that many, or change the result type to list");
    }
    ArrayBuilder& child = out.child(0);
    std::array<PyObject*, kChunk> chunk;
    for (Py_ssize_t done = 0; done < count;) {
      const Py_ssize_t wanted = std::min(kChunk, count - done);
      Py_ssize_t got = 0;
      // Each item is held while it is converted, because a conversion may run code that changes the list.
      for (; got < wanted; ++got) {
        PyObject* item = item_of(items, done + got);
        if (item == nullptr) break;
        Py_INCREF(item);
        chunk[static_cast<size_t>(got)] = item;
      }
      const int64_t written = got < wanted ? 0 : items_->write_many(chunk.data(), got, child);
      const bool complete = written == wanted;
      // Why before the items are let go: that may run code which touches the Python error.
      if (!complete && got == wanted) fail_below(*items_, "[" + std::to_string(done + written) + "]");
      for (Py_ssize_t i = 0; i < got; ++i) Py_DECREF(chunk[static_cast<size_t>(i)]);
      if (!complete) return false;
      done += wanted;
    }
    const Status status = out.append_list();
    return status.ok() || fail(value, ": " + std::string(status.message()), "");
  }

  std::unique_ptr<Writer> items_;
};

class MapWriter final : public WriterOf<MapWriter> {
 public:
  MapWriter(const Field& field, const Module& module, std::unique_ptr<Writer> keys, std::unique_ptr<Writer> values)
      : WriterOf(field, module), keys_(std::move(keys)), values_(std::move(values)) {}

  void use_for_keys() override {
    keys_->use_for_keys();
    values_->use_for_keys();
  }

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!PyDict_CheckExact(value)) [[unlikely]]
      return put_slow(value, out);
    return put_dict(value, value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (PyDict_Check(value)) return put_dict(value, value, out);
    if (PyList_Check(value) || PyTuple_Check(value)) return put_pairs(value, out);
    auto* type = reinterpret_cast<PyObject*>(Py_TYPE(value));
    if (has_attribute(type, module_->names().keys) && has_attribute(type, module_->names().dunder_getitem)) {
      PyRef dict = PyRef::steal(PyDict_New());
      if (!dict || PyDict_Update(dict.get(), value) != 0) return false;
      return put_dict(dict.get(), value, out);
    }
    return fail(value, "", "return a dict or a list of pairs, or change the result type");
  }

 private:
  bool put_dict(PyObject* dict, PyObject* value, ArrayBuilder& out) {
    const Py_ssize_t size = PyDict_Size(dict);
    PyObject *key = nullptr, *item = nullptr;
    Py_ssize_t position = 0;
    while (PyDict_Next(dict, &position, &key, &item) != 0) {
      PyRef held_key = PyRef::share(key), held_item = PyRef::share(item);
      if (!put_entry(key, item, out)) return false;
      if (PyDict_Size(dict) != size) {
        PyErr_SetString(PyExc_RuntimeError, "the dict changed its size while it was converted");
        return false;
      }
    }
    return finish(value, out);
  }

  bool put_pairs(PyObject* value, ArrayBuilder& out) {
    const Py_ssize_t size = PySequence_Size(value);
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyRef pair = PyRef::steal(PySequence_GetItem(value, i));
      if (!pair) return false;
      if ((!PyTuple_Check(pair.get()) && !PyList_Check(pair.get())) || PySequence_Size(pair.get()) != 2) {
        return fail(value, " has no pair at index " + std::to_string(i), "return a dict or a list of (key, value)");
      }
      PyRef key = PyRef::steal(PySequence_GetItem(pair.get(), 0));
      PyRef item = PyRef::steal(PySequence_GetItem(pair.get(), 1));
      if (!key || !item || !put_entry(key.get(), item.get(), out)) return false;
    }
    return finish(value, out);
  }

  bool put_entry(PyObject* key, PyObject* item, ArrayBuilder& out) {
    ArrayBuilder& entries = out.child(0);
    if (!keys_->append(key, entries.child(0))) return fail_below(*keys_, ".key");
    if (!values_->append(item, entries.child(1))) {
      std::string step;
      if (PyErr_Occurred() != nullptr || !describe(key, step)) return false;
      return fail_below(*values_, "[" + step + "]");
    }
    entries.append_struct();
    return true;
  }

  bool finish(PyObject* value, ArrayBuilder& out) {
    const Status status = out.append_list();
    return status.ok() || fail(value, ": " + std::string(status.message()), "");
  }

  std::unique_ptr<Writer> keys_;
  std::unique_ptr<Writer> values_;
};

}  // namespace

Result<std::unique_ptr<Writer>> make_nested_writer(const Field& field, const Module& module) {
  if (field.type.id == TypeId::kStruct) return make_struct_writer(field, module);
  if (field.type.id == TypeId::kMap) {
    const std::vector<Field>& parts = field.type.children[0].type.children;
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Writer> keys, Writer::make(parts[0], module));
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Writer> values, Writer::make(parts[1], module));
    return std::unique_ptr<Writer>(std::make_unique<MapWriter>(field, module, std::move(keys), std::move(values)));
  }
  CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Writer> items, Writer::make(field.type.children[0], module));
  return std::unique_ptr<Writer>(std::make_unique<ListWriter>(field, module, std::move(items)));
}

}  // namespace clutch::pyembed
