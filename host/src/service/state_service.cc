// clutch.host.state/1: reads through what the running batch changed to what is committed, and stages changes.
#include <cstring>
#include <optional>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/type.h"
#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/state.h"
#include "function/context.h"
#include "function/slot.h"
#include "service/host_table.h"

namespace clutch::host {
namespace {

using columnar::ArrayView;
using columnar::TypeId;

// Version of a value that the running batch changed: no cache may rely on it.
constexpr int64_t kUncommitted = -1;

const columnar::Field& changes_field() {
  static const columnar::Field kField = columnar::struct_of(
      {simple_field("key", TypeId::kInt32, false), simple_field("op", TypeId::kInt8, false),
       simple_field("map_key", TypeId::kBinary, true), simple_field("value", TypeId::kBinary, true)});
  return kField;
}

const columnar::Field& lookup_field() {
  static const columnar::Field kField = columnar::struct_of(
      {simple_field("key", TypeId::kInt32, false), simple_field("map_key", TypeId::kBinary, false)});
  return kField;
}

Status wrong(std::string message, int32_t code = CLUTCH_ERR_ARGUMENT) {
  return {code, std::move(message), CLUTCH_ORIGIN_PLUGIN};
}

Status check_state(const BatchSlot& slot, uint32_t state) {
  if (state >= slot.job.states->size()) {
    return wrong("state " + std::to_string(state) + " was not declared; the function declared " +
                 std::to_string(slot.job.states->size()));
  }
  if (slot.job.input->keys.empty()) return wrong("the batch has no keys, so it has no state");
  return {};
}

// One key's state as the running batch sees it.
struct Cell {
  const StateInfo& info;
  const StateCell* committed;
  const CellChange* change;
  int64_t now_ms;

  bool base() const { return committed != nullptr && (change == nullptr || !change->cleared); }
  bool live(const StateEntry& entry) const { return !info.expired(entry, now_ms); }
  bool changed() const { return change != nullptr; }

  std::optional<std::string_view> value() const {
    if (changed() && change->value) return *change->value;
    if (base() && committed->value && live(*committed->value)) return committed->value->bytes;
    return std::nullopt;
  }
  std::optional<std::string_view> entry(std::string_view map_key) const {
    if (changed()) {
      const auto found = change->entries.find(map_key);
      if (found != change->entries.end()) {
        if (!found->second) return std::nullopt;
        return *found->second;
      }
    }
    if (!base()) return std::nullopt;
    const auto found = committed->map.find(map_key);
    if (found == committed->map.end() || !live(found->second)) return std::nullopt;
    return found->second.bytes;
  }
};

Cell cell_of(BatchSlot& slot, uint32_t state, const std::string& key) {
  const auto& changes = slot.staged().state[state];
  const auto found = changes.find(key);
  return {slot.job.states->info(state), slot.job.states->find(state, key),
          found == changes.end() ? nullptr : &found->second, slot.job.batch.processing_time_ms};
}

columnar::Array batch_of(int64_t rows, columnar::ArrayBuilder& first, columnar::ArrayBuilder* second) {
  std::vector<columnar::Array> columns;
  columns.push_back(first.finish());
  if (second != nullptr) columns.push_back(second->finish());
  return columnar::make_batch(rows, std::move(columns));
}

Status append(columnar::ArrayBuilder& builder, const std::optional<std::string_view>& value) {
  if (value) return builder.append_bytes(*value);
  builder.append_null();
  return {};
}

Status read_all(BatchSlot& slot, uint32_t state, columnar::Array& ret_values) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  if (slot.job.states->info(state).kind != CLUTCH_STATE_VALUE) {
    return wrong("state \"" + slot.job.states->info(state).name + "\" is no value state; read it with read_page");
  }
  columnar::ArrayBuilder values(simple_field("value", TypeId::kBinary, true));
  columnar::ArrayBuilder versions(simple_field("version", TypeId::kInt64, false));
  for (int64_t i = 0; i < slot.key_count(); ++i) {
    CLUTCH_ASSIGN_OR_RETURN(const std::string key, slot.key(i));
    const Cell cell = cell_of(slot, state, key);
    CLUTCH_RETURN_IF_ERROR(append(values, cell.value()));
    versions.append<int64_t>(cell.changed() ? kUncommitted : cell.committed == nullptr ? 0 : cell.committed->version);
  }
  ret_values = batch_of(slot.key_count(), values, &versions);
  return {};
}

// A page under construction.
struct Page {
  columnar::ArrayBuilder map_keys{simple_field("map_key", TypeId::kBinary, true)};
  columnar::ArrayBuilder values{simple_field("value", TypeId::kBinary, false)};
  uint64_t max_bytes;
  uint64_t bytes = 0;
  int64_t rows = 0;

