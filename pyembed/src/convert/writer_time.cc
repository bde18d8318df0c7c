// Writers of dates, times, timestamps, durations and intervals. What is finer than the column's unit is cut off toward
// the past, as SQL does with a declared precision.
#include <array>
#include <limits>

#include "convert/mismatch.h"
#include "convert/writer_parts.h"

namespace clutch::pyembed {

using columnar::ArrayBuilder;
using columnar::Field;
using columnar::TimeUnit;
using columnar::TypeId;

namespace {

constexpr int64_t kMillisPerDay = 86400000;

// Microseconds (and the nanoseconds beyond them) in the unit of a column. False on overflow.
bool to_units(int64_t micros, int64_t nanos, TimeUnit unit, int64_t& out) {
  switch (unit) {
    case TimeUnit::kSecond:
      out = floor_div(micros, 1000000);
      return true;
    case TimeUnit::kMilli:
      out = floor_div(micros, 1000);
      return true;
    case TimeUnit::kMicro:
      out = micros;
      return true;
    case TimeUnit::kNano:
      return !__builtin_mul_overflow(micros, int64_t{1000}, &out) && !__builtin_add_overflow(out, nanos, &out);
  }
  return false;
}

// Base of the writers here: numpy's datetime64 and timedelta64 are converted through Python's classes, with their
// nanoseconds, which item() would give as a bare int.
template <typename Derived>
class TimeWriterOf : public WriterOf<Derived> {
 protected:
  using WriterOf<Derived>::WriterOf;

  [[gnu::noinline, gnu::cold]] bool put_time_slow(PyObject* value, ArrayBuilder& out) {
    if (!this->is_numpy_time(value) || this->is_missing(value)) return this->put_slow(value, out);
    const bool point = type_name(Py_TYPE(value)) == "numpy.datetime64";
    PyRef micros =
        PyRef::steal(PyObject_CallMethod(value, "astype", "s", point ? "datetime64[us]" : "timedelta64[us]"));
    if (!micros) return false;
    PyRef plain = PyRef::steal(PyObject_CallMethod(micros.get(), "item", nullptr));
    if (!plain) return false;
    if (PyLong_Check(plain.get())) {
      return this->fail(value, " is outside of the years 1 to 9999", "return a time that Python can hold");
    }
    PyRef rest = PyRef::steal(PyNumber_Subtract(value, micros.get()));
    if (rest) rest = PyRef::steal(PyObject_CallMethod(rest.get(), "astype", "s", "timedelta64[ns]"));
    if (rest) rest = PyRef::steal(PyObject_CallMethod(rest.get(), "astype", "s", "int64"));
    if (rest) rest = PyRef::steal(PyNumber_Index(rest.get()));
    const int64_t nanos = rest ? PyLong_AsLongLong(rest.get()) : -1;
    if (nanos == -1 && PyErr_Occurred() != nullptr) return false;
    extra_nanos_ = nanos;
    const bool done = static_cast<Derived*>(this)->put(plain.get(), out);
    extra_nanos_ = 0;
    return done;
  }

  int64_t extra_nanos_ = 0;  // of the numpy value that is being put
};

class DateWriter final : public TimeWriterOf<DateWriter> {
 public:
  DateWriter(const Field& field, const Module& module)
      : TimeWriterOf(field, module), datetime_(&module.datetime()), wide_(field.type.id == TypeId::kDate64) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!datetime_->is_date(value) || datetime_->is_datetime(value)) [[unlikely]]
      return put_time_slow(value, out);
    return put_date(value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (!datetime_->is_datetime(value)) return fail(value, "", "return a datetime.date or change the result type");
    DatetimeFields fields;
    if (!datetime_->read_datetime(value, fields)) return false;
    if (fields.micros_of_day() != 0 || fields.nanosecond != 0 || extra_nanos_ != 0) {
      return fail(value, " has a time of day", "return x.date(), or change the result type to timestamp");
    }
    return put_date(value, out);
  }

 private:
  bool put_date(PyObject* value, ArrayBuilder& out) {
    DatetimeFields fields;
    if (!(datetime_->is_datetime(value) ? datetime_->read_datetime(value, fields)
                                        : datetime_->read_date(value, fields))) {
      return false;
    }
    const int64_t days = days_from_civil(fields.date);
    if (wide_) {
      out.append<int64_t>(days * kMillisPerDay);
    } else {
      out.append<int32_t>(static_cast<int32_t>(days));
    }
    return true;
  }

