// clutch apply: run one function over a file of rows.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "clutch/columnar/type.h"
#include "common.h"
#include "output_file.h"
#include "progress.h"
#include "row_files.h"
#include "stop.h"

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

OnError parse_on_error(const std::string& word) {
  if (word == "fail") return OnError::kFail;
  if (word == "null") return OnError::kNull;
  if (word == "dead_letter") return OnError::kDeadLetter;
  throw std::invalid_argument("--on-error " + word + ": there are fail, null and dead_letter");
}

RowFormat format_of(const std::string& word) {
  Result<RowFormat> format = parse_row_format(word);
  if (!format.ok()) throw std::invalid_argument(std::string(format.status().message()));
  return *format;
}

// A batch in flight, with what is needed to say where its rows come from.
struct InFlight {
  uint64_t sequence;
  int64_t first_row;
  std::vector<int64_t> lines;  // Of the input, one a row.
};

class Apply {
 public:
  explicit Apply(const ApplyOptions& options) : options_(options) {}

  int run() {
    const RowFormat input_format = format_of(options_.input_format);
    const RowFormat output_format = options_.output_format.empty() ? input_format : format_of(options_.output_format);
    const OnError on_error = parse_on_error(options_.on_error);
    if (options_.common.json && options_.output == "-") {
      throw std::invalid_argument("--json reports on standard output; send the rows elsewhere with --output FILE");
    }
    note_stop_signals();
    reader_ = unwrap(RowReader::open(options_.input, input_format, options_.input_type));
    const Host host = open_host(options_.common);
    const columnar::Schema input = columnar::export_field(reader_->batch());

    Spec spec(options_.kind, imported(options_.function));
    spec.input(input.get()).on_error(on_error).mode(options_.mode);
    if (options_.kind != "stream.filter") spec.output(options_.result_type);
    const Function function = host.open(spec);

    OutputFile output(options_.output);
    RowWriter writer(output.stream(), output.name(), output_format,
                     unwrap(columnar::import_field(*function.output_schema())));
    Progress progress(!options_.quiet && isatty(STDERR_FILENO) != 0, reader_->bytes_total());
    const auto start = Clock::now();
    try {
      pump(function, writer, progress);
      check(writer.flush());
      output.finish();
    } catch (const Error& error) {
      throw_if_stopped();  // A read or a wait that a signal ended is no failure of its own.
      throw explained(failure_of(error), output);
    } catch (Failure& failure) {
      throw explained(std::move(failure), output);
    }
    progress.clear();
    report(function, output, std::chrono::duration<double>(Clock::now() - start).count());
    return kDone;
  }

 private:
  // Keep the function busy, and write what it gives in the order of the input.
  void pump(const Function& function, RowWriter& writer, Progress& progress) {
    std::deque<InFlight> in_flight;
    columnar::ArrayBuilder builder(reader_->batch());
    bool more = true;
    while (more || !in_flight.empty()) {
      throw_if_stopped();
      if (more && in_flight.size() < function.max_in_flight()) {
        InFlight next = {0, rows_in_, {}};
        more = unwrap(reader_->read(options_.batch_rows, builder, next.lines)) == options_.batch_rows;
        if (!next.lines.empty()) {
          rows_in_ += static_cast<int64_t>(next.lines.size());
          next.sequence = function.submit(Rows(builder.finish().detach()));
          in_flight.push_back(std::move(next));
        }
        if (more && in_flight.size() < function.max_in_flight()) continue;
      }
      if (in_flight.empty()) break;
      take(function, in_flight.front(), writer, progress);
      in_flight.pop_front();
      progress.update(reader_->bytes_read(), rows_in_);
    }
  }

