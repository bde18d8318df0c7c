// Bytes that come in pieces to lines of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"

namespace clutch::engine {

class LineBuffer {
 public:
  // @param delimiter  Ends a line; a carriage return before "\n" belongs to it. "": a line is all there is until the
  // end.
  // @param what       Where the bytes come from, for messages: "standard input".
  LineBuffer(std::string delimiter, std::string what) : delimiter_(std::move(delimiter)), what_(std::move(what)) {}

  void feed(std::string_view bytes);
  // Nothing follows: what is there is a line, unless it is nothing.
  void finish() { finished_ = true; }
  // Forget what has no end, and begin with another stream.
  void restart();

  // Append lines to a builder of text until it has `rows`. Fails with CLUTCH_ERR_VALUE, naming the line, on text that
  // is not UTF-8 and on a line without an end.
  Status take(int64_t rows, columnar::ArrayBuilder& out);

 private:
  size_t find_end() const;

  std::string delimiter_;
  std::string what_;
  std::string rest_;
  size_t head_ = 0;
  size_t searched_ = 0;  // no line ends before this place
  bool finished_ = false;
  int64_t line_ = 0;
};

}  // namespace clutch::engine
