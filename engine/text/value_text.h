// A value of any column type as the text that Apache Flink prints for it.
//
//   struct           +I[a, 0]; one that is a tuple (a,0)      null             null
//   list             [1, 2, 3]                                map              {1=flink, 2=pyflink}
//   bytes            [102, -1], signed                        bool             true
//   float32/64       4.3333335, 1.0E10                        decimal          12.50
//   date             2014-09-13                               time             12:00:00
//   timestamp        2021-01-09 12:00:00.011                  ... with a zone  1970-01-01T00:00:00.123Z
//   duration         PT1.5S                                   months           P1Y2M
//
// Text inside of anything is written without quotes. Of the style kTable are time 12:00:00.123 and timestamp
// 2018-03-11T03:00:00.123, of both without seconds where they are zero.
#pragma once

#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "text/object_kind.h"

namespace clutch::engine {

enum class TextStyle : uint8_t { kStream, kTable };

class ValueText {
 public:
  using ObjectKind = std::string_view (*)(const columnar::Type&);

  // Fails with CLUTCH_ERR_UNSUPPORTED, naming the field, on pickled objects, which only Python can write, and on
  // intervals of several units.
  // @param kind  What object_kind() is, but for tests.
  static Result<ValueText> make(const columnar::Field& element, TextStyle style = TextStyle::kStream,
                                ObjectKind kind = object_kind);

  // Append the text of one row of `values`, an array of the element's type.
  void append(const ArrowArray& values, int64_t row, std::string& out) const;

 private:
  ValueText(columnar::Field element, TextStyle style, ObjectKind kind)
      : element_(std::move(element)), style_(style), kind_(kind) {}
  void append_value(const columnar::Field& field, const ArrowArray& array, int64_t row, std::string& out) const;
  void append_struct(const columnar::Field& field, const ArrowArray& array, int64_t row, std::string& out) const;
  void append_items(const columnar::Field& item, const ArrowArray& items, int64_t first, int64_t end,
                    std::string& out) const;
  void append_map(const columnar::Field& entries, const ArrowArray& pairs, int64_t first, int64_t end,
                  std::string& out) const;

  columnar::Field element_;
  TextStyle style_;
  ObjectKind kind_;
};

}  // namespace clutch::engine
