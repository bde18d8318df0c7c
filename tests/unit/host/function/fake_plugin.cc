#include "fake_plugin.h"

#include <algorithm>

namespace clutch::testing {
namespace {

// The runtime and the function of the contract are both the FakePlugin.
FakePlugin& plugin_of(void* object) { return *static_cast<FakePlugin*>(object); }

int32_t runtime_open(const clutch_host* host, const clutch_options* configuration, clutch_runtime** ret_runtime,
                     clutch_error*) {
  for (uint64_t i = 0; i < configuration->count; ++i) {
    const clutch_option& option = configuration->data[i];
    const std::string key(host::view(option.key));
    if (key.substr(0, 14) != "fake.instance.") continue;
    auto* plugin = reinterpret_cast<FakePlugin*>(std::stoull(std::string(host::view(option.value))));
    // Each linked plugin has a key of its own; the host gives all of them to every runtime.
    if (host->self == nullptr || key.substr(14) != static_cast<host::HostServices*>(host->self)->plugin) continue;
    plugin->host = host;
    ++plugin->runtimes_opened;
    *ret_runtime = reinterpret_cast<clutch_runtime*>(plugin);
    return CLUTCH_OK;
  }
  return CLUTCH_ERR_CONFIG;
}

int32_t runtime_probe(clutch_runtime* runtime, const clutch_spec* spec, clutch_error* reason) {
  FakePlugin& plugin = plugin_of(runtime);
  plugin.host->error_detail(reason, host::to_str("fake.fact"), host::to_str("yes"));
  return plugin.probe ? plugin.probe(*spec, reason) : CLUTCH_OK;
}

void runtime_describe(clutch_runtime*, clutch_fact_sink sink, void* self) {
  sink(self, host::to_str("fake.version"), host::to_str("7"));
}

void runtime_close(clutch_runtime* runtime) { ++plugin_of(runtime).runtimes_closed; }

int32_t function_open(clutch_runtime* runtime, const clutch_spec* spec, clutch_function_context* context,
                      clutch_function** ret_function, clutch_function_info* ret_info, clutch_error* error) {
  FakePlugin& plugin = plugin_of(runtime);
  plugin.function_options.clear();
  for (uint64_t i = 0; i < spec->options.count; ++i) {
    plugin.function_options.emplace_back(host::view(spec->options.data[i].key),
                                         host::view(spec->options.data[i].value));
  }
  if (plugin.open) {
    const int32_t status = plugin.open(*spec, context, error);
    if (status != CLUTCH_OK) return status;
  }
  ++plugin.functions_opened;
  ret_info->max_in_flight = plugin.max_in_flight;
  *ret_function = reinterpret_cast<clutch_function*>(&plugin);
  return CLUTCH_OK;
}

int32_t function_submit(clutch_function* function, const clutch_batch* batch, clutch_error* error) {
  FakePlugin& plugin = plugin_of(function);
  return plugin.submit ? plugin.submit(*batch, error) : plugin.double_rows(*batch);
}

int32_t function_poll(clutch_function* function, int64_t deadline_ns) { return plugin_of(function).poll(deadline_ns); }

void function_cancel(clutch_function* function, uint64_t sequence) {
  FakePlugin& plugin = plugin_of(function);
  plugin.cancelled.push_back(sequence);
  if (plugin.cancel) plugin.cancel(sequence);
}

int32_t function_close(clutch_function* function, clutch_error* error) {
  FakePlugin& plugin = plugin_of(function);
  ++plugin.functions_closed;
  return plugin.close ? plugin.close(error) : CLUTCH_OK;
}

const void* get_extension(const char*) { return nullptr; }

constexpr const char* kKinds[] = {"stream.async", "stream.filter", "stream.keyed_process", "table.aggregate",
                                  "table.scalar"};

}  // namespace

columnar::Array int64_column(const std::vector<int64_t>& values) {
  columnar::ArrayBuilder builder(host::simple_field("", columnar::TypeId::kInt64, false));
  for (const int64_t value : values) builder.append(value);
  return builder.finish();
}

columnar::Array int32_column(const std::vector<int32_t>& values) {
  columnar::ArrayBuilder builder(host::simple_field("", columnar::TypeId::kInt32, false));
  for (const int32_t value : values) builder.append(value);
  return builder.finish();
}

columnar::Array int8_column(const std::vector<int8_t>& values) {
  columnar::ArrayBuilder builder(host::simple_field("", columnar::TypeId::kInt8, false));
  for (const int8_t value : values) builder.append(value);
  return builder.finish();
}

columnar::Array bytes_column(const std::vector<std::optional<std::string>>& values) {
  columnar::ArrayBuilder builder(host::simple_field("", columnar::TypeId::kBinary, true));
  for (const auto& value : values) {
    if (!value) {
      builder.append_null();
    } else if (!builder.append_bytes(*value).ok()) {
      throw std::length_error("bytes_column");
    }
  }
  return builder.finish();
}

std::vector<int64_t> read_int64(const ArrowArray& batch, int64_t column) {
  const columnar::ArrayView view(*batch.children[column]);
  const int64_t* values = view.values<int64_t>() + batch.offset;
  return {values, values + batch.length};
}

FakePlugin::FakePlugin(std::string mode) : id_("org.test." + mode), mode_(std::move(mode)) {
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    clutch_capability& capability = capabilities_[i];
    capability.struct_size = sizeof(capability);
    capability.kind = host::to_str(kKinds[i]);
    capability.min_revision = 1;
    capability.max_revision = 1;
    capability.payloads = host::to_str("import,source");
    capability.features = CLUTCH_FEATURE_CHAIN;
    capability_pointers_[i] = &capability;
  }
  api_.struct_size = sizeof(api_);
  api_.id = host::to_str(id_);
  api_.version = host::to_str("1.0");
  api_.mode = host::to_str(mode_);
  api_.capabilities = capability_pointers_;
  api_.n_capabilities = std::size(kKinds);
  api_.get_extension = get_extension;
  api_.runtime_open = runtime_open;
  api_.runtime_probe = runtime_probe;
  api_.runtime_describe = runtime_describe;
  api_.runtime_close = runtime_close;
  api_.function_open = function_open;
  api_.function_submit = function_submit;
  api_.function_cancel = function_cancel;
  api_.function_close = function_close;
}

