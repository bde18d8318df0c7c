#include "source/lines/line_buffer.h"

#include <algorithm>

#include "clutch/columnar/validate.h"

namespace clutch::engine {
namespace {

constexpr size_t kLongestLine = size_t{64} << 20;

}  // namespace

void LineBuffer::feed(std::string_view bytes) {
  if (head_ > 0) {
    rest_.erase(0, head_);
    searched_ -= std::min(searched_, head_);
    head_ = 0;
  }
  // The delimiter may have begun in what is there.
  searched_ = rest_.size() - std::min(rest_.size(), delimiter_.empty() ? 0 : delimiter_.size() - 1);
  rest_.append(bytes);
}

void LineBuffer::restart() {
  rest_.clear();
  head_ = searched_ = 0;
  finished_ = false;
}

size_t LineBuffer::find_end() const {
  if (delimiter_.empty()) return std::string::npos;
  return rest_.find(delimiter_, std::max(head_, std::min(searched_, rest_.size())));
}

Status LineBuffer::take(int64_t rows, columnar::ArrayBuilder& out) {
  while (out.length() < rows) {
    const size_t end = find_end();
    if (end == std::string::npos && (!finished_ || head_ == rest_.size())) break;
    std::string_view line = std::string_view(rest_).substr(head_, end - head_);
    head_ = end == std::string::npos ? rest_.size() : end + delimiter_.size();
    searched_ = head_;
    ++line_;
    if (delimiter_ == "\n" && !line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!columnar::valid_utf8(reinterpret_cast<const uint8_t*>(line.data()), static_cast<int64_t>(line.size()))) {
      return {CLUTCH_ERR_VALUE, "line " + std::to_string(line_) + " of " + what_ + " is not UTF-8; send UTF-8",
              CLUTCH_ORIGIN_USER};
    }
    CLUTCH_RETURN_IF_ERROR(out.append_bytes(line));
  }
  if (out.length() == 0 && rest_.size() - head_ > kLongestLine) {
    return {CLUTCH_ERR_VALUE,
            "line " + std::to_string(line_ + 1) + " of " + what_ + " is longer than " +
                std::to_string(kLongestLine >> 20) + " MiB; is the delimiter the one that is sent?",
            CLUTCH_ORIGIN_USER};
  }
  return {};
}

}  // namespace clutch::engine
