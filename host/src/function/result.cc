#include "function/result.h"

#include <algorithm>
#include <limits>
#include <string>

#include "clutch/abi/status.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"

namespace clutch::host {

int32_t Outputs::last_origin() const {
  for (auto chunk = chunks_.rbegin(); chunk != chunks_.rend(); ++chunk) {
    const int64_t count = chunk->rows->length;
    if (count == 0) continue;
    if (chunk->origin.empty()) return static_cast<int32_t>(count - 1);
    return columnar::ArrayView(*chunk->origin).values<int32_t>()[count - 1];
  }
  return std::numeric_limits<int32_t>::min();
}

Status Outputs::join(const columnar::Field& field) {
  if (chunks_.size() == 1) return {};
  CLUTCH_RETURN_IF_ERROR(origin().status());
  Chunk joined;
  if (chunks_.empty()) {
    joined.rows = columnar::ArrayBuilder(field).finish();
  } else {
    std::vector<const ArrowArray*> parts;
    parts.reserve(chunks_.size());
    for (const Chunk& chunk : chunks_) parts.push_back(chunk.rows.get());
    CLUTCH_ASSIGN_OR_RETURN(joined.rows, columnar::concatenate(field, parts));
  }
  chunks_.clear();
  chunks_.push_back(std::move(joined));
  return {};
}

Result<const ArrowArray*> Outputs::rows(const columnar::Field& field) {
  CLUTCH_RETURN_IF_ERROR(join(field));
  return static_cast<const ArrowArray*>(chunks_.front().rows.get());
}

Result<const int32_t*> Outputs::origin() {
  if (origin_is_joined_) return joined_origin_.data();
  if (chunks_.size() == 1) {
    const Chunk& chunk = chunks_.front();
    return chunk.origin.empty() ? nullptr : columnar::ArrayView(*chunk.origin).values<int32_t>();
  }
  // Never nullptr, which would mean something else.
  joined_origin_.reserve(static_cast<size_t>(length_) + 1);
  for (const Chunk& chunk : chunks_) {
    const int64_t count = chunk.rows->length;
    if (chunk.origin.empty()) {
      for (int64_t row = 0; row < count; ++row) joined_origin_.push_back(static_cast<int32_t>(row));
    } else {
      const int32_t* values = columnar::ArrayView(*chunk.origin).values<int32_t>();
      joined_origin_.insert(joined_origin_.end(), values, values + count);
    }
  }
  origin_is_joined_ = true;
  return joined_origin_.data();
}

std::optional<int64_t> SourceTimes::of(int32_t origin) const {
  if (origin < 0) {
    const auto timer = static_cast<size_t>(-1 - int64_t{origin});
    return timer < timers.size() ? timers[timer] : std::nullopt;
  }
  if (rows.empty() || origin >= rows->length) return std::nullopt;
  const columnar::ArrayView view(*rows);
  if (view.is_null(origin)) return std::nullopt;
  return view.values<int64_t>()[origin];
}

Result<const ArrowArray*> Outputs::timestamps(const SourceTimes& source) {
  if (timestamps_.empty()) {
    CLUTCH_ASSIGN_OR_RETURN(const int32_t* origins, origin());
    columnar::ArrayBuilder builder(simple_field("timestamp", columnar::TypeId::kInt64, true));
    builder.reserve(length_);
    for (int64_t i = 0; i < length_; ++i) {
      const std::optional<int64_t> time = source.of(origins == nullptr ? static_cast<int32_t>(i) : origins[i]);
      if (time) {
        builder.append<int64_t>(*time);
      } else {
        builder.append_null();
      }
    }
    timestamps_ = builder.finish();
  }
  return static_cast<const ArrowArray*>(timestamps_.get());
}

Result<columnar::Array> Outputs::take(const columnar::Field& field) {
  CLUTCH_RETURN_IF_ERROR(join(field));
  columnar::Array out = std::move(chunks_.front().rows);
  *this = Outputs();
  return out;
}

}  // namespace clutch::host

clutch::Status clutch_app_result::settle_dead_letters(const ArrowArray& input) {
  namespace host = clutch::host;
  if (dead_letters.empty()) return {};
  std::sort(dead_letters.begin(), dead_letters.end(),
            [](const host::DeadLetterRow& a, const host::DeadLetterRow& b) { return a.row < b.row; });
  std::vector<int32_t> positions;
  positions.reserve(dead_letters.size());
  for (host::DeadLetterRow& letter : dead_letters) {
    positions.push_back(static_cast<int32_t>(letter.row));
    const int32_t code = letter.staged->code < 0 ? letter.staged->code : CLUTCH_ERR_INTERNAL;
    clutch::Status status = host::take_status(code, *letter.staged, "function \"" + shape->name + "\"");
    status.with(CLUTCH_DETAIL_ROW, std::to_string(letter.row));
    letter.staged.reset();
    letter.error = std::make_unique<clutch_app_error>(clutch_app_error{std::move(status)});
  }
  CLUTCH_ASSIGN_OR_RETURN(dead_letter_rows, clutch::columnar::take(shape->input, input, positions));
  return {};
}
