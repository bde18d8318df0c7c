// Short cuts through the memory of int, float and str objects.
//
// Making and freeing an int costs a quarter of a small function's call, and reading one costs a call into libpython.
// Both go away where an object's memory is known: an argument that nobody kept is filled with the next row's value
// instead of being freed and made again, which no Python code can tell apart. The limited API hides these layouts, so
// each is checked on real objects when the runtime starts, and where anything looks different (an interpreter that came
// later) the API is used. Arguments are only filled again by releases of 3.8 to 3.13 with one lock.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "interpreter/python.h"

namespace clutch::pyembed {

class ObjectLayout {
 public:
  // Look at real objects. Never fails: what is not as expected is not used.
  void find();
  // Use the API alone; for tests.
  void forget() { *this = ObjectLayout(); }

  bool knows_ints() const { return int_form_ != IntForm::kUnknown; }
  bool knows_floats() const { return floats_; }
  bool knows_text() const { return new_text_ != nullptr; }
  bool knows_text_state() const { return text_state_known_; }
  // True if an argument that only its known holders refer to may be filled with another value.
  bool refills() const { return refills_; }

  // Value of an int of at most 60 bits (exact type). False: ask the API.
  bool read_int(PyObject* object, int64_t& out) const {
    const auto* words = reinterpret_cast<const int64_t*>(object);
    const int64_t head = words[2];
    uint64_t digits;
    std::memcpy(&digits, words + 3, sizeof digits);
    if (int_form_ == IntForm::kTagged) {  // 3.12 on: number of digits above, sign in the lowest two bits
      const int64_t count = head >> 3;
      if (count > 2) return false;
      const int64_t size = count == 2 ? two_digits(digits) : static_cast<int64_t>(digits & kDigit);
      out = size * (1 - (head & 3));
      return true;
    }
    if (int_form_ == IntForm::kSized) {  // to 3.11: the number of digits, negative for a negative int
      if (head < -2 || head > 2) return false;
      const int64_t size = head == 2 || head == -2 ? two_digits(digits) : static_cast<int64_t>(digits & kDigit);
      out = head < 0 ? -size : (head == 0 ? 0 : size);
      return true;
    }
    return false;
  }

  // True if `object` is referred to just so often. The count is read as one word, so flags that some versions keep
  // beside it make this false, which is safe.
  static bool has_references(PyObject* object, Py_ssize_t expected) {
    Py_ssize_t count;
    std::memcpy(&count, object, sizeof count);
    return count == expected;
  }

  // The small ints exist once in an interpreter, and must stay so.
  static bool fits_spare(int64_t value) {
    return (value > 1024 && value < (int64_t{1} << 60)) || (value < -1024 && value > -(int64_t{1} << 60));
  }
  // Make an int that was made for a value of 31 to 60 bits (see new_spare) mean another; fits_spare(value).
  void write_int(PyObject* spare, int64_t value) const {
    auto* words = reinterpret_cast<int64_t*>(spare);
    const uint64_t size = value < 0 ? static_cast<uint64_t>(-value) : static_cast<uint64_t>(value);
    const uint64_t digits = (size & kDigit) | (size >> 30) << 32;
    const int64_t count = size > kDigit ? 2 : 1;
    words[2] = int_form_ == IntForm::kTagged ? (count << 3 | (value < 0 ? 2 : 0)) : (value < 0 ? -count : count);
    std::memcpy(words + 3, &digits, sizeof digits);
  }
  // An int with room for 60 bits; its value has no meaning until write_int.
  static PyObject* new_spare() { return PyLong_FromLongLong(int64_t{1} << 45); }

  static void write_float(PyObject* spare, double value) {
    std::memcpy(reinterpret_cast<char*>(spare) + kHeader, &value, sizeof value);
  }

