#include "source/datagen/generator.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "spec/connector_members.h"

namespace clutch::engine {
namespace {

using columnar::ArrayBuilder;
using columnar::Field;
using columnar::Type;
using columnar::TypeId;

// SplitMix64: a well mixed number for each pair of seed and counter.
uint64_t mix(uint64_t seed, uint64_t counter) {
  uint64_t z = seed + (counter + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
  z = (z ^ z >> 27) * 0x94D049BB133111EBU;
  return z ^ z >> 31;
}

// From 0 up to, but not, 1.
double fraction(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

struct Bounds {
  int64_t lowest;
  int64_t highest;
};

int64_t per_second(columnar::TimeUnit unit) {
  switch (unit) {
    case columnar::TimeUnit::kSecond:
      return 1;
    case columnar::TimeUnit::kMilli:
      return 1'000;
    case columnar::TimeUnit::kMicro:
      return 1'000'000;
    case columnar::TimeUnit::kNano:
      return 1'000'000'000;
  }
  return 1;
}

// What `min` and `max` are if they are not said: points in time of 1970 to 2099, of other types all there are.
Bounds usual_bounds(const Type& type, Bounds all) {
  constexpr int64_t kDays = 47'482;
  if (type.id == TypeId::kTimestamp) return {0, kDays * 86'400 * per_second(type.unit) - 1};
  if (type.id == TypeId::kDate32) return {0, kDays - 1};
  return all;
}

// The whole numbers of a type; nothing: its values are none.
std::optional<Bounds> bounds_of(const Type& type) {
  switch (type.id) {
    case TypeId::kInt8:
      return Bounds{INT8_MIN, INT8_MAX};
    case TypeId::kInt16:
      return Bounds{INT16_MIN, INT16_MAX};
    case TypeId::kInt32:
      return Bounds{INT32_MIN, INT32_MAX};
    case TypeId::kUint8:
      return Bounds{0, UINT8_MAX};
    case TypeId::kUint16:
      return Bounds{0, UINT16_MAX};
    case TypeId::kUint32:
      return Bounds{0, UINT32_MAX};
    case TypeId::kUint64:
      return Bounds{0, INT64_MAX};
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
      return Bounds{INT64_MIN, INT64_MAX};
    case TypeId::kDate32:
      return Bounds{-719162, 2932896};  // years 1 to 9999
    default:
      return std::nullopt;
  }
}

void append_whole(int64_t value, int32_t width, ArrayBuilder& out) {
  switch (width) {
    case 1:
      return out.append(static_cast<int8_t>(value));
    case 2:
      return out.append(static_cast<int16_t>(value));
    case 4:
      return out.append(static_cast<int32_t>(value));
    default:
      return out.append(value);
  }
}

class Sequence final : public Generator {
 public:
  Sequence(int64_t start, std::optional<int64_t> end, int32_t width) : start_(start), end_(end), width_(width) {}

  std::optional<int64_t> rows() const override {
    if (!end_) return std::nullopt;
    if (*end_ < start_) return 0;
    const uint64_t count = static_cast<uint64_t>(*end_) - static_cast<uint64_t>(start_);
    return count >= static_cast<uint64_t>(INT64_MAX) ? INT64_MAX : static_cast<int64_t>(count + 1);
  }

  Status append(int64_t row, ArrayBuilder& out) const override {
    int64_t value;
    if (__builtin_add_overflow(start_, row, &value)) {
      return {CLUTCH_ERR_VALUE,
              "a sequence of column \"" + out.field().name + "\" is past the highest number; give it an end",
              CLUTCH_ORIGIN_USER};
    }
    append_whole(value, width_, out);
    return {};
  }

 private:
  int64_t start_;
  std::optional<int64_t> end_;
  int32_t width_;
};

// What random generators share: nulls.
class Random : public Generator {
 public:
  Random(uint64_t seed, double null_rate) : seed_(seed), null_rate_(null_rate) {}

  Status append(int64_t row, ArrayBuilder& out) const final {
    const uint64_t bits = mix(seed_, static_cast<uint64_t>(row));
    if (null_rate_ > 0 && fraction(mix(bits, 1)) < null_rate_) {
      out.append_null();
      return {};
    }
    return append_random(bits, out);
  }

 protected:
  virtual Status append_random(uint64_t bits, ArrayBuilder& out) const = 0;

 private:
  uint64_t seed_;
  double null_rate_;
};

class RandomWhole final : public Random {
 public:
  RandomWhole(uint64_t seed, double null_rate, Bounds bounds, int32_t width)
      : Random(seed, null_rate), bounds_(bounds), width_(width) {}

 private:
  Status append_random(uint64_t bits, ArrayBuilder& out) const override {
    __extension__ using Wide = unsigned __int128;
    const uint64_t last = static_cast<uint64_t>(bounds_.highest) - static_cast<uint64_t>(bounds_.lowest);
    const auto offset = static_cast<uint64_t>(static_cast<Wide>(bits) * (static_cast<Wide>(last) + 1) >> 64);
    append_whole(static_cast<int64_t>(static_cast<uint64_t>(bounds_.lowest) + offset), width_, out);
    return {};
  }

  Bounds bounds_;
  int32_t width_;
};

class RandomReal final : public Random {
 public:
  RandomReal(uint64_t seed, double null_rate, double lowest, double highest, bool wide)
      : Random(seed, null_rate), lowest_(lowest), highest_(highest), wide_(wide) {}

 private:
  Status append_random(uint64_t bits, ArrayBuilder& out) const override {
    const double value = lowest_ + fraction(bits) * (highest_ - lowest_);
    if (wide_) {
      out.append(value);
    } else {
      out.append(static_cast<float>(value));
    }
    return {};
  }

  double lowest_;
  double highest_;
  bool wide_;
};

class RandomBool final : public Random {
 public:
  using Random::Random;

 private:
  Status append_random(uint64_t bits, ArrayBuilder& out) const override {
    out.append_bool(bits >> 63 != 0);
    return {};
  }
};

// Hexadecimal digits, as Flink's generator gives them; also for bytes.
class RandomText final : public Random {
 public:
  RandomText(uint64_t seed, double null_rate, int64_t length)
      : Random(seed, null_rate), length_(static_cast<size_t>(length)) {}

 private:
  Status append_random(uint64_t bits, ArrayBuilder& out) const override {
    std::string text(length_, '0');
    for (size_t i = 0; i < length_; ++i) {
      if (i % 16 == 15) bits = mix(bits, i);
      text[i] = "0123456789abcdef"[bits >> (i % 16 * 4) & 15];
    }
    return out.append_bytes(text);
  }

  size_t length_;
};

std::unique_ptr<Generator> make_sequence(ConnectorMembers& read, const Field& column) {
  const auto bounds = bounds_of(column.type);
  if (!bounds) {
    read.refuse("kind", "a sequence is of whole numbers, and column \"" + column.name + "\" is " +
                            columnar::to_string(column.type));
    return nullptr;
  }
  const int64_t start = read.integer("start", bounds->lowest, bounds->highest, 0);
  auto end = read.optional_integer("end", start, bounds->highest);
  if (!end && bounds->highest != INT64_MAX) end = bounds->highest;
  return std::make_unique<Sequence>(start, end, columnar::byte_width(column.type));
}

std::unique_ptr<Generator> make_random(ConnectorMembers& read, const Field& column, uint64_t seed) {
  const double null_rate = read.optional_number("null_rate").value_or(0);
  if (!(null_rate >= 0 && null_rate <= 1)) read.refuse("null_rate", "is not between 0 and 1");
  if (null_rate > 0 && !column.nullable) {
    read.refuse("null_rate", "column \"" + column.name + "\" is not null; leave it out, or change the type");
  }
  if (const auto bounds = bounds_of(column.type)) {
    const Bounds usual = usual_bounds(column.type, *bounds);
    const int64_t lowest = read.integer("min", bounds->lowest, bounds->highest, usual.lowest);
    const int64_t highest = read.integer("max", lowest, bounds->highest, std::max(lowest, usual.highest));
    return std::make_unique<RandomWhole>(seed, null_rate, Bounds{lowest, highest}, columnar::byte_width(column.type));
  }
  switch (column.type.id) {
    case TypeId::kBool:
      return std::make_unique<RandomBool>(seed, null_rate);
    case TypeId::kFloat32:
    case TypeId::kFloat64: {
      const double lowest = read.optional_number("min").value_or(0);
      const double highest = read.optional_number("max").value_or(1);
      if (!(lowest <= highest) || !std::isfinite(highest - lowest)) {
        read.refuse("max", "is less than \"min\", or too far from it");
      }
      return std::make_unique<RandomReal>(seed, null_rate, lowest, highest, column.type.id == TypeId::kFloat64);
    }
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return std::make_unique<RandomText>(seed, null_rate, read.integer("length", 0, 1 << 20, 100));
    default:
      read.refuse("kind", "there are no random values of " + columnar::to_string(column.type) +
                              "; take integers, floats, bool, string, binary, date32, duration or timestamp");
      return nullptr;
  }
}

}  // namespace

Result<std::unique_ptr<Generator>> make_generator(const nlohmann::json& members, const Field& column, uint64_t seed,
                                                  std::string_view place) {
  ConnectorMembers read(members, place);
  read.required_text("name");
  const bool sequence = read.choice("kind", {"sequence", "random"}, "random") == 0;
  std::unique_ptr<Generator> generator = sequence ? make_sequence(read, column) : make_random(read, column, seed);
  CLUTCH_RETURN_IF_ERROR(read.finish());
  return generator;
}

}  // namespace clutch::engine
