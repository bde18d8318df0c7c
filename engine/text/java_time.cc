#include "text/java_time.h"

#include <cstdlib>

#include "rows/text.h"

namespace clutch::engine {
namespace {

using columnar::TimeUnit;

constexpr int64_t kSecondsOfDay = 86'400;

int64_t per_second(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond:
      return 1;
    case TimeUnit::kMilli:
      return 1'000;
    case TimeUnit::kMicro:
      return 1'000'000;
    case TimeUnit::kNano:
      return 1'000'000'000;
  }
  return 1;
}

// A point in time apart: whole days, seconds of the day, nanoseconds.
struct Parts {
  int64_t days;
  int64_t seconds;
  int64_t nanos;
};

Parts parts_of(int64_t value, TimeUnit unit) {
  const int64_t units = per_second(unit);
  int64_t seconds = value / units;
  int64_t rest = value % units;
  if (rest < 0) {
    rest += units;
    --seconds;
  }
  int64_t days = seconds / kSecondsOfDay;
  int64_t of_day = seconds % kSecondsOfDay;
  if (of_day < 0) {
    of_day += kSecondsOfDay;
    --days;
  }
  return {days, of_day, rest * (1'000'000'000 / units)};
}

void append_two(int64_t value, std::string& out) {
  out += static_cast<char>('0' + value / 10);
  out += static_cast<char>('0' + value % 10);
}

void append_minutes(int64_t seconds, std::string& out) {
  append_two(seconds / 3600, out);
  out += ':';
  append_two(seconds / 60 % 60, out);
}

void append_seconds(int64_t seconds, std::string& out) {
  append_minutes(seconds, out);
  out += ':';
  append_two(seconds % 60, out);
}

std::string nine_digits(int64_t nanos) {
  const std::string digits = std::to_string(nanos);
  return std::string(9 - digits.size(), '0') + digits;
}

// Three, six or nine digits.
void append_groups(int64_t nanos, std::string& out) {
  if (nanos == 0) return;
  const size_t count = nanos % 1'000'000 == 0 ? 3 : nanos % 1'000 == 0 ? 6 : 9;
  out += '.';
  out.append(nine_digits(nanos), 0, count);
}

// As many digits as needed, but `least`.
void append_digits(int64_t nanos, size_t least, std::string& out) {
  std::string digits = nine_digits(nanos);
  while (digits.size() > least && digits.back() == '0') digits.pop_back();
  out += '.';
  out += digits;
}

void append_time(const Parts& parts, std::string& out) {
  if (parts.seconds % 60 == 0 && parts.nanos == 0) {
    append_minutes(parts.seconds, out);
  } else {
    append_seconds(parts.seconds, out);
    append_groups(parts.nanos, out);
  }
}

}  // namespace

void append_local_date(int64_t days, std::string& out) { out += rows::format_date(days); }

void append_local_time(int64_t value, TimeUnit unit, std::string& out) { append_time(parts_of(value, unit), out); }

void append_sql_time(int64_t value, TimeUnit unit, std::string& out) {
  append_seconds(parts_of(value, unit).seconds, out);
}

void append_local_date_time(int64_t value, TimeUnit unit, std::string& out) {
  const Parts parts = parts_of(value, unit);
  append_local_date(parts.days, out);
  out += 'T';
  append_time(parts, out);
}

void append_sql_timestamp(int64_t value, TimeUnit unit, std::string& out) {
  const Parts parts = parts_of(value, unit);
  append_local_date(parts.days, out);
  out += ' ';
  append_seconds(parts.seconds, out);
  append_digits(parts.nanos, 1, out);
}

void append_instant(int64_t value, TimeUnit unit, std::string& out) {
  const Parts parts = parts_of(value, unit);
  append_local_date(parts.days, out);
  out += 'T';
  append_seconds(parts.seconds, out);
  append_groups(parts.nanos, out);
  out += 'Z';
}

void append_duration(int64_t value, TimeUnit unit, std::string& out) {
  const int64_t units = per_second(unit);
  const int64_t seconds = value / units;
  const int64_t nanos = std::abs(value % units) * (1'000'000'000 / units);
  const bool negative = value < 0;
  if (value == 0) {
    out += "PT0S";
    return;
  }
  out += "PT";
  if (seconds / 3600 != 0) out += std::to_string(seconds / 3600) + "H";
  if (seconds / 60 % 60 != 0) out += std::to_string(seconds / 60 % 60) + "M";
  const int64_t left = std::abs(seconds % 60);
  if (left == 0 && nanos == 0) return;
  if (negative) out += '-';
  out += std::to_string(left);
  if (nanos != 0) append_digits(nanos, 1, out);
  out += 'S';
}

void append_period(int64_t months, std::string& out) {
  out += 'P';
  if (months == 0) out += "0D";
  if (months / 12 != 0) out += std::to_string(months / 12) + "Y";
  if (months % 12 != 0) out += std::to_string(months % 12) + "M";
}

}  // namespace clutch::engine
