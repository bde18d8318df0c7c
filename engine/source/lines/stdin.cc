#include "source/lines/stdin.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "source/common/element_batch.h"
#include "source/common/wait_point.h"
#include "source/lines/line_buffer.h"
#include "spec/connector_members.h"

namespace clutch::engine {
namespace {

class DescriptorReader final : public SourceReader {
 public:
  DescriptorReader(int fd, std::string what, const columnar::Field& element, const SourceContext& context)
      : fd_(fd), what_(std::move(what)), context_(context), values_(element), lines_("\n", what_) {
    ended_ = context.subtask > 0;
  }

  Status open() override { return {}; }

  Result<Polled> poll(std::optional<Deadline> until) override {
    while (true) {
      CLUTCH_RETURN_IF_ERROR(lines_.take(context_.batch_rows, values_));
      if (values_.length() > 0) return Polled{Polled::Kind::kBatch, element_batch(values_)};
      if (ended_) return Polled{Polled::Kind::kEnded, {}};
      CLUTCH_ASSIGN_OR_RETURN(const WaitPoint::Came came, waker_.wait(until, fd_, POLLIN));
      if (came != WaitPoint::Came::kReady) return Polled{};
      char bytes[64 << 10];
      const ssize_t count = ::read(fd_, bytes, sizeof bytes);
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (count < 0) {
        return Status(CLUTCH_ERR_NOT_FOUND, "cannot read " + what_ + ": " + std::strerror(errno) + "; give it an input",
                      CLUTCH_ORIGIN_USER);
      }
      if (count == 0) {
        ended_ = true;
        lines_.finish();
      } else {
        lines_.feed({bytes, static_cast<size_t>(count)});
      }
    }
  }

  void wake() override { waker_.wake(); }

  Result<std::string> position() override { return no_way_back(); }
  Status restore(const std::string&) override { return no_way_back(); }

 private:
  Status no_way_back() const {
    return {CLUTCH_ERR_UNSUPPORTED, what_ + " cannot be read again; take a source of files where a job is restored"};
  }

  int fd_;
  std::string what_;
  SourceContext context_;
  columnar::ArrayBuilder values_;
  LineBuffer lines_;
  bool ended_;
  WaitPoint waker_;
};

class DescriptorSource final : public Source {
 public:
  DescriptorSource(int fd, std::string_view what, columnar::Field element)
      : fd_(fd), what_(what), element_(std::move(element)) {
    element_.name = "value";
  }

  const columnar::Field& element() const override { return element_; }
  bool bounded() const override { return true; }
  int32_t highest_parallelism() const override { return 1; }
  Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const override {
    return std::unique_ptr<SourceReader>(std::make_unique<DescriptorReader>(fd_, what_, element_, context));
  }

 private:
  int fd_;
  std::string what_;
  columnar::Field element_;
};

}  // namespace

std::unique_ptr<Source> descriptor_source(int fd, std::string_view what, const columnar::Field& element) {
  return std::make_unique<DescriptorSource>(fd, what, element);
}

Result<std::unique_ptr<Source>> make_stdin_source(const nlohmann::json& members, const columnar::Field& element,
                                                  std::string_view place) {
  ConnectorMembers read(members, place);
  CLUTCH_RETURN_IF_ERROR(read.finish());
  CLUTCH_RETURN_IF_ERROR(check_text_element(element, place));
  return descriptor_source(STDIN_FILENO, "standard input", element);
}

}  // namespace clutch::engine
