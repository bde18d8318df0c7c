// Points in time and durations as Java's classes write them. All append to `out`.
#pragma once

#include <cstdint>
#include <string>

#include "clutch/columnar/type.h"

namespace clutch::engine {

// java.time.LocalDate: "2014-09-13".
void append_local_date(int64_t days, std::string& out);
// java.time.LocalTime: "12:00", "12:00:01", "12:00:00.123": three, six or nine digits, and seconds only if not zero.
void append_local_time(int64_t value, columnar::TimeUnit unit, std::string& out);
// java.sql.Time: "12:00:00", without what is below the second.
void append_sql_time(int64_t value, columnar::TimeUnit unit, std::string& out);
// java.time.LocalDateTime: "2018-03-11T03:00", "2018-03-11T03:00:00.123".
void append_local_date_time(int64_t value, columnar::TimeUnit unit, std::string& out);
// java.sql.Timestamp: "2021-01-09 12:00:00.011", "2021-01-09 12:00:00.0".
void append_sql_timestamp(int64_t value, columnar::TimeUnit unit, std::string& out);
// java.time.Instant: "1970-01-01T00:00:00.123Z".
void append_instant(int64_t value, columnar::TimeUnit unit, std::string& out);
// java.time.Duration: "PT1H2M3.5S".
void append_duration(int64_t value, columnar::TimeUnit unit, std::string& out);
// java.time.Period of months: "P1Y2M".
void append_period(int64_t months, std::string& out);

}  // namespace clutch::engine
