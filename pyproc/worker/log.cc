#include "worker/log.h"

#include <algorithm>
#include <string>

#include "clutch/ext/log.h"
#include "protocol/messages.h"
#include "worker/clock.h"

namespace clutch::pyproc {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kBytesPerSecond = 4 << 20;
constexpr int64_t kDefaultLinesPerSecond = 1000;

// The first `size` bytes or a little less, so that no UTF-8 sequence is cut in two.
std::string_view cut_text(std::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

void LogSender::Bucket::set(int64_t rate) {
  per_second = rate;
  left = rate;
  since_ns = now_ns();
}

void LogSender::Bucket::fill(int64_t now) {
  const int64_t passed = std::min(now - since_ns, kSecond);
  const int64_t more = passed * per_second / kSecond;
  if (more == 0) return;
  left = std::min(per_second, left + more);
  since_ns = now;
}

void LogSender::configure(int32_t level, int64_t lines_per_second) {
  const std::lock_guard lock(mutex_);
  level_ = level;
  unlimited_ = lines_per_second == 0;
  lines_.set(lines_per_second > 0 ? lines_per_second : kDefaultLinesPerSecond);
  bytes_.set(kBytesPerSecond);
}

bool LogSender::allowed(int64_t bytes) {
  if (unlimited_) return true;
  const int64_t now = now_ns();
  lines_.fill(now);
  bytes_.fill(now);
  if (lines_.left < 1 || bytes_.left < bytes) return false;
  lines_.left -= 1;
  bytes_.left -= bytes;
  return true;
}

void LogSender::send(int32_t level, uint64_t function, std::string_view source, std::string_view text) {
  // A supervisor that is gone is noticed by the loop and by the watch; a line has nobody to tell.
  (void)link_.send_body(FrameType::kLog, encode(LogLine{level, function, std::string(source), std::string(text)}));
}

void LogSender::tell_dropped() {
  if (dropped_lines_ == 0) return;
  const std::string text = std::to_string(dropped_lines_) + " lines (" + std::to_string(dropped_bytes_) +
                           " bytes) were dropped here: the function prints faster than clutch.log.rate allows";
  dropped_lines_ = 0;
  dropped_bytes_ = 0;
  send(CLUTCH_LOG_WARN, 0, "worker", text);
}

void LogSender::write(int32_t level, uint64_t function, std::string_view source, std::string_view text) {
  const std::string_view kept = cut_text(text, kMaxLineBytes);
  const std::lock_guard lock(mutex_);
  if (!allowed(static_cast<int64_t>(kept.size()))) {
    ++dropped_lines_;
    dropped_bytes_ += text.size();
    return;
  }
  tell_dropped();
  if (kept.size() == text.size()) {
    send(level, function, source, text);
  } else {
    send(level, function, source,
         std::string(kept) + "... (" + std::to_string(text.size() - kept.size()) + " more bytes)");
  }
}

void LogSender::flush() {
  const std::lock_guard lock(mutex_);
  tell_dropped();
}

}  // namespace clutch::pyproc
