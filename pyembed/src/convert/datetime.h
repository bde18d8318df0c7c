// Python's datetime objects from C++: made through the module's C capsule, read through their memory where that was
// checked to look as expected, by attributes otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

struct Names;

// Proleptic Gregorian calendar; day 0 is 1970-01-01.
struct CivilDate {
  int32_t year;
  int32_t month;  // 1..12
  int32_t day;    // 1..31
};
CivilDate civil_from_days(int64_t days);
int64_t days_from_civil(const CivilDate& date);

inline constexpr int64_t kMinDay = -719162;  // 0001-01-01, the first day Python's date can hold
inline constexpr int64_t kMaxDay = 2932896;  // 9999-12-31
inline constexpr int64_t kMicrosPerSecond = 1000000;
inline constexpr int64_t kMicrosPerDay = 86400 * kMicrosPerSecond;

constexpr int64_t floor_div(int64_t value, int64_t divisor) { return value / divisor - (value % divisor < 0 ? 1 : 0); }

// value - floor_div(value, divisor) * divisor, which would overflow for the smallest values.
constexpr int64_t floor_mod(int64_t value, int64_t divisor) {
  const int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

constexpr int64_t units_per_second(columnar::TimeUnit unit) {
  switch (unit) {
    case columnar::TimeUnit::kSecond:
      return 1;
    case columnar::TimeUnit::kMilli:
      return 1000;
    case columnar::TimeUnit::kMicro:
      return 1000000;
    case columnar::TimeUnit::kNano:
      return 1000000000;
  }
  return 1;
}

// The fields of a datetime, date or time; what a class does not have is 0.
struct DatetimeFields {
  CivilDate date{};
  int32_t hour = 0, minute = 0, second = 0, microsecond = 0;
  int32_t nanosecond = 0;  // beyond the microsecond; only pandas.Timestamp has it
  bool aware = false;      // has a tzinfo

  int64_t micros_of_day() const {
    return (int64_t{hour} * 3600 + int64_t{minute} * 60 + second) * kMicrosPerSecond + microsecond;
  }
};

struct DeltaFields {
  int64_t days = 0, seconds = 0, microseconds = 0;
  int64_t nanoseconds = 0;  // beyond the microsecond; only pandas.Timedelta has it
};

// The time zone of a column as Python sees it.
struct Zone {
  PyRef tzinfo;       // NULL: the column is naive
  bool fixed = true;  // offset_seconds holds for all times
  int32_t offset_seconds = 0;
};

class Datetime {
 public:
  // Import datetime and its capsule, and check how its objects look in memory. `names` must outlive this.
  Status load(const Names& names);

  // New references; NULL with a Python error set. Days must be in [kMinDay, kMaxDay].
  PyObject* make_date(int64_t days) const;
  PyObject* make_time(int64_t micros_of_day) const;
  PyObject* make_datetime(int64_t days, int64_t micros_of_day, PyObject* tzinfo_or_none) const;
  PyObject* make_delta(int64_t days, int64_t seconds, int64_t micros) const;
  // The instant (UTC) in the zone.
  PyObject* make_in_zone(int64_t days, int64_t micros_of_day, const Zone& zone) const;

  // The class tests include subclasses.
  bool is_date(PyObject* object) const { return is(object, date_); }
  bool is_datetime(PyObject* object) const { return is(object, datetime_); }
  bool is_exact_datetime(PyObject* object) const { return Py_TYPE(object) == datetime_; }
  bool is_time(PyObject* object) const { return is(object, time_); }
  bool is_delta(PyObject* object) const { return is(object, delta_); }

  // Read fields of an object of that class. False with a Python error set (a subclass whose property raises).
  bool read_date(PyObject* object, DatetimeFields& out) const;
  bool read_datetime(PyObject* object, DatetimeFields& out) const;
  bool read_time(PyObject* object, DatetimeFields& out) const;
  bool read_delta(PyObject* object, DeltaFields& out) const;

  // The offset from UTC of an aware datetime. False with a Python error set; `naive` says that the tzinfo gave None.
  bool read_utcoffset(PyObject* datetime, int64_t& micros, bool& naive) const;

  // The offset a naive datetime has when its wall clock is that of the zone.
  bool read_utcoffset_in(const Zone& zone, PyObject* naive, int64_t& micros) const;

  // Resolve the zone text of a timestamp type. CLUTCH_ERR_UNSUPPORTED if this interpreter does not know it.
  Result<Zone> zone(const std::string& text) const;

  PyObject* utc() const;

  // Check whether objects look in memory as expected; load() does. Without that, attributes are used.
  void find_layout();
  void forget_layout() { layout_ = false; }
  bool has_layout() const { return layout_; }

 private:
  struct Capsule;
  static bool is(PyObject* object, PyTypeObject* type) {
    return Py_TYPE(object) == type || PyType_IsSubtype(Py_TYPE(object), type);
  }
  bool check_layout() const;
  bool micros_of(PyObject* offset, int64_t& micros) const;
  bool read_attributes(PyObject* object, DatetimeFields& out, bool date, bool time) const;

  const Names* names_ = nullptr;
  const Capsule* capsule_ = nullptr;
  PyTypeObject* date_ = nullptr;
  PyTypeObject* datetime_ = nullptr;
  PyTypeObject* time_ = nullptr;
  PyTypeObject* delta_ = nullptr;
  PyRef module_;
  int64_t header_ = 0;   // bytes of a bare object
  bool layout_ = false;  // the memory of exact instances looks as we expect
};

}  // namespace clutch::pyembed
