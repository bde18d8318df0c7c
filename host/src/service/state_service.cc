// clutch.host.state/1: reads through what the running batch changed to what the store has, and stages changes.
#include <algorithm>
#include <cstddef>
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
#include "service/key_table.h"

namespace clutch::host {
namespace {

using columnar::ArrayView;
using columnar::TypeId;

// Version of a value that the running batch changed: no cache may rely on it.
constexpr int64_t kUncommitted = -1;

// Size of the declaration before ttl_update and ttl_visibility joined it.
constexpr size_t kFirstDeclaration = offsetof(clutch_state_declaration, ttl_update);

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
  if (state >= slot.job.store->size()) {
    return wrong("state " + std::to_string(state) + " was not declared; the function declared " +
                 std::to_string(slot.job.store->size()));
  }
  if (slot.job.input->keys.empty()) return wrong("the batch has no keys, so it has no state");
  return {};
}

int64_t now_of(const BatchSlot& slot) { return slot.job.batch.processing_time_ms; }

columnar::Array batch_of(int64_t rows, columnar::ArrayBuilder& first, columnar::ArrayBuilder* second) {
  std::vector<columnar::Array> columns;
  columns.push_back(first.finish());
  if (second != nullptr) columns.push_back(second->finish());
  return columnar::make_batch(rows, std::move(columns));
}

Status append(columnar::ArrayBuilder& builder, const clutch_app_state_value& value) {
  if (value.data != nullptr) return builder.append_bytes(view(clutch_bytes{value.data, value.size}));
  builder.append_null();
  return {};
}

Status append(columnar::ArrayBuilder& builder, const std::optional<std::string_view>& value) {
  if (value) return builder.append_bytes(*value);
  builder.append_null();
  return {};
}

Status read_all(BatchSlot& slot, uint32_t state, columnar::Array& ret_values) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  KeyedStore& store = *slot.job.store;
  if (store.info(state).kind != CLUTCH_STATE_VALUE) {
    return wrong("state \"" + store.info(state).name + "\" is no value state; read it with read_page");
  }
  const StagedStates& staged = slot.staged().keyed;
  const StagedState& changes = staged.states[state];
  std::vector<clutch_app_state_value> stored(staged.keys.size());
  CLUTCH_RETURN_IF_ERROR(store.read(state, staged.keys, now_of(slot), stored));
  columnar::ArrayBuilder values(simple_field("value", TypeId::kBinary, true));
  columnar::ArrayBuilder versions(simple_field("version", TypeId::kInt64, false));
  values.reserve(slot.key_count());
  versions.reserve(slot.key_count());
  for (size_t i = 0; i < stored.size(); ++i) {
    const ValueChange& change = changes.value(static_cast<int64_t>(i));
    if (change.what == ValueChange::What::kPut) {
      CLUTCH_RETURN_IF_ERROR(values.append_bytes(change.bytes));
    } else if (change.what == ValueChange::What::kClear) {
      values.append_null();
    } else {
      CLUTCH_RETURN_IF_ERROR(append(values, stored[i]));
    }
    versions.append<int64_t>(change.any() ? kUncommitted : stored[i].version);
  }
  ret_values = batch_of(slot.key_count(), values, &versions);
  return {};
}

// A page under construction, of one key or of several.
struct Page {
  columnar::ArrayBuilder map_keys{simple_field("map_key", TypeId::kBinary, true)};
  columnar::ArrayBuilder values{simple_field("value", TypeId::kBinary, false)};
  uint64_t max_bytes;  // of a key
  uint64_t bytes = 0;
  int64_t first = 0;  // row of the key

  void begin() {
    first = rows();
    bytes = 0;
  }
  int64_t rows() const { return values.length(); }
  bool full() const { return rows() > first && bytes >= max_bytes; }
  uint64_t room() const { return max_bytes > bytes ? max_bytes - bytes : 0; }
  Status add(std::optional<std::string_view> map_key, std::string_view value) {
    CLUTCH_RETURN_IF_ERROR(append(map_keys, map_key));
    CLUTCH_RETURN_IF_ERROR(values.append_bytes(value));
    bytes += value.size() + (map_key ? map_key->size() : 0);
    return {};
  }
};

// The list or map of one key, as the running batch sees it.
struct PageSource {
  KeyedStore& store;
  EntryChanges* changes;  // nullptr: none.
  clutch_app_page_request request;

  bool stored() const { return changes == nullptr || !changes->cleared; }
  Status read(clutch_app_page& ret_page) { return store.read_page(request, ret_page); }
};

