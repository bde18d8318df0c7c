#include "state/stored.h"

#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

constexpr uint64_t kPageBytes = 64 * 1024;

Field field_of(const char* name, TypeId id, bool nullable) {
  Field field;
  field.name = name;
  field.type.id = id;
  field.nullable = nullable;
  return field;
}

PyObject* bytes_object(std::string_view bytes) {
  return PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
}

// The host's call failed; it has no error of ours to explain itself in.
PyObject* refused(const char* what, const std::string& label, int32_t code) {
  PyErr_Format(PyExc_RuntimeError, "the host did not %s %s (status %d)", what, label.c_str(), static_cast<int>(code));
  return nullptr;
}

bool view_of(PyObject* bytes, std::string_view& out) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return false;
  out = {data, static_cast<size_t>(size)};
  return true;
}

}  // namespace

Result<size_t> StoredStates::add(const Host& host, clutch_function_context* context,
                                 const clutch_state_declaration& declaration, std::string label,
                                 const std::vector<std::optional<std::string>>& types, const Module& module) {
  State added{0, std::move(label), {}};
  for (size_t part = 0; part < types.size(); ++part) {
    const char* name = declaration.state_kind == CLUTCH_STATE_LIST               ? "element"
                       : declaration.state_kind == CLUTCH_STATE_MAP && part == 0 ? "key"
                                                                                 : "value";
    CLUTCH_ASSIGN_OR_RETURN(Coder coder, Coder::make(name, types[part], module));
    added.parts.push_back(std::move(coder));
  }
  return declare(host, context, declaration, std::move(added));
}

Result<size_t> StoredStates::add(const Host& host, clutch_function_context* context,
                                 const clutch_state_declaration& declaration, std::string label, Coder coder) {
  State added{0, std::move(label), {}};
  added.parts.push_back(std::move(coder));
  return declare(host, context, declaration, std::move(added));
}

Result<size_t> StoredStates::declare(const Host& host, clutch_function_context* context,
                                     const clutch_state_declaration& declaration, State added) {
  const int32_t code = host.state->declare(context, &declaration, &added.number, nullptr);
  if (code < 0) {
    return Status(code, "the host did not take the state \"" + std::string(to_view(declaration.name)) + "\"",
                  CLUTCH_ORIGIN_HOST);
  }
  states_.push_back(std::move(added));
  return states_.size() - 1;
}

bool StoredStates::functions(PyRef (&out)[kFunctions]) {
  static PyMethodDef methods[kFunctions] = {
      {"encode", encode, METH_VARARGS, nullptr}, {"decode", decode, METH_VARARGS, nullptr},
      {"page", page, METH_VARARGS, nullptr},     {"lookup", lookup, METH_VARARGS, nullptr},
      {"apply", apply, METH_VARARGS, nullptr},   {"read", read, METH_VARARGS, nullptr}};
  bool good = make();
  for (size_t i = 0; i < kFunctions && good; ++i) {
    out[i] = PyRef::steal(PyCFunction_New(&methods[i], slot_.object()));
    good = static_cast<bool>(out[i]);
  }
  return good;
}

void StoredStates::begin(const Host& host, clutch_batch_context* context) {
  host_ = &host;
  context_ = context;
  slot_.set(this);
}

StoredStates::State* StoredStates::find(int state, int part) {
  if (state >= 0 && static_cast<size_t>(state) < states_.size() && part >= 0 &&
      static_cast<size_t>(part) < states_[static_cast<size_t>(state)].parts.size()) {
    return &states_[static_cast<size_t>(state)];
  }
  PyErr_SetString(PyExc_IndexError, "there is no such state");
  return nullptr;
}

PyObject* StoredStates::encode(PyObject* self, PyObject* arguments) {
  return call_back<StoredStates>(self, [arguments](StoredStates& states) -> PyObject* {
    int state = 0, part = 0;
    PyObject* value = nullptr;
    if (PyArg_ParseTuple(arguments, "iiO", &state, &part, &value) == 0) return nullptr;
    State* found = states.find(state, part);
    return found == nullptr ? nullptr : found->parts[static_cast<size_t>(part)].encode(value, found->label);
  });
}

