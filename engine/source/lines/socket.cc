#include "source/lines/socket.h"

#include <poll.h>

#include <utility>

#include "source/common/element_batch.h"
#include "source/common/wait_point.h"
#include "source/lines/connection.h"
#include "source/lines/line_buffer.h"
#include "spec/connector_members.h"

namespace clutch::engine {
namespace {

using Clock = std::chrono::steady_clock;

class SocketReader final : public SourceReader {
 public:
  SocketReader(const SocketSpec& spec, const columnar::Field& element, const SourceContext& context)
      : spec_(spec),
        context_(context),
        values_(element),
        lines_(spec.delimiter, spec.host + ":" + std::to_string(spec.port)),
        retries_left_(spec.retries),
        ended_(context.subtask > 0) {}

  // Connects in poll(), where the wait for the server can be ended.
  Status open() override { return {}; }

  Result<Polled> poll(std::optional<Deadline> until) override {
    while (true) {
      CLUTCH_RETURN_IF_ERROR(lines_.take(context_.batch_rows, values_));
      if (values_.length() > 0) return Polled{Polled::Kind::kBatch, element_batch(values_)};
      if (ended_) return Polled{Polled::Kind::kEnded, {}};
      if (!connection_.is_open()) {
        CLUTCH_ASSIGN_OR_RETURN(const bool tried, connect(until));
        if (!tried) return Polled{};
        continue;
      }
      const short events = connection_.connecting() ? POLLOUT : POLLIN;
      CLUTCH_ASSIGN_OR_RETURN(const WaitPoint::Came came, waker_.wait(until, connection_.fd(), events));
      if (came != WaitPoint::Came::kReady) return Polled{};
      CLUTCH_RETURN_IF_ERROR(connection_.connecting() ? after(connection_.go_on()) : read());
    }
  }

  void wake() override { waker_.wake(); }

  Result<std::string> position() override { return no_way_back(); }
  Status restore(const std::string&) override { return no_way_back(); }

 private:
  // Wait for the time of the next attempt and begin it; false if the wait ended before.
  Result<bool> connect(std::optional<Deadline> until) {
    while (Clock::now() < next_attempt_) {
      CLUTCH_ASSIGN_OR_RETURN(const WaitPoint::Came came, waker_.wait(earlier(until, next_attempt_)));
      if (came == WaitPoint::Came::kWoken || (until && Clock::now() >= *until)) return false;
    }
    lines_.restart();
    CLUTCH_RETURN_IF_ERROR(after(connection_.start(spec_.host, spec_.port)));
    return true;
  }

  Status read() {
    char bytes[64 << 10];
    auto count = connection_.read(bytes, sizeof bytes);
    if (!count.ok()) return after(count.status());
    if (*count > 0) lines_.feed({bytes, static_cast<size_t>(*count)});
    if (*count == 0) {
      connection_.close();
      lines_.finish();
      ended_ = !take_retry();
    }
    return {};
  }

  // An attempt or a connection failed: try again, or give the failure.
  Status after(Status status) { return status.ok() || take_retry() ? Status() : status; }

  bool take_retry() {
    if (retries_left_ == 0) return false;
    if (retries_left_ > 0) --retries_left_;
    next_attempt_ = Clock::now() + std::chrono::milliseconds(spec_.retry_ms);
    return true;
  }

  static Status no_way_back() {
    return {CLUTCH_ERR_UNSUPPORTED,
            "what came from a socket cannot be read again; take a source of files where a job is restored"};
  }

  const SocketSpec spec_;
  const SourceContext context_;
  columnar::ArrayBuilder values_;
  LineBuffer lines_;
  Connection connection_;
  WaitPoint waker_;
  int64_t retries_left_;
  bool ended_;
  Clock::time_point next_attempt_;
};

class SocketSource final : public Source {
 public:
  SocketSource(SocketSpec spec, columnar::Field element) : spec_(std::move(spec)), element_(std::move(element)) {
    element_.name = "value";
  }

  const columnar::Field& element() const override { return element_; }
  bool bounded() const override { return false; }
  int32_t highest_parallelism() const override { return 1; }
  Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const override {
    return std::unique_ptr<SourceReader>(std::make_unique<SocketReader>(spec_, element_, context));
  }

 private:
  SocketSpec spec_;
  columnar::Field element_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_socket_source(const nlohmann::json& members, const columnar::Field& element,
                                                   std::string_view place) {
  ConnectorMembers read(members, place);
  SocketSpec spec;
  spec.host = read.required_text("host");
  spec.port = static_cast<uint16_t>(read.required_integer("port", 1, 65535));
  spec.delimiter = read.text("delimiter", "\n");
  spec.retries = read.integer("retries", -1, INT32_MAX, 0);
  spec.retry_ms = read.integer("retry_ms", 0, 86'400'000, 500);
  CLUTCH_RETURN_IF_ERROR(read.finish());
  CLUTCH_RETURN_IF_ERROR(check_text_element(element, place));
  return std::unique_ptr<Source>(std::make_unique<SocketSource>(std::move(spec), element));
}

}  // namespace clutch::engine
