#include "sink/files/files.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sink/files/bucket.h"
#include "sink/files/encoder.h"
#include "sink/files/part_file.h"

namespace clutch::engine {
namespace {

class FilesWriter final : public SinkWriter {
 public:
  FilesWriter(const FileSinkSpec& spec, std::unique_ptr<Encoder> encoder, const SinkContext& context, const Clock* wall,
              const Clock* steady)
      : spec_(spec),
        encoder_(std::move(encoder)),
        subtask_(context.subtask),
        wall_(wall != nullptr ? wall : &system_wall_),
        steady_(steady != nullptr ? steady : &system_steady_) {}

  // Makes a file and removes it, so that a folder that cannot be written to is told before the first element.
  Status open() override {
    const PartNames names = names_of("");
    int64_t counter = 0;
    CLUTCH_ASSIGN_OR_RETURN(const auto probe, PartFile::create(names, counter));
    return probe->discard();
  }

  Status write(const ArrowArray& batch) override {
    const int64_t now = steady_->now();
    CLUTCH_RETURN_IF_ERROR(settle_bucket());
    for (int64_t row = 0; row < batch.length; ++row) {
      if (!part_) CLUTCH_RETURN_IF_ERROR(begin(now));
      line_.clear();
      encoder_->append(*batch.children[0], batch.offset + row, line_);
      CLUTCH_RETURN_IF_ERROR(part_->append(line_));
      written_ = now;
      if (spec_.roll_bytes && part_->size() >= *spec_.roll_bytes) CLUTCH_RETURN_IF_ERROR(finish());
    }
    return roll(now);
  }

  std::optional<Deadline> next_tick() const override {
    if (!part_) return std::nullopt;
    std::optional<int64_t> due;
    if (spec_.roll_ms) due = begun_ + *spec_.roll_ms;
    if (spec_.inactive_ms) due = std::min(due.value_or(INT64_MAX), written_ + *spec_.inactive_ms);
    // A bucket ends when the clock says so, which no arithmetic on a pattern finds out.
    if (!spec_.bucket.empty()) due = std::min(due.value_or(INT64_MAX), steady_->now() + kBucketLook);
    if (!due) return std::nullopt;
    return std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max<int64_t>(*due - steady_->now(), 0));
  }

  Status tick() override {
    CLUTCH_RETURN_IF_ERROR(settle_bucket());
    return roll(steady_->now());
  }

  Status finish() override {
    if (!part_) return {};
    const std::unique_ptr<PartFile> part = std::move(part_);
    return part->finish();
  }

  void close() override { part_.reset(); }

 private:
  static constexpr int64_t kBucketLook = 1000;

  PartNames names_of(const std::string& bucket) const {
    return {bucket.empty() ? spec_.path : spec_.path + "/" + bucket, spec_.prefix, spec_.suffix, subtask_};
  }

  Status begin(int64_t now) {
    CLUTCH_ASSIGN_OR_RETURN(part_, PartFile::create(names_of(bucket_), counter_));
    begun_ = written_ = now;
    return part_->append(encoder_->header());
  }

  // What comes now goes to the bucket of now.
  Status settle_bucket() {
    std::string bucket = bucket_at(spec_.bucket, wall_->now());
    if (bucket == bucket_) return {};
    bucket_ = std::move(bucket);
    return finish();
  }

  Status roll(int64_t now) {
    if (!part_) return {};
    const bool old = spec_.roll_ms && now - begun_ >= *spec_.roll_ms;
    const bool idle = spec_.inactive_ms && now - written_ >= *spec_.inactive_ms;
    return old || idle ? finish() : Status();
  }

  const FileSinkSpec spec_;
  const std::unique_ptr<Encoder> encoder_;
  const int32_t subtask_;
  const WallClock system_wall_;
  const SteadyClock system_steady_;
  const Clock* wall_;
  const Clock* steady_;
  std::unique_ptr<PartFile> part_;
  std::string bucket_;
  int64_t counter_ = 0;
  int64_t begun_ = 0;    // of the part, on the steady clock
  int64_t written_ = 0;  // to the part
  std::string line_;
};

class FilesSink final : public Sink {
 public:
  FilesSink(FileSinkSpec spec, const Clock* wall, const Clock* steady)
      : spec_(std::move(spec)), wall_(wall), steady_(steady) {}

  Result<std::unique_ptr<SinkWriter>> writer(const columnar::Field& element,
                                             const SinkContext& context) const override {
    CLUTCH_ASSIGN_OR_RETURN(auto encoder, make_encoder(spec_, element));
    return std::unique_ptr<SinkWriter>(
        std::make_unique<FilesWriter>(spec_, std::move(encoder), context, wall_, steady_));
  }

 private:
  FileSinkSpec spec_;
  const Clock* wall_;
  const Clock* steady_;
};

}  // namespace

std::unique_ptr<Sink> files_sink(FileSinkSpec spec, const Clock* wall, const Clock* steady) {
  return std::make_unique<FilesSink>(std::move(spec), wall, steady);
}

Result<std::unique_ptr<Sink>> make_files_sink(const nlohmann::json& members, std::string_view place) {
  CLUTCH_ASSIGN_OR_RETURN(FileSinkSpec spec, read_file_sink_spec(members, place));
  return files_sink(std::move(spec));
}

}  // namespace clutch::engine
