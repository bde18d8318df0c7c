#include <algorithm>
#include <optional>

#include "checkpoint/keyed_part.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/row_codec.h"
#include "clutch/columnar/validate.h"
#include "join/interval_join.h"
#include "state/coding.h"

namespace clutch::engine {
namespace {

constexpr char kVersion = 1;
constexpr std::array<JoinSide, 2> kSides = {JoinSide::kLeft, JoinSide::kRight};

using Codecs = std::vector<columnar::RowCodec>;  // by side

Result<Codecs> codecs_of(const std::array<RowShelf, 2>& shelves) {
  Codecs codecs;
  for (const RowShelf& shelf : shelves) {
    Result<columnar::RowCodec> codec = columnar::RowCodec::make(shelf.field());
    if (!codec.ok()) return codec.status();
    codecs.push_back(std::move(*codec));
  }
  return codecs;
}

}  // namespace

std::string IntervalJoin::shape() const {
  return "rows of an interval join of left " + columnar::to_string(shelves_[0].field().type) + " and right " +
         columnar::to_string(shelves_[1].field().type) + ", " + std::to_string(interval_.lower) + " ms to " +
         std::to_string(interval_.upper) + " ms behind the left";
}

Result<std::map<int32_t, std::string>> IntervalJoin::snapshot(const KeyGroups& groups) const {
  CLUTCH_ASSIGN_OR_RETURN(const Codecs codecs, codecs_of(shelves_));
  std::map<int32_t, std::vector<const Keys::value_type*>> by_group;
  const auto begin_of = [this](const PerKey& rows, JoinSide side) {
    const std::span<const Kept> live = rows[static_cast<size_t>(side)].live();
    return std::find_if(live.begin(), live.end(),
                        [&](const Kept& kept) { return end_of(side, kept.time) > watermark_; }) -
           live.begin();
  };
  const auto rows_of = [&](const PerKey& rows, JoinSide side) {
    return rows[static_cast<size_t>(side)].live().subspan(static_cast<size_t>(begin_of(rows, side)));
  };
  for (const Keys::value_type& one : keys_) {
    const bool holds =
        std::any_of(kSides.begin(), kSides.end(), [&](JoinSide side) { return !rows_of(one.second, side).empty(); });
    if (holds) by_group[groups.group_of(one.first)].push_back(&one);
  }
  std::map<int32_t, std::string> out;
  std::string row;
  for (auto& [group, keys] : by_group) {
    std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    std::string bytes(1, kVersion);
    put_number(keys.size(), bytes);
    for (const Keys::value_type* one : keys) {
      put_bytes(one->first, bytes);
      for (const JoinSide side : kSides) {
        const std::span<const Kept> rows = rows_of(one->second, side);
        put_number(rows.size(), bytes);
        for (const Kept& kept : rows) {
          put_time(kept.time, bytes);
          row.clear();
          codecs[static_cast<size_t>(side)].encode(shelf(side).batch(kept.row.array), kept.row.row, row);
          put_bytes(row, bytes);
        }
      }
    }
    out.emplace(group, std::move(bytes));
  }
  return out;
}

Status IntervalJoin::restore(const KeyGroups& groups, int32_t group, std::string_view snapshot) {
  CLUTCH_ASSIGN_OR_RETURN(const Codecs codecs, codecs_of(shelves_));
  struct Read {
    PerKey* key;
    int64_t time;
  };
  std::array<std::vector<Read>, 2> read;  // by side, as in the builders
  std::vector<columnar::ArrayBuilder> builders;
  for (const RowShelf& shelf : shelves_) builders.emplace_back(shelf.field());
  SnapshotReader in(snapshot);
  if (in.byte() != kVersion) in.fail("its version is not 1");
  const uint64_t keys = in.number();
  // Counts are not believed: the loops end with the bytes.
  for (uint64_t i = 0; i < keys && !in.failed(); ++i) {
    std::string key = in.bytes();
    if (in.failed()) break;
    if (groups.group_of(key) != group) return key_of_another_group(group, groups.group_of(key));
    const auto [at, added] = keys_.try_emplace(std::move(key));
    if (!added) in.fail("a key is there twice");
    for (size_t side = 0; side < kSides.size(); ++side) {
      const uint64_t rows = in.number();
      for (uint64_t row = 0; row < rows && !in.failed(); ++row) {
        const int64_t time = in.time();
        const std::string_view bytes = in.view();
        if (in.failed()) break;
        if (time == kNoTimestamp) in.fail("a row has no timestamp");
        CLUTCH_RETURN_IF_ERROR(codecs[side].decode(bytes, builders[side]));
        read[side].push_back({&at->second, time});
      }
    }
  }
  if (!in.failed() && !in.at_end()) in.fail("something follows its end");
  if (in.failed()) return in.status();
  for (size_t side = 0; side < kSides.size(); ++side) {
    if (read[side].empty()) continue;
    columnar::Array batch = builders[side].finish();
    CLUTCH_RETURN_IF_ERROR(columnar::validate(shelves_[side].field(), *batch, columnar::Depth::kFull));
    const uint32_t number = shelves_[side].add(std::move(batch));
    for (size_t row = 0; row < read[side].size(); ++row) {
      (*read[side][row].key)[side].insert({read[side][row].time, {number, static_cast<int32_t>(row)}});
      shelves_[side].keep(number);
      ++rows_;
    }
  }
  return {};
}

}  // namespace clutch::engine