PyObject* StoredStates::decode(PyObject* self, PyObject* arguments) {
  return call_back<StoredStates>(self, [arguments](StoredStates& states) -> PyObject* {
    int state = 0, part = 0;
    PyObject* bytes = nullptr;
    std::string_view text;
    if (PyArg_ParseTuple(arguments, "iiO", &state, &part, &bytes) == 0 || !view_of(bytes, text)) return nullptr;
    State* found = states.find(state, part);
    return found == nullptr ? nullptr : found->parts[static_cast<size_t>(part)].decode(text, found->label);
  });
}

PyObject* StoredStates::page(PyObject* self, PyObject* arguments) {
  return call_back<StoredStates>(self, [arguments](StoredStates& states) -> PyObject* {
    int state = 0, group = 0;
    PyObject* bytes = nullptr;
    std::string_view cursor;
    if (PyArg_ParseTuple(arguments, "iiO", &state, &group, &bytes) == 0 || !view_of(bytes, cursor)) return nullptr;
    const State* found = states.find(state);
    return found == nullptr ? nullptr : states.read_page(*found, group, cursor);
  });
}

PyObject* StoredStates::lookup(PyObject* self, PyObject* arguments) {
  return call_back<StoredStates>(self, [arguments](StoredStates& states) -> PyObject* {
    int state = 0, group = 0;
    PyObject* bytes = nullptr;
    std::string_view key;
    if (PyArg_ParseTuple(arguments, "iiO", &state, &group, &bytes) == 0 || !view_of(bytes, key)) return nullptr;
    const State* found = states.find(state);
    return found == nullptr ? nullptr : states.look_up(*found, group, key);
  });
}

PyObject* StoredStates::apply(PyObject* self, PyObject* arguments) {
  return call_back<StoredStates>(self, [arguments](StoredStates& states) -> PyObject* {
    int state = 0;
    PyObject* changes = nullptr;
    if (PyArg_ParseTuple(arguments, "iO!", &state, &PyList_Type, &changes) == 0) return nullptr;
    const State* found = states.find(state);
    return found == nullptr ? nullptr : states.apply_changes(*found, changes);
  });
}

PyObject* StoredStates::read(PyObject* self, PyObject* arguments) {
  return call_back<StoredStates>(self, [arguments](StoredStates& states) -> PyObject* {
    int state = 0;
    if (PyArg_ParseTuple(arguments, "i", &state) == 0) return nullptr;
    const State* found = states.find(state);
    return found == nullptr ? nullptr : states.read_all(*found);
  });
}

PyObject* StoredStates::read_page(const State& state, int group, std::string_view cursor) {
  if (context_ == nullptr) return Py_BuildValue("([]y#)", "", Py_ssize_t{0});
  ArrowArray given{};
  clutch_bytes next{};
  const clutch_bytes from{reinterpret_cast<const uint8_t*>(cursor.data()), cursor.size()};
  const int32_t code = host_->state->read_page(context_, state.number, group, from, kPageBytes, &given, &next, nullptr);
  if (code < 0) return refused("give a page of", state.label, code);
  const columnar::Array page(std::move(given));
  const ArrayView keys(*page->children[0]);
  const ArrayView values(*page->children[1]);
  PyRef items = PyRef::steal(PyList_New(page->length));
  for (int64_t i = 0; items && i < page->length; ++i) {
    const int64_t at = page->offset + i;
    PyRef key = keys.is_null(at) ? PyRef::share(Py_None) : PyRef::steal(bytes_object(keys.bytes_at<int32_t>(at)));
    PyRef value = PyRef::steal(bytes_object(values.bytes_at<int32_t>(at)));
    PyObject* pair = key && value ? PyTuple_Pack(2, key.get(), value.get()) : nullptr;
    if (pair == nullptr) return nullptr;
    PyList_SetItem(items.get(), i, pair);
  }
  PyRef rest = PyRef::steal(bytes_object({reinterpret_cast<const char*>(next.data), next.size}));
  return items && rest ? PyTuple_Pack(2, items.get(), rest.get()) : nullptr;
}

PyObject* StoredStates::look_up(const State& state, int group, std::string_view key) {
  if (context_ == nullptr) return fresh(Py_None);
  columnar::ArrayBuilder asked(
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("map_key", TypeId::kBinary, false)}));
  asked.child(0).append<int32_t>(group);
  if (!asked.child(1).append_bytes(key).ok()) return PyErr_NoMemory();
  asked.append_struct();
  const columnar::Array keys = asked.finish();
  ArrowArray given{};
  const int32_t code = host_->state->lookup(context_, state.number, keys.get(), &given, nullptr);
  if (code < 0) return refused("look into", state.label, code);
  const columnar::Array found(std::move(given));
  const ArrayView values(*found->children[0]);
  if (values.is_null(found->offset)) return fresh(Py_None);
  return bytes_object(values.bytes_at<int32_t>(found->offset));
}

