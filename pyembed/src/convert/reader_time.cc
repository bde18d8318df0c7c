// Readers of dates, times, timestamps, durations and intervals.
#include "convert/mismatch.h"
#include "convert/reader_parts.h"

namespace clutch::pyembed {

using columnar::Field;
using columnar::TimeUnit;
using columnar::TypeId;

namespace {

constexpr int64_t kMillisPerDay = 86400000;

const char* unit_name(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond:
      return "s";
    case TimeUnit::kMilli:
      return "ms";
    case TimeUnit::kMicro:
      return "us";
    case TimeUnit::kNano:
      return "ns";
  }
  return "";
}

// Microseconds of `units` that are less than a day or a second, so nothing overflows.
int64_t to_micros(int64_t units, TimeUnit unit) {
  return unit == TimeUnit::kNano ? units / 1000 : units * (kMicrosPerSecond / units_per_second(unit));
}

class DateReader final : public ReaderOf<DateReader> {
 public:
  DateReader(const Field& field, const Module& module)
      : ReaderOf(field, module), datetime_(&module.datetime()), wide_(field.type.id == TypeId::kDate64) {}
  PyObject* value(int64_t row) const {
    const int64_t raw = wide_ ? view_.values<int64_t>()[row] : view_.values<int32_t>()[row];
    const int64_t days = wide_ ? floor_div(raw, kMillisPerDay) : raw;
    if (days < kMinDay || days > kMaxDay) [[unlikely]] {
      return raise_outside(field_, std::to_string(raw), "datetime.date (years 1 to 9999)");
    }
    return datetime_->make_date(days);
  }

 private:
  const Datetime* datetime_;
  bool wide_;
};

class TimeReader final : public ReaderOf<TimeReader> {
 public:
  TimeReader(const Field& field, const Module& module)
      : ReaderOf(field, module), datetime_(&module.datetime()), wide_(field.type.id == TypeId::kTime64) {}
  PyObject* value(int64_t row) const {
    const int64_t raw = wide_ ? view_.values<int64_t>()[row] : view_.values<int32_t>()[row];
    if (raw < 0 || raw >= 86400 * units_per_second(field_.type.unit)) [[unlikely]] {
      return raise_outside(field_, std::to_string(raw), "datetime.time (one day)");
    }
    return datetime_->make_time(to_micros(raw, field_.type.unit));
  }

 private:
  const Datetime* datetime_;
  bool wide_;
};

class TimestampReader final : public ReaderOf<TimestampReader> {
 public:
  TimestampReader(const Field& field, const Module& module, Zone zone)
      : ReaderOf(field, module),
        datetime_(&module.datetime()),
        zone_(std::move(zone)),
        per_second_(units_per_second(field.type.unit)),
        per_day_(86400 * per_second_) {}

  PyObject* value(int64_t row) const {
    const int64_t raw = view_.values<int64_t>()[row];
    int64_t days = floor_div(raw, per_day_);
    // Finer than a microsecond is cut off toward the past; in_day is never negative.
    int64_t micros = to_micros(floor_mod(raw, per_day_), field_.type.unit);
    if (zone_.offset_seconds != 0) {
      micros += zone_.offset_seconds * kMicrosPerSecond;
      const int64_t carry = floor_div(micros, kMicrosPerDay);
      days += carry;
      micros -= carry * kMicrosPerDay;
    }
    if (days < kMinDay || days > kMaxDay) [[unlikely]] {
      return raise_outside(field_, std::to_string(raw) + " " + unit_name(field_.type.unit),
                           "datetime.datetime (years 1 to 9999)");
    }
    if (!zone_.fixed) return datetime_->make_in_zone(days, micros, zone_);
    return datetime_->make_datetime(days, micros, zone_.tzinfo ? zone_.tzinfo.get() : Py_None);
  }

 private:
  const Datetime* datetime_;
  Zone zone_;
  int64_t per_second_;
  int64_t per_day_;
};

class DurationReader final : public ReaderOf<DurationReader> {
 public:
  DurationReader(const Field& field, const Module& module) : ReaderOf(field, module), datetime_(&module.datetime()) {}
  PyObject* value(int64_t row) const {
    constexpr int64_t kMaxDays = 999999999;  // of a timedelta
    const int64_t raw = view_.values<int64_t>()[row];
    const int64_t per_second = units_per_second(field_.type.unit);
    const int64_t seconds = floor_div(raw, per_second);
    const int64_t micros = to_micros(floor_mod(raw, per_second), field_.type.unit);
    const int64_t days = floor_div(seconds, 86400);
    if (days < -kMaxDays || days > kMaxDays) [[unlikely]] {
      return raise_outside(field_, std::to_string(raw) + " " + unit_name(field_.type.unit),
                           "datetime.timedelta (999999999 days)");
    }
    return datetime_->make_delta(days, floor_mod(seconds, 86400), micros);
  }

 private:
  const Datetime* datetime_;
};

class MonthsReader final : public ReaderOf<MonthsReader> {
 public:
  MonthsReader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t row) const { return PyLong_FromLong(view_.values<int32_t>()[row]); }
};

// (days, milliseconds)
class DayTimeReader final : public ReaderOf<DayTimeReader> {
 public:
  DayTimeReader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t row) const {
    const int32_t* parts = reinterpret_cast<const int32_t*>(view_.fixed_at(row, 8));
    return Py_BuildValue("(ii)", parts[0], parts[1]);
  }
};

// (months, days, nanoseconds)
class MonthDayNanoReader final : public ReaderOf<MonthDayNanoReader> {
 public:
  MonthDayNanoReader(const Field& field, const Module& module) : ReaderOf(field, module) {}
  PyObject* value(int64_t row) const {
    const uint8_t* bytes = view_.fixed_at(row, 16);
    const int32_t* parts = reinterpret_cast<const int32_t*>(bytes);
    const int64_t* nanos = reinterpret_cast<const int64_t*>(bytes + 8);
    return Py_BuildValue("(iiL)", parts[0], parts[1], static_cast<long long>(*nanos));
  }
};

}  // namespace

Result<std::unique_ptr<Reader>> make_time_reader(const Field& field, const Module& module) {
  switch (field.type.id) {
    case TypeId::kDate32:
    case TypeId::kDate64:
      return std::unique_ptr<Reader>(std::make_unique<DateReader>(field, module));
    case TypeId::kTime32:
    case TypeId::kTime64:
      return std::unique_ptr<Reader>(std::make_unique<TimeReader>(field, module));
    case TypeId::kTimestamp: {
      Result<Zone> zone = module.datetime().zone(field.type.timezone);
      if (!zone.ok()) return std::move(zone).status().prefixed(place_of("column", field));
      return std::unique_ptr<Reader>(std::make_unique<TimestampReader>(field, module, *std::move(zone)));
    }
    case TypeId::kDuration:
      return std::unique_ptr<Reader>(std::make_unique<DurationReader>(field, module));
    case TypeId::kIntervalMonths:
      return std::unique_ptr<Reader>(std::make_unique<MonthsReader>(field, module));
    case TypeId::kIntervalDayTime:
      return std::unique_ptr<Reader>(std::make_unique<DayTimeReader>(field, module));
    default:
      return std::unique_ptr<Reader>(std::make_unique<MonthDayNanoReader>(field, module));
  }
}

}  // namespace clutch::pyembed
