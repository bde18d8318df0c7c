// Types and fields as C++ values, read from and written to ArrowSchema.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/abi/arrow.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"

namespace clutch::columnar {

enum class TypeId : uint8_t {
  kNull,
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64,
  kDecimal128,
  kUtf8,
  kLargeUtf8,
  kBinary,
  kLargeBinary,
  kFixedSizeBinary,
  kDate32,
  kDate64,
  kTime32,
  kTime64,
  kTimestamp,
  kDuration,
  kIntervalMonths,
  kIntervalDayTime,
  kIntervalMonthDayNano,
  kList,
  kLargeList,
  kFixedSizeList,
  kStruct,
  kMap,
  kDictionary,
};

enum class TimeUnit : uint8_t { kSecond, kMilli, kMicro, kNano };

struct Field;

// One Arrow type. Only the members a type has mean something; the rest keep their defaults so that == works.
struct Type {
  TypeId id = TypeId::kNull;
  TimeUnit unit = TimeUnit::kSecond;  // time, timestamp, duration
  int32_t width = 0;                  // fixed_size_binary: bytes; fixed_size_list: items
  int32_t precision = 0;              // decimal: 1..38
  int32_t scale = 0;                  // decimal
  bool keys_sorted = false;           // map
  bool ordered = false;               // dictionary
  TypeId index = TypeId::kNull;       // dictionary: integer type of the indices
  std::string timezone;               // timestamp; empty means naive
  std::string object;                 // what a value is to Python: "pickle" (binary), "tuple" (struct), or nothing
  std::vector<Field> children;        // list: 1; struct: n; map: 1 (struct of key, value); dictionary: 1 (the values)

  friend bool operator==(const Type&, const Type&) = default;
};

struct Field {
  std::string name;
  Type type;
  bool nullable = true;

  friend bool operator==(const Field&, const Field&) = default;
};

// Read a schema. Refuses what level 1 does not have (unions, views, run-end encoding, decimal256, extension storage is
// read as its storage type), nesting deeper than 64, and malformed formats, naming the path of the field.
// The names of the fields inside lists and maps mean nothing in Arrow; they are read as "item", "entries", "key" and
// "value". Of metadata only clutch.object is read (metadata.h).
Result<Field> import_field(const ArrowSchema& schema);

// Write a schema. Never fails for a Field that import_field or parse_type made.
Schema export_field(const Field& field);

// Arrow's format string of one type ("l", "tsu:UTC", "+s").
std::string format_of(const Type& type);

// Text form, as people write it: "int64", "decimal128(10, 2)", "timestamp[us, UTC]", "list<string>",
// "struct<a: int64, b: string not null>", "map<string, int64>", "dictionary<int32, string>", "pickle",
// "tuple<f0: int64, f1: string>".
std::string to_string(const Type& type);
std::string to_string(const Field& field);

// Read the text form; also takes the SQL names of PyFlink ("BIGINT", "STRING", "ROW<a INT, b STRING>", "ARRAY<T>",
// "DECIMAL(10, 2)", "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "BYTES", "... NOT NULL"), without regard to case. An error
// names the column of the text and what was expected there.
Result<Type> parse_type(std::string_view text);

// A struct field of these columns, as batches have: no name, and its rows are never null.
Field struct_of(std::vector<Field> columns);

// Bytes of one value in the data buffer of a fixed-width type (dictionary: of an index); 0 for bool and for types
// without one.
int32_t byte_width(const Type& type);

// The highest value of a signed or unsigned integer type, as far as an int64 has it.
int64_t highest_index(TypeId type);

// How the values of a type lie in buffers. There are fewer of these than types.
enum class Layout : uint8_t {
  kNull,        // no buffers
  kBits,        // validity, bits
  kFixed,       // validity, values of byte_width(); also the indices of a dictionary
  kBytes,       // validity, 32-bit offsets, bytes
  kLargeBytes,  // validity, 64-bit offsets, bytes
  kList,        // validity, 32-bit offsets; one child. Also map
  kLargeList,   // validity, 64-bit offsets; one child
  kFixedList,   // validity; one child
  kStruct,      // validity; children
};
Layout layout_of(const Type& type);

// Number of buffers an array of this layout has.
int64_t buffer_count(Layout layout);

// Number of child arrays an array of this type has. The values of a dictionary are not a child.
size_t child_count(const Type& type);

// Types and fields nest at most this deep.
inline constexpr int kMaxNesting = 64;

}  // namespace clutch::columnar
