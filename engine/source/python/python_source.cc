#include "source/python/python_source.h"

#include <charconv>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "runtime/hosted_function.h"
#include "source/python/ticket.h"

namespace clutch::engine {
namespace {

// A ticket is answered within a tenth of a second, also by a source that has nothing. One that takes longer after the
// job is to end does not answer by itself.
constexpr std::chrono::milliseconds kCancelGrace{500};

// A thread of its own asks for the next elements while those before are on their way, so that neither a source that
// waits holds up the operators behind it nor they the source. One ticket is in flight.
class PythonReader final : public SourceReader {
 public:
  PythonReader(const FunctionDefinition& definition, const SourceContext& context)
      : definition_(definition), host_(context.host), batch_rows_(context.batch_rows) {
    definition_.set_task(context.subtask, context.parallelism, context.max_parallelism);
  }

  ~PythonReader() override { stop(); }

  Status prepare() override {
    CLUTCH_ASSIGN_OR_RETURN(function_, HostedFunction::open(*host_, definition_, nullptr, nullptr));
    mode_ = function_->mode();
    plugin_ = function_->plugin();
    return {};
  }

  Status open() override {
    try {
      thread_ = std::thread([this, ticket = Ticket{batch_rows_, given_, position_}] { ask(ticket); });
    } catch (const std::system_error& error) {
      return {CLUTCH_ERR_MEMORY, std::string("its thread cannot be started: ") + error.what()};
    }
    return {};
  }

  Result<Polled> poll(std::optional<Deadline> until) override {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return answer_.has_value() || over_.has_value() || woken_; };
    if (until.has_value()) {
      changed_.wait_until(lock, *until, ready);
    } else {
      changed_.wait(lock, ready);
    }
    woken_ = false;
    if (answer_.has_value()) {
      Answer answer = *std::exchange(answer_, std::nullopt);
      changed_.notify_all();
      given_ += answer.batch->length;
      position_ = std::move(answer.position);
      return Polled{Polled::Kind::kBatch, std::move(answer.batch)};
    }
    if (!over_.has_value()) return Polled{};
    if (!over_->ok()) return *over_;
    return Polled{Polled::Kind::kEnded, {}};
  }

  void wake() override {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }

  void cancel() override {
    bool late = false;
    {
      const std::scoped_lock lock(mutex_);
      const auto now = std::chrono::steady_clock::now();
      if (!cancelled_.has_value()) cancelled_ = now;
      late = now - *cancelled_ >= kCancelGrace;
      woken_ = true;
      changed_.notify_all();
    }
    if (late && function_ != nullptr) function_->cancel();
  }

  Status close() override {
    stop();
    return function_ == nullptr ? Status() : function_->close();
  }

  // "12" and behind a line end the source's own position.
  Result<std::string> position() override {
    if (given_ > 0 && !position_.has_value()) {
      return Status(CLUTCH_ERR_UNSUPPORTED, "it has no positions, so it cannot go on behind the " +
                                                std::to_string(given_) +
                                                " elements it has given; give it snapshot() and restore(position)");
    }
    return std::to_string(given_) + "\n" + position_.value_or(std::string());
  }

  Status restore(const std::string& position) override {
    const size_t line = position.find('\n');
    const char* const end = position.data() + std::min(line, position.size());
    const auto [rest, error] = std::from_chars(position.data(), end, given_);
    if (line == std::string::npos || error != std::errc() || rest != end || given_ < 0) {
      return {CLUTCH_ERR_DATA, "\"" + position + "\" is no position of a source in Python"};
    }
    if (given_ > 0) position_ = position.substr(line + 1);
    return {};
  }

  std::string mode() const override { return mode_; }
  std::string plugin() const override { return plugin_; }

 private:
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

  // The thread.
  void ask(Ticket ticket) {
    Status status;
    try {
      status = ask_until_over(ticket);
    } catch (const std::exception& error) {
      status = Status(CLUTCH_ERR_INTERNAL, error.what(), CLUTCH_ORIGIN_HOST);
    }
    const std::scoped_lock lock(mutex_);
    over_ = std::move(status);
    changed_.notify_all();
  }

  Status ask_until_over(Ticket& ticket) {
    while (wait_for_room()) {
      CLUTCH_ASSIGN_OR_RETURN(const uint64_t sequence, function_->submit(write_ticket(ticket), {}));
      CLUTCH_ASSIGN_OR_RETURN(std::optional<FunctionResult> result, function_->await(sequence, true));
      CLUTCH_ASSIGN_OR_RETURN(columnar::Array rows, result->take_rows());
      CLUTCH_ASSIGN_OR_RETURN(Answer answer, read_answer(std::move(rows)));
      const bool ended = answer.ended;
      ticket.position = answer.position;
      if (!answer.batch.empty()) {
        ticket.given += answer.batch->length;
        const std::scoped_lock lock(mutex_);
        answer_ = std::move(answer);
        changed_.notify_all();
      }
      if (ended) return {};
    }
    return {CLUTCH_ERR_CANCELLED, "the job is being cancelled", CLUTCH_ORIGIN_HOST};
  }

  // Until the elements that were asked for ahead are taken. False: the job is ending.
  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !answer_.has_value() || stopping_ || cancelled_.has_value(); });
    return !stopping_ && !cancelled_.has_value();
  }

  FunctionDefinition definition_;
  const Host* const host_;
  const int64_t batch_rows_;
  std::unique_ptr<HostedFunction> function_;  // of the thread once that runs, but for cancel()
  std::string mode_;
  std::string plugin_;
  // Of what poll() has handed on.
  int64_t given_ = 0;
  std::optional<std::string> position_;

  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::optional<Answer> answer_;  // with elements
  std::optional<Status> over_;    // the thread asks for no more
  std::optional<std::chrono::steady_clock::time_point> cancelled_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

class PythonSource final : public Source {
 public:
  explicit PythonSource(const SourceSpec& spec) : element_(spec.element), bounded_(spec.bounded) {}

  const columnar::Field& element() const override { return element_; }
  bool bounded() const override { return bounded_; }
  int32_t highest_parallelism() const override { return std::numeric_limits<int32_t>::max(); }
  Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const override {
    if (context.host == nullptr || context.function == nullptr) {
      return Status(CLUTCH_ERR_INTERNAL, "a source in Python is read without a function");
    }
    return std::unique_ptr<SourceReader>(std::make_unique<PythonReader>(*context.function, context));
  }

 private:
  const columnar::Field element_;
  const bool bounded_;
};

}  // namespace

std::unique_ptr<Source> make_python_source(const SourceSpec& spec) { return std::make_unique<PythonSource>(spec); }

}  // namespace clutch::engine