  static bool is_ascii(std::string_view text) {
    constexpr uint64_t kHigh = 0x8080808080808080;
    const char* data = text.data();
    size_t left = text.size();
    uint64_t seen = 0, word = 0;
    for (; left >= 8; left -= 8, data += 8) {
      std::memcpy(&word, data, 8);
      seen |= word;
    }
    if (left == 0) return (seen & kHigh) == 0;
    if (text.size() >= 8) {
      std::memcpy(&word, data + left - 8, 8);  // the last eight, some of them again
      return ((seen | word) & kHigh) == 0;
    }
    for (; left > 0; --left, ++data) seen |= static_cast<unsigned char>(*data);
    return (seen & kHigh) == 0;
  }

  // A new str of UTF-8, NULL with a Python error set (malformed, no memory).
  PyObject* make_text(std::string_view text) const {
    const auto size = static_cast<Py_ssize_t>(text.size());
    // One-letter strings exist once; that is left to the API.
    if (new_text_ == nullptr || size < 2 || !is_ascii(text)) return PyUnicode_FromStringAndSize(text.data(), size);
    PyObject* object = new_text_(size, 127);
    if (object != nullptr) std::memcpy(reinterpret_cast<char*>(object) + text_data_, text.data(), text.size());
    return object;
  }

  // The characters of a str that is all ASCII (exact type). NULL: ask the API.
  const char* read_text(PyObject* object, Py_ssize_t& size) const {
    const char* bytes = reinterpret_cast<const char*>(object);
    if (!text_state_known_ || static_cast<uint8_t>(bytes[kTextState]) != text_state_) return nullptr;
    std::memcpy(&size, bytes + kTextLength, sizeof size);
    return bytes + text_data_;
  }

  // A str made by make_text that only its `held` known holders refer to may be filled again with as many ASCII
  // characters. Not if it was interned, because the table of interned strings does not count as a reference, and not if
  // it grew a second form.
  bool is_spare_text(PyObject* object, Py_ssize_t held) const {
    const char* bytes = reinterpret_cast<const char*>(object);
    if (!text_state_known_ || !has_references(object, held) || static_cast<uint8_t>(bytes[kTextState]) != text_state_) {
      return false;
    }
    return text_data_ == kShortText || no_second_form(bytes);
  }
  // `text` has the length of `spare` and is ASCII.
  void write_text(PyObject* spare, std::string_view text) const {
    constexpr Py_hash_t kNoHash = -1;
    char* bytes = reinterpret_cast<char*>(spare);
    std::memcpy(bytes + kTextHash, &kNoHash, sizeof kNoHash);
    std::memcpy(bytes + text_data_, text.data(), text.size());
  }

 private:
  enum class IntForm : uint8_t { kUnknown, kSized, kTagged };
  static constexpr int64_t kHeader = 16;  // of an object: count and type
  static constexpr int64_t kTextLength = 16, kTextHash = 24, kTextState = 32;
  static constexpr Py_ssize_t kShortText = 40, kLongText = 48;  // where characters begin: from 3.12, to 3.11
  static constexpr uint64_t kDigit = (uint64_t{1} << 30) - 1;

  // To 3.11 a str may have grown a copy in wide characters, which the word before its characters points to.
  static bool no_second_form(const char* bytes) {
    void* wide;
    std::memcpy(&wide, bytes + kShortText, sizeof wide);
    return wide == nullptr;
  }
  static int64_t two_digits(uint64_t digits) { return static_cast<int64_t>((digits & kDigit) | (digits >> 32) << 30); }
  bool check_ints(IntForm form);
  bool check_floats();
  void find_text();
  bool check_text_state();

  IntForm int_form_ = IntForm::kUnknown;
  bool floats_ = false;
  bool refills_ = false;
  PyObject* (*new_text_)(Py_ssize_t size, Py_UCS4 highest) = nullptr;
  Py_ssize_t text_data_ = 0;
  bool text_state_known_ = false;
  uint8_t text_state_ = 0;  // of a str that is ASCII and not interned
};

}  // namespace clutch::pyembed
