#include "app/host.h"

#include <algorithm>

#include "config/parse.h"
#include "plugin/discovery.h"

namespace clutch::host {
namespace {

bool is_fused(const StepSpec& step) {
  return std::any_of(step.options.begin(), step.options.end(), [](const auto& option) {
    return option.first == CLUTCH_OPTION_ARGUMENTS || option.first == CLUTCH_OPTION_OUTPUT;
  });
}

// Keys that differ from function to function without needing a runtime of their own: functions that agree in
// "task.worker" and all else share interpreters and workers.
bool is_function_key(std::string_view key) {
  constexpr std::string_view kKeys[] = {"python.execution-mode", "python.execution-mode.fallback",
                                        "python.process.batch-timeout", "python.row-deadline"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys) || key.substr(0, 7) == "clutch." ||
         (key.substr(0, 5) == "task." && key != "task.worker") || key.substr(0, 27) == "python.fn-execution.bundle.";
}

std::string runtime_key(const Manifest& manifest, const Options& configuration) {
  std::string out = manifest.id;
  for (const auto& [key, value] : configuration) {
    if (!is_function_key(key)) out += '\n' + key + '=' + value;
  }
  return out;
}

Status read_configuration(const HostSettings& settings, Configuration& out) {
  if (!settings.config_file.empty()) CLUTCH_RETURN_IF_ERROR(out.load_file(settings.config_file));
  if (settings.environment) CLUTCH_RETURN_IF_ERROR(out.load_process_environment());
  for (const auto& [key, value] : settings.options) CLUTCH_RETURN_IF_ERROR(out.set(key, value));
  if (!settings.log_level.empty()) CLUTCH_RETURN_IF_ERROR(out.set("clutch.log.level", settings.log_level));
  if (!settings.plugin_path.empty()) {
    CLUTCH_ASSIGN_OR_RETURN(const std::string configured, out.text("clutch.plugin-path"));
    CLUTCH_RETURN_IF_ERROR(out.set(
        "clutch.plugin-path", configured.empty() ? settings.plugin_path : settings.plugin_path + ":" + configured));
  }
  return {};
}

Result<std::unique_ptr<Logger>> make_logger(const HostSettings& settings, const Configuration& configuration) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string level, configuration.text("clutch.log.level"));
  CLUTCH_ASSIGN_OR_RETURN(const int64_t rate, configuration.integer("clutch.log.rate"));
  LogLimits limits;
  CLUTCH_ASSIGN_OR_RETURN(limits.level, parse_log_level(level));
  limits.lines_per_second = static_cast<uint32_t>(std::clamp<int64_t>(rate, 0, 1'000'000'000));
  limits.burst = limits.lines_per_second * 2;
  return std::make_unique<Logger>(
      settings.log == nullptr ? make_stderr_sink() : make_callback_sink(settings.log, settings.log_self), limits);
}

Result<Discovery> discover(const HostSettings& settings, const Configuration& configuration) {
  Discovery out;
  if (settings.search) {
    CLUTCH_ASSIGN_OR_RETURN(const SearchOptions options, search_options(configuration));
    out = discover_plugins(options);
  }
  for (const LinkedPlugin& linked : settings.linked) out.plugins.push_back(linked.manifest);
  return out;
}

}  // namespace

// Asks plugins about one function, with the configuration that holds for it.
class Host::HostProber final : public Prober {
 public:
  HostProber(Host& host, const FunctionSpec& spec, const Configuration& configuration)
      : host_(host), configuration_(configuration), options_(configuration.effective()), raw_(spec, options_) {}

  Answer probe(const Manifest& plugin) override {
    Result<Runtime*> runtime = host_.runtime(plugin, configuration_);
    if (!runtime.ok()) return {std::move(runtime).status(), {}};
    return (*runtime)->probe(raw_.get());
  }

