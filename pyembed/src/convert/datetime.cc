#include "convert/datetime.h"

#include <cstdlib>
#include <cstring>

#include "convert/mismatch.h"
#include "convert/module.h"

namespace clutch::pyembed {

// What the capsule datetime.datetime_CAPI points to. Members were only ever appended (3.7 had all of these).
struct Datetime::Capsule {
  PyTypeObject* date;
  PyTypeObject* datetime;
  PyTypeObject* time;
  PyTypeObject* delta;
  PyTypeObject* tzinfo;
  PyObject* utc;
  PyObject* (*make_date)(int, int, int, PyTypeObject*);
  PyObject* (*make_datetime)(int, int, int, int, int, int, int, PyObject*, PyTypeObject*);
  PyObject* (*make_time)(int, int, int, int, PyObject*, PyTypeObject*);
  PyObject* (*make_delta)(int, int, int, int, PyTypeObject*);  // the last int: normalise
  PyObject* (*make_timezone)(PyObject*, PyObject*);
};

namespace {

// Where the fields stand behind the object header: a hash, a flag, then packed bytes.
constexpr int64_t kFlag = sizeof(Py_hash_t);
constexpr int64_t kPacked = kFlag + 1;
constexpr int64_t kDelta = sizeof(Py_hash_t);

const uint8_t* packed(PyObject* object, int64_t header) {
  return reinterpret_cast<const uint8_t*>(object) + header + kPacked;
}

int32_t micros_at(const uint8_t* bytes) { return (bytes[0] << 16) | (bytes[1] << 8) | bytes[2]; }

bool get_int(PyObject* object, const PyRef& name, int64_t& out) {
  PyRef value = PyRef::steal(PyObject_GetAttr(object, name.get()));
  if (!value) return false;
  out = PyLong_AsLongLong(value.get());
  return out != -1 || PyErr_Occurred() == nullptr;
}

bool get_int(PyObject* object, const PyRef& name, int32_t& out) {
  int64_t wide = 0;
  if (!get_int(object, name, wide)) return false;
  out = static_cast<int32_t>(wide);
  return true;
}

// An attribute only some subclasses have (pandas). Absent counts as 0.
bool get_optional_int(PyObject* object, const PyRef& name, int64_t& out) {
  out = 0;
  PyRef value = PyRef::steal(PyObject_GetAttr(object, name.get()));
  if (!value) {
    if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) return false;
    PyErr_Clear();
    return true;
  }
  if (PyLong_Check(value.get()) == 0) return true;
  out = PyLong_AsLongLong(value.get());
  return out != -1 || PyErr_Occurred() == nullptr;
}

// "+05:30", "-0800", "+01": seconds east of UTC.
bool parse_offset(const std::string& text, int32_t& seconds) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  std::string digits;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':' && i == 3) continue;
    if (text[i] < '0' || text[i] > '9') return false;
    digits.push_back(text[i]);
  }
  if (digits.size() != 2 && digits.size() != 4) return false;
  const int32_t hours = (digits[0] - '0') * 10 + (digits[1] - '0');
  const int32_t minutes = digits.size() == 4 ? (digits[2] - '0') * 10 + (digits[3] - '0') : 0;
  if (hours > 23 || minutes > 59) return false;
  seconds = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

CivilDate civil_from_days(int64_t days) {
  // Years are counted from 1 March, so that the leap day is the last of its year, in eras of 400 years.
  const int64_t shifted = days + 719468;
  const int64_t era = floor_div(shifted, 146097);
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return {static_cast<int32_t>(year), static_cast<int32_t>(month), static_cast<int32_t>(day)};
}

int64_t days_from_civil(const CivilDate& date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = floor_div(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

Status Datetime::load(const Names& names) {
  names_ = &names;
  module_ = PyRef::steal(PyImport_ImportModule("datetime"));
  if (module_) capsule_ = static_cast<const Capsule*>(PyCapsule_Import("datetime.datetime_CAPI", 0));
  if (capsule_ == nullptr) {
    return Status(CLUTCH_ERR_LOAD, "this interpreter has no usable datetime module: " + take_python_error() +
                                       "; use a CPython whose standard library is complete");
  }
  date_ = capsule_->date;
  datetime_ = capsule_->datetime;
  time_ = capsule_->time;
  delta_ = capsule_->delta;
  find_layout();
  return {};
}

void Datetime::find_layout() {
  PyRef bare = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyBaseObject_Type), "__basicsize__"));
  header_ = bare ? PyLong_AsLongLong(bare.get()) : 0;
  layout_ = bare && check_layout();
  PyErr_Clear();
}

