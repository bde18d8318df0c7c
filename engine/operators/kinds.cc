#include "operators/kinds.h"

#include <array>

namespace clutch::engine {
namespace {

constexpr std::array kKinds = {
    KindInfo{.name = CLUTCH_ENGINE_KIND_MAP, .step = true},
    KindInfo{.name = "stream.flat_map", .step = true},
    KindInfo{.name = CLUTCH_ENGINE_KIND_FILTER, .step = true},
    KindInfo{.name = "stream.process"},
    KindInfo{.name = "stream.async", .waits = true},
    KindInfo{.name = "stream.keyed_process", .keyed = true, .state = true},
    KindInfo{.name = "stream.reduce", .keyed = true, .state = true},
    KindInfo{.name = "stream.co_map", .inputs = 2},
    KindInfo{.name = "stream.co_flat_map", .inputs = 2},
    KindInfo{.name = "stream.co_process", .inputs = 2},
    KindInfo{.name = "stream.keyed_co_process", .inputs = 2, .keyed = true, .state = true},
    KindInfo{.name = "stream.broadcast_process", .inputs = 2, .broadcast = true, .state = true},
    KindInfo{.name = "stream.keyed_broadcast_process", .inputs = 2, .keyed = true, .broadcast = true, .state = true},
};

constexpr std::string_view kWindowPrefix = "stream.window.";
constexpr std::array kWindowKinds = {
    KindInfo{.name = "stream.window.reduce", .keyed = true},
    KindInfo{.name = "stream.window.aggregate", .keyed = true},
    KindInfo{.name = "stream.window.apply", .keyed = true},
    KindInfo{.name = "stream.window.process", .keyed = true},
    KindInfo{.name = "stream.window.join", .inputs = 2, .keyed = true},
    KindInfo{.name = "stream.window.flat_join", .inputs = 2, .keyed = true},
    KindInfo{.name = "stream.window.co_group", .inputs = 2, .keyed = true},
};
constexpr KindInfo kIntervalJoin{.name = "stream.interval_join", .inputs = 2, .keyed = true};

}  // namespace

const KindInfo* find_window_kind(std::string_view function) {
  for (const KindInfo& kind : kWindowKinds) {
    if (kind.name.substr(kWindowPrefix.size()) == function) return &kind;
  }
  return nullptr;
}

const KindInfo& interval_join_kind() { return kIntervalJoin; }

const KindInfo* find_kind(std::string_view name) {
  for (const KindInfo& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::string kind_names() {
  std::string out;
  for (const KindInfo& kind : kKinds) {
    if (!out.empty()) out += ", ";
    out += kind.name;
  }
  return out;
}

}  // namespace clutch::engine
