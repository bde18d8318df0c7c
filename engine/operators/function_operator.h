// What all operators with a Python function share: batches in flight, results and signals in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operators/function_store.h"
#include "operators/operator.h"
#include "runtime/hosted_function.h"

namespace clutch::engine {

// Batches are submitted as long as the function takes them. What comes when it is full waits; batches that wait are put
// together up to `batch_rows`, so a busy function gets big batches and an idle one gets each at once. Results leave in
// the order of their input, and a signal leaves behind the results of all that came before it. A call waits for a
// result only when a whole batch waits already, or to drain.
class FunctionOperator : public Operator {
 public:
  explicit FunctionOperator(FunctionDefinition definition) : definition_(std::move(definition)) {}

  Status open(const OperatorContext& context) override;
  Status process(size_t input, columnar::Array batch, Output& output) override;
  Status on_signal(TimeSignal signal, Output& output) override;
  Status poll(Output& output) override { return advance(output); }
  Status drain(Output& output) override;
  bool idle() const override { return waiting_.empty() && in_flight_.empty() && !prepared_.has_value(); }
  void cancel() override;
  Status close() override;

  Result<std::string> snapshot() override { return store_ == nullptr ? std::string() : store_->snapshot(event_time()); }
  Status move_to(const std::string& mode) override;

  std::string mode() const override;
  std::string plugin() const override;
  uint64_t dead_letters() const override { return dead_letters_.load(std::memory_order_relaxed); }
  std::optional<int64_t> kept_entries() const override;

 protected:
  // Whether the function has state or timers by key.
  virtual bool has_state() const { return false; }
  // How far event time has come, for the snapshot of a function with state.
  virtual std::optional<int64_t> event_time() const { return std::nullopt; }
  // What event_time() was in the snapshot that open() began with.
  std::optional<int64_t> restored_event_time() const { return store_ == nullptr ? std::nullopt : store_->event_time(); }
  // For kept_entries(). Called by the subtask's thread, between batches.
  virtual std::optional<size_t> count_kept() const;

  // Columns of the input that the output is made of.
  using Kept = std::vector<columnar::Array>;

  struct Submission {
    columnar::Array rows;  // empty: there is nothing to run, and the rest goes to deliver_unrun() in its turn
    BatchExtras extras;
    Kept kept;
  };

  // The form of batches in which they wait and are put together: a struct of this type.
  virtual const columnar::Field& arranged() const = 0;
  virtual Result<columnar::Array> arrange(size_t input, columnar::Array batch) = 0;
  // Make ready for the function; consecutive calls come in the order of input, behind the signals before it.
  virtual Result<Submission> prepare(columnar::Array arranged) = 0;
  // A signal was taken; batches that are prepared from now on come behind it.
  virtual void passed(const TimeSignal&) {}
  // Send what a batch gave.
  virtual Status deliver(FunctionResult& result, Kept kept, Output& output) = 0;
  virtual Status deliver_unrun(Kept, Output&) { return {}; }
  // Time has come to `signal`, everything before it is delivered: what has to run first, such as timers. Called again
  // until there is nothing.
  virtual Result<std::optional<Submission>> before_signal(const TimeSignal&) { return std::optional<Submission>(); }
  // Something has to run though no input came; asked when nothing is in flight and nothing waits.
  virtual Result<std::optional<Submission>> when_idle() { return std::optional<Submission>(); }

  HostedFunction& function() { return *function_; }
  const HostedFunction& function() const { return *function_; }
  // Batches with keys run one at a time.
  void limit_in_flight(size_t most) { most_ = most; }
  Status advance(Output& output);

 private:
  static constexpr int64_t kKeepsNothing = -1;

  struct InFlight {
    uint64_t sequence;  // 0: nothing runs
    Kept kept;
  };
  using Waiting = std::variant<columnar::Array, TimeSignal>;
  // A signal that stands behind batches in flight.
  using Running = std::variant<InFlight, TimeSignal>;

  Status submit(Submission submission);
  Status complete_oldest(bool wait, Output& output, bool& ret_progress);
  Status start_next(bool& ret_progress);
  Status submit_prepared();
  Result<columnar::Array> next_batch();
  void publish_kept();

  std::unique_ptr<HostedFunction> use(std::unique_ptr<HostedFunction> function);

  FunctionDefinition definition_;
  const Host* host_ = nullptr;
  Waker* waker_ = nullptr;
  Lane* lane_ = nullptr;
  std::unique_ptr<FunctionStore> store_;  // if it has state; outlives the function
  mutable std::mutex mutex_;              // guards the three below against those who cancel and ask, while they change
  std::unique_ptr<HostedFunction> function_;
  std::string mode_;
  std::string plugin_;
  int64_t batch_rows_ = 0;
  size_t most_ = 0;       // batches in flight
  bool limited_ = false;  // by limit_in_flight(), whatever the function takes
  size_t batches_ = 0;
  std::deque<Running> in_flight_;
  std::optional<Submission> prepared_;  // runs next; where batches run one at a time, it is made ready meanwhile
  std::deque<Waiting> waiting_;
  int64_t waiting_rows_ = 0;
  std::atomic<uint64_t> dead_letters_ = 0;
  std::atomic<int64_t> kept_ = kKeepsNothing;
  mutable std::atomic<bool> kept_asked_ = false;  // counting takes a while, so it is done for those who look
};

}  // namespace clutch::engine
