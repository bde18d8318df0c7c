#include "convert/layout.h"

#include "interpreter/ref.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {

namespace {

// Values with one and two digits of 30 bits, at their borders.
constexpr int64_t kValues[] = {1025,
                               -1025,
                               (int64_t{1} << 30) - 1,
                               -((int64_t{1} << 30) - 1),
                               int64_t{1} << 30,
                               -(int64_t{1} << 30),
                               int64_t{0x123456789ABCDEF},
                               -int64_t{0x123456789ABCDEF},
                               (int64_t{1} << 60) - 1,
                               -((int64_t{1} << 60) - 1)};

// A bare object must be a count and a type, or nothing here is where we look.
bool has_plain_header() {
  PyRef size = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyBaseObject_Type), "__basicsize__"));
  return size && PyLong_AsLong(size.get()) == 16;
}

bool is_size(PyTypeObject* type, long expected) {
  PyRef size = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), "__basicsize__"));
  return size && PyLong_AsLong(size.get()) == expected;
}

// A fresh object has one reference; a build that counts otherwise (free-threaded, tracing) is none of ours.
bool counts_one(PyObject* object) {
  if (!ObjectLayout::has_references(object, 1)) return false;
  Py_INCREF(object);
  const bool counted = ObjectLayout::has_references(object, 2);
  Py_DECREF(object);
  return counted && ObjectLayout::has_references(object, 1);
}

// That a count of references tells who can see an object is known of these: the tests of arguments that are kept ran on
// them. A debug build counts and checks more than we do; a build without the lock counts in two places; and from 3.14
// on a frame may refer to an object that it does not count.
bool counts_everybody() {
  PyRef version = PyRef::share(PySys_GetObject("hexversion"));
  const long number = version ? PyLong_AsLong(version.get()) : 0;
  const bool debug = PySys_GetObject("gettotalrefcount") != nullptr;
  PyObject* lock = PySys_GetObject("_is_gil_enabled");  // 3.13 on, in every build
  PyRef locked = lock != nullptr ? PyRef::steal(PyObject_CallObject(lock, nullptr)) : PyRef();
  return number >= 0x03080000 && number < 0x030E0000 && !debug && (lock == nullptr || locked.get() == Py_True);
}

}  // namespace

void ObjectLayout::find() {
  *this = ObjectLayout();
  if (has_plain_header()) {
    // The header and the count of digits, and the first digit or its alignment.
    if (is_size(&PyLong_Type, 24) || is_size(&PyLong_Type, 28) || is_size(&PyLong_Type, 32)) {
      if (check_ints(IntForm::kSized)) {
        int_form_ = IntForm::kSized;
      } else {
        int_form_ = check_ints(IntForm::kTagged) ? IntForm::kTagged : IntForm::kUnknown;
      }
    }
    floats_ = is_size(&PyFloat_Type, 24) && check_floats();
    find_text();
    refills_ = counts_everybody();
  }
  PyErr_Clear();
}

bool ObjectLayout::check_ints(IntForm form) {
  int_form_ = form;
  // Reading first: it changes nothing if the layout is another one.
  for (int64_t value : kValues) {
    PyRef object = PyRef::steal(PyLong_FromLongLong(value));
    int64_t read = 0;
    if (!object || !counts_one(object.get()) || !read_int(object.get(), read) || read != value) return false;
  }
  for (int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{256}, int64_t{-5}}) {
    PyRef object = PyRef::steal(PyLong_FromLongLong(value));
    int64_t read = 7;
    if (!object || !read_int(object.get(), read) || read != value) return false;
  }
  int64_t read = 0;
  PyRef wide = PyRef::steal(PyLong_FromLongLong(int64_t{1} << 60));
  if (!wide || read_int(wide.get(), read)) return false;

  for (int64_t value : kValues) {
    PyRef spare = PyRef::steal(new_spare());
    PyRef fresh = PyRef::steal(PyLong_FromLongLong(value));
    if (!spare || !fresh || !counts_one(spare.get())) return false;
    write_int(spare.get(), value);
    if (PyObject_RichCompareBool(spare.get(), fresh.get(), Py_EQ) != 1 || PyLong_AsLongLong(spare.get()) != value ||
        PyObject_Hash(spare.get()) != PyObject_Hash(fresh.get())) {
      return false;
    }
  }
  return true;
}