  const Datetime* datetime_;
  bool wide_;
};

class TimeOfDayWriter final : public TimeWriterOf<TimeOfDayWriter> {
 public:
  TimeOfDayWriter(const Field& field, const Module& module)
      : TimeWriterOf(field, module), datetime_(&module.datetime()), wide_(field.type.id == TypeId::kTime64) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!datetime_->is_time(value)) [[unlikely]]
      return put_time_slow(value, out);
    DatetimeFields fields;
    if (!datetime_->read_time(value, fields)) return false;
    if (fields.aware) [[unlikely]] {
      return fail(value, " has a time zone", "return x.replace(tzinfo=None)");
    }
    int64_t units = 0;
    if (!to_units(fields.micros_of_day(), 0, field_.type.unit, units)) return false;
    if (wide_) {
      out.append<int64_t>(units);
    } else {
      out.append<int32_t>(static_cast<int32_t>(units));
    }
    return true;
  }

  bool coerce(PyObject* value, ArrayBuilder&) {
    if (datetime_->is_datetime(value)) return fail(value, "", "return x.time() or change the result type to timestamp");
    return fail(value, "", "return a datetime.time or change the result type");
  }

 private:
  const Datetime* datetime_;
  bool wide_;
};

class TimestampWriter final : public TimeWriterOf<TimestampWriter> {
 public:
  TimestampWriter(const Field& field, const Module& module, Zone zone)
      : TimeWriterOf(field, module), datetime_(&module.datetime()), zone_(std::move(zone)) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    // NaT counts as a datetime, but it is no instance of exactly that class.
    if (!datetime_->is_exact_datetime(value)) [[unlikely]]
      return put_time_slow(value, out);
    return put_datetime(value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (datetime_->is_datetime(value)) return put_datetime(value, out);
    if (datetime_->is_date(value)) {
      return fail(value, "",
                  "return datetime.datetime.combine(x, datetime.time()), or change the result type to date32");
    }
    return fail(value, "", "return a datetime.datetime or change the result type");
  }

 private:
  bool put_datetime(PyObject* value, ArrayBuilder& out) {
    DatetimeFields fields;
    if (!datetime_->read_datetime(value, fields)) return false;
    int64_t micros = days_from_civil(fields.date) * kMicrosPerDay + fields.micros_of_day();
    int64_t offset = 0;
    if (fields.aware || !zone_.fixed) {
      bool naive = !fields.aware;
      if (fields.aware && !datetime_->read_utcoffset(value, offset, naive)) return false;
      if (!naive && !zone_.tzinfo) {
        return fail(value, " has a time zone, the column has none",
                    "return x.replace(tzinfo=None) for its wall clock, or change the result type to a timestamp with "
                    "zone");
      }
      if (naive) {
        if (!zone_.fixed && !datetime_->read_utcoffset_in(zone_, value, offset)) return false;
        if (zone_.fixed) offset = zone_.offset_seconds * kMicrosPerSecond;
      }
    } else {
      offset = zone_.offset_seconds * kMicrosPerSecond;
    }
    micros -= offset;
    int64_t units = 0;
    if (!to_units(micros, fields.nanosecond + extra_nanos_, field_.type.unit, units)) {
      return fail(value, " is outside of 1677-09-21 to 2262-04-11, which nanoseconds can hold",
                  "change the result type to timestamp[us]");
    }
    out.append<int64_t>(units);
    return true;
  }

  const Datetime* datetime_;
  Zone zone_;
};

class DurationWriter final : public TimeWriterOf<DurationWriter> {
 public:
  DurationWriter(const Field& field, const Module& module)
      : TimeWriterOf(field, module), datetime_(&module.datetime()) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    if (!datetime_->is_delta(value)) [[unlikely]]
      return put_time_slow(value, out);
    DeltaFields delta;
    if (!datetime_->read_delta(value, delta)) return false;
    int64_t units = 0;
    bool fits = true;
    if (field_.type.unit == TimeUnit::kSecond || field_.type.unit == TimeUnit::kMilli) {
      // A timedelta of 999999999 days fits, but not as microseconds.
      const int64_t per_second = units_per_second(field_.type.unit);
      units = (delta.days * 86400 + delta.seconds) * per_second + delta.microseconds * per_second / kMicrosPerSecond;
    } else {
      int64_t micros = 0;
      fits = !__builtin_mul_overflow(delta.days, kMicrosPerDay, &micros) &&
             !__builtin_add_overflow(micros, delta.seconds * kMicrosPerSecond + delta.microseconds, &micros) &&
             to_units(micros, delta.nanoseconds + extra_nanos_, field_.type.unit, units);
    }
    if (!fits) {
      return fail(value, " is longer than 64 bits of its unit can hold",
                  field_.type.unit == TimeUnit::kNano ? "change the result type to duration[us]"
                                                      : "change the result type to duration[ms]");
    }
    out.append<int64_t>(units);
    return true;
  }

  bool coerce(PyObject* value, ArrayBuilder&) {
    return fail(value, "", "return a datetime.timedelta or change the result type");
  }

 private:
  const Datetime* datetime_;
};