  bool full() const { return rows > 0 && bytes >= max_bytes; }
  Status add(std::optional<std::string_view> map_key, std::string_view value) {
    CLUTCH_RETURN_IF_ERROR(append(map_keys, map_key));
    CLUTCH_RETURN_IF_ERROR(values.append_bytes(value));
    bytes += value.size() + (map_key ? map_key->size() : 0);
    ++rows;
    return {};
  }
};

// Cursor of a list: index of the next item, 8 bytes.
Status list_page(const Cell& cell, std::string_view cursor, Page& page, std::string& next) {
  uint64_t start = 0;
  if (cursor.size() == sizeof(start)) std::memcpy(&start, cursor.data(), sizeof(start));
  uint64_t index = 0;
  const auto visit = [&](std::string_view item) -> Status {
    const uint64_t at = index++;
    if (at < start || !next.empty()) return {};
    if (page.full()) {
      next.assign(reinterpret_cast<const char*>(&at), sizeof(at));
      return {};
    }
    return page.add(std::nullopt, item);
  };
  if (cell.base()) {
    for (const StateEntry& entry : cell.committed->list) {
      if (cell.live(entry)) CLUTCH_RETURN_IF_ERROR(visit(entry.bytes));
    }
  }
  if (cell.changed()) {
    for (const std::string& item : cell.change->appended) CLUTCH_RETURN_IF_ERROR(visit(item));
  }
  return {};
}

// Cursor of a map: "k" and the last key of the page before.
Status map_page(const Cell& cell, std::string_view cursor, Page& page, std::string& next) {
  static const std::map<std::string, StateEntry, std::less<>> kNoBase;
  static const decltype(CellChange::entries) kNoChanges;
  const auto& base = cell.base() ? cell.committed->map : kNoBase;
  const auto& changes = cell.changed() ? cell.change->entries : kNoChanges;
  auto from_base = cursor.empty() ? base.begin() : base.upper_bound(cursor.substr(1));
  auto from_changes = cursor.empty() ? changes.begin() : changes.upper_bound(cursor.substr(1));
  const std::string* last = nullptr;
  while (from_base != base.end() || from_changes != changes.end()) {
    const bool take_change =
        from_base == base.end() || (from_changes != changes.end() && from_changes->first <= from_base->first);
    std::optional<std::string_view> value;
    const std::string& map_key = take_change ? from_changes->first : from_base->first;
    if (take_change) {
      if (from_changes->second) value = *from_changes->second;
      if (from_base != base.end() && from_base->first == map_key) ++from_base;
      ++from_changes;
    } else {
      if (cell.live(from_base->second)) value = from_base->second.bytes;
      ++from_base;
    }
    if (!value) continue;
    if (page.full()) {
      next = "k" + *last;
      return {};
    }
    CLUTCH_RETURN_IF_ERROR(page.add(map_key, *value));
    last = &map_key;
  }
  return {};
}

Status read_one_page(BatchSlot& slot, uint32_t state, int32_t key, std::string_view cursor, uint64_t max_bytes,
                     columnar::Array& ret_page, clutch_bytes* ret_next) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  CLUTCH_ASSIGN_OR_RETURN(const std::string key_bytes, slot.key(key));
  const Cell cell = cell_of(slot, state, key_bytes);
  Page page{.max_bytes = max_bytes};
  std::string next;
  if (cell.info.kind == CLUTCH_STATE_LIST) {
    CLUTCH_RETURN_IF_ERROR(list_page(cell, cursor, page, next));
  } else if (cell.info.kind == CLUTCH_STATE_MAP) {
    CLUTCH_RETURN_IF_ERROR(map_page(cell, cursor, page, next));
  } else {
    return wrong("state \"" + cell.info.name + "\" is a value state, which has no pages; use read");
  }
  ret_page = batch_of(page.rows, page.map_keys, &page.values);
  slot.page_cursor() = std::move(next);
  const std::string& kept = slot.page_cursor();
  *ret_next = {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()};
  return {};
}

