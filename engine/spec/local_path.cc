#include "spec/local_path.h"

namespace clutch::engine {

std::string local_path(ConnectorMembers& members, std::string_view name) {
  std::string path = members.required_text(name);
  if (path.empty()) members.refuse(name, "is empty; give the path of a file or a folder");
  if (path.find('\0') != std::string::npos) members.refuse(name, "has a zero byte, which no path can have");
  if (path.starts_with("file:///")) return path.substr(7);
  if (path.starts_with("file:/")) return path.substr(5);
  const size_t scheme = path.find("://");
  if (scheme != std::string::npos && path.find('/') == scheme + 1) {
    members.refuse(name, "\"" + path + "\" is of the scheme " + path.substr(0, scheme) +
                             ", and only files of this machine can be used; mount it, and give its path");
  }
  return path;
}

}  // namespace clutch::engine