// Intervals are an int (months) or a tuple of ints.
class IntervalWriter final : public TimeWriterOf<IntervalWriter> {
 public:
  IntervalWriter(const Field& field, const Module& module) : TimeWriterOf(field, module) {}

  bool put(PyObject* value, ArrayBuilder& out) {
    const TypeId id = field_.type.id;
    if (id == TypeId::kIntervalMonths && PyLong_CheckExact(value)) return put_months(value, value, out);
    if (id != TypeId::kIntervalMonths && PyTuple_CheckExact(value)) return put_parts(value, out);
    return put_time_slow(value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    if (field_.type.id == TypeId::kIntervalMonths) {
      PyRef integer = integer_of(value, *module_);
      if (integer) return put_months(integer.get(), value, out);
      if (PyErr_Occurred() != nullptr) return false;
      return fail(value, "", "return the number of months as an int");
    }
    if (PyTuple_Check(value) || PyList_Check(value)) return put_parts(value, out);
    const Datetime& datetime = module_->datetime();
    if (field_.type.id == TypeId::kIntervalDayTime && datetime.is_delta(value)) {
      DeltaFields delta;
      if (!datetime.read_delta(value, delta)) return false;
      return put_day_time(value, delta.days, delta.seconds * 1000 + delta.microseconds / 1000, out);
    }
    return fail(value, "", hint());
  }

 private:
  struct DayTime {
    int32_t days, millis;
  };
  struct MonthDayNano {
    int32_t months, days;
    int64_t nanos;
  };

  const char* hint() const {
    return field_.type.id == TypeId::kIntervalDayTime ? "return a tuple (days, milliseconds) or a datetime.timedelta"
                                                      : "return a tuple (months, days, nanoseconds)";
  }
  static bool narrow(int64_t value) {
    return value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
  }
  bool outside(PyObject* value) {
    if (PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_OverflowError) == 0) return false;
    return fail(value, " is outside of -2147483648 to 2147483647", "return smaller numbers");
  }

  bool put_months(PyObject* integer, PyObject* value, ArrayBuilder& out) {
    const int64_t months = PyLong_AsLongLong(integer);
    if ((months == -1 && PyErr_Occurred() != nullptr) || !narrow(months)) return outside(value);
    out.append<int32_t>(static_cast<int32_t>(months));
    return true;
  }
  bool put_day_time(PyObject* value, int64_t days, int64_t millis, ArrayBuilder& out) {
    if (!narrow(days) || !narrow(millis)) return outside(value);
    out.append(DayTime{static_cast<int32_t>(days), static_cast<int32_t>(millis)});
    return true;
  }
  bool put_parts(PyObject* value, ArrayBuilder& out) {
    const Py_ssize_t wanted = field_.type.id == TypeId::kIntervalDayTime ? 2 : 3;
    std::array<int64_t, 3> parts{};
    if (PySequence_Size(value) != wanted) return fail(value, "", hint());
    for (Py_ssize_t i = 0; i < wanted; ++i) {
      PyRef item = PyRef::steal(PySequence_GetItem(value, i));
      PyRef integer = item ? integer_of(item.get(), *module_) : PyRef();
      if (!integer) return PyErr_Occurred() == nullptr && fail(value, "", hint());
      parts[static_cast<size_t>(i)] = PyLong_AsLongLong(integer.get());
      if (parts[static_cast<size_t>(i)] == -1 && PyErr_Occurred() != nullptr) return outside(value);
    }
    if (wanted == 2) return put_day_time(value, parts[0], parts[1], out);
    if (!narrow(parts[0]) || !narrow(parts[1])) return outside(value);
    out.append(MonthDayNano{static_cast<int32_t>(parts[0]), static_cast<int32_t>(parts[1]), parts[2]});
    return true;
  }
};

template <typename T>
Result<std::unique_ptr<Writer>> writer(const Field& field, const Module& module) {
  return std::unique_ptr<Writer>(std::make_unique<T>(field, module));
}

}  // namespace

Result<std::unique_ptr<Writer>> make_time_writer(const Field& field, const Module& module) {
  switch (field.type.id) {
    case TypeId::kDate32:
    case TypeId::kDate64:
      return writer<DateWriter>(field, module);
    case TypeId::kTime32:
    case TypeId::kTime64:
      return writer<TimeOfDayWriter>(field, module);
    case TypeId::kTimestamp: {
      Result<Zone> zone = module.datetime().zone(field.type.timezone);
      if (!zone.ok()) return std::move(zone).status().prefixed(place_of("result", field));
      return std::unique_ptr<Writer>(std::make_unique<TimestampWriter>(field, module, *std::move(zone)));
    }
    case TypeId::kDuration:
      return writer<DurationWriter>(field, module);
    default:
      return writer<IntervalWriter>(field, module);
  }
}

}  // namespace clutch::pyembed
