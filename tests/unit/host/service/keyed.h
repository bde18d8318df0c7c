// A keyed function in a test: state and timers called as a plugin does.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fake_plugin.h"

namespace clutch::testing {

struct Change {
  int32_t key;
  int8_t op;
  std::optional<std::string> map_key;
  std::optional<std::string> value;
};

struct TimerOp {
  int32_t key;
  int64_t time_ms;
  int8_t domain;
  int8_t op;
};

class Keyed {
 public:
  FakePlugin plugin;

  Keyed() {
    plugin.open = [this](const clutch_spec&, clutch_function_context* context, clutch_error* error) {
      for (const auto& [name, kind, ttl_ms, ttl_update, ttl_visibility] : states) {
        clutch_state_declaration declaration{};
        declaration.struct_size = sizeof(declaration);
        declaration.state_kind = kind;
        declaration.name = host::to_str(name);
        declaration.ttl_ms = ttl_ms;
        declaration.ttl_update = ttl_update;
        declaration.ttl_visibility = ttl_visibility;
        uint32_t number = 0;
        const int32_t status = state().declare(context, &declaration, &number, error);
        if (status != CLUTCH_OK) return status;
      }
      return int32_t{CLUTCH_OK};
    };
  }

  struct Declared {
    std::string name;
    int32_t kind;
    int64_t ttl_ms = 0;
    int32_t ttl_update = 0;
    int32_t ttl_visibility = 0;
  };
  std::vector<Declared> states;

  const clutch_host_state& state() const { return plugin.extension<clutch_host_state>(CLUTCH_HOST_STATE); }
  const clutch_host_timer& timer() const { return plugin.extension<clutch_host_timer>(CLUTCH_HOST_TIMER); }

  int32_t change(const clutch_batch& batch, uint32_t number, const std::vector<Change>& changes,
                 clutch_error* error) const {
    std::vector<int32_t> keys;
    std::vector<int8_t> ops;
    std::vector<std::optional<std::string>> map_keys;
    std::vector<std::optional<std::string>> values;
    for (const Change& one : changes) {
      keys.push_back(one.key);
      ops.push_back(one.op);
      map_keys.push_back(one.map_key);
      values.push_back(one.value);
    }
    ArrowArray raw = batch_of(static_cast<int64_t>(changes.size()), int32_column(keys), int8_column(ops),
                              bytes_column(map_keys), bytes_column(values))
                         .detach();
    return state().apply(batch.context, number, &raw, error);
  }

  int32_t set_timers(const clutch_batch& batch, const std::vector<TimerOp>& timers, clutch_error* error) const {
    std::vector<int32_t> keys;
    std::vector<int64_t> times;
    std::vector<int8_t> domains;
    std::vector<int8_t> ops;
    for (const TimerOp& one : timers) {
      keys.push_back(one.key);
      times.push_back(one.time_ms);
      domains.push_back(one.domain);
      ops.push_back(one.op);
    }
    ArrowArray raw = batch_of(static_cast<int64_t>(timers.size()), int32_column(keys), int64_column(times),
                              int8_column(domains), int8_column(ops))
                         .detach();
    return timer().apply(batch.context, &raw, error);
  }

  // Values of the value state, one a key of the batch; with versions.
  std::vector<std::pair<std::optional<std::string>, int64_t>> read(const clutch_batch& batch, uint32_t number) const {
    ArrowArray raw{};
    ErrorBox box;
    const int32_t status = state().read(batch.context, number, &raw, &box.error);
    if (status != CLUTCH_OK) throw std::runtime_error(box.message());
    const columnar::Array owned(std::move(raw));
    const columnar::ArrayView values(*owned->children[0]);
    const columnar::ArrayView versions(*owned->children[1]);
    std::vector<std::pair<std::optional<std::string>, int64_t>> out;
    for (int64_t i = 0; i < owned->length; ++i) {
      std::optional<std::string> value;
      if (!values.is_null(i)) value = values.bytes_at<int32_t>(i);
      out.emplace_back(value, versions.values<int64_t>()[i]);
    }
    return out;
  }

