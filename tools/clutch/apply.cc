// clutch apply: run one function over a file of rows.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "clutch/columnar/type.h"
#include "common.h"
#include "row_files.h"

namespace clutch::tool {
namespace {

using Clock = std::chrono::steady_clock;

struct ApplyOptions {
  CommonOptions common;
  std::string function;
  std::string input = "-";
  std::string input_format = "lines";
  std::string input_type;
  std::string output = "-";
  std::string output_format;
  std::string kind = "table.scalar";
  std::string result_type = "string";
  std::string on_error = "fail";
  std::string mode;
  int64_t batch_rows = 4096;
  bool quiet = false;
};

// A line on a terminal that is written over, four times a second at most.
class Progress {
 public:
  Progress(bool shown, int64_t total) : shown_(shown), total_(total) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t bytes, int64_t rows) {
    if (!shown_) return;
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(250)) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(rows) / seconds;
    if (total_ > 0) {
      const double part = static_cast<double>(bytes) / static_cast<double>(total_);
      const int filled = static_cast<int>(part * 30);
      std::fprintf(stderr, "\r[%.*s%.*s] %3.0f%%  %lld rows  %.0f rows/s ", filled,
                   "==============================", 30 - filled, "                              ", part * 100,
                   static_cast<long long>(rows), rate);
    } else {
      std::fprintf(stderr, "\r%lld rows  %.0f rows/s ", static_cast<long long>(rows), rate);
    }
    drawn_ = true;
  }

  void clear() {
    if (drawn_) std::fprintf(stderr, "\r\033[K");
    drawn_ = false;
  }

 private:
  bool shown_;
  bool drawn_ = false;
  int64_t total_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_;
};

OnError parse_on_error(const std::string& word) {
  if (word == "fail") return OnError::kFail;
  if (word == "null") return OnError::kNull;
  if (word == "dead_letter") return OnError::kDeadLetter;
  throw std::invalid_argument("--on-error " + word + ": there are fail, null and dead_letter");
}

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdout) std::fclose(file);
  }
};

// Batches in flight, oldest first, with the first row of each for messages.
struct InFlight {
  uint64_t sequence;
  int64_t first_row;
};

class Apply {
 public:
  explicit Apply(const ApplyOptions& options) : options_(options) {}

  int run() {
    const RowFormat input_format = unwrap(parse_row_format(options_.input_format));
    const RowFormat output_format =
        options_.output_format.empty() ? input_format : unwrap(parse_row_format(options_.output_format));
    const auto reader = unwrap(RowReader::open(options_.input, input_format, options_.input_type));
    const Host host = open_host(options_.common);
    const columnar::Schema input = columnar::export_field(reader->batch());

    Spec spec(options_.kind, imported(options_.function));
    spec.input(input.get()).on_error(parse_on_error(options_.on_error)).mode(options_.mode);
    if (options_.kind != "stream.filter") spec.output(options_.result_type);
    const Function function = host.open(spec);

    const std::unique_ptr<std::FILE, CloseFile> out(options_.output == "-" ? stdout
                                                                           : std::fopen(options_.output.c_str(), "we"));
    if (!out) throw std::runtime_error("cannot write " + options_.output + ": " + std::strerror(errno));
    RowWriter writer(out.get(), output_format, unwrap(columnar::import_field(*function.output_schema())));

    const auto start = Clock::now();
    Progress progress(!options_.quiet && isatty(STDERR_FILENO) != 0, reader->bytes_total());
    std::deque<InFlight> in_flight;
    columnar::ArrayBuilder builder(reader->batch());
    bool more = true;
    while (more || !in_flight.empty()) {
      if (more && in_flight.size() < function.max_in_flight()) {
        const int64_t count = unwrap(reader->read(options_.batch_rows, builder));
        more = count == options_.batch_rows;
        if (count > 0) {
          in_flight.push_back({function.submit(Rows(builder.finish().detach())), rows_in_});
          rows_in_ += count;
        }
        if (more && in_flight.size() < function.max_in_flight()) continue;
      }
      if (in_flight.empty()) break;
      const InFlight oldest = in_flight.front();
      in_flight.pop_front();
      const Output output = function.await(oldest.sequence);
      rows_out_ += output.size();
      check(writer.write(*output.rows()));
      for (const DeadLetter& letter : output.dead_letters()) {
        ++dead_letters_;
        progress.clear();
        std::fprintf(stderr, "clutch: input row %lld: %s\n", static_cast<long long>(oldest.first_row + letter.row),
                     letter.error.what());
      }
      progress.update(reader->bytes_read(), rows_in_);
    }
    check(writer.flush());
    progress.clear();
    report(function, std::chrono::duration<double>(Clock::now() - start).count());
    return kDone;
  }

 private:
  void report(const Function& function, double seconds) const {
    const double rate = seconds > 0 ? static_cast<double>(rows_in_) / seconds : 0;
    if (options_.common.json) {
      const nlohmann::ordered_json out = {{"rows_in", rows_in_},           {"rows_out", rows_out_},
                                          {"dead_letters", dead_letters_}, {"seconds", seconds},
                                          {"rows_per_second", rate},       {"mode", function.mode()},
                                          {"plugin", function.plugin()},   {"asked_mode", function.asked_mode()}};
      std::fprintf(stderr, "%s\n", out.dump().c_str());
    } else if (!options_.quiet) {
      std::fprintf(stderr, "%lld rows in, %lld out, %lld dead letters, %.3f s, %.0f rows/s, mode %s\n",
                   static_cast<long long>(rows_in_), static_cast<long long>(rows_out_),
                   static_cast<long long>(dead_letters_), seconds, rate, function.mode().c_str());
    }
  }

  const ApplyOptions& options_;
  int64_t rows_in_ = 0;
  int64_t rows_out_ = 0;
  int64_t dead_letters_ = 0;
};

}  // namespace

void add_apply(CLI::App& app, Run& ret_run) {
  auto* command = app.add_subcommand("apply", "Run a function over a file of rows");
  auto options = std::make_shared<ApplyOptions>();  // Why: the command line and the run it leads to both keep it.
  command->add_option("FUNCTION", options->function, "\"module:attribute\" or \"path/file.py:attribute\"")->required();
  command->add_option("--input", options->input, "File to read; - is standard input")->capture_default_str();
  command->add_option("--input-format", options->input_format, "lines, csv or jsonl")->capture_default_str();
  command->add_option("--input-type", options->input_type,
                      "Columns to read, \"word: string, n: int64\"; default: line, all of the header, or a guess");
  command->add_option("--output", options->output, "File to write; - is standard output")->capture_default_str();
  command->add_option("--output-format", options->output_format, "lines, csv or jsonl; default: as the input");
  command->add_option("--kind", options->kind, "Kind of function; `clutch explain` lists them")->capture_default_str();
  command->add_option("--result-type", options->result_type, "Type or columns of the result")->capture_default_str();
  command->add_option("--on-error", options->on_error, "fail, null or dead_letter")->capture_default_str();
  command->add_option("--mode", options->mode, "Execution mode; short for -D python.execution-mode=MODE");
  command->add_option("--batch-rows", options->batch_rows, "Rows a batch")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  command->add_flag("--quiet", options->quiet, "No progress and no summary");
  options->common.add_to(*command);
  command->callback([&ret_run, options] {
    ret_run = [options] {
      try {
        return Apply(*options).run();
      } catch (const Error& error) {
        print_error(error, options->common.json);
        return kFailed;
      }
    };
  });
}

}  // namespace clutch::tool
