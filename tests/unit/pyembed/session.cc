#include "session.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "clutch/columnar/ops.h"
#include "clutch/pyembed.h"

namespace clutch::pyembed::testing {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    ADD_FAILURE() << name << " is not set; run this through meson test";
    std::abort();
  }
  return value;
}

const clutch_plugin_api* load() {
  // The plugin's part: libpython becomes global, so that extension modules find it.
  void* libpython = dlopen(environment("CLUTCH_TEST_LIBPYTHON").c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (libpython == nullptr) {
    ADD_FAILURE() << dlerror();
    std::abort();
  }
  void* runtime = dlopen(environment("CLUTCH_TEST_RUNTIME").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (runtime == nullptr) {
    ADD_FAILURE() << dlerror();
    std::abort();
  }
  auto entry = reinterpret_cast<decltype(&clutch_pyembed_table_v1)>(dlsym(runtime, CLUTCH_PYEMBED_SYMBOL));
  return entry();
}

}  // namespace

const clutch_plugin_api* table() {
  static const clutch_plugin_api* const kTable = load();
  return kTable;
}

std::string program() { return environment("CLUTCH_TEST_PYTHON"); }

Session::Session(OptionList options) {
  options.add(CLUTCH_PYEMBED_PROGRAM, program());
  const clutch_options view = options.view();
  clutch_error error;
  const int32_t status = table()->runtime_open(host_.table(), &view, &runtime_, &error);
  EXPECT_EQ(status, CLUTCH_OK) << error.message;
}

Session::~Session() {
  if (runtime_ != nullptr) table()->runtime_close(runtime_);
}

std::map<std::string, std::string> Session::facts() {
  std::map<std::string, std::string> facts;
  table()->runtime_describe(
      runtime_,
      [](void* sink, clutch_str key, clutch_str value) {
        (*static_cast<std::map<std::string, std::string>*>(sink))[std::string(key.data, key.size)] =
            std::string(value.data, value.size);
      },
      &facts);
  return facts;
}

OpenFunction Session::open(SpecText& spec) {
  auto context = std::make_unique<clutch_function_context>();
  context->name = spec.name;
  clutch_function* function = nullptr;
  clutch_function_info info{sizeof(info), 0};
  clutch_error error;
  const int32_t status = table()->function_open(runtime_, spec.view(), context.get(), &function, &info, &error);
  EXPECT_EQ(status, CLUTCH_OK) << error.message << "\n" << error.details["traceback"];
  EXPECT_EQ(info.max_in_flight, 1u);
  return OpenFunction(*this, function, columnar::struct_of(spec.output), std::move(context));
}

clutch_error Session::refuse(SpecText& spec) {
  clutch_function_context context{spec.name};
  clutch_function* function = nullptr;
  clutch_function_info info{sizeof(info), 0};
  clutch_error error;
  const int32_t status = table()->function_open(runtime_, spec.view(), &context, &function, &info, &error);
  EXPECT_LT(status, 0) << "the function opened";
  EXPECT_EQ(status, error.code);
  return error;
}

OpenFunction::~OpenFunction() {
  if (function_ != nullptr) close();
}

Outcome OpenFunction::close() {
  Outcome outcome;
  outcome.status = table()->function_close(function_.release(), &outcome.error);
  return outcome;
}

void OpenFunction::cancel(uint64_t sequence) { table()->function_cancel(function_.get(), sequence); }

Outcome OpenFunction::submit(columnar::Array rows, int64_t deadline_ns) {
  return submit(std::move(rows), std::make_unique<clutch_batch_context>(), deadline_ns);
}

Outcome OpenFunction::submit(columnar::Array rows, std::unique_ptr<clutch_batch_context> context, int64_t deadline_ns) {
  Outcome outcome;
  if (function_ == nullptr) {
    outcome.status = CLUTCH_ERR_CLOSED;
    return outcome;
  }
  outcome.context = std::move(context);
  clutch_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.context = outcome.context.get();
  batch.sequence = ++sequence_;
  batch.deadline_ns = deadline_ns;
  batch.watermark_ms = INT64_MIN;
  batch.rows = rows.get();
  outcome.status = table()->function_submit(function_.get(), &batch, &outcome.error);
  for (clutch_batch_context::Emitted& emitted : outcome.context->emitted) {
    if (!emitted.rows.empty()) {
      for (int64_t row = 0; row < emitted.rows->length; ++row) {
        outcome.rows.push_back(columnar::row_to_string(output_, *emitted.rows, row));
      }
    } else {
      outcome.passed_rows = true;
    }
    if (!emitted.origin.empty()) {
      const auto* values = static_cast<const int32_t*>(emitted.origin->buffers[1]) + emitted.origin->offset;
      outcome.origin.insert(outcome.origin.end(), values, values + emitted.origin->length);
    }
  }
  return outcome;
}

SpecText source(const std::string& kind, const std::string& text, const std::string& in, const std::string& out) {
  SpecText spec;
  spec.name = "f";
  spec.steps.push_back({"f", kind, "source", text});
  spec.input = {column("x", in)};
  spec.output = {column("y", out)};
  return spec;
}

}  // namespace clutch::pyembed::testing
