#include "supervisor/log_tail.h"

#include <vector>

#include "clutch/columnar/validate.h"

namespace clutch::pyproc {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

bool fatal_line(std::string_view line) { return starts_with(line, "Fatal Python error: "); }

bool thread_line(std::string_view line) {
  return (starts_with(line, "Current thread 0x") || starts_with(line, "Thread 0x")) &&
         line.find("(most recent call first):") != std::string_view::npos;
}

bool frame_line(std::string_view line) {
  return starts_with(line, "  File \"") || starts_with(line, "  <no Python frame>") || starts_with(line, "  ...");
}

// The first character of a kept line says how it came.
constexpr char kPrinted = '.';
constexpr char kNoted = '>';

struct Line {
  std::string_view text;
  bool noted;
};

std::vector<Line> lines_of(std::string_view kept) {
  std::vector<Line> lines;
  while (!kept.empty()) {
    const size_t end = kept.find('\n');
    lines.push_back({kept.substr(1, end - 1), kept.front() == kNoted});
    kept.remove_prefix(end == std::string_view::npos ? kept.size() : end + 1);
  }
  return lines;
}

// For each line: does it belong to a stack of faulthandler? Noted lines come another way, at any time, also in the
// middle of a stack that is being printed.
std::vector<bool> stack_lines(const std::vector<Line>& lines) {
  std::vector<bool> belongs(lines.size(), false);
  bool inside = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].noted) continue;
    const std::string_view line = lines[i].text;
    if (fatal_line(line) || thread_line(line)) {
      inside = true;
    } else if (inside && !(line.empty() || frame_line(line) || starts_with(line, "Extension modules: ") ||
                           starts_with(line, "Python runtime state: "))) {
      inside = false;
    }
    belongs[i] = inside;
  }
  return belongs;
}

}  // namespace

void LogTail::keep(char how, std::string_view line) {
  kept_.push_back(how);
  kept_.append(line).push_back('\n');
  if (kept_.size() > 2 * kKept) {
    const size_t cut = kept_.find('\n', kept_.size() - kKept);
    kept_.erase(0, cut == std::string::npos ? kept_.size() - kKept : cut + 1);
  }
}

void LogTail::give(std::string_view line, const std::function<void(std::string_view)>& sink) {
  if (columnar::valid_utf8(reinterpret_cast<const uint8_t*>(line.data()), static_cast<int64_t>(line.size()))) {
    if (thread_line(line)) ++stacks_;
    keep(kPrinted, line);
    sink(line);
    return;
  }
  std::string clean(line);
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  keep(kPrinted, clean);
  sink(clean);
}

void LogTail::append(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const size_t take = end == std::string_view::npos ? bytes.size() : end;
    const size_t room = kLongest - partial_.size();
    if (take >= room && (end == std::string_view::npos || take > room)) {
      partial_.append(bytes.substr(0, room));
      bytes.remove_prefix(room);
      give(partial_, line);
      partial_.clear();
      continue;
    }
    if (end == std::string_view::npos) {
      partial_.append(bytes);
      return;
    }
    if (partial_.empty()) {
      give(bytes.substr(0, end), line);
    } else {
      partial_.append(bytes.substr(0, end));
      give(partial_, line);
      partial_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
}

void LogTail::note(std::string_view line) { keep(kNoted, line); }

void LogTail::finish(const std::function<void(std::string_view)>& line) {
  if (partial_.empty()) return;
  give(partial_, line);
  partial_.clear();
}

std::string LogTail::last_lines(size_t max_bytes) const {
  const std::vector<Line> lines = lines_of(kept_);
  const std::vector<bool> stack = stack_lines(lines);
  size_t bytes = 0;
  size_t first = lines.size();
  while (first > 0) {
    const size_t size = stack[first - 1] ? 0 : lines[first - 1].text.size() + 1;
    if (bytes + size > max_bytes) break;
    bytes += size;
    --first;
  }
  std::string out;
  for (size_t i = first; i < lines.size(); ++i) {
    if (!stack[i]) out.append(lines[i].text).push_back('\n');
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::string LogTail::stack() const {
  const std::vector<Line> lines = lines_of(kept_);
  const std::vector<bool> stack = stack_lines(lines);
  size_t end = lines.size();
  while (end > 0 && !stack[end - 1]) --end;
  size_t first = end;
  while (first > 0 && (stack[first - 1] || lines[first - 1].noted)) --first;
  std::string out;
  for (size_t i = first; i < end; ++i) {
    const std::string_view line = lines[i].text;
    if (lines[i].noted || line.empty() || starts_with(line, "  File \"<string>\", ") ||
        starts_with(line, "Extension modules: "))
      continue;
    out.append(line).push_back('\n');
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace clutch::pyproc