// Make objects with telling values and look whether their bytes are where we would read them.
bool Datetime::check_layout() const {
  PyRef date = PyRef::steal(capsule_->make_date(1987, 6, 5, date_));
  PyRef naive = PyRef::steal(capsule_->make_datetime(1987, 6, 5, 23, 58, 57, 654321, Py_None, datetime_));
  PyRef aware = PyRef::steal(capsule_->make_datetime(9999, 12, 31, 1, 2, 3, 999999, capsule_->utc, datetime_));
  PyRef time = PyRef::steal(capsule_->make_time(21, 43, 5, 123456, Py_None, time_));
  PyRef delta = PyRef::steal(capsule_->make_delta(-1234567, 86399, 987654, 0, delta_));
  if (!date || !naive || !aware || !time || !delta) return false;
  constexpr uint8_t kDate[] = {0x07, 0xC3, 6, 5};
  constexpr uint8_t kNaive[] = {0x07, 0xC3, 6, 5, 23, 58, 57, 0x09, 0xFB, 0xF1};
  constexpr uint8_t kAware[] = {0x27, 0x0F, 12, 31, 1, 2, 3, 0x0F, 0x42, 0x3F};
  constexpr uint8_t kTime[] = {21, 43, 5, 0x01, 0xE2, 0x40};
  constexpr int32_t kParts[] = {-1234567, 86399, 987654};
  const auto flag = [this](const PyRef& object) { return packed(object.get(), header_)[-1]; };
  return std::memcmp(packed(date.get(), header_), kDate, sizeof kDate) == 0 &&
         std::memcmp(packed(naive.get(), header_), kNaive, sizeof kNaive) == 0 &&
         std::memcmp(packed(aware.get(), header_), kAware, sizeof kAware) == 0 &&
         std::memcmp(packed(time.get(), header_), kTime, sizeof kTime) == 0 && flag(naive) == 0 && flag(aware) == 1 &&
         flag(time) == 0 &&
         std::memcmp(reinterpret_cast<const uint8_t*>(delta.get()) + header_ + kDelta, kParts, sizeof kParts) == 0;
}

PyObject* Datetime::utc() const { return capsule_->utc; }

PyObject* Datetime::make_date(int64_t days) const {
  const CivilDate date = civil_from_days(days);
  return capsule_->make_date(date.year, date.month, date.day, date_);
}

PyObject* Datetime::make_time(int64_t micros_of_day) const {
  const int64_t seconds = micros_of_day / kMicrosPerSecond;
  return capsule_->make_time(static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60),
                             static_cast<int>(seconds % 60), static_cast<int>(micros_of_day % kMicrosPerSecond),
                             Py_None, time_);
}

PyObject* Datetime::make_datetime(int64_t days, int64_t micros_of_day, PyObject* tzinfo_or_none) const {
  const CivilDate date = civil_from_days(days);
  const int64_t seconds = micros_of_day / kMicrosPerSecond;
  return capsule_->make_datetime(date.year, date.month, date.day, static_cast<int>(seconds / 3600),
                                 static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
                                 static_cast<int>(micros_of_day % kMicrosPerSecond), tzinfo_or_none, datetime_);
}

PyObject* Datetime::make_delta(int64_t days, int64_t seconds, int64_t micros) const {
  return capsule_->make_delta(static_cast<int>(days), static_cast<int>(seconds), static_cast<int>(micros), 1, delta_);
}

PyObject* Datetime::make_in_zone(int64_t days, int64_t micros_of_day, const Zone& zone) const {
  PyRef utc = PyRef::steal(make_datetime(days, micros_of_day, zone.tzinfo.get()));
  if (!utc) return nullptr;
  return PyObject_CallMethodObjArgs(zone.tzinfo.get(), names_->fromutc.get(), utc.get(), nullptr);
}

bool Datetime::read_attributes(PyObject* object, DatetimeFields& out, bool date, bool time) const {
  if (date && !(get_int(object, names_->year, out.date.year) && get_int(object, names_->month, out.date.month) &&
                get_int(object, names_->day, out.date.day))) {
    return false;
  }
  if (!time) return true;
  if (!(get_int(object, names_->hour, out.hour) && get_int(object, names_->minute, out.minute) &&
        get_int(object, names_->second, out.second) && get_int(object, names_->microsecond, out.microsecond))) {
    return false;
  }
  PyRef tzinfo = PyRef::steal(PyObject_GetAttr(object, names_->tzinfo.get()));
  if (!tzinfo) return false;
  out.aware = tzinfo.get() != Py_None;
  int64_t nanosecond = 0;
  if (!get_optional_int(object, names_->nanosecond, nanosecond)) return false;
  out.nanosecond = static_cast<int32_t>(nanosecond);
  return true;
}

