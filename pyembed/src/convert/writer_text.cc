// Writers of text and bytes.
#include "convert/writer_parts.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {

using columnar::ArrayBuilder;
using columnar::Field;
using columnar::TypeId;

namespace {

class TextWriter final : public WriterOf<TextWriter> {
 public:
  TextWriter(const Field& field, const Module& module)
      : WriterOf(field, module, field.type.id == TypeId::kUtf8 ? Fast::kUtf8 : Fast::kGeneric),
        utf8_(slots().utf8_and_size) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!PyUnicode_CheckExact(value)) [[unlikely]]
      return put_slow(value, out);
    return put_text(value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (PyUnicode_Check(value)) return put_text(value, out);
    if (PyBytes_Check(value) || PyByteArray_Check(value)) {
      return fail(value, "", "return x.decode() or change the result type to binary");
    }
    return fail(value, "", "return a str, for instance str(x), or change the result type");
  }

 private:
  bool put_text(PyObject* value, ArrayBuilder& out) {
    Py_ssize_t size = 0;
    const char* text = utf8_(value, &size);
    if (text == nullptr) [[unlikely]]
      return surrogate(value);
    const Status status = out.append_bytes({text, static_cast<size_t>(size)});
    return status.ok() || fail(value, ": " + std::string(status.message()), "");
  }

  [[gnu::noinline, gnu::cold]] bool surrogate(PyObject* value) {
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError) == 0) return false;
    PyErr_Clear();
    const Py_ssize_t length = PyUnicode_GetLength(value);
    for (Py_ssize_t i = 0; i < length; ++i) {
      const Py_UCS4 character = PyUnicode_ReadChar(value, i);
      if (character < 0xD800 || character > 0xDFFF) continue;
      char code[16];
      PyOS_snprintf(code, sizeof code, "U+%04X", static_cast<unsigned>(character));
      return fail(value,
                  std::string(" has the lone surrogate ") + code + " at index " + std::to_string(i) +
                      ", which UTF-8 cannot hold",
                  "return x.encode('utf-8', 'replace').decode(), or change the result type to binary");
    }
    return fail(value, " cannot be encoded as UTF-8", "return other text");
  }

  const char* (*utf8_)(PyObject*, Py_ssize_t*);
};

class BytesWriter final : public WriterOf<BytesWriter> {
 public:
  BytesWriter(const Field& field, const Module& module)
      : WriterOf(field, module), width_(field.type.id == TypeId::kFixedSizeBinary ? field.type.width : -1) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!PyBytes_CheckExact(value)) [[unlikely]]
      return put_slow(value, out);
    return put_bytes(value, value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (PyBytes_Check(value)) return put_bytes(value, value, out);
    if (PyByteArray_Check(value) || PyMemoryView_Check(value)) {
      PyRef bytes = PyRef::steal(PyBytes_FromObject(value));
      return bytes && put_bytes(bytes.get(), value, out);
    }
    if (PyUnicode_Check(value)) return fail(value, "", "return x.encode() or change the result type to string");
    return fail(value, "", "return bytes, for instance bytes(x), or change the result type");
  }

 private:
  bool put_bytes(PyObject* bytes, PyObject* value, ArrayBuilder& out) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return false;
    if (width_ >= 0) {
      if (size != width_) {
        return fail(value, " has " + std::to_string(size) + " bytes, not " + std::to_string(width_),
                    "return exactly that many, or change the result type to binary");
      }
      out.append_fixed(data);
      return true;
    }
    const Status status = out.append_bytes({data, static_cast<size_t>(size)});
    return status.ok() || fail(value, ": " + std::string(status.message()), "");
  }

  int32_t width_;
};

}  // namespace

std::unique_ptr<Writer> make_text_writer(const Field& field, const Module& module) {
  if (field.type.id == TypeId::kUtf8 || field.type.id == TypeId::kLargeUtf8) {
    return std::make_unique<TextWriter>(field, module);
  }
  return std::make_unique<BytesWriter>(field, module);
}

}  // namespace clutch::pyembed
