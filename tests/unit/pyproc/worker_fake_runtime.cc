// Runs the worker library with a runtime of test behaviours in place of Python: what a function does is the payload of
// its first step.
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include "clutch/abi/plugin.h"
#include "clutch/abi/status.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/type.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/cancel.h"
#include "clutch/ext/dead_letter.h"
#include "clutch/ext/log.h"
#include "clutch/ext/memory.h"
#include "clutch/ext/metrics.h"
#include "clutch/ext/side_output.h"
#include "clutch/ext/state.h"
#include "clutch/ext/timer.h"
#include "clutch/pyembed.h"

using clutch::columnar::Array;
using clutch::columnar::ArrayBuilder;
using clutch::columnar::ArrayView;
using clutch::columnar::Field;
using clutch::columnar::TypeId;

struct clutch_runtime {
  const clutch_host* host;
  std::map<std::string, std::string> options;
  template <typename T>
  const T* extension(const char* id) const {
    return static_cast<const T*>(host->get_extension(host, id));
  }
};

struct clutch_function {
  clutch_runtime* runtime;
  clutch_function_context* context;
  std::string behaviour;
  int64_t argument = 0;
  std::string script;  // the argument as text
  uint32_t side_tag = 0;
  uint32_t state = 0;
  clutch_batch_context* last = nullptr;
  std::thread thread;
};

namespace {

clutch_str text(const std::string& value) { return {value.data(), value.size()}; }

int32_t error(const clutch_function& f, clutch_error* out, int32_t code, const std::string& message) {
  f.runtime->host->error_set(out, code, CLUTCH_ORIGIN_USER, text(message));
  return code;
}

Field field(const char* name, TypeId id, bool nullable) {
  Field out;
  out.name = name;
  out.type.id = id;
  out.nullable = nullable;
  return out;
}

Field ints(const char* name) { return field(name, TypeId::kInt64, true); }

void log(const clutch_function& f, const std::string& line) {
  f.runtime->extension<clutch_host_log>(CLUTCH_HOST_LOG)
      ->write(f.runtime->host, CLUTCH_LOG_INFO, text("stdout"), f.context, text(line));
}

// Emit `copies` rows for each input row i, each with `of(value)`; with origins unless copies is 1.
int32_t emit(clutch_function& f, const clutch_batch& batch, int64_t copies, const std::function<int64_t(int64_t)>& of,
             clutch_error* out, uint32_t tag = CLUTCH_TAG_MAIN) {
  const ArrayView column(*batch.rows->children[0]);
  ArrayBuilder values(ints("y"));
  ArrayBuilder origins(field("", TypeId::kInt32, false));
  for (int64_t i = 0; i < batch.rows->length; ++i) {
    for (int64_t k = 0; k < copies; ++k) {
      if (column.is_null(i)) {
        values.append_null();
      } else {
        values.append<int64_t>(of(column.values<int64_t>()[i]));
      }
      origins.append<int32_t>(static_cast<int32_t>(i));
    }
  }
  std::vector<Array> columns;
  columns.push_back(values.finish());
  Array rows = clutch::columnar::make_batch(batch.rows->length * copies, std::move(columns));
  Array origin;
  if (copies != 1) origin = origins.finish();
  ArrowArray raw_rows = rows.detach();
  ArrowArray raw_origin = origin.detach();
  return f.runtime->host->emit(batch.context, tag, &raw_rows, &raw_origin, out);
}

int32_t keep_even(clutch_function& f, const clutch_batch& batch, clutch_error* out) {
  const ArrayView column(*batch.rows->children[0]);
  ArrayBuilder origins(field("", TypeId::kInt32, false));
  for (int32_t i = 0; i < batch.rows->length; ++i) {
    if (column.values<int64_t>()[i] % 2 == 0) origins.append<int32_t>(i);
  }
  ArrowArray rows = {};
  ArrowArray origin = origins.finish().detach();
  return f.runtime->host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, out);
}

