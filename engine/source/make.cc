#include "source/make.h"

#include <array>
#include <string>
#include <string_view>

#include "job/members.h"
#include "source/collection.h"
#include "source/datagen/datagen.h"
#include "source/files/files.h"
#include "source/lines/socket.h"
#include "source/lines/stdin.h"
#include "source/python/python_source.h"
#include "source/sequence.h"

namespace clutch::engine {
namespace {

struct Known {
  std::string_view type;
  Result<std::unique_ptr<Source>> (*make)(const SourceSpec& spec);
};

// Sources that read their members themselves.
template <Result<std::unique_ptr<Source>> (*make)(const nlohmann::json&, const columnar::Field&, std::string_view)>
Result<std::unique_ptr<Source>> from_members(const SourceSpec& spec) {
  CLUTCH_ASSIGN_OR_RETURN(const nlohmann::json members, parse_json(spec.members));
  return make(members, spec.element, spec.place);
}

Result<std::unique_ptr<Source>> from_python(const SourceSpec& spec) { return make_python_source(spec); }

// In the order in which they are named to the user.
constexpr std::array kSources = {
    Known{"sequence", make_sequence},
    Known{"collection", make_collection},
    Known{"datagen", from_members<make_datagen_source>},
    Known{"files", from_members<make_files_source>},
    Known{"stdin", from_members<make_stdin_source>},
    Known{"socket", from_members<make_socket_source>},
    Known{"python", from_python},
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
