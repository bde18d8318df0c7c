// clutch.h: the host.
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/api.h"
#include "config/render.h"

namespace host = clutch::host;
using clutch::Status;

namespace {

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string plugins_text(const host::Registry& registry) {
  std::ostringstream out;
  if (registry.plugins().empty()) out << "no plugins\n";
  for (const host::Manifest& plugin : registry.plugins()) {
    out << plugin.mode << "  " << plugin.id << " " << plugin.version << "  " << plugin.library_path << "\n";
    for (const host::ManifestCapability& capability : plugin.capabilities) {
      out << "    " << capability.kind << "  payloads: " << join(capability.payloads);
      const std::vector<std::string> features = host::feature_words(capability.features);
      if (!features.empty()) out << "  features: " << join(features);
      out << "\n";
    }
  }
  out << "\n" << registry.search().to_text();
  return out.str();
}

std::string plugins_json(const host::Registry& registry) {
  nlohmann::ordered_json out;
  out["plugins"] = nlohmann::ordered_json::array();
  for (const host::Manifest& plugin : registry.plugins()) {
    nlohmann::ordered_json capabilities = nlohmann::ordered_json::array();
    for (const host::ManifestCapability& capability : plugin.capabilities) {
      capabilities.push_back({{"kind", capability.kind},
                              {"min_revision", capability.min_revision},
                              {"max_revision", capability.max_revision},
                              {"payloads", capability.payloads},
                              {"features", host::feature_words(capability.features)}});
    }
    out["plugins"].push_back({{"id", plugin.id},
                              {"mode", plugin.mode},
                              {"version", plugin.version},
                              {"publisher", plugin.publisher},
                              {"manifest", plugin.path},
                              {"library", plugin.library_path},
                              {"min_level", plugin.min_level},
                              {"max_level", plugin.max_level},
                              {"capabilities", std::move(capabilities)}});
  }
  out["search"] = nlohmann::ordered_json::parse(registry.search().to_json());
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

clutch::Result<host::HostSettings> read_settings(const clutch_app_settings* settings) {
  host::HostSettings out;
  if (settings == nullptr) return out;
  CLUTCH_RETURN_IF_ERROR(host::check_struct_size("clutch_app_settings", settings->struct_size,
                                                 sizeof(clutch_app_settings), sizeof(clutch_app_settings)));
  CLUTCH_ASSIGN_OR_RETURN(out.options, host::read_options(settings->options, settings->n_options, "settings"));
  const auto text = [](const char* value) { return value == nullptr ? std::string() : std::string(value); };
  out.config_file = text(settings->config_file);
  out.plugin_path = text(settings->plugin_path);
  out.log_level = text(settings->log_level);
  out.log = settings->log;
  out.log_self = settings->log_self;
  out.environment = (settings->flags & CLUTCH_APP_NO_ENVIRONMENT) == 0;
  return out;
}

template <typename MakeText>
char* report(const clutch_app* app, int32_t format, MakeText make) noexcept {
  if (app == nullptr || !host::check_format(format).ok()) return nullptr;
  try {
    return host::give_text(make(*app->host));
  } catch (const std::exception& failure) {
    app->host->logger().error("host", std::string("a report could not be written: ") + failure.what());
    return nullptr;
  }
}

}  // namespace

int32_t clutch_app_open(const clutch_app_settings* settings, clutch_app** ret_app, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (ret_app == nullptr) return host::null_argument("clutch_app_open", "ret_app");
    CLUTCH_ASSIGN_OR_RETURN(const host::HostSettings read, read_settings(settings));
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<host::Host> opened, host::Host::open(read));
    *ret_app = new clutch_app{std::move(opened)};
    return {};
  });
}

int32_t clutch_app_close(clutch_app* app, clutch_app_error** ret_error) {
  if (app == nullptr) return CLUTCH_OK;
  return host::entry(ret_error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(app->host->close());
    delete app;
    return {};
  });
}

int32_t clutch_app_set(clutch_app* app, const char* key, const char* value, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (app == nullptr) return host::null_argument("clutch_app_set", "app");
    if (key == nullptr) return host::null_argument("clutch_app_set", "key");
    if (value == nullptr) return host::null_argument("clutch_app_set", "value");
    return app->host->set(key, value);
  });
}