int32_t dead_letters(clutch_function& f, const clutch_batch& batch, clutch_error* out) {
  const auto* letters = f.runtime->extension<clutch_host_dead_letter>(CLUTCH_HOST_DEAD_LETTER);
  clutch_error* of_row = nullptr;
  for (int64_t row = 0; row < batch.rows->length; ++row) {
    const int32_t status = letters->add(batch.context, row, &of_row, out);
    if (status != CLUTCH_OK) return status;
    f.runtime->host->error_set(of_row, CLUTCH_ERR_USER, CLUTCH_ORIGIN_USER, text("row " + std::to_string(row)));
    f.runtime->host->error_detail(of_row, text("traceback"), text(std::string(static_cast<size_t>(f.argument), 't')));
  }
  if (letters->add(batch.context, 0, &of_row, out) != CLUTCH_ERR_ARGUMENT) return CLUTCH_ERR_INTERNAL;
  if (letters->add(batch.context, batch.rows->length, &of_row, out) != CLUTCH_ERR_ARGUMENT) return CLUTCH_ERR_INTERNAL;
  return CLUTCH_OK;
}

// Adds one to the state of every key, twice, reading back in between, and registers a timer for the first key.
int32_t count(clutch_function& f, const clutch_batch& batch, clutch_error* out) {
  const auto* states = f.runtime->extension<clutch_host_state>(CLUTCH_HOST_STATE);
  for (int round = 0; round < 2; ++round) {
    ArrowArray raw = {};
    if (const int32_t status = states->read(batch.context, f.state, &raw, out); status != CLUTCH_OK) return status;
    const Array values(std::move(raw));
    const ArrayView column(*values->children[0]);
    ArrayBuilder changes(
        clutch::columnar::struct_of({field("key", TypeId::kInt32, false), field("op", TypeId::kInt8, false),
                                     field("map_key", TypeId::kBinary, true), field("value", TypeId::kBinary, true)}));
    for (int32_t key = 0; key < values->length; ++key) {
      const std::string before = column.is_null(key) ? "" : std::string(column.bytes_at<int32_t>(key));
      changes.child(0).append<int32_t>(key);
      changes.child(1).append<int8_t>(CLUTCH_STATE_OP_PUT);
      changes.child(2).append_null();
      if (!changes.child(3).append_bytes(before + "+").ok()) return CLUTCH_ERR_INTERNAL;
      changes.append_struct();
    }
    ArrowArray moved = changes.finish().detach();
    if (const int32_t status = states->apply(batch.context, f.state, &moved, out); status != CLUTCH_OK) return status;
  }
  ArrayBuilder timers(
      clutch::columnar::struct_of({field("key", TypeId::kInt32, false), field("time_ms", TypeId::kInt64, false),
                                   field("domain", TypeId::kInt8, false), field("op", TypeId::kInt8, false)}));
  timers.child(0).append<int32_t>(static_cast<int32_t>(f.argument));
  timers.child(1).append<int64_t>(77);
  timers.child(2).append<int8_t>(CLUTCH_TIMER_PROCESSING_TIME);
  timers.child(3).append<int8_t>(CLUTCH_TIMER_REGISTER);
  timers.append_struct();
  ArrowArray moved = timers.finish().detach();
  return f.runtime->extension<clutch_host_timer>(CLUTCH_HOST_TIMER)->apply(batch.context, &moved, out);
}