host::LinkedPlugin FakePlugin::linked() {
  api_.function_poll = poll ? function_poll : nullptr;
  host::Manifest manifest;
  manifest.id = id_;
  manifest.version = "1.0";
  manifest.mode = mode_;
  manifest.min_level = CLUTCH_ABI_LEVEL;
  manifest.max_level = CLUTCH_ABI_LEVEL;
  for (const char* kind : kKinds) {
    manifest.capabilities.push_back({kind, 1, 1, {"import", "source"}, CLUTCH_FEATURE_CHAIN});
  }
  return {std::move(manifest), &api_};
}

int32_t FakePlugin::emit(clutch_batch_context* context, columnar::Array rows, columnar::Array origin, uint32_t tag,
                         clutch_error* error) const {
  ArrowArray raw_rows = rows.detach();
  ArrowArray raw_origin = origin.detach();
  return host->emit(context, tag, &raw_rows, &raw_origin, error);
}

int32_t FakePlugin::emit(const clutch_batch& batch, columnar::Array rows, columnar::Array origin, uint32_t tag,
                         clutch_error* error) const {
  return emit(batch.context, std::move(rows), std::move(origin), tag, error);
}

int32_t FakePlugin::double_rows(const clutch_batch& batch) const {
  std::vector<int64_t> values = read_int64(*batch.rows);
  for (int64_t& value : values) value *= 2;
  const auto count = static_cast<int64_t>(values.size());
  return emit(batch, batch_of(count, int64_column(values)));
}

