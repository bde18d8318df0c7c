#include "columns/results.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "columns/discard.h"
#include "interpreter/interpreter.h"

namespace clutch::pyembed {
namespace {

using columnar::TypeId;

constexpr int64_t kNat = INT64_MIN;

const char* class_of(const columnar::Type& type) {
  switch (type.id) {
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint8:
    case TypeId::kUint16:
    case TypeId::kUint32:
    case TypeId::kUint64:
      return "i";
    case TypeId::kFloat16:
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return "f";
    case TypeId::kBool:
      return "b";
    case TypeId::kTimestamp:
      return "M";
    case TypeId::kDuration:
      return "m";
    case TypeId::kDate32:
      return "D";
    case TypeId::kDate64:
      return "E";
    case TypeId::kStruct:
      return "s";
    default:
      return "o";
  }
}

// The first address of an array, and its type; NULL with a Python error set.
const uint8_t* look_at(PyObject* array, std::string& ret_typestr) {
  PyRef interface = PyRef::steal(PyObject_GetAttrString(array, "__array_interface__"));
  PyObject* data = interface ? PyDict_GetItemString(interface.get(), "data") : nullptr;
  PyObject* typestr = interface ? PyDict_GetItemString(interface.get(), "typestr") : nullptr;
  if (data == nullptr || typestr == nullptr || PyTuple_Check(data) == 0) {
    if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_TypeError, "an array has no __array_interface__");
    return nullptr;
  }
  ret_typestr = to_text(typestr);
  return static_cast<const uint8_t*>(PyLong_AsVoidPtr(PyTuple_GetItem(data, 0)));
}

// In blocks of vectors of 32 bytes: a value is no number if it differs from itself.
template <typename T, typename Bits>
[[gnu::always_inline]] inline bool any_nan_in(const T* values, int64_t count) {
  using Vector [[gnu::vector_size(32)]] = T;
  using Mask [[gnu::vector_size(32)]] = Bits;
  constexpr int64_t kLanes = 32 / sizeof(T);
  constexpr int64_t kBlock = 256 * kLanes;
  int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    Mask found{};
    for (int64_t at = i; at < i + kBlock; at += kLanes) {
      Vector part;
      std::memcpy(&part, values + at, sizeof part);
      found |= part != part;  // NOLINT(misc-redundant-expression)
    }
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      if (found[lane] != 0) return true;
    }
  }
  for (; i < count; ++i) {
    if (std::isnan(values[i])) return true;
  }
  return false;
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] bool any_nan_avx2(const double* values, int64_t count) {
  return any_nan_in<double, int64_t>(values, count);
}
[[gnu::target("avx2")]] bool any_nan_avx2(const float* values, int64_t count) {
  return any_nan_in<float, int32_t>(values, count);
}
#endif

template <typename T>
bool any_nan(const T* values, int64_t count) {
#if defined(__x86_64__)
  static const bool kAvx2 = __builtin_cpu_supports("avx2");
  if (kAvx2) return any_nan_avx2(values, count);
#endif
  return any_nan_in<T, std::conditional_t<sizeof(T) == 8, int64_t, int32_t>>(values, count);
}

bool is_half_nan(uint16_t bits) { return (bits & 0x7FFF) > 0x7C00; }

// An array whose values are the memory of a Python object.
struct Held {
  const void* buffers[2];
  uint8_t* validity;
  PyObject* object;
};

void release_held(ArrowArray* array) {
  auto* held = static_cast<Held*>(array->private_data);
  columnar::Buffer::free_memory(held->validity);
  discard(held->object);
  delete held;
  array->release = nullptr;
}

columnar::Array hold(int64_t rows, int64_t nulls, columnar::Buffer& validity, const uint8_t* data, PyRef object) {
  auto held = std::make_unique<Held>();
  held->validity = validity.size() > 0 ? validity.detach() : nullptr;
  held->object = object.release();
  held->buffers[0] = held->validity;
  held->buffers[1] = data;
  ArrowArray array = {};
  array.length = rows;
  array.null_count = nulls;
  array.n_buffers = 2;
  array.buffers = held->buffers;
  array.private_data = held.release();
  array.release = release_held;
  return columnar::Array(std::move(array));
}

}  // namespace

