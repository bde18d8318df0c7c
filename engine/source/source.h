// Where elements come from: one reader for each subtask of a source.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "clutch/clutch.hpp"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "runtime/function_definition.h"

namespace clutch::engine {

// What a reader is made with.
struct SourceContext {
  int32_t subtask = 0;
  int32_t parallelism = 1;
  int64_t batch_rows = 4096;  // rows a batch at most
  // For sources in Python: who runs the function, which the reader copies, and what it is told.
  const Host* host = nullptr;
  const FunctionDefinition* function = nullptr;
  int32_t max_parallelism = 128;
};

// Used by the thread of its subtask, but for prepare(), wake() and cancel().
class SourceReader {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  struct Polled {
    enum class Kind : uint8_t {
      kBatch,    // `batch` has at least one row
      kNothing,  // nothing came until the deadline, or wake() was called
      kEnded,    // nothing will come any more; the same from here on
    };
    Kind kind = Kind::kNothing;
    columnar::Array batch;  // struct<value: the element's type, timestamp: int64 nullable>
  };

  virtual ~SourceReader() = default;

  // By the thread that starts the job, before open(): functions are opened here. After it, close() is called in every
  // case.
  virtual Status prepare() { return {}; }

  // Files, sockets and the like are opened here. A sentence says what failed, with which value, and what to do.
  virtual Status open() = 0;

  // What is there now; if nothing is, wait until the deadline (nothing: without end). A reader gives what it has rather
  // than wait for a full batch. After an error the reader is not used any more.
  virtual Result<Polled> poll(std::optional<Deadline> until) = 0;

  // From any thread: let a poll() that waits return, or the next one if none does, so that no call is lost.
  virtual void wake() = 0;

  // From any thread, more than once: the job is to end, so what waits for others is to return soon.
  virtual void cancel() { wake(); }
  virtual Status close() { return {}; }

  // Where the reader stands, as bytes that restore() takes before open(): the elements of batches that poll() has given
  // are not given again. CLUTCH_ERR_UNSUPPORTED where the source cannot go back.
  virtual Result<std::string> position() = 0;
  virtual Status restore(const std::string& position) = 0;

  // Bad records passed over so far, where the source was told to do so. From any thread.
  virtual int64_t skipped() const { return 0; }

  // Of the function behind it, for reports, from prepare() on; empty where there is none.
  virtual std::string mode() const { return {}; }
  virtual std::string plugin() const { return {}; }
};

class Source {
 public:
  virtual ~Source() = default;
  // Type of the elements: the field `value`.
  virtual const columnar::Field& element() const = 0;
  virtual bool bounded() const = 0;
  // More subtasks than this have nothing to read.
  virtual int32_t highest_parallelism() const = 0;
  virtual Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const = 0;
};

}  // namespace clutch::engine