// A column of a struct array with the struct's own offset added.
struct Bytes {
  ArrayView view;
  int64_t offset;
  Bytes(const ArrowArray& rows, int64_t column) : view(*rows.children[column]), offset(rows.offset) {}
  std::optional<std::string_view> at(int64_t row) const {
    if (view.is_null(offset + row)) return std::nullopt;
    return view.bytes_at<int32_t>(offset + row);
  }
};

template <typename T>
T number(const ArrowArray& rows, int64_t column, int64_t row) {
  return ArrayView(*rows.children[column]).values<T>()[rows.offset + row];
}

Status lookup_entries(BatchSlot& slot, uint32_t state, const ArrowArray& keys, columnar::Array& ret_values) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  CLUTCH_RETURN_IF_ERROR(columnar::validate(lookup_field(), keys, columnar::Depth::kFull));
  if (slot.job.states->info(state).kind != CLUTCH_STATE_MAP) {
    return wrong("state \"" + slot.job.states->info(state).name + "\" is no map state; it has no entries to look up");
  }
  columnar::ArrayBuilder values(simple_field("value", TypeId::kBinary, true));
  const Bytes map_keys(keys, 1);
  for (int64_t i = 0; i < keys.length; ++i) {
    CLUTCH_ASSIGN_OR_RETURN(const std::string key, slot.key(number<int32_t>(keys, 0, i)));
    CLUTCH_RETURN_IF_ERROR(
        append(values, cell_of(slot, state, key).entry(map_keys.at(i).value_or(std::string_view()))));
  }
  ret_values = batch_of(keys.length, values, nullptr);
  return {};
}

bool has_op(int32_t kind, int8_t op) {
  switch (op) {
    case CLUTCH_STATE_OP_PUT:
    case CLUTCH_STATE_OP_CLEAR:
      return true;
    case CLUTCH_STATE_OP_APPEND:
      return kind == CLUTCH_STATE_LIST;
    case CLUTCH_STATE_OP_REMOVE:
      return kind == CLUTCH_STATE_MAP;
    default:
      return false;
  }
}

Status check_change(const StateInfo& info, int64_t row, int8_t op, bool has_map_key, bool has_value) {
  const std::string where = "state \"" + info.name + "\" change " + std::to_string(row) + ": ";
  if (!has_op(info.kind, op)) {
    return wrong(where + "op " + std::to_string(op) + " is not one of this kind of state", CLUTCH_ERR_DATA);
  }
  if (op == CLUTCH_STATE_OP_CLEAR) return {};
  if (info.kind == CLUTCH_STATE_MAP && !has_map_key) return wrong(where + "map_key is null", CLUTCH_ERR_DATA);
  const bool needs_value =
      op == CLUTCH_STATE_OP_APPEND || (op == CLUTCH_STATE_OP_PUT && info.kind != CLUTCH_STATE_LIST);
  if (needs_value && !has_value) return wrong(where + "value is null; use op clear or remove", CLUTCH_ERR_DATA);
  return {};
}

void change_cell(int32_t kind, int8_t op, std::optional<std::string_view> map_key,
                 std::optional<std::string_view> value, CellChange& change) {
  const bool replaces_all = op == CLUTCH_STATE_OP_CLEAR || (op == CLUTCH_STATE_OP_PUT && kind == CLUTCH_STATE_LIST);
  if (replaces_all) {
    change.clear();
    if (op == CLUTCH_STATE_OP_PUT && value) change.appended.emplace_back(*value);
  } else if (op == CLUTCH_STATE_OP_APPEND) {
    change.appended.emplace_back(*value);
  } else if (op == CLUTCH_STATE_OP_REMOVE) {
    change.entries.insert_or_assign(std::string(*map_key), std::nullopt);
  } else if (kind == CLUTCH_STATE_MAP) {
    change.entries.insert_or_assign(std::string(*map_key), std::string(*value));
  } else {
    change.value = std::string(*value);
  }
}