Result<std::unique_ptr<ResultColumn>> ResultColumn::make(const columnar::Field& field, Style style,
                                                         const Module& module) {
  std::unique_ptr<ResultColumn> column(new ResultColumn(field, style));
  column->class_ = class_of(field.type);
  column->typestr_ = typestr_of(field.type);
  if (field.type.id == TypeId::kBool) column->typestr_ = "|b1";
  if (field.type.id == TypeId::kDate32) column->typestr_ = "<i4";
  if (field.type.id == TypeId::kDate64) column->typestr_ = "<i8";
  CLUTCH_ASSIGN_OR_RETURN(column->writer_, Writer::make(field, module));
  column->builder_ = std::make_unique<columnar::ArrayBuilder>(field);
  if (field.type.id == TypeId::kStruct) {
    for (const columnar::Field& child : field.type.children) {
      CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<ResultColumn> made, make(child, style, module));
      column->children_.push_back(std::move(made));
    }
  }
  return column;
}

PyRef ResultColumn::plan() const {
  PyRef children = PyRef::steal(PyList_New(0));
  for (const std::unique_ptr<ResultColumn>& child : children_) {
    PyRef plan = child->plan();
    if (!children || !plan || PyList_Append(children.get(), plan.get()) != 0) return {};
  }
  PyRef name =
      PyRef::steal(PyUnicode_FromStringAndSize(field_.name.data(), static_cast<Py_ssize_t>(field_.name.size())));
  if (!children || !name) return {};
  const std::string type = columnar::to_string(field_.type);
  return PyRef::steal(Py_BuildValue("(OsssOO)", name.get(), type.c_str(), class_, typestr_.c_str(),
                                    field_.type.timezone.empty() ? Py_False : Py_True, children.get()));
}

bool ResultColumn::collect(PyObject* value) {
  clear();
  if (PyList_Check(value) != 0) {
    as_struct_ = true;
    for (size_t i = 0; i < children_.size(); ++i) {
      PyObject* child = PyList_GetItem(value, static_cast<Py_ssize_t>(i));
      if (child == nullptr || !children_[i]->collect(child)) return false;
    }
    return true;
  }
  if (PyTuple_Check(value) == 0 || PyTuple_Size(value) != 2) {
    PyErr_SetString(PyExc_SystemError, "a result column is no pair of an array and a mask");
    return false;
  }
  array_ = PyRef::share(PyTuple_GetItem(value, 0));
  if (PyObject* mask = PyTuple_GetItem(value, 1); mask != Py_None) mask_ = PyRef::share(mask);
  return true;
}

void ResultColumn::clear() {
  array_.reset();
  mask_.reset();
  as_struct_ = false;
  for (const std::unique_ptr<ResultColumn>& child : children_) child->clear();
}

bool ResultColumn::finish_struct(int64_t rows, columnar::Array& ret_column, ResultFault& fault) {
  std::vector<columnar::Array> columns(children_.size());
  for (size_t i = 0; i < children_.size(); ++i) {
    if (children_[i]->finish(rows, columns[i], fault)) continue;
    fault.column = field_.name + (fault.column.empty() ? "" : "." + fault.column);
    return false;
  }
  ret_column = columnar::make_batch(rows, std::move(columns));
  return true;
}

bool ResultColumn::finish_objects(PyObject* const* values, int64_t rows, columnar::Array& ret_column,
                                  ResultFault& fault) {
  builder_->reserve(rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (writer_->write(values[row] != nullptr ? values[row] : Py_None, *builder_)) [[likely]]
      continue;
    fault = {row, field_.name, PyErr_Occurred() != nullptr, writer_->take_mismatch()};
    builder_->finish().reset();
    return false;
  }
  ret_column = builder_->finish();
  return true;
}

