// What becomes of the tracker's actions: events for the runtime, with the elements kept where they belong.
//
// Windows that reduce or aggregate keep an accumulator each, which is the runtime's to make and the host's to hold:
// every action is an event. Windows that are applied to keep their elements, which never leave the engine until their
// window fires: then they go as events before the kFire.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/row_codec.h"
#include "clutch/columnar/type.h"
#include "state/backend.h"
#include "window/event_batch.h"
#include "window/evictor.h"
#include "window/tracker.h"

namespace clutch::engine {

// The elements of one batch.
struct WindowElements {
  std::vector<const ArrowArray*> values;  // a column for each input
  std::span<const int8_t> inputs;         // of each row; empty: there is one input
  std::span<const int64_t> timestamps;

  size_t input_of(int64_t row) const {
    return inputs.empty() ? 0 : static_cast<size_t>(inputs[static_cast<size_t>(row)]);
  }
};

class WindowContents {
 public:
  virtual ~WindowContents() = default;

  // Actions that name rows of `elements`, or (NULL) none, in order.
  virtual Status run(const WindowActions& actions, const WindowElements* elements, WindowEventBatch& out) = 0;
  // The columns of values behind the events, as finish() wants them: good until the next reset().
  virtual std::vector<WindowEventBatch::Values> values(const WindowElements* elements) = 0;
  // The events were finished.
  virtual void reset() {}
};

// For reduce and aggregate. The events of a batch must be finished before the next one runs.
class FoldedContents final : public WindowContents {
 public:
  // `clears`: the runtime is to be told when a window is over.
  FoldedContents(columnar::Field value, bool clears);

  Status run(const WindowActions& actions, const WindowElements* elements, WindowEventBatch& out) override;
  std::vector<WindowEventBatch::Values> values(const WindowElements* elements) override;

 private:
  columnar::Field value_;
  bool clears_;
  columnar::Array none_;  // no rows
};

// For apply, process, joins and co-groups: one or two inputs.
class ListedContents final : public WindowContents {
 public:
  // Keeps the elements in the list state "window-contents" of `backend`, by key and window; `backend` and `keys` must
  // outlive it. CLUTCH_ERR_UNSUPPORTED for a type without a row codec.
  static Result<ListedContents> make(std::vector<columnar::Field> inputs, StateBackend& backend, const KeyTable& keys,
                                     std::optional<Evictor> evictor, bool clears);

  Status run(const WindowActions& actions, const WindowElements* elements, WindowEventBatch& out) override;
  // The column `input` (int8) first where there are two inputs.
  std::vector<WindowEventBatch::Values> values(const WindowElements* elements) override;
  void reset() override;

 private:
  // One element as it is kept: 8 bytes timestamp | 1 byte input | row codec.
  struct Kept {
    int64_t timestamp;
    size_t input;
    std::string_view value;
  };

  ListedContents(StateBackend& backend, const KeyTable& keys, std::optional<Evictor> evictor, bool clears)
      : backend_(&backend), keys_(&keys), evictor_(evictor), clears_(clears) {}
  StateAddress address(KeyId key, Window state);
  Status keep(const WindowAction& action, const WindowElements& elements);
  Status fire(const WindowAction& action, WindowEventBatch& out);
  Status add_value(const Kept& element);

  StateBackend* backend_;
  const KeyTable* keys_;
  std::optional<Evictor> evictor_;
  bool clears_;
  StateId state_ = 0;
  std::vector<columnar::Field> fields_;
  std::vector<columnar::RowCodec> codecs_;
  std::vector<columnar::ArrayBuilder> builders_;  // one an input, all of one length
  std::vector<int8_t> inputs_;                    // of the rows in builders_
  columnar::Field input_field_;
  std::vector<columnar::Array> finished_;
  std::string space_;
  std::string item_;
};

}  // namespace clutch::engine
