#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "convert/plain_opcodes.h"
#include "convert/plain_pickle.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {

using namespace plain;

namespace {

template <typename T>
void put(T number, size_t size, std::string& out) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, size);
}

void put_number(int64_t value, std::string& out) {
  if (value >= 0 && value <= 0xFFFF) {
    out.push_back(value <= 0xFF ? kInt1 : kInt2);
    put(static_cast<uint16_t>(value), value <= 0xFF ? 1 : 2, out);
  } else if (value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max()) {
    out.push_back(kInt4);
    put(static_cast<int32_t>(value), 4, out);
  } else {
    // As few bytes as hold value and sign.
    const auto bits = 65 - std::countl_zero(static_cast<uint64_t>(value < 0 ? ~value : value));
    const auto size = static_cast<size_t>((bits + 7) / 8);
    out.push_back(kLong1);
    out.push_back(static_cast<char>(size));
    put(value, size, out);
  }
}

bool put_sized(std::string_view bytes, char opcode1, char opcode4, std::string& out) {
  if (bytes.size() > std::numeric_limits<int32_t>::max()) return false;
  out.push_back(bytes.size() <= 0xFF ? opcode1 : opcode4);
  put(static_cast<uint32_t>(bytes.size()), bytes.size() <= 0xFF ? 1 : 4, out);
  out.append(bytes);
  return true;
}

class Dumper {
 public:
  Dumper(const ObjectLayout& layout, bool keys, std::string& out) : layout_(layout), keys_(keys), out_(out) {}

  bool put_value(PyObject* value, int nested) {
    if (PyLong_CheckExact(value)) return put_int(value);
    if (PyUnicode_CheckExact(value)) return put_text(value);
    if (PyFloat_CheckExact(value)) {
      out_.push_back(kFloat);
      put(__builtin_bswap64(std::bit_cast<uint64_t>(PyFloat_AsDouble(value))), 8, out_);
      return true;
    }
    if (PyTuple_CheckExact(value)) return put_tuple(value, nested + 1);
    if (PyList_CheckExact(value)) return put_list(value, nested + 1);
    if (PyDict_CheckExact(value)) return put_dict(value, nested + 1);
    if (value == Py_None || PyBool_Check(value)) {
      out_.push_back(value == Py_None ? kNone : value == Py_True ? kTrue : kFalse);
      return true;
    }
    if (PyBytes_CheckExact(value)) {
      return put_sized({PyBytes_AsString(value), static_cast<size_t>(PyBytes_Size(value))}, kBytes1, kBytes4, out_);
    }
    return false;
  }

 private:
  bool put_int(PyObject* value) {
    int64_t plain = 0;
    if (!layout_.read_int(value, plain)) {
      int overflow = 0;
      plain = PyLong_AsLongLongAndOverflow(value, &overflow);
      if (overflow != 0) return false;
    }
    put_number(plain, out_);
    return true;
  }

  bool put_text(PyObject* value) {
    Py_ssize_t size = 0;
    const char* text = layout_.read_text(value, size);
    if (text == nullptr) text = slots().utf8_and_size(value, &size);
    if (text != nullptr) return put_sized({text, static_cast<size_t>(size)}, kText1, kText4, out_);
    PyErr_Clear();  // lone surrogates, which the pickle module has a way for
    return false;
  }

  bool put_tuple(PyObject* value, int nested) {
    const Py_ssize_t size = PyTuple_Size(value);
    if (nested > kMostNested || size > kMostItems) return false;
    if (size > 3) out_.push_back(kMark);
    for (Py_ssize_t i = 0; i < size; ++i) {
      if (!put_value(PyTuple_GetItem(value, i), nested)) return false;
    }
    constexpr char kEnds[] = {kTuple0, kTuple1, kTuple2, kTuple3};
    out_.push_back(size > 3 ? kTuple : kEnds[size]);
    return true;
  }

  // No code of others runs meanwhile, so neither list nor dict changes.
  bool put_list(PyObject* value, int nested) {
    const Py_ssize_t size = PyList_Size(value);
    if (nested > kMostNested || size > kMostItems || !stands_once(value)) return false;
    out_.push_back(kList);
    if (size > 1) out_.push_back(kMark);
    for (Py_ssize_t i = 0; i < size; ++i) {
      if (!put_value(PyList_GetItem(value, i), nested)) return false;
    }
    if (size > 0) out_.push_back(size > 1 ? kAppends : kAppend);
    return true;
  }

  bool put_dict(PyObject* value, int nested) {
    const Py_ssize_t size = PyDict_Size(value);
    if (nested > kMostNested || size > kMostItems || !stands_once(value)) return false;
    out_.push_back(kDict);
    if (size > 1) out_.push_back(kMark);
    PyObject *key = nullptr, *item = nullptr;
    Py_ssize_t position = 0;
    while (PyDict_Next(value, &position, &key, &item) != 0) {
      if (!put_value(key, nested) || !put_value(item, nested)) return false;
    }
    if (size > 0) out_.push_back(size > 1 ? kPairs : kPair);
    return true;
  }

  bool stands_once(PyObject* value) {
    if (keys_) return true;
    for (size_t i = 0; i < seen_; ++i) {
      if (shared_[i] == value) return false;
    }
    if (seen_ == kMostShared) return false;
    shared_[seen_++] = value;
    return true;
  }

  static constexpr size_t kMostShared = 16;

  const ObjectLayout& layout_;
  bool keys_;
  std::string& out_;
  PyObject* shared_[kMostShared];  // the lists and dicts so far, borrowed
  size_t seen_ = 0;
};

}  // namespace

bool dump_plain(PyObject* value, const ObjectLayout& layout, bool keys, std::string& out) {
  out.append(kHead);
  if (!Dumper(layout, keys, out).put_value(value, 0)) return false;
  out.push_back(kStop);
  return true;
}

}  // namespace clutch::pyembed
