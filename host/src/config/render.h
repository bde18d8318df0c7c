// The key table and the values of a configuration as text for people.
#pragma once

#include <string>

#include "config/configuration.h"

namespace clutch::host {

// docs/configuration.md, whole. Depends on the key table alone.
std::string render_key_table_markdown();

// One line a key: "key = value  # origin". With `all`, also keys that hold their default or have no value.
std::string render_configuration_text(const Configuration& configuration, bool all);
std::string render_configuration_json(const Configuration& configuration, bool all);

}  // namespace clutch::host
