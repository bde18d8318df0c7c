#include "source/files/range_reader.h"

#include <algorithm>
#include <string>

namespace clutch::engine {

Status RangeReader::bad_record(const Status& status) const {
  // Why only now: lines are not counted while all is well, and a range does not know how many were before it.
  auto line = line_at(range_.path, spec_.charset, file_->position());
  const std::string place = line.ok() ? ":" + std::to_string(*line) : ", byte " + std::to_string(file_->position());
  return Status(status).prefixed(range_.path + place);
}

Result<bool> RangeReader::pass_header(FileEnd end, int64_t* ret_behind) {
  CLUTCH_ASSIGN_OR_RETURN(file_, TextFile::open(range_.path, spec_.charset));
  while (true) {
    const bool last = end == FileEnd::kLast && file_->at_end();
    auto size = decoder_.header(file_->text(), last);
    if (!size.ok()) return bad_record(size.status());
    if (*size >= 0) {
      file_->consume(static_cast<size_t>(*size));
      // Without a header there is nothing to keep clear of.
      *ret_behind = *size == 0 ? 0 : file_->position();
      return true;
    }
    if (file_->at_end()) {
      file_.reset();
      return false;
    }
    CLUTCH_RETURN_IF_ERROR(file_->fill());
  }
}

// A range begins in the middle of a record of the one before it, unless that ends just there.
Status RangeReader::pass_started_record() {
  while (true) {
    const size_t newline = file_->text().find('\n');
    if (newline != std::string_view::npos) {
      file_->consume(newline + 1);
      return {};
    }
    file_->consume(file_->text().size());
    if (file_->at_end() || file_->position() >= range_.end) return {};
    CLUTCH_RETURN_IF_ERROR(file_->fill());
  }
}

Result<bool> RangeReader::open(FileRange range, FileEnd end) {
  range_ = std::move(range);
  end_ = end;
  int64_t behind_header = 0;
  CLUTCH_ASSIGN_OR_RETURN(const bool ready, pass_header(end, &behind_header));
  if (!ready) return false;
  const bool begun = range_.next >= 0;
  const int64_t start = begun ? range_.next : range_.start;
  if (start <= behind_header) {
    // The file stands behind its header, or at its front.
  } else if (begun) {
    CLUTCH_ASSIGN_OR_RETURN(file_, TextFile::open(range_.path, spec_.charset, start));
  } else {
    CLUTCH_ASSIGN_OR_RETURN(file_, TextFile::open(range_.path, spec_.charset, start - 1));
    // Behind a byte order mark a record begins, wherever in it the range does.
    if (file_->position() < start) CLUTCH_RETURN_IF_ERROR(pass_started_record());
  }
  range_.next = file_->position();
  return true;
}

Result<bool> RangeReader::read(int64_t rows, int64_t bytes, columnar::ArrayBuilder& out, int64_t& skipped) {
  while (true) {
    DecodeLimits limits;
    limits.rows = rows;
    limits.bytes = bytes;
    limits.last = end_ == FileEnd::kLast && file_->at_end();
    if (range_.end != INT64_MAX) limits.end = static_cast<size_t>(std::max<int64_t>(range_.end - file_->position(), 0));
    Decoded done = decoder_.decode(file_->text(), limits, out);
    file_->consume(done.consumed);
    skipped += done.skipped;
    bytes -= static_cast<int64_t>(done.consumed);
    range_.next = file_->position();
    if (!done.status.ok()) return bad_record(done.status);
    if (range_.next >= range_.end) break;
    if (out.length() >= rows || bytes <= 0) return true;
    if (file_->at_end()) {
      if (range_.end == INT64_MAX || end_ == FileEnd::kGrows) break;
      const int64_t size = range_.next + static_cast<int64_t>(file_->text().size());
      return Status(CLUTCH_ERR_NOT_FOUND,
                    "the file \"" + range_.path + "\" ends at byte " + std::to_string(size) + ", and had " +
                        std::to_string(range_.end) + " when it was listed; do not shorten files while they are read",
                    CLUTCH_ORIGIN_USER);
    }
    CLUTCH_RETURN_IF_ERROR(file_->fill());
    if (file_->at_end() && end_ == FileEnd::kLast) file_->finish();
  }
  file_.reset();
  return false;
}

}  // namespace clutch::engine
