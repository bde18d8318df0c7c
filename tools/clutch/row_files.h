// Files of rows: text lines, CSV, or JSON lines, read in batches and written from batches.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::tool {

enum class RowFormat { kLines, kCsv, kJsonLines };

// "lines", "csv" or "jsonl".
Result<RowFormat> parse_row_format(std::string_view word);

// Reads a file, or standard input where the path is "-".
class RowReader {
 public:
  // @param columns  The columns to read, as type text; empty: one column "line" for lines, all columns as text for
  //                 CSV, and for JSON lines what the first rows (up to 1000) show.
  static Result<std::unique_ptr<RowReader>> open(const std::string& path, RowFormat format, const std::string& columns);

  struct CloseFile {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  using File = std::unique_ptr<std::FILE, CloseFile>;

  RowReader(File file, std::string path);
  virtual ~RowReader() = default;

  // Append up to max_rows rows, and to `ret_lines` the line that each begins on; fewer only at the end of the input.
  // Errors name file and line.
  Result<int64_t> read(int64_t max_rows, columnar::ArrayBuilder& out, std::vector<int64_t>& ret_lines);

  // "FILE:LINE", for messages.
  std::string place(int64_t line) const { return path_ + ":" + std::to_string(line); }

  const columnar::Field& batch() const { return batch_; }
  int64_t bytes_read() const { return bytes_read_; }
  int64_t bytes_total() const { return bytes_total_; }  // -1 where the input is no regular file.

 protected:
  // Append the next row, false at the end.
  virtual Result<bool> next(columnar::ArrayBuilder& out) = 0;
  // Settle batch_, reading ahead if need be.
  virtual Status start(const std::string& columns) = 0;

  // The next line without its end; false at the end of the input. `ret_line` lives until the next call.
  Result<bool> next_line(std::string_view* ret_line);
  // Up to 64 KiB more; empty at the end.
  Result<std::string_view> next_chunk();

  Status at_line(Status status) const;

  columnar::Field batch_;
  int64_t line_ = 0;  // Of the row last read, from 1.

 private:
  File file_;
  std::string path_;
  int64_t bytes_read_ = 0;
  int64_t bytes_total_ = -1;
  std::string chunk_;
  size_t chunk_position_ = 0;
  std::string partial_;
};

// Writes batches to a stream that stays the caller's.
class RowWriter {
 public:
  // @param name  What the stream is called in messages.
  RowWriter(std::FILE* stream, std::string name, RowFormat format, columnar::Field batch);

  // Fails with CLUTCH_ERR_NOT_FOUND and errno's text where the stream does not take it; throws Stopped where it is a
  // pipe that nobody reads. Lines take one text column (or several values, separated by tabs).
  Status write(const ArrowArray& rows);
  Status flush();

 private:
  Status write_failure() const;

  std::FILE* stream_;
  std::string name_;
  RowFormat format_;
  columnar::Field batch_;
  bool header_written_ = false;
  std::string text_;
};

}  // namespace clutch::tool