bool StoredStates::read_values(size_t state, columnar::Array& ret_values) const {
  ArrowArray given{};
  const int32_t code = host_->state->read(context_, states_[state].number, &given, nullptr);
  if (code < 0) {
    refused("give the values of", states_[state].label, code);
    return false;
  }
  ret_values = columnar::Array(std::move(given));
  return true;
}

bool StoredStates::look_up(size_t state, const ArrowArray& keys, columnar::Array& ret_values) const {
  ArrowArray given{};
  const int32_t code = host_->state->lookup(context_, states_[state].number, &keys, &given, nullptr);
  if (code < 0) {
    refused("look into", states_[state].label, code);
    return false;
  }
  ret_values = columnar::Array(std::move(given));
  return true;
}

columnar::ArrayBuilder StoredStates::changes_builder(size_t changes) {
  columnar::ArrayBuilder builder(
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("op", TypeId::kInt8, false),
                           field_of("map_key", TypeId::kBinary, true), field_of("value", TypeId::kBinary, true)}));
  builder.reserve(static_cast<int64_t>(changes));
  return builder;
}

void StoredStates::add_change(columnar::ArrayBuilder& changes, int32_t key, int8_t op,
                              std::optional<std::string_view> map_key, std::optional<std::string_view> value) {
  changes.child(0).append<int32_t>(key);
  changes.child(1).append<int8_t>(op);
  size_t at = 2;
  for (const std::optional<std::string_view>& bytes : {map_key, value}) {
    columnar::ArrayBuilder& column = changes.child(at++);
    if (!bytes) {
      column.append_null();
    } else if (!column.append_bytes(*bytes).ok()) {
      throw std::bad_alloc();
    }
  }
  changes.append_struct();
}

bool StoredStates::apply(size_t state, columnar::ArrayBuilder& changes) const {
  if (changes.length() == 0) return true;
  ArrowArray array = changes.finish().detach();
  const int32_t code = host_->state->apply(context_, states_[state].number, &array, nullptr);
  if (code < 0) refused("store", states_[state].label, code);
  return code >= 0;
}

PyObject* StoredStates::read_all(const State& state) {
  if (context_ == nullptr) return PyList_New(0);
  ArrowArray given{};
  const int32_t code = host_->state->read(context_, state.number, &given, nullptr);
  if (code < 0) return refused("give the values of", state.label, code);
  const columnar::Array found(std::move(given));
  const ArrayView values(*found->children[0]);
  PyRef items = PyRef::steal(PyList_New(found->length));
  for (int64_t i = 0; items && i < found->length; ++i) {
    const int64_t at = found->offset + i;
    PyObject* value = values.is_null(at) ? fresh(Py_None) : bytes_object(values.bytes_at<int32_t>(at));
    if (value == nullptr) return nullptr;
    PyList_SetItem(items.get(), i, value);
  }
  return items.release();
}

PyObject* StoredStates::apply_changes(const State& state, PyObject* changes) {
  columnar::ArrayBuilder builder = changes_builder();
  const auto put = [](columnar::ArrayBuilder& column, PyObject* bytes) {
    std::string_view text;
    if (bytes == Py_None) {
      column.append_null();
      return true;
    }
    if (!view_of(bytes, text)) return false;
    if (column.append_bytes(text).ok()) return true;
    PyErr_NoMemory();
    return false;
  };
  for (Py_ssize_t i = 0; i < PyList_Size(changes); ++i) {
    int group = 0, op = 0;
    PyObject *key = nullptr, *value = nullptr;
    if (PyArg_ParseTuple(PyList_GetItem(changes, i), "iiOO", &group, &op, &key, &value) == 0) return nullptr;
    builder.child(0).append<int32_t>(group);
    builder.child(1).append<int8_t>(static_cast<int8_t>(op));
    if (!put(builder.child(2), key) || !put(builder.child(3), value)) return nullptr;
    builder.append_struct();
  }
  ArrowArray array = builder.finish().detach();
  const int32_t code = host_->state->apply(context_, state.number, &array, nullptr);
  return code < 0 ? refused("store", state.label, code) : fresh(Py_None);
}

}  // namespace clutch::pyembed