bool ObjectLayout::check_floats() {
  PyRef object = PyRef::steal(PyFloat_FromDouble(1234.5));
  double stored = 0;
  if (!object || !counts_one(object.get())) return false;
  std::memcpy(&stored, reinterpret_cast<const char*>(object.get()) + kHeader, sizeof stored);
  if (stored != 1234.5) return false;
  write_float(object.get(), -0.25);
  return PyFloat_AsDouble(object.get()) == -0.25;
}

void ObjectLayout::find_text() {
  auto* const make = slots().new_text;
  if (make == nullptr) return;
  constexpr std::string_view kText = "clutch-layout";
  const Py_ssize_t size = kText.size();
  for (Py_ssize_t offset : {kShortText, kLongText}) {
    PyRef model = PyRef::steal(PyUnicode_FromStringAndSize(kText.data(), size));
    if (!model ||
        std::memcmp(reinterpret_cast<const char*>(model.get()) + offset, kText.data(), kText.size() + 1) != 0) {
      continue;
    }
    PyRef made = PyRef::steal(make(size, 127));
    if (!made) return;
    std::memcpy(reinterpret_cast<char*>(made.get()) + offset, kText.data(), kText.size());
    if (PyObject_RichCompareBool(made.get(), model.get(), Py_EQ) != 1 ||
        PyObject_Hash(made.get()) != PyObject_Hash(model.get())) {
      return;
    }
    new_text_ = make;
    text_data_ = offset;
    text_state_known_ = check_text_state();
    return;
  }
}

// The byte that tells interned from not, and ASCII from not; and that a string filled again is as good as a new one.
bool ObjectLayout::check_text_state() {
  const auto state_of = [](const PyRef& text) {
    return static_cast<uint8_t>(reinterpret_cast<const char*>(text.get())[kTextState]);
  };
  constexpr std::string_view kOld = "clutch text one", kNew = "clutch text two";
  const auto make = [](std::string_view text) {
    return PyRef::steal(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
  };
  PyRef spare = PyRef::steal(make_text(kOld));
  PyRef fresh = make(kNew), latin = make("clutch t\xC3\xA9xt"), wide = make("clutch \xE6\x97\xA5\xE6\x9C\xAC");
  PyRef kept = make("clutch layout probe, interned");
  if (!spare || !fresh || !latin || !wide || !kept) return false;
  PyObject* interned = kept.release();
  PyUnicode_InternInPlace(&interned);
  kept = PyRef::steal(interned);
  text_state_ = state_of(fresh);
  if (state_of(spare) != text_state_ || state_of(latin) == text_state_ || state_of(wide) == text_state_ ||
      state_of(kept) == text_state_) {
    return false;
  }
  Py_ssize_t length = 0;
  std::memcpy(&length, reinterpret_cast<const char*>(spare.get()) + kTextLength, sizeof length);
  const Py_hash_t hash = PyObject_Hash(spare.get());
  Py_hash_t stored = 0;
  std::memcpy(&stored, reinterpret_cast<const char*>(spare.get()) + kTextHash, sizeof stored);
  if (length != static_cast<Py_ssize_t>(kOld.size()) || stored != hash || !counts_one(spare.get())) return false;
  write_text(spare.get(), kNew);
  return PyObject_RichCompareBool(spare.get(), fresh.get(), Py_EQ) == 1 &&
         PyObject_Hash(spare.get()) == PyObject_Hash(fresh.get());
}

}  // namespace clutch::pyembed