bool Datetime::read_date(PyObject* object, DatetimeFields& out) const {
  if (!layout_ || Py_TYPE(object) != date_) return read_attributes(object, out, true, false);
  const uint8_t* bytes = packed(object, header_);
  out.date = {(bytes[0] << 8) | bytes[1], bytes[2], bytes[3]};
  return true;
}

bool Datetime::read_datetime(PyObject* object, DatetimeFields& out) const {
  if (!layout_ || Py_TYPE(object) != datetime_) return read_attributes(object, out, true, true);
  const uint8_t* bytes = packed(object, header_);
  out.date = {(bytes[0] << 8) | bytes[1], bytes[2], bytes[3]};
  out.hour = bytes[4];
  out.minute = bytes[5];
  out.second = bytes[6];
  out.microsecond = micros_at(bytes + 7);
  out.aware = bytes[-1] != 0;
  return true;
}

bool Datetime::read_time(PyObject* object, DatetimeFields& out) const {
  if (!layout_ || Py_TYPE(object) != time_) return read_attributes(object, out, false, true);
  const uint8_t* bytes = packed(object, header_);
  out.hour = bytes[0];
  out.minute = bytes[1];
  out.second = bytes[2];
  out.microsecond = micros_at(bytes + 3);
  out.aware = bytes[-1] != 0;
  return true;
}

bool Datetime::read_delta(PyObject* object, DeltaFields& out) const {
  if (layout_ && Py_TYPE(object) == delta_) {
    int32_t parts[3];
    std::memcpy(parts, reinterpret_cast<const uint8_t*>(object) + header_ + kDelta, sizeof parts);
    out.days = parts[0];
    out.seconds = parts[1];
    out.microseconds = parts[2];
    return true;
  }
  return get_int(object, names_->days, out.days) && get_int(object, names_->seconds, out.seconds) &&
         get_int(object, names_->microseconds, out.microseconds) &&
         get_optional_int(object, names_->nanoseconds, out.nanoseconds);
}

bool Datetime::micros_of(PyObject* offset, int64_t& micros) const {
  DeltaFields delta;
  if (!read_delta(offset, delta)) return false;
  micros = delta.days * kMicrosPerDay + delta.seconds * kMicrosPerSecond + delta.microseconds;
  return true;
}

bool Datetime::read_utcoffset(PyObject* datetime, int64_t& micros, bool& naive) const {
  PyRef offset = PyRef::steal(PyObject_CallMethodObjArgs(datetime, names_->utcoffset.get(), nullptr));
  if (!offset) return false;
  naive = offset.get() == Py_None;
  return naive || micros_of(offset.get(), micros);
}

bool Datetime::read_utcoffset_in(const Zone& zone, PyObject* naive, int64_t& micros) const {
  PyRef offset = PyRef::steal(PyObject_CallMethodObjArgs(zone.tzinfo.get(), names_->utcoffset.get(), naive, nullptr));
  return offset && micros_of(offset.get(), micros);
}

Result<Zone> Datetime::zone(const std::string& text) const {
  Zone zone;
  if (text.empty()) return zone;
  if (text == "UTC" || text == "Etc/UTC" || text == "Z" || text == "GMT" || text == "Etc/GMT" || text == "UCT") {
    zone.tzinfo = PyRef::share(capsule_->utc);
    return zone;
  }
  if (parse_offset(text, zone.offset_seconds)) {
    if (zone.offset_seconds == 0) {
      zone.tzinfo = PyRef::share(capsule_->utc);
      return zone;
    }
    PyRef offset = PyRef::steal(make_delta(0, zone.offset_seconds, 0));
    // The capsule's function gives the plain timezone for a NULL name.
    if (offset) zone.tzinfo = PyRef::steal(capsule_->make_timezone(offset.get(), nullptr));
    if (!zone.tzinfo) return Status(CLUTCH_ERR_UNSUPPORTED, "time zone " + text + ": " + take_python_error());
    return zone;
  }
  zone.fixed = false;
  for (const char* name : {"zoneinfo", "backports.zoneinfo"}) {
    PyRef module = PyRef::steal(PyImport_ImportModule(name));
    if (!module) {
      PyErr_Clear();
      continue;
    }
    zone.tzinfo = PyRef::steal(PyObject_CallMethod(module.get(), "ZoneInfo", "s", text.c_str()));
    if (zone.tzinfo) return zone;
    return Status(CLUTCH_ERR_UNSUPPORTED, "this interpreter does not know the time zone " + text + " (" +
                                              take_python_error() +
                                              "); install the package tzdata, or use UTC or an offset such as +01:00");
  }
  return Status(CLUTCH_ERR_UNSUPPORTED,
                "this interpreter has no database of time zones, which the zone " + text +
                    " needs; use Python 3.9 or later, install the package backports.zoneinfo, or use UTC or an offset "
                    "such as +01:00");
}

}  // namespace clutch::pyembed
