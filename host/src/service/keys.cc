#include "service/keys.h"

#include <string>
#include <utility>

#include "clutch/abi/status.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/type.h"
#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "function/shape.h"
#include "service/key_table.h"

namespace clutch::host {
namespace {

using columnar::TypeId;

columnar::Field field_of(const char* name, TypeId id) { return simple_field(name, id, false); }

Status user_error(std::string message) { return {CLUTCH_ERR_DATA, std::move(message), CLUTCH_ORIGIN_USER}; }

Status check_no_nulls(const char* what, const ArrowArray& array) {
  const columnar::ArrayView view(array);
  if (view.no_nulls()) return {};
  for (int64_t i = 0; i < array.length; ++i) {
    if (view.is_null(i)) return user_error(std::string(what) + " has a null in row " + std::to_string(i));
  }
  return {};
}

// Gives each distinct key a position. The keys' bytes are borrowed.
class Positions {
 public:
  explicit Positions(int64_t keys) {
    order_.reserve(static_cast<size_t>(keys));
    index_.reserve(static_cast<size_t>(keys));
  }
  int32_t of(std::string_view key) {
    const uint32_t hash = HashIndex::hash(key);
    const uint32_t known = index_.find(hash, [&](uint32_t position) { return order_[position] == key; });
    if (known != HashIndex::kNone) return static_cast<int32_t>(known);
    index_.add(hash, static_cast<uint32_t>(order_.size()));
    order_.push_back(key);
    return static_cast<int32_t>(order_.size() - 1);
  }
  Result<columnar::Array> finish() const {
    columnar::ArrayBuilder builder(field_of("keys", TypeId::kBinary));
    builder.reserve(static_cast<int64_t>(order_.size()));
    for (const std::string_view key : order_) CLUTCH_RETURN_IF_ERROR(builder.append_bytes(key));
    return builder.finish();
  }
  int64_t size() const { return static_cast<int64_t>(order_.size()); }

 private:
  HashIndex index_;
  std::vector<std::string_view> order_;
};

columnar::Array timer_array(std::span<const clutch_app_timer> due, Positions& positions) {
  columnar::ArrayBuilder keys(field_of("key_index", TypeId::kInt32));
  columnar::ArrayBuilder times(field_of("time_ms", TypeId::kInt64));
  columnar::ArrayBuilder domains(field_of("domain", TypeId::kInt8));
  for (const clutch_app_timer& timer : due) {
    keys.append<int32_t>(positions.of(view(timer.key)));
    times.append<int64_t>(timer.time_ms);
    domains.append<int8_t>(static_cast<int8_t>(timer.domain));
  }
  std::vector<columnar::Array> columns;
  columns.push_back(keys.finish());
  columns.push_back(times.finish());
  columns.push_back(domains.finish());
  return columnar::make_batch(static_cast<int64_t>(due.size()), std::move(columns));
}

}  // namespace

Status check_keys(const columnar::Array& keys, const columnar::Array& key_index, int64_t rows) {
  CLUTCH_RETURN_IF_ERROR(columnar::validate(field_of("keys", TypeId::kBinary), *keys, columnar::Depth::kFull));
  CLUTCH_RETURN_IF_ERROR(check_no_nulls("keys", *keys));
  if (key_index.empty()) {
    if (keys->length == rows) return {};
    return user_error("keys has " + std::to_string(keys->length) + " entries for " + std::to_string(rows) +
                      " rows; give one a row, or the distinct keys with key_index");
  }
  CLUTCH_RETURN_IF_ERROR(
      columnar::validate(field_of("key_index", TypeId::kInt32), *key_index, columnar::Depth::kStructure));
  CLUTCH_RETURN_IF_ERROR(check_no_nulls("key_index", *key_index));
  if (key_index->length != rows) {
    return user_error("key_index has " + std::to_string(key_index->length) + " entries for " + std::to_string(rows) +
                      " rows; give one a row");
  }
  const int32_t* positions = rows == 0 ? nullptr : columnar::ArrayView(*key_index).values<int32_t>();
  for (int64_t i = 0; i < rows; ++i) {
    if (positions[i] >= 0 && positions[i] < keys->length) continue;
    return user_error("key_index of row " + std::to_string(i) + " is " + std::to_string(positions[i]) + ", keys has " +
                      std::to_string(keys->length) + " entries");
  }
  return {};
}

Status check_merges(const columnar::Array& merges, const columnar::Array& keys, const columnar::Array& key_index) {
  if (keys.empty() || key_index.empty()) {
    return user_error("merges name positions in keys; give the distinct keys with key_index");
  }
  const columnar::Field field =
      columnar::struct_of({field_of("into", TypeId::kInt32), field_of("from", TypeId::kInt32)});
  CLUTCH_RETURN_IF_ERROR(columnar::validate(field, *merges, columnar::Depth::kFull));
  const columnar::ArrayView rows(*merges);
  for (const int64_t column : {0, 1}) CLUTCH_RETURN_IF_ERROR(check_no_nulls("merges", rows.child(column)));
  for (int64_t i = 0; i < merges->length; ++i) {
    const int32_t into = columnar::ArrayView(rows.child(0)).values<int32_t>()[merges->offset + i];
    const int32_t from = columnar::ArrayView(rows.child(1)).values<int32_t>()[merges->offset + i];
    if (into >= 0 && from >= 0 && into < keys->length && from < keys->length && into != from) continue;
    return user_error("merge " + std::to_string(i) + " is of key " + std::to_string(from) + " into key " +
                      std::to_string(into) + "; give two different positions of the " + std::to_string(keys->length) +
                      " keys");
  }
  return {};
}

Status arrange_keys(columnar::Array keys, columnar::Array key_index, std::span<const clutch_app_timer> due,
                    BatchInput& input, std::vector<clutch_bytes>& ret_keys) {
  const columnar::ArrayView view(*keys);
  Positions positions(keys->length + static_cast<int64_t>(due.size()));
  if (key_index.empty()) {
    columnar::ArrayBuilder index(field_of("key_index", TypeId::kInt32));
    index.reserve(keys->length);
    for (int64_t i = 0; i < keys->length; ++i) index.append<int32_t>(positions.of(view.bytes_at<int32_t>(i)));
    input.key_index = index.finish();
  } else {
    for (int64_t i = 0; i < keys->length; ++i) {
      if (positions.of(view.bytes_at<int32_t>(i)) == i) continue;
      return user_error("keys has the key at " + std::to_string(i) + " twice; beside key_index it holds each key once");
    }
    input.key_index = std::move(key_index);
  }
  if (!due.empty()) input.timers = timer_array(due, positions);
  // Keys that are all different are the distinct keys as they are.
  if (positions.size() == keys->length && keys->offset == 0) {
    input.keys = std::move(keys);
  } else {
    CLUTCH_ASSIGN_OR_RETURN(input.keys, positions.finish());
  }
  const columnar::ArrayView distinct(*input.keys);
  ret_keys.reserve(static_cast<size_t>(distinct.length()));
  for (int64_t i = 0; i < distinct.length(); ++i) ret_keys.push_back(to_bytes(distinct.bytes_at<int32_t>(i)));
  return {};
}

}  // namespace clutch::host
