#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "convert/plain_opcodes.h"
#include "convert/plain_pickle.h"

namespace clutch::pyembed {

using namespace plain;

namespace {

// The objects read so far, as the pickle module's stack.
class Loader {
 public:
  Loader(std::string_view bytes, const ObjectLayout& layout) : left_(bytes), layout_(layout) {}
  ~Loader() {
    while (held_ > 0) Py_DECREF(stack_[--held_]);
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  PyRef load() {
    char opcode = 0;
    while (take(opcode)) {
      if (opcode == kStop) return left_.empty() && held_ == 1 && marks_ == 0 ? PyRef::steal(stack_[--held_]) : PyRef();
      if (opcode == kMark) {
        if (marks_ == mark_.size()) return {};
        mark_[marks_++] = held_;
      } else if (!step(opcode)) {
        return {};
      }
    }
    return {};
  }

 private:
  bool take(char& opcode) {
    if (left_.empty()) return false;
    opcode = left_.front();
    left_.remove_prefix(1);
    return true;
  }
  bool take(size_t size, std::string_view& bytes) {
    if (left_.size() < size) return false;
    bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return true;
  }
  template <typename T>
  bool number(T& out, size_t size = sizeof(T)) {
    std::string_view bytes;
    if (!take(size, bytes)) return false;
    out = 0;
    std::memcpy(&out, bytes.data(), size);
    return true;
  }
  bool push(PyObject* object) {
    if (object == nullptr || held_ == kMostHeld) {
      Py_XDECREF(object);
      return false;
    }
    stack_[held_++] = object;
    return true;
  }
  bool push_constant(PyObject* object) {
    Py_INCREF(object);
    return push(object);
  }

  bool step(char opcode) {
    switch (opcode) {
      case kInt1:
        return integer<uint8_t>();
      case kInt2:
        return integer<uint16_t>();
      case kInt4:
        return integer<int32_t>();
      case kLong1:
        return long_integer();
      case kFloat: {
        uint64_t bits = 0;
        return number(bits) && push(PyFloat_FromDouble(std::bit_cast<double>(__builtin_bswap64(bits))));
      }
      case kText1:
      case kText4: {
        std::string_view text;
        // Bytes that are no UTF-8 raise here, as they do in the pickle module.
        return sized(opcode == kText1 ? 1 : 4, text) && push(layout_.make_text(text));
      }
      case kBytes1:
      case kBytes4: {
        std::string_view text;
        return sized(opcode == kBytes1 ? 1 : 4, text) &&
               push(PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
      }
      case kTrue:
        return push_constant(Py_True);
      case kFalse:
        return push_constant(Py_False);
      case kNone:
        return push_constant(Py_None);
      case kTuple0:
        return tuple(0);
      case kTuple1:
        return tuple(1);
      case kTuple2:
        return tuple(2);
      case kTuple3:
        return tuple(3);
      case kTuple:
        return marks_ > 0 && tuple(held_ - mark_[--marks_]);
      case kList:
        return push(PyList_New(0));
      case kAppend:
        return items(1);
      case kAppends:
        return marks_ > 0 && items(held_ - mark_[--marks_]);
      case kDict:
        return push(PyDict_New());
      case kPair:
        return pairs(2);
      case kPairs:
        return marks_ > 0 && pairs(held_ - mark_[--marks_]);
      default:
        return false;
    }
  }

  template <typename T>
  bool integer() {
    T value = 0;
    return number(value) && push(PyLong_FromLong(value));
  }
  bool long_integer() {
    uint8_t size = 0;
    uint64_t value = 0;
    if (!number(size) || size == 0 || size > sizeof value || !number(value, size)) return false;
    const int unused = 64 - 8 * size;  // the sign is that of the highest byte there is
    return push(PyLong_FromLongLong(static_cast<int64_t>(value << unused) >> unused));
  }
  bool sized(size_t width, std::string_view& text) {
    uint32_t size = 0;
    return number(size, width) && take(size, text);
  }
  // Whether so many objects stand on top of the stack, with `below` others under them, and no outer mark between.
  bool has(size_t size, size_t below) const {
    return held_ >= size + below && (marks_ == 0 || held_ - size - below >= mark_[marks_ - 1]);
  }
  bool items(size_t size) {
    if (!has(size, 1) || PyList_CheckExact(stack_[held_ - size - 1]) == 0) return false;
    PyObject* list = stack_[held_ - size - 1];
    for (size_t i = held_ - size; i < held_; ++i) {
      if (PyList_Append(list, stack_[i]) != 0) return false;
    }
    drop(size);
    return true;
  }
  bool pairs(size_t size) {
    if (size % 2 != 0 || !has(size, 1) || PyDict_CheckExact(stack_[held_ - size - 1]) == 0) return false;
    PyObject* dict = stack_[held_ - size - 1];
    for (size_t i = held_ - size; i < held_; i += 2) {
      if (PyDict_SetItem(dict, stack_[i], stack_[i + 1]) != 0) return false;
    }
    drop(size);
    return true;
  }
  void drop(size_t size) {
    for (; size > 0; --size) Py_DECREF(stack_[--held_]);
  }
  bool tuple(size_t size) {
    if (!has(size, 0)) return false;
    PyRef made = PyRef::steal(PyTuple_New(static_cast<Py_ssize_t>(size)));
    if (!made) return false;
    held_ -= size;
    for (size_t i = 0; i < size; ++i) PyTuple_SetItem(made.get(), static_cast<Py_ssize_t>(i), stack_[held_ + i]);
    return push(made.release());
  }

  std::string_view left_;
  const ObjectLayout& layout_;
  PyObject* stack_[kMostHeld];  // the first held_ are references of our own
  size_t held_ = 0;
  std::array<size_t, kMostNested> mark_{};
  size_t marks_ = 0;
};

}  // namespace

PyRef load_plain(std::string_view bytes, const ObjectLayout& layout) {
  if (!bytes.starts_with(kHead)) return {};
  bytes.remove_prefix(kHead.size());
  PyRef loaded = Loader(bytes, layout).load();
  // Bad text, and keys that cannot be, are told by the pickle module in its words.
  if (!loaded && PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_MemoryError) == 0) PyErr_Clear();
  return loaded;
}

}  // namespace clutch::pyembed
