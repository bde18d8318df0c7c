#include "sink/make.h"

#include <array>
#include <string>
#include <string_view>

#include "job/members.h"
#include "sink/collect.h"

namespace clutch::engine {
namespace {

struct Known {
  std::string_view type;
  Result<std::unique_ptr<Sink>> (*make)(const SinkSpec& spec, CollectQueue& queue);
};

// In the order in which they are named to the user.
constexpr std::array kSinks = {
    Known{"collect", make_collect},
    Known{"blackhole", make_blackhole},
};

}  // namespace

Result<std::unique_ptr<Sink>> make_sink(const SinkSpec& spec, CollectQueue& queue) {
  std::string names;
  for (const Known& known : kSinks) {
    if (known.type == spec.type) return known.make(spec, queue);
    names += (names.empty() ? "" : ", ") + std::string(known.type);
  }
  return place_error(spec.place + ".type", "there is no sink \"" + spec.type + "\"; there are " + names);
}

}  // namespace clutch::engine
