#include "source/files/bounded_reader.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "source/common/element_batch.h"
#include "source/files/decoder.h"
#include "source/files/position.h"
#include "source/files/range_reader.h"

namespace clutch::engine {
namespace {

constexpr int64_t kBatchBytes = 4 << 20;

class BoundedFilesReader final : public SourceReader {
 public:
  BoundedFilesReader(std::shared_ptr<FilePlan> plan, const columnar::Field& element, const SourceContext& context,
                     std::string_view place)
      : plan_(std::move(plan)), place_(place), element_(element), context_(context), values_(element) {}

  Status open() override {
    CLUTCH_ASSIGN_OR_RETURN(decoder_, make_decoder(plan_->spec(), element_, place_));
    reader_.emplace(plan_->spec(), *decoder_);
    if (!restored_) {
      CLUTCH_ASSIGN_OR_RETURN(ranges_, plan_->ranges_of(context_.subtask, context_.parallelism));
    }
    return {};
  }

  Result<Polled> poll(std::optional<Deadline>) override {
    int64_t bytes = kBatchBytes;
    while (values_.length() < context_.batch_rows && bytes > 0) {
      if (!reader_->is_open()) {
        if (current_ == ranges_.size()) break;
        if (auto opened = reader_->open(ranges_[current_], RangeReader::FileEnd::kLast); !opened.ok()) {
          CLUTCH_RETURN_IF_ERROR(give_up(opened.status()));
          continue;
        }
      }
      int64_t skipped = 0;
      const int64_t before = reader_->range().next;
      const int64_t length = values_.length();
      auto more = reader_->read(context_.batch_rows, bytes, values_, skipped);
      skipped_.fetch_add(skipped, std::memory_order_relaxed);
      bytes -= reader_->range().next - before;
      ranges_[current_].next = reader_->range().next;
      if (!more.ok()) {
        CLUTCH_RETURN_IF_ERROR(give_up(more.status()));
      } else if (!*more) {
        ++current_;
      } else if (values_.length() == length) {
        break;  // bad records filled what one poll reads
      }
    }
    if (values_.length() > 0) return Polled{Polled::Kind::kBatch, element_batch(values_)};
    return Polled{current_ == ranges_.size() ? Polled::Kind::kEnded : Polled::Kind::kNothing, {}};
  }

  void wake() override {}  // never waits

  Result<std::string> position() override {
    FilesPosition position{/*watching=*/false, context_.subtask, context_.parallelism, {}, {}};
    position.ranges.assign(ranges_.begin() + static_cast<long>(current_), ranges_.end());
    return write_position(position);
  }

  Status restore(const std::string& position) override {
    CLUTCH_ASSIGN_OR_RETURN(FilesPosition read, read_position(position, /*watching=*/false, context_));
    ranges_ = std::move(read.ranges);
    restored_ = true;
    return {};
  }

  int64_t skipped() const override { return skipped_.load(std::memory_order_relaxed); }

 private:
  // A file that cannot be read is passed over like a bad record, where that is asked for.
  Status give_up(const Status& status) {
    if (!plan_->spec().skip) return status;
    skipped_.fetch_add(1, std::memory_order_relaxed);
    reader_->close();
    ++current_;
    return {};
  }

  const std::shared_ptr<FilePlan> plan_;
  const std::string place_;
  const columnar::Field element_;
  const SourceContext context_;
  columnar::ArrayBuilder values_;
  std::unique_ptr<Decoder> decoder_;
  std::optional<RangeReader> reader_;
  std::vector<FileRange> ranges_;
  size_t current_ = 0;  // the range that is read, or is next
  bool restored_ = false;
  std::atomic<int64_t> skipped_ = 0;
};

}  // namespace

std::unique_ptr<SourceReader> bounded_files_reader(std::shared_ptr<FilePlan> plan, const columnar::Field& element,
                                                   const SourceContext& context, std::string_view place) {
  return std::make_unique<BoundedFilesReader>(std::move(plan), element, context, place);
}

}  // namespace clutch::engine