 private:
  Host& host_;
  const Configuration& configuration_;
  const Options options_;
  const RawSpec raw_;
};

Result<std::unique_ptr<Host>> Host::open(const HostSettings& settings) {
  std::unique_ptr<Host> host(new Host());
  Configuration& configuration = host->configuration_;
  CLUTCH_RETURN_IF_ERROR(read_configuration(settings, configuration));
  CLUTCH_ASSIGN_OR_RETURN(host->logger_, make_logger(settings, configuration));
  CLUTCH_ASSIGN_OR_RETURN(Discovery discovery, discover(settings, configuration));
  for (const LinkedPlugin& linked : settings.linked) host->linked_[linked.manifest.id] = linked.api;
  for (const std::string& warning : configuration.warnings()) host->logger_->warn("host", warning);
  for (const std::string& warning : discovery.report.warnings) host->logger_->warn("host", warning);
  host->registry_ = std::make_unique<Registry>(std::move(discovery));
  return host;
}

Host::~Host() = default;

Status Host::close() {
  const ControlGate::Inside inside(bringing_up_);
  std::map<std::string, std::unique_ptr<Runtime>> ending;
  {
    const std::scoped_lock lock(mutex_);
    if (!functions_.empty()) {
      std::string names;
      for (const auto& [function, owned] : functions_) {
        names += (names.empty() ? "\"" : ", \"") + function->setup().name + "\"";
      }
      return argument_error("the host cannot be closed: " + std::to_string(functions_.size()) +
                            (functions_.size() == 1 ? " function is" : " functions are") + " still open (" + names +
                            "); close them first");
    }
    ending.swap(runtimes_);
  }
  ending.clear();  // Plugins run here, without the lock.
  return {};
}

Status Host::set(std::string_view key, std::string_view value) {
  std::vector<std::string> news;
  {
    const std::scoped_lock lock(mutex_);
    const size_t before = configuration_.warnings().size();
    CLUTCH_RETURN_IF_ERROR(configuration_.set(key, value));
    const auto& warnings = configuration_.warnings();
    for (size_t i = before; i < warnings.size(); ++i) news.push_back(warnings[i]);
  }
  for (const std::string& warning : news) logger_->warn("host", warning);
  return {};
}

Configuration Host::configuration() const {
  const std::scoped_lock lock(mutex_);
  return configuration_;
}

Result<Configuration> Host::configuration_of(const FunctionSpec& spec) const {
  const Configuration all = configuration();
  Result<Configuration> own = all.with_function_options(spec.name, spec.options);
  if (!own.ok()) return own;
  for (size_t i = all.warnings().size(); i < own->warnings().size(); ++i) logger_->warn("host", own->warnings()[i]);
  return own;
}

Result<const clutch_plugin_api*> Host::load(const Manifest& manifest) {
  const auto linked = linked_.find(manifest.id);
  if (linked != linked_.end()) return linked->second;
  LoadOptions options;
  options.host_extensions = host_extension_ids();
  {
    const std::scoped_lock lock(mutex_);
    const auto found = plugins_.find(manifest.id);
    if (found != plugins_.end()) return &found->second->api();
    CLUTCH_ASSIGN_OR_RETURN(options.require_checksum, configuration_.boolean("clutch.plugin.require-checksum"));
  }
  Result<std::unique_ptr<Plugin>> plugin = load_plugin(manifest, options);
  if (!plugin.ok()) return std::move(plugin).status();
  logger_->debug("host", "plugin \"" + manifest.id + "\" is loaded from " + (*plugin)->path());
  const std::scoped_lock lock(mutex_);
  return &plugins_.emplace(manifest.id, *std::move(plugin)).first->second->api();
}

Result<Runtime*> Host::runtime(const Manifest& manifest, const Configuration& configuration) {
  const Options options = configuration.effective();
  const std::string key = runtime_key(manifest, options);
  // Inside the gate nobody else adds a runtime, so it is looked for once.
  const ControlGate::Inside inside(bringing_up_);
  {
    const std::scoped_lock lock(mutex_);
    const auto found = runtimes_.find(key);
    if (found != runtimes_.end()) return found->second.get();
  }
  Result<const clutch_plugin_api*> api = load(manifest);
  if (!api.ok()) {
    registry_->mark_unusable(manifest.id, std::string(api.status().message()));
    return std::move(api).status();
  }
  CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Runtime> opened, Runtime::open(manifest.id, **api, options, *logger_));
  const std::scoped_lock lock(mutex_);
  return runtimes_.emplace(key, std::move(opened)).first->second.get();
}

Decision Host::decide(const FunctionSpec& spec, const Configuration& configuration) {
  Result<DecisionRequest> request = decision_request(configuration, spec.name);
  if (!request.ok()) {
    Decision refused;
    refused.status = std::move(request).status();
    refused.function = spec.name;
    return refused;
  }
  for (const StepSpec& step : spec.steps) {
    request->steps.push_back({step.kind, step.revision, step.payload_format, is_fused(step)});
  }
  HostProber prober(*this, spec, configuration);
  return registry_->decide(*request, prober);
}

