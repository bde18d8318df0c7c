// List and map states: first pages of all keys come with the batch, and the host is asked for what lies behind them.
#include <algorithm>
#include <cstring>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/state.h"
#include "worker/context.h"

namespace clutch::pyproc {
namespace {

using columnar::ArrayBuilder;
using columnar::ArrayView;

// Cursors: this and how many entries of the first page were read, or that and the host's own cursor.
constexpr char kCame = 'C';
constexpr char kHost = 'H';

Status misuse(std::string message) { return Status(CLUTCH_ERR_ARGUMENT, std::move(message), CLUTCH_ORIGIN_PLUGIN); }

// Rows [first, last) of what came are those of one key.
struct Entries {
  ArrayView map_keys;
  ArrayView values;
  int64_t first;
  int64_t last;
  std::optional<std::string_view> next;  // the host's cursor behind them, if it has more

  std::string_view map_key(int64_t row) const { return map_keys.bytes_at<int32_t>(row); }
  std::string_view value(int64_t row) const { return values.bytes_at<int32_t>(row); }
};

Status check_state(const clutch_batch_context& context, uint32_t state) {
  const auto it = context.states.find(state);
  if (it == context.states.end() || it->second.entries.empty()) {
    return misuse("state " + std::to_string(state) + " is no list or map state of this batch");
  }
  if (it->second.entries_changed) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "a worker process reads list and map states as they are before the batch changes them; read first, "
                  "or keep what was changed",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  return {};
}

// Of a state and a key that were checked.
Entries entries_of(const clutch_batch_context& context, uint32_t state, int32_t key) {
  const ArrowArray& array = *context.states.at(state).entries;
  const int32_t* keys = array.length == 0 ? nullptr : ArrayView(*array.children[0]).values<int32_t>() + array.offset;
  const auto [first, last] = std::equal_range(keys, keys + array.length, key);
  Entries out{ArrayView(*array.children[1]), ArrayView(*array.children[2]), array.offset + (first - keys),
              array.offset + (last - keys), std::nullopt};
  const ArrayView nexts(*array.children[3]);
  if (out.first < out.last && !nexts.is_null(out.last - 1)) out.next = nexts.bytes_at<int32_t>(out.last - 1);
  return out;
}

Status append_map_key(ArrayBuilder& column, const Entries& entries, int64_t row) {
  if (!entries.map_keys.is_null(row)) return column.append_bytes(entries.map_key(row));
  column.append_null();
  return {};
}

// Give entries from `row` on until the page is full; the row behind the last one.
Result<int64_t> fill_page(const Entries& entries, int64_t row, uint64_t max_bytes, ArrayBuilder& map_keys,
                          ArrayBuilder& values) {
  uint64_t bytes = 0;
  for (const int64_t start = row; row < entries.last && (row == start || bytes < max_bytes); ++row) {
    CLUTCH_RETURN_IF_ERROR(append_map_key(map_keys, entries, row));
    CLUTCH_RETURN_IF_ERROR(values.append_bytes(entries.value(row)));
    bytes += entries.value(row).size() + (entries.map_keys.is_null(row) ? 0 : entries.map_key(row).size());
  }
  return row;
}

// Where to go on when the rows before `row` were read; empty at the end.
std::string cursor_at(const Entries& entries, int64_t row) {
  if (row == entries.last) return entries.next ? kHost + std::string(*entries.next) : std::string();
  const int64_t read = row - entries.first;
  std::string out(1 + sizeof(read), kCame);
  std::memcpy(out.data() + 1, &read, sizeof(read));
  return out;
}

// The row that such a cursor stands for, or -1 if it is none of this key.
int64_t row_of(const Entries& entries, std::string_view cursor) {
  if (cursor.empty()) return entries.first;
  int64_t read = 0;
  if (cursor.front() != kCame || cursor.size() != 1 + sizeof(read)) return -1;
  std::memcpy(&read, cursor.data() + 1, sizeof(read));
  return read < 0 || read > entries.last - entries.first ? -1 : entries.first + read;
}

Status read_all_keys(clutch_batch_context& context, uint32_t state, uint64_t max_bytes, ArrowArray* ret_page) {
  ArrayBuilder page(state_entries_field());
  for (int32_t key = 0; key < context.keys; ++key) {
    const Entries entries = entries_of(context, state, key);
    CLUTCH_ASSIGN_OR_RETURN(const int64_t end,
                            fill_page(entries, entries.first, max_bytes, page.child(1), page.child(2)));
    const std::string next = cursor_at(entries, end);
    for (int64_t row = entries.first; row < end; ++row) {
      page.child(0).append<int32_t>(key);
      if (row + 1 < end || next.empty()) {
        page.child(3).append_null();
      } else {
        CLUTCH_RETURN_IF_ERROR(page.child(3).append_bytes(next));
      }
      page.append_struct();
    }
  }
  *ret_page = page.finish().detach();
  return {};
}

// Row of a map_key in what came, or -1. `ret_behind`: it is not there, but the host may have it.
int64_t find(const Entries& entries, std::string_view map_key, bool& ret_behind) {
  int64_t low = entries.first;
  int64_t high = entries.last;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (entries.map_key(middle) < map_key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  ret_behind = low == entries.last && entries.next.has_value();
  return low < entries.last && entries.map_key(low) == map_key ? low : -1;
}

}  // namespace

Status read_state_page(clutch_batch_context& context, uint32_t state, int32_t key, clutch_bytes cursor,
                       uint64_t max_bytes, ArrowArray* ret_page, clutch_bytes* ret_next) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  CLUTCH_RETURN_IF_ERROR(check_state(context, state));
  *ret_next = {};
  if (key == CLUTCH_STATE_ALL_KEYS) return read_all_keys(context, state, max_bytes, ret_page);
  CLUTCH_RETURN_IF_ERROR(check_key(context, key));
  // A copy: it may point to the one that is kept here and about to be replaced.
  const std::string from(reinterpret_cast<const char*>(cursor.data), cursor.data == nullptr ? 0 : cursor.size);
  columnar::Array page;
  if (!from.empty() && from.front() == kHost) {
    std::string next;
    CLUTCH_ASSIGN_OR_RETURN(page, context.host->page(context, state, key, from.substr(1), max_bytes, next));
    context.page_cursor = next.empty() ? std::string() : kHost + next;
  } else {
    const Entries entries = entries_of(context, state, key);
    const int64_t row = row_of(entries, from);
    if (row < 0) return misuse("a cursor is not one that a page of this state gave; pass it on as it came");
    ArrayBuilder rows(state_page_field());
    CLUTCH_ASSIGN_OR_RETURN(const int64_t end, fill_page(entries, row, max_bytes, rows.child(0), rows.child(1)));
    for (int64_t i = row; i < end; ++i) rows.append_struct();
    page = rows.finish();
    context.page_cursor = cursor_at(entries, end);
  }
  *ret_next = {reinterpret_cast<const uint8_t*>(context.page_cursor.data()), context.page_cursor.size()};
  *ret_page = page.detach();
  return {};
}

Status look_up_state(clutch_batch_context& context, uint32_t state, const ArrowArray& keys, ArrowArray* ret_values) {
  const std::lock_guard lock(context.mutex);
  CLUTCH_RETURN_IF_ERROR(require_open(&context));
  CLUTCH_RETURN_IF_ERROR(check_state(context, state));
  if (context.function->states[state].state_kind != CLUTCH_STATE_MAP) {
    return misuse("state \"" + context.function->states[state].name +
                  "\" is no map state; it has no entries to look up");
  }
  const ArrayView positions(*keys.children[0]);
  const ArrayView wanted(*keys.children[1]);
  // What did not come is asked of the host, all of it at once.
  ArrayBuilder names(state_names_field());
  std::vector<int64_t> rows(static_cast<size_t>(keys.length), -1);
  std::vector<bool> behind(rows.size(), false);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t at = keys.offset + static_cast<int64_t>(i);
    const int32_t key = positions.values<int32_t>()[at];
    CLUTCH_RETURN_IF_ERROR(check_key(context, key));
    bool ask = false;
    rows[i] = find(entries_of(context, state, key), wanted.bytes_at<int32_t>(at), ask);
    if (!ask) continue;
    behind[i] = true;
    names.child(0).append<int32_t>(key);
    CLUTCH_RETURN_IF_ERROR(names.child(1).append_bytes(wanted.bytes_at<int32_t>(at)));
    names.append_struct();
  }
  columnar::Array found;
  if (names.length() > 0) {
    CLUTCH_ASSIGN_OR_RETURN(found, context.host->look_up(context, state, *names.finish()));
  }
  const ArrayView came(*context.states.at(state).entries->children[2]);
  ArrayBuilder out(state_found_field());
  int64_t next = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    ArrayBuilder& value = out.child(0);
    if (rows[i] >= 0) {
      CLUTCH_RETURN_IF_ERROR(value.append_bytes(came.bytes_at<int32_t>(rows[i])));
    } else if (behind[i] && !ArrayView(*found->children[0]).is_null(next)) {
      CLUTCH_RETURN_IF_ERROR(value.append_bytes(ArrayView(*found->children[0]).bytes_at<int32_t>(next)));
    } else {
      value.append_null();
    }
    next += behind[i] ? 1 : 0;
    out.append_struct();
  }
  *ret_values = out.finish().detach();
  return {};
}

}  // namespace clutch::pyproc
