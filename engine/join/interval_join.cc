#include "join/interval_join.h"

#include <algorithm>

namespace clutch::engine {
namespace {

constexpr size_t kFewRows = 1024;

bool earlier(int64_t time, int64_t other) { return time < other; }

}  // namespace

Result<JoinInterval> JoinInterval::make(int64_t lower, int64_t upper, bool lower_exclusive, bool upper_exclusive) {
  const int64_t first = lower_exclusive ? saturating_add(lower, 1) : lower;
  const int64_t last = upper_exclusive ? saturating_subtract(upper, 1) : upper;
  if (first <= last) return JoinInterval{first, last};
  return Status(CLUTCH_ERR_VALUE, "nothing lies between the bounds " + std::to_string(lower) + " ms" +
                                      (lower_exclusive ? " (exclusive)" : "") + " and " + std::to_string(upper) +
                                      " ms" + (upper_exclusive ? " (exclusive)" : "") +
                                      " of an interval join; give a lower bound that is not above the upper one");
}

void IntervalJoin::Rows::insert(Kept row) {
  if (first == kept.size() || kept.back().time <= row.time) {
    kept.push_back(row);
    return;
  }
  const auto at = std::upper_bound(kept.begin() + static_cast<std::ptrdiff_t>(first), kept.end(), row.time,
                                   [](int64_t time, const Kept& other) { return earlier(time, other.time); });
  kept.insert(at, row);
}

int64_t IntervalJoin::end_of(JoinSide side, int64_t time) const {
  const int64_t reach = side == JoinSide::kLeft ? interval_.upper : saturating_subtract(0, interval_.lower);
  return reach > 0 ? saturating_add(time, reach) : time;
}

void IntervalJoin::join(JoinSide side, const Kept& row, const Rows& others, Joined& out) const {
  const bool left = side == JoinSide::kLeft;
  const int64_t first =
      left ? saturating_add(row.time, interval_.lower) : saturating_subtract(row.time, interval_.upper);
  const int64_t last =
      left ? saturating_add(row.time, interval_.upper) : saturating_subtract(row.time, interval_.lower);
  const std::span<const Kept> live = others.live();
  auto at = std::lower_bound(live.begin(), live.end(), first,
                             [](const Kept& other, int64_t time) { return earlier(other.time, time); });
  for (; at != live.end() && at->time <= last; ++at) {
    if (end_of(left ? JoinSide::kRight : JoinSide::kLeft, at->time) <= watermark_) continue;  // not swept yet
    out.pairs.push_back(left ? JoinedPair{row.row, at->row, row.time, at->time}
                             : JoinedPair{at->row, row.row, at->time, row.time});
  }
}

Status IntervalJoin::add(JoinSide side, columnar::Array batch, std::span<const std::string_view> keys,
                         std::span<const int32_t> key_index, std::span<const int64_t> timestamps, Joined& out) {
  const auto without = std::find(timestamps.begin(), timestamps.end(), kNoTimestamp);
  if (without != timestamps.end()) {
    return Status(CLUTCH_ERR_VALUE, "row " + std::to_string(without - timestamps.begin()) + " of the " +
                                        (side == JoinSide::kLeft ? "left" : "right") +
                                        " input of an interval join has no timestamp; assign timestamps and "
                                        "watermarks to the stream before the join");
  }
  const auto own = static_cast<size_t>(side);
  RowShelf& shelf = shelves_[own];
  const uint32_t number = shelf.add(std::move(batch));
  of_batch_.assign(keys.size(), nullptr);
  for (size_t i = 0; i < timestamps.size(); ++i) {
    if (timestamps[i] < watermark_) {
      out.late.push_back(static_cast<int32_t>(i));
      continue;
    }
    PerKey*& per_key = of_batch_[static_cast<size_t>(key_index[i])];
    if (per_key == nullptr) {
      const std::string_view key = keys[static_cast<size_t>(key_index[i])];
      auto found = keys_.find(key);
      if (found == keys_.end()) found = keys_.try_emplace(std::string(key)).first;
      per_key = &found->second;
    }
    const Kept row{timestamps[i], {number, static_cast<int32_t>(i)}};
    (*per_key)[own].insert(row);
    shelf.keep(number);
    ++rows_;
    join(side, row, (*per_key)[1 - own], out);
  }
  return {};
}

void IntervalJoin::advance_watermark(int64_t watermark) {
  if (watermark <= watermark_) return;
  watermark_ = watermark;
  if (rows_ >= sweep_at_) sweep();
}

void IntervalJoin::sweep() {
  for (auto at = keys_.begin(); at != keys_.end();) {
    bool empty = true;
    for (const JoinSide side : {JoinSide::kLeft, JoinSide::kRight}) {
      Rows& rows = at->second[static_cast<size_t>(side)];
      while (rows.first < rows.kept.size() && end_of(side, rows.kept[rows.first].time) <= watermark_) {
        shelves_[static_cast<size_t>(side)].release(rows.kept[rows.first].row);
        ++rows.first;
        --rows_;
      }
      if (rows.first * 2 >= rows.kept.size()) {
        rows.kept.erase(rows.kept.begin(), rows.kept.begin() + static_cast<std::ptrdiff_t>(rows.first));
        rows.first = 0;
      }
      empty = empty && rows.kept.empty();
    }
    at = empty ? keys_.erase(at) : std::next(at);
  }
  sweep_at_ = std::max(kFewRows, rows_ * 2);
}

void IntervalJoin::settle() {
  for (RowShelf& shelf : shelves_) shelf.settle();
}

}  // namespace clutch::engine
