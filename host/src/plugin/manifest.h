// plugin.toml: what a plugin says about itself before it is loaded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::host {

struct ManifestCapability {
  std::string kind;
  uint32_t min_revision = 1;
  uint32_t max_revision = 1;
  std::vector<std::string> payloads;  // Sorted.
  uint64_t features = 0;              // CLUTCH_FEATURE_*
};

struct Manifest {
  std::string path;    // Of plugin.toml, absolute, symbolic links resolved.
  std::string folder;  // Of plugin.toml.
  std::string id;
  std::string version;
  std::string publisher;
  std::string mode;  // As written; compared without regard to case.
  uint32_t min_level = 0;
  uint32_t max_level = 0;
  std::string library;       // As written in `file`.
  std::string library_path;  // Absolute; empty if the manifest was parsed from text alone.
  std::string sha256;        // 64 lower-case hex digits, or empty.
  std::vector<ManifestCapability> capabilities;
  std::vector<std::string> exclusive;  // Resources of which a process has one: "libpython".
  std::vector<std::string> required_host_extensions;
  std::vector<std::string> warnings;  // Unknown keys, each with path and line.

  const ManifestCapability* capability(std::string_view kind) const;
};

// Read and check a manifest, and resolve its library, which must stand in the manifest's folder or below it.
// @return CLUTCH_ERR_CONFIG with "path:line:column: what is wrong"; CLUTCH_ERR_NOT_FOUND.
Result<Manifest> read_manifest(const std::string& path);

// As read_manifest, without looking at files. `path` is for messages.
Result<Manifest> parse_manifest(std::string_view text, const std::string& path);

// The word of each feature bit and back. Unknown bits give "bit N".
std::vector<std::string> feature_words(uint64_t features);

// "linux_x86_64_glibc": the platform this host was compiled for, as used in [library.PLATFORM].
std::string_view platform_name();

}  // namespace clutch::host
