#include "sink/print/print.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "spec/connector_members.h"
#include "text/value_text.h"

namespace clutch::engine {
namespace {

class PrintWriter final : public SinkWriter {
 public:
  PrintWriter(ValueText text, std::string prefix, std::FILE* stream)
      : text_(std::move(text)), prefix_(std::move(prefix)), stream_(stream) {}

  Status open() override { return {}; }

  Status write(const ArrowArray& batch) override {
    lines_.clear();
    for (int64_t row = 0; row < batch.length; ++row) {
      lines_ += prefix_;
      text_.append(*batch.children[0], batch.offset + row, lines_);
      lines_ += '\n';
    }
    // One call writes whole lines: the stream's own lock keeps those of other threads out.
    errno = 0;
    if (std::fwrite(lines_.data(), 1, lines_.size(), stream_) != lines_.size() || std::fflush(stream_) != 0) {
      return {CLUTCH_ERR_NOT_FOUND,
              std::string("cannot print to standard ") + (stream_ == stderr ? "error" : "output") + ": " +
                  std::strerror(errno) + "; give it a place to go, or use another sink",
              CLUTCH_ORIGIN_USER};
    }
    return {};
  }

  Status finish() override { return {}; }
  void close() override {}

 private:
  ValueText text_;
  std::string prefix_;
  std::FILE* stream_;
  std::string lines_;
};

class PrintSink final : public Sink {
 public:
  explicit PrintSink(PrintSpec spec) : spec_(std::move(spec)) {}

  Result<std::unique_ptr<SinkWriter>> writer(const columnar::Field& element,
                                             const SinkContext& context) const override {
    auto text = ValueText::make(element);
    if (!text.ok()) return std::move(text).status().prefixed("cannot print");
    std::string prefix = spec_.prefix;
    if (context.parallelism > 1) {
      if (!prefix.empty()) prefix += ':';
      prefix += std::to_string(context.subtask + 1);
    }
    if (!prefix.empty()) prefix += "> ";
    return std::unique_ptr<SinkWriter>(
        std::make_unique<PrintWriter>(*std::move(text), std::move(prefix), spec_.stream));
  }

 private:
  PrintSpec spec_;
};

}  // namespace

std::unique_ptr<Sink> print_sink(PrintSpec spec) { return std::make_unique<PrintSink>(std::move(spec)); }

Result<std::unique_ptr<Sink>> make_print_sink(const nlohmann::json& members, std::string_view place) {
  ConnectorMembers read(members, place);
  PrintSpec spec;
  spec.prefix = read.text("prefix", "");
  if (read.flag("stderr", false)) spec.stream = stderr;
  CLUTCH_RETURN_IF_ERROR(read.finish());
  return print_sink(std::move(spec));
}

}  // namespace clutch::engine