// Cursor of a list: how many items of the store, and how many of the batch, were read; 8 bytes each.
Status list_page(PageSource& source, std::string_view cursor, Page& page, std::string& next) {
  uint64_t done[2] = {0, 0};
  if (cursor.size() == sizeof(done)) std::memcpy(done, cursor.data(), sizeof(done));
  bool more = false;
  // Once an item of the batch was read, those of the store are over.
  if (source.stored() && done[1] == 0) {
    clutch_app_page stored{};
    source.request.first = done[0];
    CLUTCH_RETURN_IF_ERROR(source.read(stored));
    for (uint64_t i = 0; i < stored.n_entries; ++i) {
      CLUTCH_RETURN_IF_ERROR(page.add(std::nullopt, view(stored.entries[i].value)));
    }
    done[0] += stored.n_entries;
    more = stored.more != 0;
  }
  if (!more && source.changes != nullptr) {
    const std::vector<std::string_view>& appended = source.changes->appended;
    for (; done[1] < appended.size() && !page.full(); ++done[1]) {
      CLUTCH_RETURN_IF_ERROR(page.add(std::nullopt, appended[done[1]]));
    }
    more = done[1] < appended.size();
  }
  if (more) next.assign(reinterpret_cast<const char*>(done), sizeof(done));
  return {};
}

// Cursor of a map: "k" and the last key that was looked at.
Status map_page(PageSource& source, std::string_view cursor, Page& page, std::string& next) {
  static const std::vector<EntryChange> kNoChanges;
  const auto& changes = source.changes == nullptr ? kNoChanges : source.changes->entries();
  auto change = changes.begin();
  std::string last;
  if (!cursor.empty()) {
    last = cursor.substr(1);
    change = std::upper_bound(changes.begin(), changes.end(), last,
                              [](const std::string& key, const EntryChange& of) { return key < of.map_key; });
    source.request.after = to_bytes(last);
  }
  bool more = source.stored();
  do {
    clutch_app_page stored{};
    source.request.max_bytes = page.room();
    if (more) CLUTCH_RETURN_IF_ERROR(source.read(stored));
    more = stored.more != 0;
    const std::span<const clutch_app_state_entry> entries(stored.entries, stored.n_entries);
    size_t at = 0;
    // Changes behind the last entry of the store's page wait for its next page.
    const auto waits = [&] { return more && (at == entries.size()); };
    while ((at < entries.size() || change != changes.end()) && !waits()) {
      const bool changed =
          at == entries.size() || (change != changes.end() && change->map_key <= view(entries[at].map_key));
      std::optional<std::string_view> value;
      const std::string_view map_key = changed ? change->map_key : view(entries[at].map_key);
      if (changed) value = change->value;
      if (!changed) value = view(entries[at].value);
      if (value && page.full()) {
        next = "k" + last;
        return {};
      }
      if (value) CLUTCH_RETURN_IF_ERROR(page.add(map_key, *value));
      if (at < entries.size() && view(entries[at].map_key) == map_key) ++at;
      if (changed) ++change;
      last.assign(map_key);
    }
    source.request.after = to_bytes(last);
  } while (more && !page.full());
  if (more) next = "k" + last;
  return {};
}

PageSource source_of(BatchSlot& slot, uint32_t state, int32_t key) {
  StagedStates& staged = slot.staged().keyed;
  PageSource source{*slot.job.store, staged.states[state].entries(key), {}};
  source.request.struct_size = sizeof(source.request);
  source.request.state = state;
  source.request.key = staged.keys[static_cast<size_t>(key)];
  source.request.now_ms = now_of(slot);
  return source;
}

// What all keys have, at most about this much of each.
Status read_all_keys(BatchSlot& slot, uint32_t state, uint64_t max_bytes, columnar::Array& ret_page) {
  const bool list = slot.job.store->info(state).kind == CLUTCH_STATE_LIST;
  Page page{.max_bytes = max_bytes};
  columnar::ArrayBuilder keys(simple_field("key", TypeId::kInt32, false));
  columnar::ArrayBuilder nexts(simple_field("next", TypeId::kBinary, true));
  std::string cursor;
  std::string next;
  for (int32_t key = 0; key < slot.key_count(); ++key) {
    page.begin();
    next.clear();
    // One page, unless those of the store are shorter.
    do {
      PageSource source = source_of(slot, state, key);
      source.request.max_bytes = page.room();
      cursor.swap(next);
      next.clear();
      CLUTCH_RETURN_IF_ERROR(list ? list_page(source, cursor, page, next) : map_page(source, cursor, page, next));
    } while (!next.empty() && !page.full());
    const int64_t last = page.rows() - 1;
    while (keys.length() <= last) {
      CLUTCH_RETURN_IF_ERROR(
          append(nexts, keys.length() == last && !next.empty() ? std::optional<std::string_view>(next) : std::nullopt));
      keys.append(key);
    }
  }
  const int64_t rows = page.rows();
  std::vector<columnar::Array> columns;
  columns.push_back(keys.finish());
  columns.push_back(page.map_keys.finish());
  columns.push_back(page.values.finish());
  columns.push_back(nexts.finish());
  ret_page = columnar::make_batch(rows, std::move(columns));
  return {};
}

