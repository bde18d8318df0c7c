// One row as text, for messages and tests.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>

#include "access.h"
#include "clutch/columnar/ops.h"

namespace clutch::columnar {
namespace {

constexpr size_t kLimit = 200;

// Writes until the text is longer than the limit; what comes after is not looked at.
class Writer {
 public:
  void row(const Type& type, const ArrowArray& array, int64_t row);
  std::string finish() &&;

 private:
  bool full() const { return out_.size() > kLimit; }
  void value(const Type& type, const ArrowArray& array, int64_t at);
  void fixed(const Type& type, const uint8_t* data);
  void range(const Type& item, const ArrowArray& array, int64_t first, int64_t last);
  void map(const Type& entries, const ArrowArray& array, int64_t first, int64_t last);
  void structure(const Type& type, const ArrowArray& array, int64_t at);
  void quoted(const uint8_t* data, int64_t size, bool utf8);
  void number(double value, bool narrow);
  void decimal(Int128 value, int32_t scale);
  void date(int64_t days);
  void time(int64_t value, TimeUnit unit);
  void timestamp(int64_t value, const Type& type);
  template <typename T>
  void integer(T value) {
    out_ += std::to_string(value);
  }

  std::string out_;
};

int64_t per_second(TimeUnit unit) {
  constexpr int64_t kPerSecond[] = {1, 1000, 1000000, 1000000000};
  return kPerSecond[static_cast<size_t>(unit)];
}

const char* unit_name(TimeUnit unit) {
  constexpr const char* kNames[] = {"s", "ms", "us", "ns"};
  return kNames[static_cast<size_t>(unit)];
}

double from_half(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  double value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? HUGE_VAL : std::nan("");
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

// Keep at most `size` bytes, without cutting a character in two.
void cut_text(std::string& text, size_t size) {
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
}

std::string Writer::finish() && {
  if (full()) {
    cut_text(out_, kLimit - 3);
    out_ += "...";
  }
  return std::move(out_);
}

void Writer::number(double value, bool narrow) {
  if (std::isnan(value)) {
    out_ += "nan";
    return;
  }
  if (std::isinf(value)) {
    out_ += value < 0 ? "-inf" : "inf";
    return;
  }
  char text[40];
  const auto [end, error] = narrow ? std::to_chars(text, text + sizeof text, static_cast<float>(value))
                                   : std::to_chars(text, text + sizeof text, value);
  const std::string_view digits(text, static_cast<size_t>(end - text));
  out_ += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
}

void Writer::decimal(Int128 value, int32_t scale) {
  Uint128 rest = value < 0 ? Uint128(0) - static_cast<Uint128>(value) : static_cast<Uint128>(value);
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  if (scale > 0) {
    const auto places = static_cast<size_t>(scale);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    digits.insert(digits.size() - places, 1, '.');
  } else if (scale < 0 && digits != "0") {
    digits.append(static_cast<size_t>(-scale), '0');
  }
  if (value < 0) out_ += '-';
  out_ += digits;
}

// Days since 1970 to the proleptic Gregorian calendar, counted in eras of 400 years from March of year 0.
void Writer::date(int64_t days) {
  constexpr int64_t kDaysOfEra = 146097;
  const int64_t shifted = days + 719468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - (kDaysOfEra - 1)) / kDaysOfEra;
  const int64_t day_of_era = shifted - era * kDaysOfEra;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  const auto month = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  char text[48];
  std::snprintf(text, sizeof text, "%04lld-%02d-%02d", static_cast<long long>(year), month, day);
  out_ += text;
}

// `value` is not negative and less than a day.
void Writer::time(int64_t value, TimeUnit unit) {
  const int64_t seconds = value / per_second(unit);
  char text[48];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  out_ += text;
  if (unit == TimeUnit::kSecond) return;
  const std::string fraction = std::to_string(value % per_second(unit) + per_second(unit));
  out_ += '.';
  out_ += std::string_view(fraction).substr(1);
}

void Writer::timestamp(int64_t value, const Type& type) {
  const int64_t per_day = per_second(type.unit) * 86400;
  int64_t days = value / per_day;
  int64_t rest = value % per_day;
  if (rest < 0) {
    rest += per_day;
    --days;
  }
  date(days);
  out_ += ' ';
  time(rest, type.unit);
  // The value counts from the epoch in UTC; the zone says where it is shown.
  if (!type.timezone.empty()) out_ += type.timezone == "UTC" ? "Z" : "Z[" + type.timezone + "]";
}

// As Python writes str and bytes.
void Writer::quoted(const uint8_t* data, int64_t size, bool utf8) {
  out_ += utf8 ? "'" : "b'";
  for (int64_t i = 0; i < size && !full(); ++i) {
    const uint8_t c = data[i];
    char text[8];
    if (c == '\n') {
      out_ += "\\n";
    } else if (c == '\r') {
      out_ += "\\r";
    } else if (c == '\t') {
      out_ += "\\t";
    } else if (c == '\\' || c == '\'') {
      out_ += '\\';
      out_ += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F || (!utf8 && c >= 0x80)) {
      std::snprintf(text, sizeof text, "\\x%02x", c);
      out_ += text;
    } else {
      out_ += static_cast<char>(c);
    }
  }
  out_ += "'";
}

void Writer::range(const Type& item, const ArrowArray& array, int64_t first, int64_t last) {
  out_ += '[';
  for (int64_t i = first; i < last && !full(); ++i) {
    if (i > first) out_ += ", ";
    row(item, array, i);
  }
  out_ += ']';
}

void Writer::map(const Type& entries, const ArrowArray& array, int64_t first, int64_t last) {
  out_ += '{';
  for (int64_t i = first; i < last && !full(); ++i) {
    if (i > first) out_ += ", ";
    row(entries.children[0].type, *array.children[0], array.offset + i);
    out_ += ": ";
    row(entries.children[1].type, *array.children[1], array.offset + i);
  }
  out_ += '}';
}

void Writer::structure(const Type& type, const ArrowArray& array, int64_t at) {
  out_ += '{';
  for (size_t i = 0; i < type.children.size() && !full(); ++i) {
    if (i > 0) out_ += ", ";
    const std::string& name = type.children[i].name;
    quoted(reinterpret_cast<const uint8_t*>(name.data()), static_cast<int64_t>(name.size()), true);
    out_ += ": ";
    row(type.children[i].type, *array.children[i], at);
  }
  out_ += '}';
}

void Writer::fixed(const Type& type, const uint8_t* data) {
  switch (type.id) {
    case TypeId::kInt8:
      return integer(static_cast<int>(load<int8_t>(data, 0)));
    case TypeId::kInt16:
      return integer(load<int16_t>(data, 0));
    case TypeId::kInt32:
      return integer(load<int32_t>(data, 0));
    case TypeId::kInt64:
      return integer(load<int64_t>(data, 0));
    case TypeId::kUint8:
      return integer(static_cast<int>(load<uint8_t>(data, 0)));
    case TypeId::kUint16:
      return integer(load<uint16_t>(data, 0));
    case TypeId::kUint32:
      return integer(load<uint32_t>(data, 0));
    case TypeId::kUint64:
      return integer(load<uint64_t>(data, 0));
    case TypeId::kFloat16:
      return number(from_half(load<uint16_t>(data, 0)), true);
    case TypeId::kFloat32:
      return number(static_cast<double>(load<float>(data, 0)), true);
    case TypeId::kFloat64:
      return number(load<double>(data, 0), false);
    case TypeId::kDecimal128:
      return decimal(load<Int128>(data, 0), type.scale);
    case TypeId::kFixedSizeBinary:
      return quoted(data, type.width, false);
    case TypeId::kDate32:
      return date(load<int32_t>(data, 0));
    case TypeId::kDate64: {
      const auto ms = load<int64_t>(data, 0);
      return date(ms / 86400000 - (ms % 86400000 < 0 ? 1 : 0));
    }
    case TypeId::kTime32:
      return time(load<int32_t>(data, 0), type.unit);
    case TypeId::kTime64:
      return time(load<int64_t>(data, 0), type.unit);
    case TypeId::kTimestamp:
      return timestamp(load<int64_t>(data, 0), type);
    case TypeId::kDuration:
      integer(load<int64_t>(data, 0));
      out_ += std::string(" ") + unit_name(type.unit);
      return;
    case TypeId::kIntervalMonths:
      integer(load<int32_t>(data, 0));
      out_ += " months";
      return;
    case TypeId::kIntervalDayTime:
      integer(load<int32_t>(data, 0));
      out_ += " days ";
      integer(load<int32_t>(data, 1));
      out_ += " ms";
      return;
    case TypeId::kIntervalMonthDayNano:
      integer(load<int32_t>(data, 0));
      out_ += " months ";
      integer(load<int32_t>(data, 1));
      out_ += " days ";
      integer(load<int64_t>(data, 1));
      out_ += " ns";
      return;
    default:
      return;
  }
}

void Writer::value(const Type& type, const ArrowArray& array, int64_t at) {
  const Layout layout = layout_of(type);
  switch (layout) {
    case Layout::kNull:
      out_ += "null";
      return;
    case Layout::kBits:
      out_ += bit_at(static_cast<const uint8_t*>(array.buffers[1]), at) ? "true" : "false";
      return;
    case Layout::kFixed:
      if (type.id == TypeId::kDictionary) {
        return row(type.children[0].type, *array.dictionary, load_index(array.buffers[1], type.index, at));
      }
      return fixed(type, static_cast<const uint8_t*>(array.buffers[1]) + at * byte_width(type));
    case Layout::kFixedList:
      return range(type.children[0].type, *array.children[0], at * type.width, (at + 1) * type.width);
    case Layout::kStruct:
      return structure(type, array, at);
    default:
      break;
  }
  const bool wide = wide_offsets(layout);
  const int64_t first = load_offset(array.buffers[1], wide, at);
  const int64_t last = load_offset(array.buffers[1], wide, at + 1);
  if (type.id == TypeId::kMap) return map(type.children[0].type, *array.children[0], first, last);
  if (layout == Layout::kList || layout == Layout::kLargeList) {
    return range(type.children[0].type, *array.children[0], first, last);
  }
  const bool utf8 = type.id == TypeId::kUtf8 || type.id == TypeId::kLargeUtf8;
  quoted(static_cast<const uint8_t*>(array.buffers[2]) + first, last - first, utf8);
}

void Writer::row(const Type& type, const ArrowArray& array, int64_t row) {
  if (!valid_at(array, row)) {
    out_ += "null";
    return;
  }
  value(type, array, array.offset + row);
}

}  // namespace

std::string row_to_string(const Field& field, const ArrowArray& array, int64_t row) {
  Writer writer;
  writer.row(field.type, array, row);
  return std::move(writer).finish();
}

}  // namespace clutch::columnar
