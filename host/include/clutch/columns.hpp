// Rows of the C++ face: a batch made of std::vector columns, and columns read back as std::vector.
//
//   clutch::Rows rows = clutch::columns(std::vector<int64_t>{1, 2}, std::vector<std::string>{"a", "b"});
//
// Values: integers and floats of any width, bool, std::string, std::string_view, const char*; std::optional of those
// for columns with nulls. Anything else comes as an ArrowArray that the caller made.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "clutch/clutch.h"

namespace clutch {

// Owner of one batch of rows (a struct array); moved into a call.
class Rows {
 public:
  Rows() : array_{} {}
  // Takes the array over and marks the source released.
  explicit Rows(ArrowArray&& array) : array_(array) { array.release = nullptr; }
  Rows(Rows&& other) noexcept : array_(other.array_) { other.array_.release = nullptr; }
  Rows& operator=(Rows&& other) noexcept {
    if (this != &other) {
      reset();
      array_ = other.array_;
      other.array_.release = nullptr;
    }
    return *this;
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { reset(); }

  int64_t size() const { return array_.release == nullptr ? 0 : array_.length; }
  ArrowArray* get() { return &array_; }
  const ArrowArray* get() const { return &array_; }
  ArrowArray detach() {
    ArrowArray out = array_;
    array_.release = nullptr;
    return out;
  }

 private:
  void reset() {
    if (array_.release != nullptr) array_.release(&array_);
    array_.release = nullptr;
  }
  ArrowArray array_;
};

namespace detail {

template <typename T>
struct Value {
  using Type = T;
  static constexpr bool kNullable = false;
  static bool present(const T&) { return true; }
  static const T& get(const T& value) { return value; }
};
template <typename T>
struct Value<std::optional<T>> {
  using Type = T;
  static constexpr bool kNullable = true;
  static bool present(const std::optional<T>& value) { return value.has_value(); }
  static const T& get(const std::optional<T>& value) { return *value; }
};
template <typename T>
inline constexpr bool kIsText = std::is_convertible_v<T, std::string_view>;

// What one array made here owns; freed by its release callback, which is called on the root only.
struct Block {
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  const void* buffers[3] = {nullptr, nullptr, nullptr};
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;

