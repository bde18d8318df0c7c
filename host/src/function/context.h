// The host's side of one function, as plugins hold it (clutch_function_context): what may be asked through it from
// every thread, also by a plugin that is late.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "function/error.h"
#include "function/handle.h"
#include "function/metrics.h"
#include "function/shape.h"
#include "log/log.h"
#include "service/keyed_store.h"

namespace clutch::host {

class alignas(kHandleAlign) FunctionContext {
 public:
  // What a function declares while it opens.
  struct Opening {
    std::vector<OutputShape> outputs;  // The main output first.
    KeyedStore* store = nullptr;
  };

  // Start a new life of this context, in the state `opening`.
  void begin(std::string name, Logger& logger, KeyedStore& store, OutputShape main);
  // End the opening and give what was declared.
  std::vector<OutputShape> opened();
  // The handle is stale from here on.
  void end();

  clutch_function_context* handle() { return encode_handle<clutch_function_context>(this, generation_); }
  NamedMetrics& metrics() { return metrics_; }

  // Call use(context) with the context locked if the handle is still good. Returns false if it is stale.
  template <typename Use>
  static bool with(clutch_function_context* handle, Use use) {
    if (handle == nullptr) return false;
    auto* context = handle_object<FunctionContext>(handle);
    const std::scoped_lock lock(context->mutex_);
    if (!context->live_ || context->generation_ % kHandleAlign != handle_generation(handle)) return false;
    use(*context);
    return true;
  }

  // With the context locked, inside with():
  const std::string& name() const { return name_; }
  Logger& logger() { return *logger_; }
  Status declare_side(std::string_view name, const ArrowSchema& schema, uint32_t& ret_tag);
  Status declare_state(StateInfo info, uint32_t& ret_state);

 private:
  std::mutex mutex_;  // Guards what follows but metrics_, which guards itself.
  uint64_t generation_ = 1;
  bool live_ = false;
  bool opening_ = false;
  std::string name_;
  Logger* logger_ = nullptr;
  Opening declared_;
  NamedMetrics metrics_;
};

}  // namespace clutch::host
