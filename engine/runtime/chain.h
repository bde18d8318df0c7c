// The operators of one subtask, each joined to those that take its output.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/operator.h"
#include "runtime/batch.h"
#include "runtime/metrics.h"
#include "runtime/sender.h"

namespace clutch::engine {

// One operator with its routes; without an operator, the place where a source puts its batches.
class Link final : public Output {
 public:
  struct Route {
    std::optional<size_t> side;  // nothing: the main output
    bool drops_key = false;      // on the way to `next`
    Link* next = nullptr;        // or
    std::unique_ptr<Sender> sender;
  };
  struct Label {
    int32_t node = 0;  // id of the first node
    std::string name;
    std::string key;             // in snapshots
    std::vector<int32_t> nodes;  // ids of all
  };

  Link(Label label, std::unique_ptr<Operator> op) : label_(std::move(label)), operator_(std::move(op)) {}

  void add_route(Route route) { routes_.push_back(std::move(route)); }

  // Errors name the operator.
  Status open(const OperatorContext& context);
  Status process(size_t input, columnar::Array batch);
  Status take_signal(TimeSignal signal);
  Status poll();
  Status on_deadline();
  Status finish();
  Status close();
  std::optional<Operator::Deadline> deadline() const;
  // Of a snapshot: everything before it is sent, then it is kept, then the barrier goes to the senders.
  Status drain();
  Result<std::string> snapshot();
  Status pass(Barrier barrier);
  Status move_to(const std::string& mode);
  // Whether it runs one of that node.
  bool has_function(int32_t node) const {
    return operator_ != nullptr && !operator_->mode().empty() &&
           std::find(label_.nodes.begin(), label_.nodes.end(), node) != label_.nodes.end();
  }
  void cancel();
  void close_senders();
  bool idle() const { return operator_ == nullptr || operator_->idle(); }
  bool works_beside_function() const { return operator_ != nullptr && operator_->works_beside_function(); }

  Status emit(columnar::Array batch) override { return route(std::nullopt, std::move(batch)); }
  Status emit_side(size_t side, columnar::Array batch) override { return route(side, std::move(batch)); }
  Status signal(TimeSignal signal) override;

  const Label& label() const { return label_; }
  const OperatorCounters& counters() const { return counters_; }
  OperatorCounters& counters() { return counters_; }
  const Operator* op() const { return operator_.get(); }

 private:
  Status route(std::optional<size_t> side, columnar::Array batch);
  Status hand_on(Route& route, columnar::Array batch);
  template <typename Work>
  Status measured(Work work);
  Status named(Status status);

  Label label_;
  std::unique_ptr<Operator> operator_;
  std::vector<Route> routes_;
  OperatorCounters counters_;
  int64_t below_ns_ = 0;  // time of others inside the call at hand: operators behind, channels
  bool failed_below_ = false;
};

}  // namespace clutch::engine
