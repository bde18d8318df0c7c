// Reads the records of one range of a file into a builder, piece by piece.
#pragma once

#include <cstdint>
#include <optional>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "source/files/decoder.h"
#include "source/files/range.h"
#include "source/files/text_file.h"

namespace clutch::engine {

class RangeReader {
 public:
  // Borrows both.
  RangeReader(const FilesSpec& spec, Decoder& decoder) : spec_(spec), decoder_(decoder) {}

  // What the end of the file is: the last of it (a record without a line end counts), or where it may grow.
  enum class FileEnd : uint8_t { kLast, kGrows };

  // Begin with a range; reading goes on where its `next` is. Fails where the file or its header cannot be read. False:
  // a growing file has no whole header yet, so there is nothing to read.
  Result<bool> open(FileRange range, FileEnd end);
  bool is_open() const { return file_.has_value(); }
  void close() { file_.reset(); }
  // The range with `next` as it stands.
  const FileRange& range() const { return range_; }

  // Append records until the builder has `rows`, `bytes` of text were read, or the range is at its end: false then, and
  // the range is closed. Bad records fail by file and line, or are counted in `skipped`.
  Result<bool> read(int64_t rows, int64_t bytes, columnar::ArrayBuilder& out, int64_t& skipped);

 private:
  Result<bool> pass_header(FileEnd end, int64_t* ret_behind);
  Status pass_started_record();
  Status bad_record(const Status& status) const;

  const FilesSpec& spec_;
  Decoder& decoder_;
  FileRange range_;
  FileEnd end_ = FileEnd::kLast;
  std::optional<TextFile> file_;
};

}  // namespace clutch::engine
