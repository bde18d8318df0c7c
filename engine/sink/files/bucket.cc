#include "sink/files/bucket.h"

#include <ctime>
#include <string_view>
#include <vector>

namespace clutch::engine {

std::string bucket_at(const std::string& pattern, int64_t time) {
  if (pattern.empty()) return {};
  const time_t seconds = static_cast<time_t>(time / 1000 - (time % 1000 < 0 ? 1 : 0));
  tm parts{};
  localtime_r(&seconds, &parts);
  // strftime gives 0 for text that does not fit and for empty text; the blank tells them apart.
  const std::string marked = pattern + " ";
  std::vector<char> text(256 + 8 * marked.size());
  const size_t size = strftime(text.data(), text.size(), marked.c_str(), &parts);
  std::string_view rest(text.data(), size == 0 ? 0 : size - 1);
  std::string out;
  while (!rest.empty()) {
    const std::string_view step = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), step.size() + 1));
    if (step.empty() || step == "." || step == "..") continue;
    if (!out.empty()) out += '/';
    out += step;
  }
  return out;
}

}  // namespace clutch::engine
