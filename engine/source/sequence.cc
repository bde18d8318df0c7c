#include "source/sequence.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "clutch/columnar/builder.h"
#include "job/members.h"
#include "source/no_timestamps.h"

namespace clutch::engine {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

class SequenceReader final : public SourceReader {
 public:
  SequenceReader(uint64_t first, uint64_t count, const SourceContext& context, columnar::Field element)
      : first_(first), context_(context), value_(element) {
    const auto step = static_cast<uint64_t>(context.parallelism);
    const auto own = static_cast<uint64_t>(context.subtask);
    // How many of the numbers own, own + step, ... are below count.
    left_ = count > own ? (count - own - 1) / step + 1 : 0;
    total_ = left_;
  }

  Status open() override { return {}; }

  Result<Polled> poll(std::optional<Deadline>) override {
    if (left_ == 0) return Polled{Polled::Kind::kEnded, {}};
    const auto rows = static_cast<int64_t>(std::min(left_, static_cast<uint64_t>(context_.batch_rows)));
    const auto step = static_cast<uint64_t>(context_.parallelism);
    uint64_t next = first_ + static_cast<uint64_t>(context_.subtask) + (total_ - left_) * step;
    value_.reserve(rows);
    value_.data().resize(rows * 8);
    auto* values = reinterpret_cast<int64_t*>(value_.data().data());
    for (int64_t row = 0; row < rows; ++row, next += step) values[row] = static_cast<int64_t>(next);
    value_.advance(rows);
    left_ -= static_cast<uint64_t>(rows);
    std::vector<columnar::Array> columns;
    columns.push_back(value_.finish());
    columns.push_back(timestamps_.column(rows));
    return Polled{Polled::Kind::kBatch, columnar::make_batch(rows, std::move(columns))};
  }

  void wake() override {}  // poll() never waits

  Result<std::string> position() override { return std::to_string(total_ - left_); }

  Status restore(const std::string& position) override {
    uint64_t given = 0;
    const char* const end = position.data() + position.size();
    const auto [rest, error] = std::from_chars(position.data(), end, given);
    if (error != std::errc() || rest != end || given > total_) {
      return Status(CLUTCH_ERR_DATA,
                    "\"" + position + "\" is no position of a sequence of " + std::to_string(total_) + " numbers");
    }
    left_ = total_ - given;
    return {};
  }

 private:
  // Unsigned, so that a sequence over the whole range counts without overflow.
  const uint64_t first_;
  const SourceContext context_;
  uint64_t total_ = 0;
  uint64_t left_ = 0;
  columnar::ArrayBuilder value_;
  NoTimestamps timestamps_;
};

class Sequence final : public Source {
 public:
  Sequence(columnar::Field element, uint64_t first, uint64_t count)
      : element_(std::move(element)), first_(first), count_(count) {}

  const columnar::Field& element() const override { return element_; }
  bool bounded() const override { return true; }
  int32_t highest_parallelism() const override { return std::numeric_limits<int32_t>::max(); }
  Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const override {
    return std::unique_ptr<SourceReader>(new SequenceReader(first_, count_, context, element_));
  }

 private:
  columnar::Field element_;
  uint64_t first_;
  uint64_t count_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_sequence(const SourceSpec& spec) {
  CLUTCH_ASSIGN_OR_RETURN(const nlohmann::json json, parse_json(spec.members));
  Members members(json, spec.place);
  members.text("type");
  const int64_t first = members.integer("first", kLowest, kHighest);
  const int64_t last = members.integer("last", kLowest, kHighest);
  const auto count = last < first ? 0 : static_cast<uint64_t>(last) - static_cast<uint64_t>(first) + 1;
  if (members.ok() && last >= first && count == 0) {
    members.fail("last", "the sequence has 2^64 numbers, which is one too many");
  }
  CLUTCH_RETURN_IF_ERROR(members.end());
  if (spec.element.type.id != columnar::TypeId::kInt64) {
    return place_error(spec.place,
                       "a sequence gives int64, and the output is " + columnar::to_string(spec.element.type));
  }
  return std::unique_ptr<Source>(new Sequence(spec.element, static_cast<uint64_t>(first), count));
}

}  // namespace clutch::engine
