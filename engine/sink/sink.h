// Where elements go: one writer for each subtask of a sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

struct SinkContext {
  int32_t subtask = 0;
  int32_t parallelism = 1;
  std::string job_name;
};

// Used by the thread of its subtask.
class SinkWriter {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  virtual ~SinkWriter() = default;

  virtual Status open() = 0;
  // Rows of struct<value: the element's type, timestamp: int64 nullable>, borrowed. After an error the writer is only
  // closed.
  virtual Status write(const ArrowArray& batch) = 0;
  // The same for a batch that the writer may keep.
  virtual Status take(columnar::Array batch) { return write(*batch); }
  // When tick() must be called at the latest, for files that roll by time; nothing: no need.
  virtual std::optional<Deadline> next_tick() const { return std::nullopt; }
  virtual Status tick() { return Status(); }
  // The input has ended: what was written is to be there for others. Not called after a failure or a cancel.
  virtual Status finish() = 0;
  // Frees everything, in every case; what was not finished is left as an unfinished file is.
  virtual void close() = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  // `element` is the type of the elements, the field `value`. CLUTCH_ERR_UNSUPPORTED names a type that cannot be
  // written.
  virtual Result<std::unique_ptr<SinkWriter>> writer(const columnar::Field& element,
                                                     const SinkContext& context) const = 0;
};

}  // namespace clutch::engine