Status read_one_page(BatchSlot& slot, uint32_t state, int32_t key, std::string_view cursor, uint64_t max_bytes,
                     columnar::Array& ret_page, clutch_bytes* ret_next) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  const StateInfo& info = slot.job.store->info(state);
  if (info.kind == CLUTCH_STATE_VALUE) {
    return wrong("state \"" + info.name + "\" is a value state, which has no pages; use read");
  }
  if (key == CLUTCH_STATE_ALL_KEYS) {
    slot.page_cursor().clear();
    *ret_next = {};
    return read_all_keys(slot, state, max_bytes, ret_page);
  }
  CLUTCH_RETURN_IF_ERROR(slot.check_key(key));
  PageSource source = source_of(slot, state, key);
  source.request.max_bytes = max_bytes;
  Page page{.max_bytes = max_bytes};
  std::string next;
  if (info.kind == CLUTCH_STATE_LIST) {
    CLUTCH_RETURN_IF_ERROR(list_page(source, cursor, page, next));
  } else {
    CLUTCH_RETURN_IF_ERROR(map_page(source, cursor, page, next));
  }
  ret_page = batch_of(page.rows(), page.map_keys, &page.values);
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
  bool has(int64_t row) const { return !view.is_null(offset + row); }
  std::optional<std::string_view> at(int64_t row) const {
    if (!has(row)) return std::nullopt;
    return view.bytes_at<int32_t>(offset + row);
  }
};

template <typename T>
const T* numbers(const ArrowArray& rows, int64_t column) {
  return rows.length == 0 ? nullptr : ArrayView(*rows.children[column]).values<T>() + rows.offset;
}

Status lookup_entries(BatchSlot& slot, uint32_t state, const ArrowArray& keys, columnar::Array& ret_values) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  CLUTCH_RETURN_IF_ERROR(columnar::validate(lookup_field(), keys, columnar::Depth::kFull));
  KeyedStore& store = *slot.job.store;
  if (store.info(state).kind != CLUTCH_STATE_MAP) {
    return wrong("state \"" + store.info(state).name + "\" is no map state; it has no entries to look up");
  }
  StagedStates& staged = slot.staged().keyed;
  const int32_t* positions = numbers<int32_t>(keys, 0);
  const Bytes map_keys(keys, 1);
  // What the batch has not changed is asked of the store, all of it at once.
  std::vector<clutch_app_entry_name> names;
  std::vector<std::optional<std::string_view>> found(static_cast<size_t>(keys.length));
  std::vector<size_t> asked;
  for (int64_t i = 0; i < keys.length; ++i) {
    CLUTCH_RETURN_IF_ERROR(slot.check_key(positions[i]));
    const std::string_view map_key = *map_keys.at(i);
    EntryChanges* changes = staged.states[state].entries(positions[i]);
    if (changes != nullptr) {
      const auto& entries = changes->entries();
      const auto change =
          std::lower_bound(entries.begin(), entries.end(), map_key,
                           [](const EntryChange& of, std::string_view key) { return of.map_key < key; });
      const bool changed = change != entries.end() && change->map_key == map_key;
      if (changed) found[static_cast<size_t>(i)] = change->value;
      if (changed || changes->cleared) continue;
    }
    names.push_back({staged.keys[static_cast<size_t>(positions[i])], to_bytes(map_key)});
    asked.push_back(static_cast<size_t>(i));
  }
  std::vector<clutch_app_state_value> stored(names.size());
  if (!names.empty()) CLUTCH_RETURN_IF_ERROR(store.look_up(state, names, now_of(slot), stored));
  for (size_t i = 0; i < asked.size(); ++i) {
    if (stored[i].data != nullptr) found[asked[i]] = view(clutch_bytes{stored[i].data, stored[i].size});
  }
  columnar::ArrayBuilder values(simple_field("value", TypeId::kBinary, true));
  for (const std::optional<std::string_view>& value : found) CLUTCH_RETURN_IF_ERROR(append(values, value));
  ret_values = batch_of(keys.length, values, nullptr);
  return {};
}

