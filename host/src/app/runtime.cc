#include "app/runtime.h"

#include "app/spec.h"
#include "function/error.h"

namespace clutch::host {

Runtime::Runtime(std::string plugin, const clutch_plugin_api& api, Logger& logger)
    : api_(api), services_{&logger, std::move(plugin)}, table_(make_host_table(services_)) {}

Result<std::unique_ptr<Runtime>> Runtime::open(std::string plugin, const clutch_plugin_api& api,
                                               const Options& configuration, Logger& logger) {
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(plugin), api, logger));
  const std::vector<clutch_option> raw = raw_options(configuration);
  const clutch_options options{raw.data(), raw.size()};
  clutch_error error;
  clutch_runtime* opened = nullptr;
  int32_t status = api.runtime_open(&runtime->table_, &options, &opened, &error);
  const std::string who = "plugin \"" + runtime->services_.plugin + "\"";
  if (status == CLUTCH_OK && opened == nullptr) {
    status = CLUTCH_ERR_PROTOCOL;
    error.set(status, CLUTCH_ORIGIN_PLUGIN, who + " says that its runtime is open, but gave none");
  }
  if (status != CLUTCH_OK) return take_status(status, error, who);
  runtime->runtime_ = opened;
  return runtime;
}

Runtime::~Runtime() {
  if (runtime_ != nullptr) api_.runtime_close(runtime_);
}

Prober::Answer Runtime::probe(const clutch_spec& spec) {
  clutch_error reason;
  int32_t status = CLUTCH_OK;
  {
    const ControlGate::Inside inside(control_);
    status = api_.runtime_probe(runtime_, &spec, &reason);
  }
  if (status != CLUTCH_OK) return {take_status(status, reason, "plugin \"" + services_.plugin + "\""), {}};
  return {Status(), std::move(reason.details)};
}

std::vector<std::pair<std::string, std::string>> Runtime::describe() {
  std::vector<std::pair<std::string, std::string>> facts;
  api_.runtime_describe(
      runtime_,
      [](void* sink, clutch_str key, clutch_str value) noexcept {
        auto& out = *static_cast<std::vector<std::pair<std::string, std::string>>*>(sink);
        try {
          out.emplace_back(view(key), view(value));
        } catch (...) {
          // A fact is lost for want of memory; the sink has no way to say so.
          return;
        }
      },
      &facts);
  return facts;
}

}  // namespace clutch::host
