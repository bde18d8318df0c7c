#include "sink/make.h"

#include <array>
#include <string>
#include <string_view>

#include "job/members.h"
#include "sink/collect.h"
#include "sink/files/files.h"
#include "sink/print/print.h"

namespace clutch::engine {
namespace {

struct Known {
  std::string_view type;
  Result<std::unique_ptr<Sink>> (*make)(const SinkSpec& spec, CollectQueue& queue);
};

// Sinks that read their members themselves.
template <Result<std::unique_ptr<Sink>> (*make)(const nlohmann::json&, std::string_view)>
Result<std::unique_ptr<Sink>> from_members(const SinkSpec& spec, CollectQueue&) {
  CLUTCH_ASSIGN_OR_RETURN(const nlohmann::json members, parse_json(spec.members));
  return make(members, spec.place);
}

// In the order in which they are named to the user.
constexpr std::array kSinks = {
    Known{"collect", make_collect},
    Known{"blackhole", make_blackhole},
    Known{"print", from_members<make_print_sink>},
    Known{"files", from_members<make_files_sink>},
};

}  // namespace

Result<std::unique_ptr<Sink>> make_sink(const SinkSpec& spec, CollectQueue& queue) {
  std::string names;
  for (const Known& known : kSinks) {
    if (known.type == spec.type) return known.make(spec, queue);
    names += (names.empty() ? "" : ", ") + std::string(known.type);
  }
  names += ", python";
  return place_error(spec.place + ".type", "there is no sink \"" + spec.type + "\"; there are " + names);
}

}  // namespace clutch::engine
