// The C++ face of libclutch: RAII and exceptions over clutch/clutch.h, nothing else. Header only, C++17.
//
//   clutch::Host host(clutch::Options{{"python.execution-mode", "thread"}});
//   clutch::Function twice = host.open(clutch::Spec("table.scalar", clutch::source("def f(x): return 2 * x"))
//                                          .input("x: int64").output("int64"));
//   clutch::Output output = twice.call(clutch::columns(std::vector<int64_t>{1, 2, 3}));
//   for (int64_t value : output.column<int64_t>(0)) std::cout << value << "\n";
//
// Every failure is thrown as clutch::Error. Objects may be destroyed in any order: a function keeps its host open.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "clutch/clutch.h"
#include "clutch/columns.hpp"

namespace clutch {

// Why something failed: the message, a code, who is to blame, and details such as row, value and traceback.
class Error : public std::runtime_error {
 public:
  Error(int32_t code, const std::string& message) : std::runtime_error(message), code_(code) {}
  explicit Error(const clutch_app_error* error)
      : std::runtime_error(clutch_app_error_message(error)),
        code_(clutch_app_error_code(error)),
        origin_(clutch_app_error_origin(error)) {
    for (uint64_t i = 0; i < clutch_app_error_detail_count(error); ++i) {
      details_.emplace_back(clutch_app_error_detail_key(error, i), clutch_app_error_detail_value(error, i));
    }
  }

  int32_t code() const { return code_; }  // CLUTCH_ERR_*
  const char* code_name() const { return clutch_app_status_name(code_); }
  int32_t origin() const { return origin_; }  // CLUTCH_ORIGIN_*
  const std::vector<std::pair<std::string, std::string>>& details() const { return details_; }
  // Value of a CLUTCH_DETAIL_*, or empty.
  std::string detail(std::string_view key) const {
    for (const auto& [name, value] : details_) {
      if (name == key) return value;
    }
    return {};
  }
  // Index of the input row to blame, or -1.
  int64_t row() const {
    const std::string text = detail(CLUTCH_DETAIL_ROW);
    return text.empty() ? -1 : std::stoll(text);
  }

 private:
  int32_t code_;
  int32_t origin_ = CLUTCH_ORIGIN_UNKNOWN;
  std::vector<std::pair<std::string, std::string>> details_;
};

enum class Format : int32_t { kText = CLUTCH_APP_TEXT, kJson = CLUTCH_APP_JSON };

using Options = std::vector<std::pair<std::string, std::string>>;

namespace detail {

struct ErrorFree {
  void operator()(clutch_app_error* error) const { clutch_app_error_free(error); }
};

inline Error take_error(int32_t status, clutch_app_error* raw) {
  const std::unique_ptr<clutch_app_error, ErrorFree> error(raw);
  return raw != nullptr ? Error(raw) : Error(status, clutch_app_status_name(status));
}

// By reference, because the call that gives the status fills the error in the same expression.
inline void check(int32_t status, clutch_app_error* const& error) {
  if (status < 0) throw take_error(status, error);
}

inline std::string take_text(char* text) {
  if (text == nullptr) throw std::bad_alloc();
  std::string out(text);
  clutch_app_text_free(text);
  return out;
}

inline std::vector<clutch_app_option> raw_options(const Options& options) {
  std::vector<clutch_app_option> raw;
  for (const auto& [key, value] : options) raw.push_back({key.c_str(), value.c_str()});
  return raw;
}

template <typename T>
clutch_app_value to_value(const T& value) {
  clutch_app_value out{};
  if constexpr (std::is_same_v<T, std::nullopt_t> || std::is_same_v<T, std::nullptr_t>) {
    out.kind = CLUTCH_APP_VALUE_NULL;
  } else if constexpr (std::is_same_v<T, bool>) {
    out.kind = CLUTCH_APP_VALUE_BOOL;
    out.integer = value ? 1 : 0;
  } else if constexpr (std::is_integral_v<T>) {
    out.kind = CLUTCH_APP_VALUE_INT;
    out.integer = static_cast<int64_t>(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    out.kind = CLUTCH_APP_VALUE_REAL;
    out.real = static_cast<double>(value);
  } else if constexpr (Value<T>::kNullable) {
    if (value.has_value()) return to_value(*value);
  } else {
    static_assert(kIsText<T>, "a value is a number, bool, text, std::optional of those, or std::nullopt");
    const std::string_view text(value);
    out.kind = CLUTCH_APP_VALUE_BYTES;
    out.data = text.data();
    out.size = text.size();
  }
  return out;
}

}  // namespace detail

// How the code of a function is given.
struct Code {
  std::string format;
  std::string payload;
  std::string python_version = {};  // Of the Python that pickled it; becomes the step's option "python.version".
};
inline Code imported(std::string target) { return {"import", std::move(target)}; }  // "module:attr", "file.py:attr"
inline Code source(std::string text) { return {"source", std::move(text)}; }
// Pickled code runs in the minor version that made it. With `python_version` ("3.11.2") another one is refused when the
// function opens; without it, a neighbouring version may take the code and crash.
inline Code pickle(std::string bytes, std::string python_version = {}) {
  return {"pickle", std::move(bytes), std::move(python_version)};
}
inline Code native(std::string symbol) { return {"native", std::move(symbol)}; }  // "libfoo.so:symbol"

enum class OnError : int32_t {
  kFail = CLUTCH_APP_ON_ERROR_FAIL,
  kNull = CLUTCH_APP_ON_ERROR_NULL,
  kDeadLetter = CLUTCH_APP_ON_ERROR_DEAD_LETTER,
};

// What a function is. A value; see clutch_app_spec for the meaning of each part.
class Spec {
 public:
  Spec(std::string kind, Code code) { then(std::move(kind), std::move(code)); }

