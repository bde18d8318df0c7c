// The sending end of an exchange: one subtask's way to the subtasks of the next task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "exchange/input_gate.h"
#include "exchange/partitioner.h"
#include "runtime/batch.h"

namespace clutch::engine {

class Sender {
 public:
  struct Target {
    InputGate* gate = nullptr;  // nullptr: this sender never sends there
    size_t channel = 0;
  };
  struct Shape {
    BatchType type;                          // of the batches that come
    bool drops_key = false;                  // behind the partitioner
    bool feeds_back = false;                 // into an iteration: signals do not go round
    bool by_column = false;                  // the last column, int32, says where to, and is not sent
    std::optional<Partitioner> partitioner;  // if not by_column
  };

  // `targets` by the number of the receiver.
  Sender(Shape shape, std::vector<Target> targets);

  // Waits for room. Fails with the reason of a gate that was cancelled.
  Status send(columnar::Array batch);
  // Both to every receiver there is.
  Status pass(Barrier barrier);
  Status signal(TimeSignal signal);
  void close();

  int64_t blocked_ns() const { return blocked_ns_; }

 private:
  Status split(columnar::Array batch, std::vector<Part>& out);
  Status put(const Target& target, StreamElement element, int64_t bytes);

  Shape shape_;
  columnar::Field field_;  // of a batch as it is sent
  std::vector<Target> targets_;
  std::vector<Part> parts_;
  int64_t blocked_ns_ = 0;
};

}  // namespace clutch::engine