bool ResultColumn::find_nulls(const uint8_t* data, int64_t rows, columnar::Buffer& ret_validity, int64_t& ret_nulls,
                              ResultFault& fault) {
  const uint8_t* mask = nullptr;
  std::string ignored;
  if (mask_) mask = look_at(mask_.get(), ignored);
  const char kind = class_[0];
  // Why only where null is allowed: pandas says "missing" by NaN, but a column without nulls can only mean the number.
  const bool nan_is_null = kind == 'f' && style_ == Style::kPandas && field_.nullable;
  bool look = false;
  if (nan_is_null) {
    look = field_.type.id == TypeId::kFloat64   ? any_nan(reinterpret_cast<const double*>(data), rows)
           : field_.type.id == TypeId::kFloat32 ? any_nan(reinterpret_cast<const float*>(data), rows)
                                                : true;
  } else if (kind == 'M' || kind == 'm') {
    look = true;
  }
  if (mask == nullptr && !look) return true;
  const auto is_null = [&](int64_t row) {
    if (mask != nullptr && mask[row] != 0) return true;
    if (!look) return false;
    if (kind != 'f') return reinterpret_cast<const int64_t*>(data)[row] == kNat;
    if (field_.type.id == TypeId::kFloat64) return std::isnan(reinterpret_cast<const double*>(data)[row]);
    if (field_.type.id == TypeId::kFloat32) return std::isnan(reinterpret_cast<const float*>(data)[row]);
    return is_half_nan(reinterpret_cast<const uint16_t*>(data)[row]);
  };
  columnar::Buffer bits;
  bits.append_zeros((rows + 7) / 8);
  for (int64_t row = 0; row < rows; ++row) {
    if (!is_null(row)) {
      bits.data()[row >> 3] = static_cast<uint8_t>(bits.data()[row >> 3] | 1u << (row & 7));
      continue;
    }
    ++ret_nulls;
    if (field_.nullable) continue;
    (void)writer_->write(Py_None, *builder_);  // its sentence
    fault = {row, field_.name, false, writer_->take_mismatch()};
    return false;
  }
  if (ret_nulls > 0) ret_validity = std::move(bits);
  return true;
}

bool ResultColumn::owns_memory() const {
  if (!ObjectLayout::has_references(array_.get(), 1)) return false;
  PyRef base = PyRef::steal(PyObject_GetAttrString(array_.get(), "base"));
  if (!base) {
    PyErr_Clear();
    return false;
  }
  if (base.get() == Py_None) return true;
  // A view of an array that nobody else has, such as a column of a DataFrame that is gone.
  if (Py_TYPE(base.get()) != Py_TYPE(array_.get()) || !ObjectLayout::has_references(base.get(), 2)) return false;
  PyRef below = PyRef::steal(PyObject_GetAttrString(base.get(), "base"));
  if (!below) PyErr_Clear();
  return below.get() == Py_None;
}

bool ResultColumn::finish(int64_t rows, columnar::Array& ret_column, ResultFault& fault) {
  if (as_struct_) return finish_struct(rows, ret_column, fault);
  std::string typestr;
  const uint8_t* data = look_at(array_.get(), typestr);
  if (data == nullptr) {
    fault = {-1, field_.name, true, {}};
    return false;
  }
  if (typestr == "|O") return finish_objects(reinterpret_cast<PyObject* const*>(data), rows, ret_column, fault);
  if (typestr != typestr_) {
    PyErr_Format(PyExc_SystemError, "a result column of type %s came as %s", typestr_.c_str(), typestr.c_str());
    fault = {-1, field_.name, true, {}};
    return false;
  }
  columnar::Buffer validity;
  int64_t nulls = 0;
  if (!find_nulls(data, rows, validity, nulls, fault)) return false;
  if (class_[0] == 'b') {
    columnar::Buffer bits;
    bits.append_zeros((rows + 7) / 8);
    for (int64_t row = 0; row < rows; ++row) {
      bits.data()[row >> 3] = static_cast<uint8_t>(bits.data()[row >> 3] | (data[row] != 0 ? 1u : 0u) << (row & 7));
    }
    std::vector<columnar::Buffer> buffers(2);
    buffers[0] = std::move(validity);
    buffers[1] = std::move(bits);
    ret_column = columnar::make_array(rows, nulls, std::move(buffers), {});
    return true;
  }
  const int64_t width = columnar::byte_width(field_.type);
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(width) == 0 && owns_memory()) {
    ret_column = hold(rows, nulls, validity, data, std::move(array_));
    return true;
  }
  std::vector<columnar::Buffer> buffers(2);
  buffers[0] = std::move(validity);
  buffers[1].append(data, rows * width);
  ret_column = columnar::make_array(rows, nulls, std::move(buffers), {});
  return true;
}

}  // namespace clutch::pyembed