  // One more step behind the ones there are.
  Spec& then(std::string kind, Code code) {
    const std::string version = code.python_version;
    steps_.push_back({std::move(kind), std::move(code), {}, {}});
    return version.empty() ? *this : step_option("python.version", version);
  }
  Spec& name(std::string text) { return set(name_, std::move(text)); }
  Spec& input(std::string columns_text) { return set(input_, std::move(columns_text)); }
  Spec& output(std::string columns_text) { return set(output_, std::move(columns_text)); }
  Spec& input(const ArrowSchema* schema) { return set(input_schema_, schema); }    // Borrowed until open returns.
  Spec& output(const ArrowSchema* schema) { return set(output_schema_, schema); }  // Borrowed until open returns.
  Spec& on_error(OnError policy) { return set(on_error_, policy); }
  Spec& mode(std::string text) { return set(mode_, std::move(text)); }
  Spec& option(std::string key, std::string value) {
    options_.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  // Of the step added last.
  Spec& step_name(std::string text) { return set(steps_.back().name, std::move(text)); }
  Spec& step_option(std::string key, std::string value) {
    steps_.back().options.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  // Called when a submitted batch is over; see clutch_app_spec.completed.
  Spec& completed(void (*callback)(void*, uint64_t), void* self) {
    completed_ = callback;
    return set(completed_self_, self);
  }

  // Where state and timers lie, instead of in the host's memory: a StateStore's table(), which lives until the function
  // is closed.
  Spec& state_store(const clutch_app_state_store* store) { return set(state_store_, store); }

  // Call `use` with the C form, which lives for the call.
  template <typename Use>
  auto with_raw(Use use) const {
    std::vector<std::vector<clutch_app_option>> step_options;
    std::vector<clutch_app_step> steps;
    std::vector<const clutch_app_step*> pointers;
    step_options.reserve(steps_.size());
    steps.reserve(steps_.size());
    for (const Step& step : steps_) {
      step_options.push_back(detail::raw_options(step.options));
      clutch_app_step raw{};
      raw.struct_size = sizeof(raw);
      raw.name = text_or_null(step.name);
      raw.kind = step.kind.c_str();
      raw.payload_format = step.code.format.c_str();
      raw.payload = step.code.payload.data();
      raw.payload_size = step.code.payload.size();
      raw.options = step_options.back().data();
      raw.n_options = step_options.back().size();
      steps.push_back(raw);
      pointers.push_back(&steps.back());
    }
    const std::vector<clutch_app_option> options = detail::raw_options(options_);
    clutch_app_spec spec{};
    spec.struct_size = sizeof(spec);
    spec.on_error = static_cast<int32_t>(on_error_);
    spec.name = text_or_null(name_);
    spec.steps = pointers.data();
    spec.n_steps = pointers.size();
    spec.input = text_or_null(input_);
    spec.output = text_or_null(output_);
    spec.input_schema = input_schema_;
    spec.output_schema = output_schema_;
    spec.mode = text_or_null(mode_);
    spec.options = options.data();
    spec.n_options = options.size();
    spec.completed = completed_;
    spec.completed_self = completed_self_;
    spec.state_store = state_store_;
    return use(static_cast<const clutch_app_spec*>(&spec));
  }

 private:
  struct Step {
    std::string kind;
    Code code;
    std::string name;
    Options options;
  };
  template <typename T>
  Spec& set(T& member, T value) {
    member = std::move(value);
    return *this;
  }
  static const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

  std::vector<Step> steps_;
  std::string name_, input_, output_, mode_;
  const ArrowSchema* input_schema_ = nullptr;
  const ArrowSchema* output_schema_ = nullptr;
  OnError on_error_ = OnError::kFail;
  Options options_;
  void (*completed_)(void*, uint64_t) = nullptr;
  void* completed_self_ = nullptr;
  const clutch_app_state_store* state_store_ = nullptr;
};

// A row that was put aside, with the reason.
struct DeadLetter {
  int64_t row;  // In the batch's input.
  Error error;
};

// What one batch gave.
class Output {
 public:
  explicit Output(clutch_app_result* result) : result_(result) {}

  int64_t size() const { return clutch_app_result_row_count(get()); }
  uint64_t sequence() const { return clutch_app_result_sequence(get()); }
  // The values of a column. std::string_view points into this object. A null is an error unless T is std::optional.
  template <typename T>
  std::vector<T> column(int64_t index) const {
    return read<T>(schema(), rows(), index);
  }
  template <typename T>
  std::vector<T> column(std::string_view name) const {
    return read<T>(schema(), rows(), find(schema(), name));
  }
  template <typename T>
  std::vector<T> side(const char* tag, int64_t index = 0) const {
    const ArrowSchema* side_schema = clutch_app_result_side_schema(get(), tag);
    if (side_schema == nullptr) {
      throw Error(CLUTCH_ERR_NOT_FOUND, std::string("the function declared no side output \"") + tag + "\"");
    }
    return read<T>(side_schema, clutch_app_result_side_rows(get(), tag), index);
  }
  // The input row that output row `row` came from.
  int64_t origin(int64_t row) const {
    const int32_t* origin = clutch_app_result_origin(get());
    return origin == nullptr ? row : origin[row];
  }
  // Event times of the rows: of the input row or the timer each came from.
  std::vector<std::optional<int64_t>> timestamps() const { return times(clutch_app_result_timestamps(get())); }
  // The same of a side output that the function declared.
  std::vector<std::optional<int64_t>> side_timestamps(const std::string& name) const {
    return times(clutch_app_result_side_timestamps(get(), name.c_str()));
  }
  std::vector<DeadLetter> dead_letters() const {
    std::vector<DeadLetter> out;
    for (uint64_t i = 0; i < clutch_app_result_dead_letter_count(get()); ++i) {
      out.push_back(
          {clutch_app_result_dead_letter_row(get(), i), Error(clutch_app_result_dead_letter_error(get(), i))});
    }
    return out;
  }
  // One row for people: {'word': 'a', 'n': 1}.
  std::string text(int64_t row) const { return detail::take_text(clutch_app_row_text(schema(), rows(), row)); }

  const ArrowSchema* schema() const { return clutch_app_result_schema(get()); }
  const ArrowArray* rows() const { return clutch_app_result_rows(get()); }
  // Side outputs that the function declared; schema and rows are NULL for a name that it did not.
  std::vector<std::string> sides() const {
    std::vector<std::string> names;
    for (uint64_t i = 0; i < clutch_app_result_side_count(get()); ++i) {
      names.emplace_back(clutch_app_result_side_name(get(), i));
    }
    return names;
  }
  const ArrowSchema* side_schema(const std::string& name) const {
    return clutch_app_result_side_schema(get(), name.c_str());
  }
  const ArrowArray* side_rows(const std::string& name) const {
    return clutch_app_result_side_rows(get(), name.c_str());
  }
  // Move the rows out; the output has none afterwards.
  Rows take() {
    ArrowArray array{};
    detail::check(clutch_app_result_take_rows(get(), &array), nullptr);
    return Rows(std::move(array));
  }
  clutch_app_result* get() const { return result_.get(); }

 private:
  struct Free {
    void operator()(clutch_app_result* result) const { clutch_app_result_free(result); }
  };

  static std::vector<std::optional<int64_t>> times(const ArrowArray* array) {
    if (array == nullptr) throw std::bad_alloc();
    std::vector<std::optional<int64_t>> out;
    detail::read_column("l", *array, out);
    return out;
  }
  static int64_t find(const ArrowSchema* schema, std::string_view name) {
    for (int64_t i = 0; i < schema->n_children; ++i) {
      if (schema->children[i]->name != nullptr && name == schema->children[i]->name) return i;
    }
    throw Error(CLUTCH_ERR_NOT_FOUND, "the result has no column \"" + std::string(name) + "\"");
  }
  template <typename T>
  static std::vector<T> read(const ArrowSchema* schema, const ArrowArray* rows, int64_t index) {
    if (rows == nullptr) throw std::bad_alloc();
    if (index < 0 || index >= schema->n_children) {
      throw Error(CLUTCH_ERR_ARGUMENT, "column " + std::to_string(index) + " is asked for, the rows have " +
                                           std::to_string(schema->n_children));
    }
    const ArrowSchema& type = *schema->children[index];
    ArrowArray array = *rows->children[index];
    array.offset += rows->offset;
    array.length = rows->length;
    std::vector<T> out;
    if constexpr (!detail::Value<T>::kNullable) {
      for (int64_t i = 0; i < array.length; ++i) {
        if (!detail::is_null(array, i)) continue;
        throw Error(CLUTCH_ERR_VALUE, "column " + std::to_string(index) + " has a null in row " + std::to_string(i) +
                                          "; read it as std::optional");
      }
    }
    if (!detail::read_column(type.format, array, out)) {
      throw Error(CLUTCH_ERR_VALUE, "column " + std::to_string(index) + " has Arrow type \"" + type.format +
                                        "\", which does not fit the C++ type asked for");
    }
    return out;
  }

  std::unique_ptr<clutch_app_result, Free> result_;
};

namespace detail {
// Closes the host when the last user is gone.
struct App {
  clutch_app* app = nullptr;
  std::function<void(int32_t, const char*, const char*, const char*)> log;
  App() = default;
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App() { clutch_app_close(app, nullptr); }
};
}  // namespace detail

using Milliseconds = std::chrono::milliseconds;

// An opened function. Closed by its destructor; close() tells whether the user's close() failed.
class Function {
 public:
  Function(std::shared_ptr<detail::App> app, clutch_app_function* function)
      : app_(std::move(app)), function_(function) {}
  Function(Function&& other) noexcept
      : app_(std::move(other.app_)), function_(std::exchange(other.function_, nullptr)) {}
  Function& operator=(Function&& other) noexcept {
    if (this != &other) {
      clutch_app_function_close(function_, nullptr);
      function_ = std::exchange(other.function_, nullptr);
      app_ = std::move(other.app_);
    }
    return *this;
  }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  ~Function() { clutch_app_function_close(function_, nullptr); }

  void close() {
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_function_close(std::exchange(function_, nullptr), &error), error);
  }

  // Run one batch. timeout 0: none but the plugin's default.
  Output call(Rows rows, Milliseconds timeout = {}) const {
    clutch_app_batch_options options{};
    options.struct_size = sizeof(options);
    options.timeout_ms = timeout.count();
    return call(std::move(rows), options);
  }
  Output call(Rows rows, const clutch_app_batch_options& options) const {
    clutch_app_error* error = nullptr;
    clutch_app_result* result = nullptr;
    detail::check(clutch_app_function_call(function_, rows.get(), &options, &result, &error), error);
    return Output(result);
  }
  uint64_t submit(Rows rows, Milliseconds timeout = {}) const {
    clutch_app_batch_options options{};
    options.struct_size = sizeof(options);
    options.timeout_ms = timeout.count();
    return submit(std::move(rows), options);
  }
  uint64_t submit(Rows rows, const clutch_app_batch_options& options) const {
    clutch_app_error* error = nullptr;
    uint64_t sequence = 0;
    detail::check(clutch_app_function_submit(function_, rows.get(), &options, &sequence, &error), error);
    return sequence;
  }
  // The result of a submitted batch, as long as it takes. Throws the batch's error.
  Output await(uint64_t sequence) const { return *try_await(sequence, Milliseconds(-1)); }
  // The same, waiting no longer than `timeout` (0: not at all); nothing if it is not over then.
  std::optional<Output> try_await(uint64_t sequence, Milliseconds timeout = {}) const {
    clutch_app_error* error = nullptr;
    clutch_app_result* result = nullptr;
    const int32_t status = clutch_app_function_await(function_, sequence, timeout.count(), &result, &error);
    detail::check(status, error);
    if (status == CLUTCH_PENDING) return std::nullopt;
    return Output(result);
  }
  void cancel(uint64_t sequence) const { clutch_app_function_cancel(function_, sequence); }

  std::string name() const { return clutch_app_function_name(function_); }
  std::string mode() const { return clutch_app_function_mode(function_); }
  std::string asked_mode() const { return clutch_app_function_asked_mode(function_); }
  std::string plugin() const { return clutch_app_function_plugin(function_); }
  uint32_t max_in_flight() const { return clutch_app_function_max_in_flight(function_); }
  std::string decision(Format format = Format::kText) const {
    return detail::take_text(clutch_app_function_decision(function_, static_cast<int32_t>(format)));
  }
  const ArrowSchema* input_schema() const { return clutch_app_function_input_schema(function_); }
  const ArrowSchema* output_schema() const { return clutch_app_function_output_schema(function_); }
  clutch_app_metrics metrics() const {
    clutch_app_metrics metrics{};
    metrics.struct_size = sizeof(metrics);
    detail::check(clutch_app_function_metrics(function_, &metrics), nullptr);
    return metrics;
  }
  std::string metrics_report(Format format = Format::kText) const {
    return detail::take_text(clutch_app_function_metrics_report(function_, static_cast<int32_t>(format)));
  }
  clutch_app_function* get() const { return function_; }

 private:
  std::shared_ptr<detail::App> app_;  // Why: functions may outlive the Host object they came from.
  clutch_app_function* function_;
};

// Everything a host can be opened with.
struct HostSettings {
  Options options;
  std::string config_file;
  std::string plugin_path;
  std::string log_level;
  // level, source, function (or nullptr), text. From any thread. Empty: lines go to stderr.
  std::function<void(int32_t, const char*, const char*, const char*)> log;
  bool environment = true;
};

class Host {
 public:
  Host() : Host(HostSettings{}) {}
  // Host host({{"python.execution-mode", "thread"}});
  explicit Host(std::initializer_list<std::pair<std::string, std::string>> options)  // NOLINT: not a copy-list
      : Host(with_options(Options(options.begin(), options.end()))) {}
  // Templates, so that braces mean the list above and nothing else.
  template <typename T, std::enable_if_t<std::is_same_v<std::decay_t<T>, Options>, int> = 0>
  explicit Host(T&& options) : Host(with_options(std::forward<T>(options))) {}
  template <typename T, std::enable_if_t<std::is_same_v<std::decay_t<T>, HostSettings>, char> = 0>
  explicit Host(T&& given) : app_(std::make_shared<detail::App>()) {
    HostSettings settings(std::forward<T>(given));
    app_->log = std::move(settings.log);
    const std::vector<clutch_app_option> options = detail::raw_options(settings.options);
    clutch_app_settings raw{};
    raw.struct_size = sizeof(raw);
    raw.flags = settings.environment ? 0 : CLUTCH_APP_NO_ENVIRONMENT;
    raw.options = options.data();
    raw.n_options = options.size();
    raw.config_file = settings.config_file.empty() ? nullptr : settings.config_file.c_str();
    raw.plugin_path = settings.plugin_path.empty() ? nullptr : settings.plugin_path.c_str();
    raw.log_level = settings.log_level.empty() ? nullptr : settings.log_level.c_str();
    if (app_->log) {
      raw.log = [](void* self, int32_t level, const char* source, const char* function, const char* text) {
        static_cast<detail::App*>(self)->log(level, source, function, text);
      };
      raw.log_self = app_.get();
    }
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_open(&raw, &app_->app, &error), error);
  }