  uint8_t* allocate(size_t bytes) {
    memory.emplace_back(new uint8_t[bytes + 8]());
    return memory.back().get();
  }
  static void release(ArrowArray* array) {
    auto* block = static_cast<Block*>(array->private_data);
    for (ArrowArray& child : block->children) {
      if (child.release != nullptr) child.release(&child);
    }
    delete block;
    array->release = nullptr;
  }
};

inline ArrowArray make_array(int64_t length, int64_t nulls, int64_t n_buffers, std::unique_ptr<Block> block) {
  for (ArrowArray& child : block->children) block->child_pointers.push_back(&child);
  ArrowArray array{};
  array.length = length;
  array.null_count = nulls;
  array.n_buffers = n_buffers;
  array.n_children = static_cast<int64_t>(block->children.size());
  array.buffers = block->buffers;
  array.children = block->child_pointers.empty() ? nullptr : block->child_pointers.data();
  array.private_data = block.release();
  array.release = &Block::release;
  return array;
}

template <typename Column>
ArrowArray make_column(const Column& values) {
  using Item = std::decay_t<decltype(*values.begin())>;
  using T = typename Value<Item>::Type;
  const size_t count = values.size();
  auto block = std::make_unique<Block>();
  int64_t nulls = 0;
  if constexpr (Value<Item>::kNullable) {
    uint8_t* bits = block->allocate((count + 7) / 8);
    size_t i = 0;
    for (const auto& value : values) {
      if (Value<Item>::present(value)) {
        bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | (1u << (i % 8)));
      } else {
        ++nulls;
      }
      ++i;
    }
    if (nulls > 0) block->buffers[0] = bits;
  }
  if constexpr (kIsText<T>) {
    auto* offsets = reinterpret_cast<int32_t*>(block->allocate((count + 1) * sizeof(int32_t)));
    size_t total = 0;
    for (const auto& value : values) {
      if (Value<Item>::present(value)) total += std::string_view(Value<Item>::get(value)).size();
    }
    if (total > static_cast<size_t>(INT32_MAX)) {
      throw std::length_error("clutch::columns: a text column holds more than 2^31-1 bytes; use smaller batches");
    }
    uint8_t* data = block->allocate(total);
    size_t i = 0;
    int32_t at = 0;
    for (const auto& value : values) {
      if (Value<Item>::present(value)) {
        const std::string_view text(Value<Item>::get(value));
        if (!text.empty()) std::memcpy(data + at, text.data(), text.size());
        at += static_cast<int32_t>(text.size());
      }
      offsets[++i] = at;
    }
    block->buffers[1] = offsets;
    block->buffers[2] = data;
    return make_array(static_cast<int64_t>(count), nulls, 3, std::move(block));
  } else if constexpr (std::is_same_v<T, bool>) {
    uint8_t* bits = block->allocate((count + 7) / 8);
    size_t i = 0;
    for (const auto& value : values) {
      if (Value<Item>::present(value) && Value<Item>::get(value)) {
        bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | (1u << (i % 8)));
      }
      ++i;
    }
    block->buffers[1] = bits;
    return make_array(static_cast<int64_t>(count), nulls, 2, std::move(block));
  } else {
    static_assert(std::is_arithmetic_v<T>, "clutch::columns takes numbers, bool and text, and std::optional of those");
    auto* data = reinterpret_cast<T*>(block->allocate(count * sizeof(T)));
    if constexpr (std::is_same_v<Column, std::vector<T>>) {
      if (count > 0) std::memcpy(data, values.data(), count * sizeof(T));
    } else {
      size_t i = 0;
      for (const auto& value : values) data[i++] = Value<Item>::present(value) ? Value<Item>::get(value) : T{};
    }
    block->buffers[1] = data;
    return make_array(static_cast<int64_t>(count), nulls, 2, std::move(block));
  }
}

inline bool is_null(const ArrowArray& array, int64_t row) {
  if (array.null_count == 0 || array.n_buffers == 0 || array.buffers[0] == nullptr) return false;
  const int64_t i = array.offset + row;
  return ((static_cast<const uint8_t*>(array.buffers[0])[i >> 3] >> (i & 7)) & 1) == 0;
}

template <typename Stored, typename T>
void read_numbers(const ArrowArray& array, std::vector<T>& out) {
  const auto* data = static_cast<const Stored*>(array.buffers[1]) + array.offset;
  using Target = typename Value<T>::Type;
  for (int64_t i = 0; i < array.length; ++i) {
    if constexpr (Value<T>::kNullable) {
      if (is_null(array, i)) {
        out.emplace_back(std::nullopt);
        continue;
      }
    }
    out.push_back(static_cast<Target>(data[i]));
  }
}

template <typename Offset, typename T>
void read_text(const ArrowArray& array, std::vector<T>& out) {
  const auto* offsets = static_cast<const Offset*>(array.buffers[1]) + array.offset;
  const auto* data = static_cast<const char*>(array.buffers[2]);
  using Target = typename Value<T>::Type;
  for (int64_t i = 0; i < array.length; ++i) {
    if constexpr (Value<T>::kNullable) {
      if (is_null(array, i)) {
        out.emplace_back(std::nullopt);
        continue;
      }
    }
    const auto size = static_cast<size_t>(offsets[i + 1] - offsets[i]);
    out.push_back(size == 0 ? Target() : Target(data + offsets[i], size));
  }
}

// True if every value of Stored is a value of T.
template <typename Stored, typename T>
constexpr bool widens() {
  if constexpr (!std::is_arithmetic_v<T> || std::is_same_v<T, bool>) {
    return false;
  } else if constexpr (std::is_floating_point_v<Stored>) {
    return std::is_floating_point_v<T> && sizeof(T) >= sizeof(Stored);
  } else if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) > sizeof(Stored);
  } else if constexpr (std::is_signed_v<Stored>) {
    return std::is_signed_v<T> && sizeof(T) >= sizeof(Stored);
  } else {
    return sizeof(T) > sizeof(Stored) || (std::is_unsigned_v<T> && sizeof(T) == sizeof(Stored));
  }
}

