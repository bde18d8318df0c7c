#include "events/kind.h"

#include "clutch/abi/spec.h"

namespace clutch::pyembed {
namespace {

using Call = EventKind::Call;

constexpr EventKind kKinds[] = {
    {CLUTCH_KIND_STREAM_PROCESS, Call::kProcess, false, false, false},
    {CLUTCH_KIND_STREAM_KEYED_PROCESS, Call::kProcess, true, false, false},
    {CLUTCH_KIND_STREAM_REDUCE, Call::kReduce, true, false, false},
    {CLUTCH_KIND_STREAM_CO_MAP, Call::kMap, false, true, false},
    {CLUTCH_KIND_STREAM_CO_FLAT_MAP, Call::kFlatMap, false, true, false},
    {CLUTCH_KIND_STREAM_CO_PROCESS, Call::kProcess, false, true, false},
    {CLUTCH_KIND_STREAM_KEYED_CO_PROCESS, Call::kProcess, true, true, false},
    {CLUTCH_KIND_STREAM_BROADCAST_PROCESS, Call::kProcess, false, true, true},
    {CLUTCH_KIND_STREAM_KEYED_BROADCAST_PROCESS, Call::kProcess, true, true, true},
    {CLUTCH_KIND_STREAM_INTERVAL_JOIN, Call::kJoin, false, false, false},
};

}  // namespace

const EventKind* find_event_kind(std::string_view id) {
  for (const EventKind& kind : kKinds) {
    if (kind.id == id) return &kind;
  }
  return nullptr;
}

}  // namespace clutch::pyembed