  Function open(const Spec& spec) const {
    clutch_app_error* error = nullptr;
    clutch_app_function* function = nullptr;
    detail::check(spec.with_raw([&](const clutch_app_spec* raw) {
      return clutch_app_function_open(get(), raw, &function, &error);
    }),
                  error);
    return Function(app_, function);
  }

  void set(const std::string& key, const std::string& value) const {
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_set(get(), key.c_str(), value.c_str(), &error), error);
  }
  // The value, and where it comes from.
  std::pair<std::string, std::string> get(const std::string& key) const {
    clutch_app_error* error = nullptr;
    char* value = nullptr;
    char* origin = nullptr;
    detail::check(clutch_app_get(get(), key.c_str(), &value, &origin, &error), error);
    std::string text = detail::take_text(value);
    return {std::move(text), detail::take_text(origin)};
  }
  std::string configuration(Format format = Format::kText) const {
    return detail::take_text(clutch_app_configuration(get(), static_cast<int32_t>(format)));
  }
  std::string plugins(Format format = Format::kText) const {
    return detail::take_text(clutch_app_plugins(get(), static_cast<int32_t>(format)));
  }
  std::string describe(const std::string& mode, Format format = Format::kText) const {
    return text([&](char** out, clutch_app_error** error) {
      return clutch_app_describe(get(), mode.c_str(), static_cast<int32_t>(format), out, error);
    });
  }
  // Empty kind: all kinds.
  std::string explain_kind(const std::string& kind = {}, Format format = Format::kText) const {
    return text([&](char** out, clutch_app_error** error) {
      return clutch_app_explain_kind(get(), kind.empty() ? nullptr : kind.c_str(), static_cast<int32_t>(format), out,
                                     error);
    });
  }
  std::string explain(const Spec& spec, Format format = Format::kText) const {
    return text([&](char** out, clutch_app_error** error) {
      return spec.with_raw([&](const clutch_app_spec* raw) {
        return clutch_app_explain_spec(get(), raw, static_cast<int32_t>(format), out, error);
      });
    });
  }
  clutch_app* get() const { return app_->app; }

 private:
  static HostSettings with_options(Options options) {
    HostSettings settings;
    settings.options = std::move(options);
    return settings;
  }
  template <typename Call>
  static std::string text(Call call) {
    char* out = nullptr;
    clutch_app_error* error = nullptr;
    detail::check(call(&out, &error), error);
    return detail::take_text(out);
  }

  std::shared_ptr<detail::App> app_;  // Why: functions may outlive the Host object they came from.
};

}  // namespace clutch

#include "clutch/batcher.hpp"
#include "clutch/state_store.hpp"