  // The first entries of all keys, each behind its key's position, "0 k=v"; where there are more, "..." follows.
  std::vector<std::string> all_keys(const clutch_batch& batch, uint32_t number, uint64_t max_bytes) const {
    ArrowArray raw{};
    ErrorBox box;
    clutch_bytes next{nullptr, 0};
    const int32_t status =
        state().read_page(batch.context, number, CLUTCH_STATE_ALL_KEYS, {}, max_bytes, &raw, &next, &box.error);
    if (status != CLUTCH_OK) throw std::runtime_error(box.message());
    if (next.size != 0) throw std::runtime_error("a cursor of all keys");
    const columnar::Array owned(std::move(raw));
    const auto* keys = columnar::ArrayView(*owned->children[0]).values<int32_t>();
    const columnar::ArrayView map_keys(*owned->children[1]);
    const columnar::ArrayView values(*owned->children[2]);
    const columnar::ArrayView nexts(*owned->children[3]);
    std::vector<std::string> out;
    for (int64_t i = 0; i < owned->length; ++i) {
      const std::string prefix = map_keys.is_null(i) ? "" : std::string(map_keys.bytes_at<int32_t>(i)) + "=";
      out.push_back(std::to_string(keys[i]) + " " + prefix + std::string(values.bytes_at<int32_t>(i)));
      if (nexts.is_null(i)) continue;
      out.emplace_back("...");
      for (std::string& rest : pages(batch, number, keys[i], max_bytes, nullptr, nexts.bytes_at<int32_t>(i))) {
        out.push_back(std::to_string(keys[i]) + " " + std::move(rest));
      }
    }
    return out;
  }

  // All entries of a map ("k=v") or list ("v") of one key behind a cursor, in pages of at most this many bytes.
  std::vector<std::string> pages(const clutch_batch& batch, uint32_t number, int32_t key, uint64_t max_bytes,
                                 int* ret_pages = nullptr, std::string_view from = {}) const {
    std::vector<std::string> out;
    clutch_bytes cursor{reinterpret_cast<const uint8_t*>(from.data()), from.size()};
    int count = 0;
    do {
      ArrowArray raw{};
      ErrorBox box;
      clutch_bytes next{nullptr, 0};
      const int32_t status = state().read_page(batch.context, number, key, cursor, max_bytes, &raw, &next, &box.error);
      if (status != CLUTCH_OK) throw std::runtime_error(box.message());
      const columnar::Array owned(std::move(raw));
      const columnar::ArrayView map_keys(*owned->children[0]);
      const columnar::ArrayView values(*owned->children[1]);
      for (int64_t i = 0; i < owned->length; ++i) {
        const std::string prefix = map_keys.is_null(i) ? "" : std::string(map_keys.bytes_at<int32_t>(i)) + "=";
        out.push_back(prefix + std::string(values.bytes_at<int32_t>(i)));
      }
      cursor = next;
      ++count;
    } while (cursor.size > 0);
    if (ret_pages != nullptr) *ret_pages = count;
    return out;
  }
};

// A batch of one int64 column with a key a row.
struct KeyedBatch {
  Rows rows;
  columnar::Array keys;
  clutch_app_batch_options options{};

  KeyedBatch(const std::vector<int64_t>& values, const std::vector<std::string>& row_keys)
      : rows(numbers(values)), keys(bytes_column({row_keys.begin(), row_keys.end()})) {
    options.struct_size = sizeof(options);
    options.processing_time_ms = 1000;
    options.keys = keys.get();
  }
  KeyedBatch(KeyedBatch&& other) noexcept
      : rows(std::move(other.rows)), keys(std::move(other.keys)), options(other.options) {
    options.keys = keys.get();
  }
  KeyedBatch& at(int64_t processing_time_ms) {
    options.processing_time_ms = processing_time_ms;
    return *this;
  }
  KeyedBatch& watermark(int64_t time_ms) {
    options.flags |= CLUTCH_APP_HAS_WATERMARK;
    options.watermark_ms = time_ms;
    return *this;
  }
  Output call(const Function& function) { return function.call(std::move(rows), options); }
};

inline Spec keyed_spec() {
  return Spec("stream.keyed_process", imported("m:f")).name("keyed").input("x: int64").output("x: int64");
}

}  // namespace clutch::testing