Status apply_changes(BatchSlot& slot, uint32_t state, const ArrowArray& changes) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  CLUTCH_RETURN_IF_ERROR(columnar::validate(changes_field(), changes, columnar::Depth::kFull));
  const StateInfo& info = slot.job.states->info(state);
  const Bytes map_keys(changes, 2);
  const Bytes values(changes, 3);
  // All is checked before anything is staged.
  for (int64_t i = 0; i < changes.length; ++i) {
    CLUTCH_RETURN_IF_ERROR(slot.key(number<int32_t>(changes, 0, i)).status());
    CLUTCH_RETURN_IF_ERROR(
        check_change(info, i, number<int8_t>(changes, 1, i), map_keys.at(i).has_value(), values.at(i).has_value()));
  }
  for (int64_t i = 0; i < changes.length; ++i) {
    CLUTCH_ASSIGN_OR_RETURN(std::string key, slot.key(number<int32_t>(changes, 0, i)));
    change_cell(info.kind, number<int8_t>(changes, 1, i), map_keys.at(i), values.at(i),
                slot.staged().state[state][std::move(key)]);
  }
  return {};
}

int32_t declare(clutch_function_context* context, const clutch_state_declaration* declaration, uint32_t* ret_state,
                clutch_error* error) noexcept {
  try {
    if (declaration == nullptr || ret_state == nullptr || declaration->struct_size < sizeof(*declaration)) {
      return fill_error(error, argument_error("a state is declared without declaration, struct_size or ret_state"));
    }
    Status status(CLUTCH_ERR_STALE, "the function this context belonged to is closed", CLUTCH_ORIGIN_PLUGIN);
    const StateInfo info{std::string(view(declaration->name)), declaration->state_kind, declaration->ttl_ms};
    FunctionContext::with(context, [&](FunctionContext& live) {
      uint32_t number_of_state = 0;
      status = live.declare_state(info, number_of_state);
      if (status.ok()) *ret_state = number_of_state;
    });
    return status.ok() ? CLUTCH_OK : fill_error(error, status);
  } catch (...) {
    return fill_error(error, current_exception_status());
  }
}

int32_t read(clutch_batch_context* context, uint32_t state, ArrowArray* ret_values, clutch_error* error) noexcept {
  columnar::Array out;
  const int32_t status = BatchSlot::with(context, error, [&](BatchSlot& slot) { return read_all(slot, state, out); });
  if (status == CLUTCH_OK) *ret_values = out.detach();
  return status;
}

int32_t read_page(clutch_batch_context* context, uint32_t state, int32_t key, clutch_bytes cursor, uint64_t max_bytes,
                  ArrowArray* ret_page, clutch_bytes* ret_next, clutch_error* error) noexcept {
  columnar::Array out;
  const int32_t status = BatchSlot::with(context, error, [&](BatchSlot& slot) {
    // The cursor may point to the one that is kept here and about to be replaced.
    const std::string from(reinterpret_cast<const char*>(cursor.data), cursor.data == nullptr ? 0 : cursor.size);
    return read_one_page(slot, state, key, from, max_bytes, out, ret_next);
  });
  if (status == CLUTCH_OK) *ret_page = out.detach();
  return status;
}

int32_t lookup(clutch_batch_context* context, uint32_t state, const ArrowArray* keys, ArrowArray* ret_values,
               clutch_error* error) noexcept {
  columnar::Array out;
  const int32_t status =
      BatchSlot::with(context, error, [&](BatchSlot& slot) { return lookup_entries(slot, state, *keys, out); });
  if (status == CLUTCH_OK) *ret_values = out.detach();
  return status;
}

int32_t apply(clutch_batch_context* context, uint32_t state, ArrowArray* changes, clutch_error* error) noexcept {
  if (changes == nullptr || changes->release == nullptr)
    return fill_error(error, argument_error("changes is released"));
  const columnar::Array owned(std::move(*changes));
  return BatchSlot::with(context, error, [&](BatchSlot& slot) { return apply_changes(slot, state, *owned); });
}

}  // namespace

const clutch_host_state kStateService = {sizeof(clutch_host_state), 0, declare, read, read_page, lookup, apply};

}  // namespace clutch::host
