#include "source/make.h"

#include <array>
#include <string>
#include <string_view>

#include "job/members.h"
#include "source/collection.h"
#include "source/sequence.h"

namespace clutch::engine {
namespace {

struct Known {
  std::string_view type;
  Result<std::unique_ptr<Source>> (*make)(const SourceSpec& spec);
};

// In the order in which they are named to the user.
constexpr std::array kSources = {
    Known{"sequence", make_sequence},
    Known{"collection", make_collection},
};

}  // namespace

Result<std::unique_ptr<Source>> make_source(const SourceSpec& spec) {
  std::string names;
  for (const Known& known : kSources) {
    if (known.type == spec.type) return known.make(spec);
    names += (names.empty() ? "" : ", ") + std::string(known.type);
  }
  return place_error(spec.place + ".type", "there is no source \"" + spec.type + "\"; there are " + names);
}

}  // namespace clutch::engine
