#include "fold/views.h"

#include "clutch/columnar/view.h"
#include "convert/mismatch.h"
#include "errors/exception.h"

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
PyObject* refused(const char* what, int32_t code) {
  PyErr_Format(PyExc_RuntimeError, "the host did not %s a view of the accumulator (status %d)", what,
               static_cast<int>(code));
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

Result<std::unique_ptr<Views>> Views::make(const Gil& gil, const Executor::Parts& parts, std::string_view text,
                                           const Field& accumulator) {
  Interpreter& interpreter = parts.interpreter;
  const auto raised = [&](const char* what) {
    return to_status(CLUTCH_ERR_UNSUPPORTED, what, pyembed::describe(gil, interpreter, take_exception(gil), false));
  };
  PyRef parse = interpreter.helper(gil, Interpreter::File::kFold, "parse_views");
  PyRef given = PyRef::steal(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
  PyRef found =
      parse && given ? PyRef::steal(PyObject_CallFunctionObjArgs(parse.get(), given.get(), nullptr)) : PyRef();
  if (!found) return raised("the views of the accumulator");
  std::unique_ptr<Views> made(new Views);
  PyRef places = PyRef::steal(PyList_New(0));
  for (Py_ssize_t i = 0; places && i < PyList_Size(found.get()); ++i) {
    PyObject* view = PyList_GetItem(found.get(), i);
    const long position = PyLong_AsLong(PyTuple_GetItem(view, 0));
    const auto& fields = accumulator.type.children;
    if (position < 0 || static_cast<size_t>(position) >= fields.size() ||
        fields[static_cast<size_t>(position)].type.id != TypeId::kNull) {
      return Status(CLUTCH_ERR_UNSUPPORTED,
                    "option views: the accumulator " + columnar::to_string(accumulator.type) +
                        " has no place for a view at " + std::to_string(position) + "; its type has NULL there",
                    CLUTCH_ORIGIN_USER);
    }
    View& added = made->views_.emplace_back();
    const bool map = PyTuple_Size(view) == 4;
    for (Py_ssize_t part = 2; part < PyTuple_Size(view); ++part) {
      const std::string type_text = to_text(PyTuple_GetItem(view, part));
      Result<columnar::Type> type = columnar::parse_type(type_text);
      if (!type.ok()) return std::move(type).status().prefixed("option views");
      const char* name = !map ? "element" : part == 2 ? "key" : "value";
      const Field field{name, *std::move(type), true};
      CLUTCH_ASSIGN_OR_RETURN(columnar::RowCodec codec, columnar::RowCodec::make(field));
      Part made_part{std::move(codec), nullptr, nullptr, std::make_unique<columnar::ArrayBuilder>(field)};
      CLUTCH_ASSIGN_OR_RETURN(made_part.reader, Reader::make(field, interpreter.module()));
      CLUTCH_ASSIGN_OR_RETURN(made_part.writer, Writer::make(field, interpreter.module()));
      added.parts.push_back(std::move(made_part));
    }
    const std::string name = "view " + std::to_string(position);
    const clutch_state_declaration declaration{sizeof(declaration), map ? CLUTCH_STATE_MAP : CLUTCH_STATE_LIST,
                                               to_str(name), 0};
    const int32_t declared = parts.host.state->declare(parts.context, &declaration, &added.state, nullptr);
    if (declared < 0) {
      return Status(declared, "the host did not take the state \"" + name + "\"", CLUTCH_ORIGIN_HOST);
    }
    PyRef place = PyRef::steal(PyTuple_GetSlice(view, 0, 2));
    if (!place || PyList_Append(places.get(), place.get()) != 0) places.reset();
  }
  static PyMethodDef methods[] = {{"encode", encode, METH_VARARGS, nullptr},
                                  {"decode", decode, METH_VARARGS, nullptr},
                                  {"page", page, METH_VARARGS, nullptr},
                                  {"lookup", lookup, METH_VARARGS, nullptr},
                                  {"apply", apply, METH_VARARGS, nullptr}};
  PyRef functions[5];
  bool good = places && made->slot_.make();
  for (size_t i = 0; i < 5 && good; ++i) {
    functions[i] = PyRef::steal(PyCFunction_New(&methods[i], made->slot_.object()));
    good = static_cast<bool>(functions[i]);
  }
  PyRef type = interpreter.helper(gil, Interpreter::File::kFold, "Views");
  if (good && type) {
    made->object_ =
        PyRef::steal(PyObject_CallFunctionObjArgs(type.get(), places.get(), functions[0].get(), functions[1].get(),
                                                  functions[2].get(), functions[3].get(), functions[4].get(), nullptr));
  }
  if (!made->object_) return raised("the views of the accumulator");
  return made;
}

bool Views::call(const char* method, PyObject* argument) {
  PyRef found = PyRef::steal(PyObject_GetAttrString(object_.get(), method));
  const PyRef given = found ? PyRef::steal(PyObject_CallFunctionObjArgs(found.get(), argument, nullptr)) : PyRef();
  return static_cast<bool>(given);
}

bool Views::begin(const Gil&, const Host& host, const clutch_batch& batch) {
  host_ = &host;
  context_ = batch.keys == nullptr ? nullptr : batch.context;
  slot_.set(this);
  return call("begin");
}

PyRef Views::attach(const Gil&, PyView accumulator, int32_t group) {
  PyRef method = PyRef::steal(PyObject_GetAttrString(object_.get(), "attach"));
  PyRef number = PyRef::steal(PyLong_FromLong(group));
  if (!method || !number) return {};
  return PyRef::steal(PyObject_CallFunctionObjArgs(method.get(), accumulator.get(), number.get(), nullptr));
}

PyRef Views::detach(const Gil&, PyView accumulator) {
  PyRef method = PyRef::steal(PyObject_GetAttrString(object_.get(), "detach"));
  if (!method) return {};
  return PyRef::steal(PyObject_CallFunctionObjArgs(method.get(), accumulator.get(), nullptr));
}

bool Views::clear(const Gil&, int32_t group) {
  PyRef number = PyRef::steal(PyLong_FromLong(group));
  return number && call("clear", number.get());
}

bool Views::begin_row(const Gil&) { return call("begin_row"); }
bool Views::undo_row(const Gil&) { return call("undo_row"); }
bool Views::flush(const Gil&) { return context_ == nullptr || call("flush"); }

Views::View* Views::find(int view) {
  if (view >= 0 && static_cast<size_t>(view) < views_.size()) return &views_[static_cast<size_t>(view)];
  PyErr_SetString(PyExc_IndexError, "there is no such view");
  return nullptr;
}

PyObject* Views::encode(PyObject* self, PyObject* arguments) {
  return call_back<Views>(self, [arguments](Views& views) -> PyObject* {
    int view = 0, part = 0;
    PyObject* value = nullptr;
    if (PyArg_ParseTuple(arguments, "iiO", &view, &part, &value) == 0) return nullptr;
    View* found = views.find(view);
    return found == nullptr ? nullptr : views.encode_value(found->parts.at(static_cast<size_t>(part)), value);
  });
}

PyObject* Views::decode(PyObject* self, PyObject* arguments) {
  return call_back<Views>(self, [arguments](Views& views) -> PyObject* {
    int view = 0, part = 0;
    PyObject* bytes = nullptr;
    std::string_view text;
    if (PyArg_ParseTuple(arguments, "iiO", &view, &part, &bytes) == 0 || !view_of(bytes, text)) return nullptr;
    View* found = views.find(view);
    return found == nullptr ? nullptr : views.decode_value(found->parts.at(static_cast<size_t>(part)), text);
  });
}

PyObject* Views::page(PyObject* self, PyObject* arguments) {
  return call_back<Views>(self, [arguments](Views& views) -> PyObject* {
    int view = 0, group = 0;
    PyObject* bytes = nullptr;
    std::string_view cursor;
    if (PyArg_ParseTuple(arguments, "iiO", &view, &group, &bytes) == 0 || !view_of(bytes, cursor)) return nullptr;
    View* found = views.find(view);
    return found == nullptr ? nullptr : views.read_page(*found, group, cursor);
  });
}

PyObject* Views::lookup(PyObject* self, PyObject* arguments) {
  return call_back<Views>(self, [arguments](Views& views) -> PyObject* {
    int view = 0, group = 0;
    PyObject* bytes = nullptr;
    std::string_view key;
    if (PyArg_ParseTuple(arguments, "iiO", &view, &group, &bytes) == 0 || !view_of(bytes, key)) return nullptr;
    View* found = views.find(view);
    return found == nullptr ? nullptr : views.look_up(*found, group, key);
  });
}

PyObject* Views::apply(PyObject* self, PyObject* arguments) {
  return call_back<Views>(self, [arguments](Views& views) -> PyObject* {
    int view = 0;
    PyObject* changes = nullptr;
    if (PyArg_ParseTuple(arguments, "iO!", &view, &PyList_Type, &changes) == 0) return nullptr;
    View* found = views.find(view);
    return found == nullptr ? nullptr : views.apply_changes(*found, changes);
  });
}

PyObject* Views::encode_value(Part& part, PyObject* value) {
  if (!part.writer->write(value, *part.builder)) {
    if (PyErr_Occurred() != nullptr) return nullptr;
    Mismatch mismatch = part.writer->take_mismatch();
    mismatch.hint.clear();
    const std::string sentence = mismatch.sentence(part.codec.field().name + " of a view");
    PyErr_SetString(PyExc_TypeError, sentence.c_str());
    return nullptr;
  }
  const columnar::Array array = part.builder->finish();
  std::string bytes;
  part.codec.encode(*array, 0, bytes);
  return bytes_object(bytes);
}

PyObject* Views::decode_value(Part& part, std::string_view bytes) {
  const Status status = part.codec.decode(bytes, *part.builder);
  if (!status.ok()) {
    PyErr_SetString(PyExc_ValueError,
                    ("a view holds another type than declared: " + std::string(status.message())).c_str());
    return nullptr;
  }
  const columnar::Array array = part.builder->finish();
  PyObject* value = part.reader->bind(*array) ? part.reader->read(0) : nullptr;
  part.reader->unbind();
  return value;
}

PyObject* Views::read_page(const View& view, int group, std::string_view cursor) {
  if (context_ == nullptr) return Py_BuildValue("([]y#)", "", Py_ssize_t{0});
  ArrowArray given{};
  clutch_bytes next{};
  const clutch_bytes from{reinterpret_cast<const uint8_t*>(cursor.data()), cursor.size()};
  const int32_t code = host_->state->read_page(context_, view.state, group, from, kPageBytes, &given, &next, nullptr);
  if (code < 0) return refused("give a page of", code);
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

PyObject* Views::look_up(const View& view, int group, std::string_view key) {
  if (context_ == nullptr) return fresh(Py_None);
  columnar::ArrayBuilder asked(
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("map_key", TypeId::kBinary, false)}));
  asked.child(0).append<int32_t>(group);
  if (!asked.child(1).append_bytes(key).ok()) return PyErr_NoMemory();
  asked.append_struct();
  const columnar::Array keys = asked.finish();
  ArrowArray given{};
  const int32_t code = host_->state->lookup(context_, view.state, keys.get(), &given, nullptr);
  if (code < 0) return refused("look into", code);
  const columnar::Array found(std::move(given));
  const ArrayView values(*found->children[0]);
  if (values.is_null(found->offset)) return fresh(Py_None);
  return bytes_object(values.bytes_at<int32_t>(found->offset));
}

PyObject* Views::apply_changes(const View& view, PyObject* changes) {
  columnar::ArrayBuilder builder(
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("op", TypeId::kInt8, false),
                           field_of("map_key", TypeId::kBinary, true), field_of("value", TypeId::kBinary, true)}));
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
  const int32_t code = host_->state->apply(context_, view.state, &array, nullptr);
  return code < 0 ? refused("store", code) : fresh(Py_None);
}

}  // namespace clutch::pyembed