// Reads a list state and a map state as its script says, and logs what it got. Commands have a state and:
//   page KEY BYTES   all pages of a key, "|" between them
//   all BYTES        first pages of all keys, "+" where there is more
//   find KEY NAME... entries of a map, the names separated by commas
//   twice KEY BYTES  the second page, twice from the same cursor
//   bad KEY          a page behind a cursor that nobody gave
int32_t entries(clutch_function& f, const clutch_batch& batch, clutch_error* out) {
  const auto* states = f.runtime->extension<clutch_host_state>(CLUTCH_HOST_STATE);
  std::istringstream commands(f.script);
  std::string command;
  const auto text_of = [](const Array& rows, int64_t column, int64_t row) {
    const ArrayView view(*rows->children[column]);
    return view.is_null(row) ? std::string("-") : std::string(view.bytes_at<int32_t>(row));
  };
  while (commands >> command) {
    uint32_t state = 0;
    int32_t key = CLUTCH_STATE_ALL_KEYS;
    uint64_t bytes = 0;
    std::string told = command;
    commands >> state;
    if (command != "all") commands >> key;
    if (command == "find") {
      std::string names;
      std::getline(commands >> std::ws, names);
      ArrayBuilder asked(
          clutch::columnar::struct_of({field("key", TypeId::kInt32, false), field("map_key", TypeId::kBinary, false)}));
      std::istringstream each(names);
      for (std::string name; std::getline(each, name, ',');) {
        if (name == "long") name = std::string(static_cast<size_t>(300'000), 'l');
        asked.child(0).append<int32_t>(key);
        if (!asked.child(1).append_bytes(name).ok()) return CLUTCH_ERR_INTERNAL;
        asked.append_struct();
      }
      ArrowArray raw = {};
      const Array keys = asked.finish();
      if (const int32_t code = states->lookup(batch.context, state, keys.get(), &raw, out); code != CLUTCH_OK) {
        return code;
      }
      const Array found(std::move(raw));
      for (int64_t row = 0; row < found->length; ++row) told += " " + text_of(found, 0, row);
      log(f, told);
      continue;
    }
    if (command != "bad") commands >> bytes;
    std::string from = command == "bad" ? "what?" : "";
    for (int pages = 0;; ++pages) {
      ArrowArray raw = {};
      clutch_bytes next = {};
      const clutch_bytes cursor{reinterpret_cast<const uint8_t*>(from.data()), from.size()};
      if (const int32_t code = states->read_page(batch.context, state, key, cursor, bytes, &raw, &next, out);
          code != CLUTCH_OK) {
        return code;
      }
      const Array page(std::move(raw));
      const int64_t first = command == "all" ? 1 : 0;
      if (pages > 0) told += " |";
      for (int64_t row = 0; row < page->length; ++row) {
        if (command == "all") told += " " + std::to_string(ArrayView(*page->children[0]).values<int32_t>()[row]);
        told += (command == "all" ? ":" : " ") + text_of(page, first, row) + "=" + text_of(page, first + 1, row);
        if (command == "all" && text_of(page, 3, row) != "-") told += "+";
      }
      if (next.size == 0 || (command == "twice" && pages == 2)) break;
      if (command != "twice" || pages == 0) from.assign(reinterpret_cast<const char*>(next.data), next.size);
    }
    log(f, told);
  }
  return CLUTCH_OK;
}

int32_t submit(clutch_function* function, const clutch_batch* batch, clutch_error* out) {
  clutch_function& f = *function;
  const std::string& what = f.behaviour;
  f.last = batch->context;
  if (what == "double")
    return emit(
        f, *batch, 1, [](int64_t x) { return 2 * x; }, out);
  if (what == "repeat")
    return emit(
        f, *batch, f.argument, [](int64_t x) { return x; }, out);
  if (what == "keep_even") return keep_even(f, *batch, out);
  if (what == "letters") return dead_letters(f, *batch, out);
  if (what == "count") return count(f, *batch, out);
  if (what == "entries") return entries(f, *batch, out);
  if (what == "side")
    return emit(
        f, *batch, 2, [](int64_t x) { return -x; }, out, f.side_tag);
  if (what == "wrong_tag")
    return emit(
        f, *batch, 1, [](int64_t x) { return x; }, out, 9);
  if (what == "fail") {
    error(f, out, CLUTCH_ERR_USER, "function \"f\" row 2: ValueError: no");
    f.runtime->host->error_detail(out, text("row"), text("2"));
    f.runtime->host->error_detail(out, text("traceback"), text(std::string(static_cast<size_t>(f.argument), 't')));
    return CLUTCH_ERR_USER;
  }
  if (what == "silent") return CLUTCH_ERR_VALUE;
  if (what == "until_cancelled") {
    const auto* cancel = f.runtime->extension<clutch_host_cancel>(CLUTCH_HOST_CANCEL);
    while (cancel->is_cancelled(batch->context) == 0) std::this_thread::yield();
    return error(f, out, CLUTCH_ERR_CANCELLED, "stopped at the host's wish");
  }
  if (what == "forever") {
    auto& row = *reinterpret_cast<std::atomic<int64_t>*>(
        std::strtoull(f.runtime->options.at(CLUTCH_PYEMBED_PROGRESS).c_str(), nullptr, 10));
    row.store(1234);
    for (;;) pause();
  }
  if (what == "print") {
    for (int64_t i = 0; i < f.argument; ++i) log(f, "line " + std::to_string(i));
    return CLUTCH_OK;
  }
  if (what == "long_line") {
    log(f, std::string(static_cast<size_t>(f.argument), 'x'));
    return CLUTCH_OK;
  }
  if (what == "raw_print") {
    std::printf("from C\n");
    return CLUTCH_OK;
  }
  if (what == "metrics") {
    const auto* metrics = f.runtime->extension<clutch_host_metrics>(CLUTCH_HOST_METRICS);
    for (int i = 0; i < 3; ++i) {
      metrics->record(f.context, CLUTCH_METRIC_COUNTER, text("c"), 2);
      metrics->record(f.context, CLUTCH_METRIC_GAUGE, text("g"), i);
      metrics->record(f.context, CLUTCH_METRIC_HISTOGRAM, text("h"), i);
    }
    return CLUTCH_OK;
  }
  if (what == "lease") {
    clutch_input_lease* lease = nullptr;  // Kept for ever, as user code may keep an array.
    return f.runtime->extension<clutch_host_memory>(CLUTCH_HOST_MEMORY)->lease_take(batch->context, &lease, out);
  }
  if (what == "short_lease") {
    const auto* memory = f.runtime->extension<clutch_host_memory>(CLUTCH_HOST_MEMORY);
    clutch_input_lease* lease = nullptr;
    const int32_t status = memory->lease_take(batch->context, &lease, out);
    if (status == CLUTCH_OK) memory->lease_drop(lease);
    return status;
  }
  if (what == "fork") {
    (void)fork();  // both come back to the worker
    return emit(
        f, *batch, 1, [](int64_t x) { return x; }, out);
  }
  if (what == "pending") {
    if (f.thread.joinable()) f.thread.join();
    f.thread = std::thread([&f, batch = *batch, out] {
      f.runtime->host->batch_complete(batch.context, emit(
                                                         f, batch, 1, [](int64_t x) { return x + 1; }, out));
    });
    return CLUTCH_PENDING;
  }
  if (what == "crash") {
    signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would turn it into an exit
    raise(SIGSEGV);
  }
  return error(f, out, CLUTCH_ERR_FUNCTION, "no behaviour \"" + what + "\"");
}

int32_t runtime_open(const clutch_host* host, const clutch_options* options, clutch_runtime** ret, clutch_error* out) {
  auto* runtime = new clutch_runtime{host, {}};
  for (uint64_t i = 0; i < options->count; ++i) {
    const clutch_option& o = options->data[i];
    runtime->options[std::string(o.key.data, o.key.size)] = std::string(o.value.data, o.value.size);
  }
  if (runtime->options.count("fake.refuse") != 0) {
    host->error_set(out, CLUTCH_ERR_CONFIG, CLUTCH_ORIGIN_CONFIG, text("fake.refuse is set; take it away"));
    delete runtime;
    return CLUTCH_ERR_CONFIG;
  }
  *ret = runtime;
  return CLUTCH_OK;
}

void describe(clutch_runtime*, clutch_fact_sink sink, void* self) { sink(self, text("python.version"), text("0.0")); }

void runtime_close(clutch_runtime* runtime) { delete runtime; }

int32_t function_open(clutch_runtime* runtime, const clutch_spec* spec, clutch_function_context* context,
                      clutch_function** ret, clutch_function_info* info, clutch_error* out) {
  auto function = std::make_unique<clutch_function>();
  function->runtime = runtime;
  function->context = context;
  const std::string payload(reinterpret_cast<const char*>(spec->steps[0]->payload.data), spec->steps[0]->payload.size);
  const size_t colon = payload.find(':');
  function->behaviour = payload.substr(0, colon);
  if (colon != std::string::npos) function->argument = std::atoll(payload.c_str() + colon + 1);
  if (colon != std::string::npos) function->script = payload.substr(colon + 1);
  if (function->behaviour == "no_open") {
    runtime->host->error_set(out, CLUTCH_ERR_FUNCTION, CLUTCH_ORIGIN_USER, text("it does not open"));
    return CLUTCH_ERR_FUNCTION;
  }
  if (function->behaviour == "side") {
    const Field schema = clutch::columnar::struct_of({ints("y")});
    const auto exported = clutch::columnar::export_field(schema);
    const auto* side = runtime->extension<clutch_host_side_output>(CLUTCH_HOST_SIDE_OUTPUT);
    for (int i = 0; i < 2; ++i) {
      const int32_t status = side->declare(context, text("late"), exported.get(), &function->side_tag, out);
      if (status != CLUTCH_OK) return status;
    }
  }
  if (function->behaviour == "count") {
    const clutch_state_declaration declaration = {sizeof(declaration), CLUTCH_STATE_VALUE, {"n", 1}, 500, 0, 0};
    const auto* states = runtime->extension<clutch_host_state>(CLUTCH_HOST_STATE);
    const int32_t status = states->declare(context, &declaration, &function->state, out);
    if (status != CLUTCH_OK) return status;
  }
  if (function->behaviour == "entries") {
    const auto* states = runtime->extension<clutch_host_state>(CLUTCH_HOST_STATE);
    for (const int32_t kind : {CLUTCH_STATE_LIST, CLUTCH_STATE_MAP}) {
      const std::string name = kind == CLUTCH_STATE_LIST ? "l" : "m";
      const clutch_state_declaration declaration = {sizeof(declaration), kind, text(name), 0, 0, 0};
      if (const int32_t status = states->declare(context, &declaration, &function->state, out); status != CLUTCH_OK) {
        return status;
      }
    }
  }
  info->max_in_flight = 1;
  *ret = function.release();
  return CLUTCH_OK;
}

int32_t function_close(clutch_function* function, clutch_error* out) {
  const std::unique_ptr<clutch_function> owned(function);
  if (owned->thread.joinable()) owned->thread.join();
  if (owned->behaviour == "double" && owned->last != nullptr) {
    // Late use of a batch's handle is told as such.
    ArrowArray none = {};
    const int32_t status = owned->runtime->host->emit(owned->last, 0, &none, &none, out);
    log(*owned, "emit after the batch: " + std::to_string(status));
  }
  if (owned->behaviour == "fail") return error(*owned, out, CLUTCH_ERR_USER, "close() failed too");
  if (owned->behaviour == "print") log(*owned, "closed");
  return CLUTCH_OK;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 99;
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 98;
  }
  const auto run = reinterpret_cast<int (*)(const clutch_plugin_api*, int, const char* const*)>(
      dlsym(library, "clutch_worker_main"));
  clutch_plugin_api api = {};
  api.struct_size = sizeof(api);
  api.runtime_open = runtime_open;
  api.runtime_describe = describe;
  api.runtime_close = runtime_close;
  api.function_open = function_open;
  api.function_submit = submit;
  api.function_close = function_close;
  return run(&api, argc, argv);
}