template <typename Stored, typename T>
bool read_if_widens(const ArrowArray& array, std::vector<T>& out) {
  if constexpr (widens<Stored, typename Value<T>::Type>()) {
    read_numbers<Stored>(array, out);
    return true;
  } else {
    return false;
  }
}

// The column as values of T, or false if the type does not allow it. Dates, times, timestamps and durations are read
// as the integers they are stored as.
template <typename T>
bool read_column(const char* format, const ArrowArray& array, std::vector<T>& out) {
  using Target = typename Value<T>::Type;
  out.reserve(static_cast<size_t>(array.length));
  const std::string_view type(format);
  if constexpr (std::is_same_v<Target, bool>) {
    if (type != "b") return false;
    const auto* bits = static_cast<const uint8_t*>(array.buffers[1]);
    for (int64_t row = 0; row < array.length; ++row) {
      if constexpr (Value<T>::kNullable) {
        if (is_null(array, row)) {
          out.emplace_back(std::nullopt);
          continue;
        }
      }
      const int64_t i = array.offset + row;
      out.push_back(((bits[i >> 3] >> (i & 7)) & 1) != 0);
    }
    return true;
  } else if constexpr (std::is_same_v<Target, std::string> || std::is_same_v<Target, std::string_view>) {
    if (type == "u" || type == "z") {
      read_text<int32_t>(array, out);
      return true;
    }
    if (type == "U" || type == "Z") {
      read_text<int64_t>(array, out);
      return true;
    }
    return false;
  } else {
    if (type == "c") return read_if_widens<int8_t>(array, out);
    if (type == "C") return read_if_widens<uint8_t>(array, out);
    if (type == "s") return read_if_widens<int16_t>(array, out);
    if (type == "S") return read_if_widens<uint16_t>(array, out);
    if (type == "i" || type == "tdD" || type == "tts" || type == "ttm") return read_if_widens<int32_t>(array, out);
    if (type == "I") return read_if_widens<uint32_t>(array, out);
    if (type == "L") return read_if_widens<uint64_t>(array, out);
    if (type == "f") return read_if_widens<float>(array, out);
    if (type == "g") return read_if_widens<double>(array, out);
    const bool time64 =
        type == "tdm" || type == "ttu" || type == "ttn" || type.substr(0, 2) == "ts" || type.substr(0, 2) == "tD";
    if (type == "l" || time64) return read_if_widens<int64_t>(array, out);
    return false;
  }
}

}  // namespace detail

// A batch of these columns, copied. They must have the same number of values.
template <typename... Columns>
Rows columns(const Columns&... values) {
  static_assert(sizeof...(Columns) > 0, "clutch::columns needs at least one column");
  const size_t sizes[] = {values.size()...};
  for (const size_t size : sizes) {
    if (size != sizes[0]) {
      throw std::invalid_argument("clutch::columns: columns of " + std::to_string(sizes[0]) + " and " +
                                  std::to_string(size) + " values; all must have the same number");
    }
  }
  auto block = std::make_unique<detail::Block>();
  struct Guard {
    detail::Block* block;
    ~Guard() {
      if (block == nullptr) return;
      for (ArrowArray& child : block->children) child.release(&child);
    }
  } guard{block.get()};
  block->children.reserve(sizeof...(Columns));
  (block->children.push_back(detail::make_column(values)), ...);
  guard.block = nullptr;
  return Rows(detail::make_array(static_cast<int64_t>(sizes[0]), 0, 1, std::move(block)));
}

}  // namespace clutch