Result<Decision> Host::decide(const FunctionSpec& spec) {
  CLUTCH_ASSIGN_OR_RETURN(const Configuration configuration, configuration_of(spec));
  return decide(spec, configuration);
}

std::string fallback_sentence(const Decision& decision) {
  return "function \"" + decision.function + "\": python.execution-mode=" + decision.requested_mode +
         " asked, runs in " + decision.mode + " because " + decision.reason;
}

void Host::warn_of_fallback(const Decision& decision) {
  if (!decision.fell_back) return;
  const int32_t level = decision.fallback == FallbackPolicy::kWarn ? CLUTCH_LOG_WARN : CLUTCH_LOG_INFO;
  logger_->write(level, "host", decision.function, fallback_sentence(decision));
}

Result<Function*> Host::open_function(const FunctionSpec& spec) {
  CLUTCH_ASSIGN_OR_RETURN(const Configuration configuration, configuration_of(spec));
  Decision decision = decide(spec, configuration);
  if (!decision.status.ok()) {
    if (decision.requested_mode.empty()) return std::move(decision.status);
    std::string text = decision.to_text();
    return std::move(decision.status).with("decision", std::move(text));
  }
  warn_of_fallback(decision);
  const Manifest* manifest = registry_->find_plugin(decision.plugin);
  CLUTCH_ASSIGN_OR_RETURN(Runtime * runtime, this->runtime(*manifest, configuration));
  FunctionSetup setup;
  setup.name = spec.name;
  setup.plugin = decision.plugin;
  setup.mode = decision.mode;
  setup.asked_mode = decision.requested_mode;
  setup.decision_text = decision.to_text();
  setup.decision_json = decision.to_json();
  setup.api = &runtime->api();
  setup.runtime = runtime->raw();
  setup.control = &runtime->control();
  setup.logger = logger_.get();
  setup.pools = &pools_;
  setup.input = spec.input;
  setup.output = spec.output;
  setup.completed = spec.completed;
  setup.completed_self = spec.completed_self;
  setup.state_store = spec.state_store;
  CLUTCH_ASSIGN_OR_RETURN(setup.batching.max_rows, configuration.integer("python.fn-execution.bundle.size"));
  CLUTCH_ASSIGN_OR_RETURN(setup.batching.max_bytes, configuration.size_bytes("clutch.batch.max-bytes"));
  CLUTCH_ASSIGN_OR_RETURN(setup.batching.max_age_ns, configuration.duration_ns("python.fn-execution.bundle.time"));
  const Options options = configuration.effective();
  const RawSpec raw(spec, options);
  CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Function> function, Function::open(std::move(setup), raw.get()));
  Function* handle = function.get();
  const std::scoped_lock lock(mutex_);
  functions_.emplace(handle, std::move(function));
  return handle;
}

Status Host::close_function(Function* function) {
  Status status = function->close();
  if (!function->closed()) return status;
  std::unique_ptr<Function> ended;  // Released without the lock.
  const std::scoped_lock lock(mutex_);
  const auto found = functions_.find(function);
  ended = std::move(found->second);
  functions_.erase(found);
  return status;
}

Result<std::vector<std::pair<std::string, std::string>>> Host::describe(std::string_view mode) {
  for (const Manifest& manifest : registry_->plugins()) {
    if (!equal_ignoring_case(manifest.mode, mode)) continue;
    CLUTCH_ASSIGN_OR_RETURN(Runtime * found, runtime(manifest, configuration()));
    std::vector<std::pair<std::string, std::string>> facts = found->describe();
    facts.insert(facts.begin(), {{"plugin", manifest.id}, {"mode", manifest.mode}});
    return facts;
  }
  std::string modes;
  for (const std::string& known : registry_->modes()) modes += (modes.empty() ? "" : ", ") + known;
  return Status(CLUTCH_ERR_NOT_FOUND,
                "no plugin has mode \"" + std::string(mode) + "\"; there are: " + (modes.empty() ? "none" : modes),
                CLUTCH_ORIGIN_CONFIG);
}

}  // namespace clutch::host