bool has_op(int32_t kind, int8_t op) {
  switch (op) {
    case CLUTCH_STATE_OP_PUT:
    case CLUTCH_STATE_OP_CLEAR:
    case CLUTCH_STATE_OP_TOUCH:
      return true;
    case CLUTCH_STATE_OP_APPEND:
      return kind == CLUTCH_STATE_LIST;
    case CLUTCH_STATE_OP_REMOVE:
      return kind == CLUTCH_STATE_MAP;
    default:
      return false;
  }
}

// One that is as it must be.
bool fits(int32_t kind, int8_t op, bool has_map_key, bool has_value) {
  if (!has_op(kind, op)) return false;
  if (op == CLUTCH_STATE_OP_CLEAR || op == CLUTCH_STATE_OP_TOUCH) return true;
  if (kind == CLUTCH_STATE_MAP && !has_map_key) return false;
  return has_value || (op != CLUTCH_STATE_OP_APPEND && (op != CLUTCH_STATE_OP_PUT || kind == CLUTCH_STATE_LIST));
}

// Why a change does not fit.
Status misfit(const StateInfo& info, int64_t row, int8_t op, bool has_map_key) {
  const std::string where = "state \"" + info.name + "\" change " + std::to_string(row) + ": ";
  if (!has_op(info.kind, op)) {
    return wrong(where + "op " + std::to_string(op) + " is not one of this kind of state", CLUTCH_ERR_DATA);
  }
  if (info.kind == CLUTCH_STATE_MAP && !has_map_key) return wrong(where + "map_key is null", CLUTCH_ERR_DATA);
  return wrong(where + "value is null; use op clear or remove", CLUTCH_ERR_DATA);
}

Status apply_changes(BatchSlot& slot, uint32_t state, columnar::Array changes) {
  CLUTCH_RETURN_IF_ERROR(check_state(slot, state));
  CLUTCH_RETURN_IF_ERROR(columnar::validate(changes_field(), *changes, columnar::Depth::kFull));
  const StateInfo& info = slot.job.store->info(state);
  const int32_t* keys = numbers<int32_t>(*changes, 0);
  const int8_t* ops = numbers<int8_t>(*changes, 1);
  const Bytes map_keys(*changes, 2);
  const Bytes values(*changes, 3);
  // All is checked before anything is staged.
  const int64_t key_count = slot.key_count();
  for (int64_t i = 0; i < changes->length; ++i) {
    if (keys[i] < 0 || keys[i] >= key_count) return slot.check_key(keys[i]);
    if (!fits(info.kind, ops[i], map_keys.has(i), values.has(i))) return misfit(info, i, ops[i], map_keys.has(i));
  }
  StagedStates& staged = slot.staged().keyed;
  const int64_t count = changes->length;
  staged.kept.push_back(std::move(changes));  // Buffers stay where they are.
  for (int64_t i = 0; i < count; ++i) {
    staged.states[state].apply({keys[i], ops[i], map_keys.at(i), values.at(i)});
  }
  return {};
}

int32_t declare(clutch_function_context* context, const clutch_state_declaration* declaration, uint32_t* ret_state,
                clutch_error* error) noexcept {
  try {
    if (declaration == nullptr || ret_state == nullptr || declaration->struct_size < kFirstDeclaration) {
      return fill_error(error, argument_error("a state is declared without declaration, struct_size or ret_state"));
    }
    Status status(CLUTCH_ERR_STALE, "the function this context belonged to is closed", CLUTCH_ORIGIN_PLUGIN);
    StateInfo info{std::string(view(declaration->name)), declaration->state_kind, declaration->ttl_ms};
    if (CLUTCH_HAS(declaration, clutch_state_declaration, ttl_update)) info.ttl_update = declaration->ttl_update;
    if (CLUTCH_HAS(declaration, clutch_state_declaration, ttl_visibility)) {
      info.ttl_visibility = declaration->ttl_visibility;
    }
    FunctionContext::with(context, [&](FunctionContext& live) {
      uint32_t number_of_state = 0;
      status = live.declare_state(std::move(info), number_of_state);
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
  columnar::Array owned(std::move(*changes));
  return BatchSlot::with(context, error, [&](BatchSlot& slot) { return apply_changes(slot, state, std::move(owned)); });
}

}  // namespace

const clutch_host_state kStateService = {sizeof(clutch_host_state), 0, declare, read, read_page, lookup, apply};

}  // namespace clutch::host
