#include "supervisor/host_services.h"

namespace clutch::pyproc {
namespace {

template <typename Table>
const Table* find(const clutch_host& host, const char* id) {
  return static_cast<const Table*>(host.get_extension(&host, id));
}

}  // namespace

void set_error(const clutch_host& host, clutch_error* error, const Status& status) {
  if (error == nullptr || status.ok() || status.message().empty()) return;
  host.error_set(error, status.code(), status.origin(), to_str(status.message()));
  for (const auto& [key, value] : status.details()) host.error_detail(error, to_str(key), to_str(value));
}

HostServices::HostServices(const clutch_host& host)
    : host_(host),
      log_(find<clutch_host_log>(host, CLUTCH_HOST_LOG)),
      dead_letter_(find<clutch_host_dead_letter>(host, CLUTCH_HOST_DEAD_LETTER)),
      metrics_(find<clutch_host_metrics>(host, CLUTCH_HOST_METRICS)),
      side_output_(find<clutch_host_side_output>(host, CLUTCH_HOST_SIDE_OUTPUT)),
      state_(find<clutch_host_state>(host, CLUTCH_HOST_STATE)),
      timer_(find<clutch_host_timer>(host, CLUTCH_HOST_TIMER)) {}

void HostServices::log(int32_t level, std::string_view source, clutch_function_context* context,
                       std::string_view text) const {
  if (log_enabled(level)) log_->write(&host_, level, to_str(source), context, to_str(text));
}

}  // namespace clutch::pyproc
