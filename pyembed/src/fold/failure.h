// What the executors by group say when something fails: the row's or the group's sentence, with its details.
#pragma once

#include <string>
#include <string_view>

#include "clutch/abi/batch.h"
#include "convert/convert.h"
#include "errors/exception.h"
#include "loading/spec.h"
#include "table/host.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {

// The failures of one batch.
class Failures {
 public:
  Failures(Interpreter& interpreter, const FunctionSpec& spec, const Host& host, const clutch_batch& batch,
           Watch& watch)
      : interpreter_(interpreter), spec_(spec), host_(host), batch_(batch), watch_(watch) {}

  // Between two stretches of rows: is it time to stop? A status means yes.
  Status poll(int64_t row) const;

  // A call for this row raised; the exception is taken from the thread. `what` goes before the row in the sentence:
  // " retract()". `ret_fatal` says that no policy of the function may pass over it.
  Status row(const Gil& gil, int64_t row, std::string_view what, bool& ret_fatal);
  // The values of this row could not be read.
  Status reading(const Gil& gil, int64_t row, const std::string& column);
  // A value of this row has no place in Python.
  Status unfit(int64_t row, const std::string& why) const;
  // A call for a group raised: "function "f" merge() of key 'a': ValueError: ...".
  Status group(const Gil& gil, std::string_view what, const std::string& key);
  // What such a call gave does not fit.
  Status misfit(std::string_view what, const std::string& key, std::string_view subject, Mismatch mismatch) const;
  // Anything else about a batch, in a sentence after the function's name.
  Status plain(int32_t code, const std::string& what, int32_t origin = CLUTCH_ORIGIN_USER) const;

  // What is told from here on is about this step of a chain and not about the function; NULL: about the function.
  void blame(const StepSpec* step) { blamed_ = step; }
  // A status of somebody else, with the details of this batch, and of a row unless it is -1.
  Status told(Status status, int64_t row) const;
  // "function "f"", as sentences begin.
  std::string name() const { return "function \"" + who() + "\""; }

  // Put a row aside as on_error says, which is not fail. A status means that the batch fails.
  Status drop_row(int64_t row, const Status& why, clutch_error* error) const;

 private:
  Status raised(const Gil& gil, const std::string& where, int64_t row, bool& ret_fatal);
  const std::string& who() const { return blamed_ != nullptr ? blamed_->name : spec_.name; }

  Interpreter& interpreter_;
  const FunctionSpec& spec_;
  const Host& host_;
  const clutch_batch& batch_;
  Watch& watch_;
  const StepSpec* blamed_ = nullptr;
  int described_ = 0;  // errors told with a traceback so far
};

}  // namespace clutch::pyembed
