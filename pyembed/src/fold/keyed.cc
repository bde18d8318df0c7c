#include "fold/keyed.h"

#include <cstddef>

#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

constexpr size_t kKeyText = 100;  // (unit: bytes) of a key in a message

Field field_of(const char* name, TypeId id) {
  Field field;
  field.name = name;
  field.type.id = id;
  field.nullable = false;
  return field;
}

Status check(const FunctionSpec& spec, const Field& field, const ArrowArray& array, int64_t rows) {
  Status status = columnar::validate(field, array, columnar::Depth::kStructure);
  if (status.ok() && rows >= 0 && array.length != rows) {
    status = Status(CLUTCH_ERR_DATA, field.name + " has " + std::to_string(array.length) + " entries for " +
                                         std::to_string(rows) + " rows");
  }
  if (status.ok()) return status;
  return Status(status.code(), "function \"" + spec.name + "\": " + std::string(status.message()), CLUTCH_ORIGIN_HOST);
}

// Values of a column with one entry a row; NULL if it is not there.
template <typename T>
Result<const T*> values(const FunctionSpec& spec, const char* name, TypeId id, const ArrowArray* array, int64_t rows) {
  if (array == nullptr || rows == 0) return static_cast<const T*>(nullptr);
  CLUTCH_RETURN_IF_ERROR(check(spec, field_of(name, id), *array, rows));
  return ArrayView(*array).values<T>();
}

}  // namespace

Result<KeyedBatch> KeyedBatch::make(const FunctionSpec& spec, const clutch_batch& batch) {
  KeyedBatch keyed;
  keyed.rows_ = batch.rows->length;
  CLUTCH_ASSIGN_OR_RETURN(keyed.kinds_, values<int8_t>(spec, "row_kinds", TypeId::kInt8, batch.row_kinds, keyed.rows_));
  // Both came to the struct later.
  const bool later =
      batch.struct_size >= offsetof(clutch_batch, merges) + sizeof batch.merges;  // NOLINT(bugprone-sizeof-expression)
  const ArrowArray* flags = later ? batch.row_flags : nullptr;
  const ArrowArray* merges = later ? batch.merges : nullptr;
  CLUTCH_ASSIGN_OR_RETURN(keyed.flags_, values<int8_t>(spec, "row_flags", TypeId::kInt8, flags, keyed.rows_));
  if (batch.keys == nullptr) return keyed;

  CLUTCH_RETURN_IF_ERROR(check(spec, field_of("keys", TypeId::kBinary), *batch.keys, -1));
  keyed.keys_ = batch.keys;
  keyed.groups_ = static_cast<int32_t>(batch.keys->length);
  if (keyed.rows_ > 0 && batch.key_index == nullptr) {
    return Status(CLUTCH_ERR_DATA, "function \"" + spec.name + "\": keys come without key_index", CLUTCH_ORIGIN_HOST);
  }
  CLUTCH_ASSIGN_OR_RETURN(keyed.index_,
                          values<int32_t>(spec, "key_index", TypeId::kInt32, batch.key_index, keyed.rows_));
  bool good = true;
  for (int64_t row = 0; row < keyed.rows_; ++row) {
    good &= static_cast<uint32_t>(keyed.index_[row]) < static_cast<uint32_t>(keyed.groups_);
  }
  if (merges != nullptr) {
    const Field field = columnar::struct_of({field_of("into", TypeId::kInt32), field_of("from", TypeId::kInt32)});
    CLUTCH_RETURN_IF_ERROR(check(spec, field, *merges, -1));
    const ArrayView rows(*merges);
    for (int64_t i = 0; i < merges->length; ++i) {
      const int32_t into = ArrayView(rows.child(0)).values<int32_t>()[merges->offset + i];
      const int32_t from = ArrayView(rows.child(1)).values<int32_t>()[merges->offset + i];
      good &= into >= 0 && from >= 0 && into < keyed.groups_ && from < keyed.groups_ && into != from;
      keyed.merges_.push_back({into, from});
    }
  }
  if (!good) {
    return Status(CLUTCH_ERR_DATA,
                  "function \"" + spec.name + "\": key_index or merges name keys that are not among the batch's " +
                      std::to_string(keyed.groups_),
                  CLUTCH_ORIGIN_HOST);
  }
  return keyed;
}

std::string KeyedBatch::key(int32_t group) const {
  if (keys_ == nullptr) return {};
  return std::string(ArrayView(*keys_).bytes_at<int32_t>(group));
}

PyRef KeyedBatch::key_object(int32_t group, Coder* coder) const {
  const std::string bytes = key(group);
  if (coder != nullptr) return PyRef::steal(coder->decode(bytes, "the key"));
  PyRef text = PyRef::steal(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), nullptr));
  if (!text) {
    PyErr_SetString(PyExc_ValueError,
                    (key_text(group) + " is no text; name the type of the keys by the step's option key_type").c_str());
  }
  return text;
}

int32_t KeyedBatch::operator_key() const {
  if (keys_ == nullptr) return -1;
  const ArrayView keys(*keys_);
  int32_t group = groups_ - 1;
  while (group >= 0 && !keys.bytes_at<int32_t>(group).empty()) --group;
  return group;
}

std::string KeyedBatch::key_text(int32_t group) const {
  if (keys_ == nullptr) return "the group";
  const std::string bytes = key(group);
  const std::string_view shown = std::string_view(bytes).substr(0, kKeyText);
  bool plain = true;
  for (const char c : shown) plain &= c >= ' ' && c <= '~';
  std::string text = plain ? "key '" : "key x'";
  for (const char c : shown) {
    if (plain) {
      text.push_back(c);
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      text.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
      text.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
    }
  }
  return text + "'" + (shown.size() < bytes.size() ? "..." : "");
}

}  // namespace clutch::pyembed
