// One thread's share of a task: reads a source or a gate, and runs the task's operators on what it reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "checkpoint/gathering.h"
#include "exchange/input_gate.h"
#include "runtime/chain.h"
#include "source/source.h"
#include "time/watermark_valve.h"

namespace clutch::engine {

class Subtask final : public Waker {
 public:
  // Exactly one of gate and reader is set.
  struct Input {
    std::unique_ptr<InputGate> gate;
    std::vector<size_t> input_of_channel;  // which input of the first operator each channel leads to
    std::vector<bool> fed_back;            // of the channels: bring no signals
    std::unique_ptr<SourceReader> reader;
    std::vector<Loop*> loops;  // iterations that the subtask is part of
    Loop* head_of = nullptr;   // the iteration that the subtask leads
  };

  // The first link is the head; each stands behind the one that feeds it.
  Subtask(std::string name, int32_t number, int32_t parallelism, Input input, std::vector<std::unique_ptr<Link>> links);

  // Prepares the source and opens the operators in their order, by the thread that starts the job. After a failure
  // close() is to be called.
  Status open(const OperatorContext& context);
  // Runs until the input has ended, something fails or cancel() is called. By the subtask's own thread, once.
  Status run();
  // Closes what was opened. By the thread that ran, or by the one that opened if nothing ran.
  Status close();

  // From any thread: have something done at the next border between batches, by the subtask's thread. It is given
  // whether the subtask still runs: false when it has ended without coming to it, or before it was asked.
  using Task = std::function<Status(bool running)>;
  void post(Task task);
  // A task that begins a snapshot in a subtask that reads a source.
  Status begin_snapshot(int64_t number) { return keep(Barrier{number}); }
  // A task that closes the functions of a node and opens them in another mode; `ret_moved` says if that went well, and
  // the status if the job can go on.
  Status move(int32_t node, const std::string& mode, Status& ret_moved);
  bool has_function(int32_t node) const;

  // From any thread, more than once: run() and open calls inside of it return soon, with the reason or with an error
  // that came of it.
  void cancel(const Status& reason);
  void wake() override;

  const std::string& name() const { return name_; }
  int32_t number() const { return number_; }
  int32_t parallelism() const { return parallelism_; }
  const std::vector<std::unique_ptr<Link>>& links() const { return links_; }
  const SourceReader* reader() const { return input_.reader.get(); }
  // Bytes that wait in the channels to the first operator; nothing: it reads a source. From any thread.
  std::optional<int64_t> backlog() const {
    return input_.gate == nullptr ? std::nullopt : std::optional<int64_t>(input_.gate->buffered());
  }

 private:
  Status read_source();
  Status read_gate();
  Status take(size_t channel, StreamElement element);
  Status take_signal(size_t channel, TimeSignal signal);
  Status poll_all();
  Status run_tasks();
  Status take_barrier(size_t channel, Barrier barrier);
  Status align();
  Status keep(Barrier barrier);
  Status restore_reader(const Snapshot* snapshot);
  void leave();
  Status turn(bool& ret_over);
  Status end_of_input();
  std::optional<Operator::Deadline> deadline() const;
  Status reason() const;
  Status of_source(Status status) const;

  const std::string name_;
  const int32_t number_;
  const int32_t parallelism_;
  Input input_;
  Lane lane_;  // of the links' functions, where one of the links has much to do beside them
  std::vector<std::unique_ptr<Link>> links_;
  // Time of each input, then of all inputs together.
  std::vector<WatermarkValve> valves_;
  std::vector<size_t> channel_in_input_;
  WatermarkValve together_;
  TimeSignals of_input_;
  TimeSignals of_all_;
  size_t opened_ = 0;  // links
  Gathering* gathering_ = nullptr;
  std::optional<Barrier> barrier_;  // that channels are aligned at
  std::vector<bool> aligned_;       // channels
  std::mutex tasks_mutex_;          // guards the two below
  std::vector<Task> tasks_;
  bool over_ = false;
  int64_t taken_ = 0;  // what the loops count of this subtask
  bool last_watermark_sent_ = false;
  bool last_watermark_counted_ = false;  // sent, and perhaps still at work
  std::atomic<bool> cancelled_ = false;
};

}  // namespace clutch::engine