  void take(const Function& function, const InFlight& batch, RowWriter& writer, Progress& progress) {
    const Output output = wait_for(function, batch);
    check(writer.write(*output.rows()));
    check(writer.flush());  // So that a reader sees whole batches, and its going away is noticed.
    rows_out_ += output.size();
    rows_written_ += static_cast<int64_t>(batch.lines.size());
    for (const DeadLetter& letter : output.dead_letters()) {
      ++dead_letters_;
      progress.clear();
      const Failure failure = located(failure_of(letter.error), letter.row, batch);
      std::fprintf(stderr, "clutch: %s\n", failure.message.c_str());
    }
  }

  // The result of a batch. A signal ends the wait, which is why it looks up now and then.
  Output wait_for(const Function& function, const InFlight& batch) const {
    constexpr Milliseconds kLookUp(50);
    try {
      while (true) {
        if (auto output = function.try_await(batch.sequence, kLookUp)) return std::move(*output);
        throw_if_stopped();
      }
    } catch (const Error& error) {
      throw located(failure_of(error), error.row(), batch);
    }
  }

  // A failure in a batch, told by row and line of the whole input. Rows count from 0, lines from 1.
  Failure located(Failure failure, int64_t row, const InFlight& batch) const {
    if (row < 0 || row >= static_cast<int64_t>(batch.lines.size())) {
      failure.message =
          reader_->place(batch.lines.front()) + "-" + std::to_string(batch.lines.back()) + ": " + failure.message;
      return failure;
    }
    const std::string in_batch = "\" row " + std::to_string(row) + ":";
    const std::string in_input = std::to_string(batch.first_row + row);
    const size_t at = failure.message.find(in_batch);
    if (at != std::string::npos) failure.message.replace(at, in_batch.size(), "\" row " + in_input + ":");
    const int64_t line = batch.lines[static_cast<size_t>(row)];
    failure.message = reader_->place(line) + ": " + failure.message;
    for (auto& [key, value] : failure.details) {
      if (key == CLUTCH_DETAIL_ROW) value = in_input;
    }
    failure.details.emplace_back("line", std::to_string(line));
    return failure;
  }

  // The same with what can be seen of the output.
  Failure explained(Failure failure, const OutputFile& output) const {
    std::string left = "nothing was written";
    if (!output.direct()) {
      left = output.name() + " was left as it was";
    } else if (rows_written_ > 0) {
      left = output.name() + " has the results of the first " + std::to_string(rows_written_) + " input rows";
    }
    failure.details.emplace_back("rows_written", std::to_string(output.direct() ? rows_written_ : 0));
    failure.message += " (" + left + ")";
    return failure;
  }

  void report(const Function& function, const OutputFile& output, double seconds) const {
    const double rate = seconds > 0 ? static_cast<double>(rows_in_) / seconds : 0;
    if (!options_.quiet) {
      std::fprintf(stderr, "%lld rows in, %lld out, %lld dead letters, %.3f s, %.0f rows/s, mode %s\n",
                   static_cast<long long>(rows_in_), static_cast<long long>(rows_out_),
                   static_cast<long long>(dead_letters_), seconds, rate, function.mode().c_str());
    }
    if (!options_.common.json) return;
    const nlohmann::ordered_json out = {{"rows_in", rows_in_},           {"rows_out", rows_out_},
                                        {"dead_letters", dead_letters_}, {"seconds", seconds},
                                        {"rows_per_second", rate},       {"output", output.name()},
                                        {"mode", function.mode()},       {"asked_mode", function.asked_mode()},
                                        {"plugin", function.plugin()}};
    print(out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }

  const ApplyOptions& options_;
  std::unique_ptr<RowReader> reader_;
  int64_t rows_in_ = 0;
  int64_t rows_out_ = 0;
  int64_t rows_written_ = 0;  // Input rows whose results are written.
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
  command->add_option("--output", options->output, "File to write, whole or not at all; - is standard output")
      ->capture_default_str();
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
  command->callback([&ret_run, options] { ret_run = [options] { return Apply(*options).run(); }; });
}

}  // namespace clutch::tool