void FakePlugin::fail(clutch_error* error, int32_t code, const std::string& message) const {
  host->error_set(error, code, CLUTCH_ORIGIN_USER, host::to_str(message));
}

FakeHost::FakeHost(std::vector<FakePlugin*> plugins, host::Options options) : app_(std::make_shared<detail::App>()) {
  host::HostSettings settings;
  settings.search = false;
  settings.environment = false;
  settings.log_level = "debug";
  settings.log_self = log_.get();
  settings.log = [](void* self, int32_t level, const char* source, const char* function, const char* text) {
    auto& log = *static_cast<Log*>(self);
    const std::scoped_lock lock(log.mutex);
    log.lines.push_back({level, source, function == nullptr ? "" : function, text});
  };
  settings.options = std::move(options);
  for (FakePlugin* plugin : plugins) {
    settings.linked.push_back(plugin->linked());
    settings.options.emplace_back("fake.instance." + settings.linked.back().manifest.id,
                                  std::to_string(reinterpret_cast<uintptr_t>(plugin)));
  }
  const bool has_mode = std::any_of(settings.options.begin(), settings.options.end(),
                                    [](const auto& option) { return option.first == "python.execution-mode"; });
  if (!has_mode) settings.options.emplace_back("python.execution-mode", settings.linked.front().manifest.mode);
  Result<std::unique_ptr<host::Host>> opened = host::Host::open(settings);
  if (!opened.ok()) throw std::runtime_error(std::string(opened.status().message()));
  app_->app = new clutch_app{*std::move(opened)};
}

FakeHost::~FakeHost() = default;

Function FakeHost::open(const Spec& spec) const {
  clutch_app_error* error = nullptr;
  clutch_app_function* function = nullptr;
  const int32_t status = spec.with_raw(
      [&](const clutch_app_spec* raw) { return clutch_app_function_open(get(), raw, &function, &error); });
  detail::check(status, error);
  return Function(app_, function);
}

std::vector<LogLine> FakeHost::log() const {
  const std::scoped_lock lock(log_->mutex);
  return log_->lines;
}

Spec doubling() {
  return Spec("table.scalar", imported("module:double")).name("double").input("x: int64").output("int64");
}

Rows numbers(const std::vector<int64_t>& values) { return columns(values); }

Worker::~Worker() {
  for (std::thread& thread : threads_) thread.join();
}

int32_t Worker::take(const clutch_batch& batch, clutch_error* error) {
  const std::scoped_lock lock(mutex_);
  taken_.push_back({batch, error});
  changed_.notify_all();
  return CLUTCH_PENDING;
}

Worker::Taken Worker::wait_for(uint64_t sequence) {
  std::unique_lock lock(mutex_);
  std::vector<Taken>::iterator found;
  changed_.wait(lock, [&] {
    found = std::find_if(taken_.begin(), taken_.end(),
                         [&](const Taken& taken) { return taken.batch.sequence == sequence; });
    return found != taken_.end();
  });
  return *found;
}

bool Worker::has(uint64_t sequence) const {
  const std::scoped_lock lock(mutex_);
  return std::any_of(taken_.begin(), taken_.end(),
                     [&](const Taken& taken) { return taken.batch.sequence == sequence; });
}

clutch_batch Worker::taken(uint64_t sequence) { return wait_for(sequence).batch; }

void Worker::finish(uint64_t sequence, int32_t status, const std::string& message) {
  threads_.emplace_back([this, sequence, status, message] {
    const Taken taken = wait_for(sequence);
    if (status == CLUTCH_OK) {
      plugin_.double_rows(taken.batch);
    } else {
      plugin_.fail(taken.error, status, message);
    }
    plugin_.host->batch_complete(taken.batch.context, status);
  });
}

void Worker::finish_empty(uint64_t sequence) {
  threads_.emplace_back(
      [this, sequence] { plugin_.host->batch_complete(wait_for(sequence).batch.context, CLUTCH_OK); });
}

}  // namespace clutch::testing
