// What the worker knows about its functions and the batch that runs: the host's side of the plugin contract, staged
// until the batch is over and then written to the OUT arena and to notes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "clutch/abi/batch.h"
#include "clutch/abi/plugin.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"
#include "protocol/arena.h"
#include "protocol/layout.h"
#include "protocol/messages.h"
#include "worker/arenas.h"
#include "worker/errors.h"

namespace clutch::pyproc {

// One section of the answer.
struct Staged {
  SectionKind kind;
  uint32_t id;
  const columnar::Field* field;
  columnar::Array array;  // empty: implied
};

struct StagedDeadLetter {
  int64_t row;
  clutch_error error;
};

// The host as the running batch asks it for what did not come with it (ask.cc). The caller holds the batch's mutex: one
// question at a time, and none once the batch is over.
class StateHost {
 public:
  // One page of a list or map state behind a cursor, as clutch_host_state.read_page gives it.
  virtual Result<columnar::Array> page(const clutch_batch_context& context, uint32_t state, int32_t key,
                                       std::string_view cursor, uint64_t max_bytes, std::string& ret_next) = 0;
  // As clutch_host_state.lookup gives it. `names` is in the schema of kStateNames.
  virtual Result<columnar::Array> look_up(const clutch_batch_context& context, uint32_t state,
                                          const ArrowArray& names) = 0;

 protected:
  ~StateHost() = default;
};

// State of the batch's keys: what the host shipped, and what the batch has changed since.
struct StateView {
  columnar::Array shipped;
  columnar::Array entries;  // of a list or map state, first pages in order of key and, in a map, of map_key
  bool entries_changed = false;
  std::unordered_map<int32_t, std::optional<std::string>> changed;
};

}  // namespace clutch::pyproc

// One batch at a time: a function's context is used again for its next batch, so a stale handle is still a handle.
struct clutch_batch_context {
  clutch_function_context* function = nullptr;
  clutch::pyproc::ProgressPage* page = nullptr;
  clutch::pyproc::StateHost* host = nullptr;
  std::atomic<bool> open{false};
  uint64_t ticket = 0;
  uint32_t slot = 0;
  std::shared_ptr<const clutch::pyproc::Arena> input;  // where the rows lie

  std::mutex mutex;  // Any thread may stage. Guards all below.
  int64_t rows = 0;
  int64_t keys = 0;
  int64_t groups = 0;  // what origins count: the rows, or the groups of a kind that takes rows by group
  std::vector<clutch::pyproc::Staged> staged;
  std::deque<clutch::pyproc::StagedDeadLetter> dead_letters;  // addresses stay as it grows
  std::unordered_set<int64_t> dead_rows;
  std::map<uint32_t, clutch::pyproc::StateView> states;
  std::string page_cursor;  // that the last page gave

  // For a runtime that answers CLUTCH_PENDING.
  std::condition_variable completed;
  std::optional<int32_t> completion;
};

struct clutch_function_context {
  uint64_t number = 0;
  std::string name;
  clutch::columnar::Field input;
  clutch::columnar::Field output;
  bool by_group = false;  // origins are positions of keys
  bool opening = true;
  clutch_function* handle = nullptr;
  std::vector<clutch::pyproc::StateDeclaration> states;
  // Why a deque: staged sections point to the schemas.
  std::deque<clutch::pyproc::SideOutput> side_outputs;
  clutch_batch_context batch;

  std::mutex metrics_mutex;                     // Guards metrics.
  std::vector<clutch::pyproc::Metric> metrics;  // since the last batch's notes
};

namespace clutch::pyproc {

// The parts of the host's tables that stage into a context (staging.cc, state.cc, entries.cc).
Status stage_emit(clutch_batch_context& context, uint32_t tag, columnar::Array rows, columnar::Array origin);
Status stage_dead_letter(clutch_batch_context& context, int64_t row, clutch_error** ret_error);
Status declare_side_output(clutch_function_context& context, std::string_view name, const ArrowSchema* schema,
                           uint32_t* ret_tag);
void record_metric(clutch_function_context& context, int32_t kind, std::string_view name, double value);

Status declare_state(clutch_function_context& context, const StateDeclaration& declaration, uint32_t* ret_state);
Status read_state(clutch_batch_context& context, uint32_t state, ArrowArray* ret_values);
Status read_state_page(clutch_batch_context& context, uint32_t state, int32_t key, clutch_bytes cursor,
                       uint64_t max_bytes, ArrowArray* ret_page, clutch_bytes* ret_next);
Status look_up_state(clutch_batch_context& context, uint32_t state, const ArrowArray& keys, ArrowArray* ret_values);
Status apply_state(clutch_batch_context& context, uint32_t state, columnar::Array changes);
Status apply_timers(clutch_batch_context& context, columnar::Array changes);

// CLUTCH_ERR_DATA if there is no such position in the keys of this batch.
Status check_key(const clutch_batch_context& context, int32_t key);

// CLUTCH_ERR_STALE unless the batch runs.
Status require_open(const clutch_batch_context* context);

// Forget what was staged; the batch is over.
void end_batch(clutch_batch_context& context);

}  // namespace clutch::pyproc
