// What a worker printed: whole lines for the host's log, and the last part of it for a crash report.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace clutch::pyproc {

class LogTail {
 public:
  static constexpr size_t kKept = 64 * 1024;     // (unit: bytes)
  static constexpr size_t kLongest = 16 * 1024;  // a longer line is given in pieces

  // Take bytes as they come out of the pipe; calls `line` for each line that is complete. Bytes that are no UTF-8
  // become '?'.
  void append(std::string_view bytes, const std::function<void(std::string_view)>& line);
  // Keep a line that came by another way; it was given to the log already.
  void note(std::string_view line);
  // The pipe is at its end: what is left is a line too.
  void finish(const std::function<void(std::string_view)>& line);

  // The last lines, at most `max_bytes`, without stacks that faulthandler printed.
  std::string last_lines(size_t max_bytes) const;
  // The last stack that faulthandler printed, without the frames of our bootstrap; empty if there is none.
  std::string stack() const;
  // Number of stacks seen so far; tells when one that was asked for has come.
  int stacks() const { return stacks_; }

 private:
  void keep(char how, std::string_view line);
  void give(std::string_view line, const std::function<void(std::string_view)>& sink);

  std::string kept_;     // whole lines, each behind a character that says how it came
  std::string partial_;  // a line that has no end yet
  int stacks_ = 0;
};

}  // namespace clutch::pyproc