int32_t clutch_app_get(clutch_app* app, const char* key, char** ret_value, char** ret_origin,
                       clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (app == nullptr) return host::null_argument("clutch_app_get", "app");
    if (key == nullptr) return host::null_argument("clutch_app_get", "key");
    if (ret_value == nullptr) return host::null_argument("clutch_app_get", "ret_value");
    const std::optional<host::ConfigValue> found = app->host->configuration().find(key);
    if (!found) {
      return {CLUTCH_ERR_NOT_FOUND, "configuration key \"" + std::string(key) + "\" has no value",
              CLUTCH_ORIGIN_CONFIG};
    }
    char* value = nullptr;
    CLUTCH_RETURN_IF_ERROR(host::give_text(found->value, &value));
    if (ret_origin != nullptr) {
      Status status = host::give_text(found->origin, ret_origin);
      if (!status.ok()) {
        std::free(value);
        return status;
      }
    }
    *ret_value = value;
    return {};
  });
}

char* clutch_app_configuration(clutch_app* app, int32_t format) {
  return report(app, format, [&](host::Host& opened) {
    const host::Configuration configuration = opened.configuration();
    return format == CLUTCH_APP_JSON ? host::render_configuration_json(configuration, false)
                                     : host::render_configuration_text(configuration, false);
  });
}

char* clutch_app_plugins(clutch_app* app, int32_t format) {
  return report(app, format, [&](host::Host& opened) {
    return format == CLUTCH_APP_JSON ? plugins_json(opened.registry()) : plugins_text(opened.registry());
  });
}

int32_t clutch_app_describe(clutch_app* app, const char* mode, int32_t format, char** ret_text,
                            clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (app == nullptr) return host::null_argument("clutch_app_describe", "app");
    if (mode == nullptr) return host::null_argument("clutch_app_describe", "mode");
    if (ret_text == nullptr) return host::null_argument("clutch_app_describe", "ret_text");
    CLUTCH_RETURN_IF_ERROR(host::check_format(format));
    CLUTCH_ASSIGN_OR_RETURN(const auto facts, app->host->describe(mode));
    if (format == CLUTCH_APP_TEXT) {
      std::string text;
      for (const auto& [key, value] : facts) text += key + ": " + value + "\n";
      return host::give_text(text, ret_text);
    }
    nlohmann::ordered_json out = nlohmann::ordered_json::object();
    for (const auto& [key, value] : facts) out[key] = value;
    return host::give_text(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace), ret_text);
  });
}

int32_t clutch_app_schema_parse(const char* text, ArrowSchema* ret_schema, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (text == nullptr) return host::null_argument("clutch_app_schema_parse", "text");
    if (ret_schema == nullptr) return host::null_argument("clutch_app_schema_parse", "ret_schema");
    CLUTCH_ASSIGN_OR_RETURN(const clutch::columnar::Field field, host::parse_columns(text));
    *ret_schema = clutch::columnar::export_field(field).detach();
    return {};
  });
}

int32_t clutch_app_schema_text(const ArrowSchema* schema, char** ret_text, clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (schema == nullptr) return host::null_argument("clutch_app_schema_text", "schema");
    if (ret_text == nullptr) return host::null_argument("clutch_app_schema_text", "ret_text");
    CLUTCH_ASSIGN_OR_RETURN(const clutch::columnar::Field field, clutch::columnar::import_field(*schema));
    return host::give_text(host::columns_text(field), ret_text);
  });
}

int32_t clutch_app_explain_kind(clutch_app* app, const char* kind, int32_t format, char** ret_text,
                                clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (app == nullptr) return host::null_argument("clutch_app_explain_kind", "app");
    if (ret_text == nullptr) return host::null_argument("clutch_app_explain_kind", "ret_text");
    CLUTCH_RETURN_IF_ERROR(host::check_format(format));
    const std::string_view asked = kind == nullptr ? std::string_view() : std::string_view(kind);
    const host::Registry& registry = app->host->registry();
    return host::give_text(format == CLUTCH_APP_JSON ? registry.explain_json(asked) : registry.explain_text(asked),
                           ret_text);
  });
}

int32_t clutch_app_explain_spec(clutch_app* app, const clutch_app_spec* spec, int32_t format, char** ret_text,
                                clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (app == nullptr) return host::null_argument("clutch_app_explain_spec", "app");
    if (ret_text == nullptr) return host::null_argument("clutch_app_explain_spec", "ret_text");
    CLUTCH_RETURN_IF_ERROR(host::check_format(format));
    CLUTCH_ASSIGN_OR_RETURN(const host::FunctionSpec read, host::read_spec(spec));
    CLUTCH_ASSIGN_OR_RETURN(const host::Decision decision, app->host->decide(read));
    // Without a mode the configuration itself is wrong, and there is nothing to explain.
    if (!decision.status.ok() && decision.requested_mode.empty()) return decision.status;
    return host::give_text(format == CLUTCH_APP_JSON ? decision.to_json() : decision.to_text(), ret_text);
  });
}
