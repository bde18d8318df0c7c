#include "source/files/watching_reader.h"

#include <atomic>
#include <map>
#include <string>
#include <utility>

#include "source/common/element_batch.h"
#include "source/common/wait_point.h"
#include "source/files/decoder.h"
#include "source/files/listing.h"
#include "source/files/position.h"
#include "source/files/range_reader.h"

namespace clutch::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kBatchBytes = 4 << 20;

// FNV-1a: the same in every process, so that a restored subtask finds its files again.
uint64_t hash_of(std::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211U;
  return hash;
}

class WatchingFilesReader final : public SourceReader {
 public:
  WatchingFilesReader(const FilesSpec& spec, const columnar::Field& element, const SourceContext& context,
                      std::string_view place)
      : spec_(spec), place_(place), element_(element), context_(context), values_(element) {}

  Status open() override {
    CLUTCH_ASSIGN_OR_RETURN(decoder_, make_decoder(spec_, element_, place_));
    reader_.emplace(spec_, *decoder_);
    return look();
  }

  Result<Polled> poll(std::optional<Deadline> until) override {
    while (true) {
      if (Clock::now() >= next_look_) CLUTCH_RETURN_IF_ERROR(look());
      CLUTCH_RETURN_IF_ERROR(read());
      if (values_.length() > 0) return Polled{Polled::Kind::kBatch, element_batch(values_)};
      CLUTCH_ASSIGN_OR_RETURN(const WaitPoint::Came came, waker_.wait(earlier(until, next_wait())));
      if (came == WaitPoint::Came::kWoken || (until && Clock::now() >= *until)) return Polled{};
    }
  }

  void wake() override { waker_.wake(); }

  Result<std::string> position() override {
    FilesPosition position{/*watching=*/true, context_.subtask, context_.parallelism, {}, {}};
    for (const auto& [path, file] : files_) position.watched.push_back({path, file.inode, file.next});
    return write_position(position);
  }

  Status restore(const std::string& position) override {
    CLUTCH_ASSIGN_OR_RETURN(const FilesPosition read, read_position(position, /*watching=*/true, context_));
    for (const WatchedFile& file : read.watched) {
      Watched& watched = files_[file.path];
      watched.inode = file.inode;
      watched.next = file.next;
    }
    return {};
  }

  int64_t skipped() const override { return skipped_.load(std::memory_order_relaxed); }

 private:
  struct Watched {
    uint64_t inode = 0;
    int64_t next = 0;
    int64_t size = -1;       // at the last look; -1: not seen yet
    bool unread = false;     // has bytes that were not looked at
    Clock::time_point grew;  // when the size was seen to change
    bool seen = false;       // in the look that is going on
  };

  // Bring files_ up to what is there now.
  Status look() {
    const auto now = Clock::now();
    next_look_ = now + std::chrono::milliseconds(*spec_.watch_ms);
    CLUTCH_ASSIGN_OR_RETURN(const std::vector<FoundFile> found, list_files(spec_.path, spec_.recursive));
    for (auto& [path, file] : files_) file.seen = false;
    for (const FoundFile& file : found) {
      if (hash_of(file.path) % static_cast<uint64_t>(context_.parallelism) != static_cast<uint64_t>(context_.subtask))
        continue;
      CLUTCH_RETURN_IF_ERROR(update(file, now));
    }
    std::erase_if(files_, [&](const auto& entry) {
      if (!entry.second.seen && reader_->is_open() && reader_->range().path == entry.first) reader_->close();
      return !entry.second.seen;
    });
    return {};
  }

  Status update(const FoundFile& file, Clock::time_point now) {
    Watched& watched = files_[file.path];
    watched.seen = true;
    if (watched.inode != file.inode) {
      if (reader_->is_open() && reader_->range().path == file.path) reader_->close();
      watched = Watched{file.inode, 0, -1, false, now, true};
    }
    if (file.size < watched.next) {
      const Status shorter(CLUTCH_ERR_NOT_FOUND,
                           "the file \"" + file.path + "\" has " + std::to_string(file.size) +
                               " bytes, and was read up to byte " + std::to_string(watched.next) +
                               "; a file that is watched may only grow: replace it by a new file instead",
                           CLUTCH_ORIGIN_USER);
      CLUTCH_RETURN_IF_ERROR(pass_over(shorter));
      watched.next = file.size;
    }
    if (file.size != watched.size) {
      watched.size = file.size;
      watched.grew = now;
      watched.unread = true;
    }
    return {};
  }

  // Append what there is, up to a batch.
  Status read() {
    int64_t bytes = kBatchBytes;
    const auto now = Clock::now();
    for (auto& [path, file] : files_) {
      const bool settled = file.next < file.size && now >= file.grew + std::chrono::milliseconds(spec_.settle_ms);
      if (!file.unread && !settled) continue;
      if (reader_->is_open() && reader_->range().path != path) reader_->close();
      if (!reader_->is_open()) {
        const auto end = settled ? RangeReader::FileEnd::kLast : RangeReader::FileEnd::kGrows;
        auto opened = reader_->open({path, 0, INT64_MAX, file.next == 0 ? -1 : file.next}, end);
        if (!opened.ok()) {
          CLUTCH_RETURN_IF_ERROR(pass_over(opened.status()));
          file.next = file.size;
        }
        if (!opened.ok() || !*opened) {
          file.unread = false;
          continue;
        }
      }
      int64_t skipped = 0;
      auto more = reader_->read(context_.batch_rows, bytes, values_, skipped);
      skipped_.fetch_add(skipped, std::memory_order_relaxed);
      bytes -= reader_->range().next - file.next;
      file.next = reader_->range().next;
      if (!more.ok()) {
        CLUTCH_RETURN_IF_ERROR(pass_over(more.status()));
        reader_->close();
        file.next = file.size;
      }
      file.unread = more.ok() && *more;
      if (values_.length() >= context_.batch_rows || bytes <= 0) break;
    }
    return {};
  }

  // When there is something to do without being told: the next look, or a last line that settles.
  Deadline next_wait() const {
    Deadline next = next_look_;
    for (const auto& [path, file] : files_) {
      if (file.unread) return Clock::now();
      if (file.next < file.size) next = std::min(next, file.grew + std::chrono::milliseconds(spec_.settle_ms));
    }
    return next;
  }

  // What is wrong with one file is passed over like a bad record, where that is asked for.
  Status pass_over(const Status& status) {
    if (!spec_.skip) return status;
    skipped_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }

  const FilesSpec spec_;
  const std::string place_;
  const columnar::Field element_;
  const SourceContext context_;
  columnar::ArrayBuilder values_;
  std::unique_ptr<Decoder> decoder_;
  std::optional<RangeReader> reader_;
  std::map<std::string, Watched> files_;
  Clock::time_point next_look_;
  WaitPoint waker_;
  std::atomic<int64_t> skipped_ = 0;
};

}  // namespace

std::unique_ptr<SourceReader> watching_files_reader(const FilesSpec& spec, const columnar::Field& element,
                                                    const SourceContext& context, std::string_view place) {
  return std::make_unique<WatchingFilesReader>(spec, element, context, place);
}

}  // namespace clutch::engine
