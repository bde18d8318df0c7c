#include "plugin/manifest.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <limits>
#include <set>
#include <system_error>

#include "clutch/abi/plugin.h"
#include "config/keys.h"
#include "config/toml.h"
#include "config/toml_parser.h"

namespace clutch::host {
namespace {

constexpr uint64_t kLargestManifest = 64 << 10;
constexpr size_t kMaxCapabilities = 256;
constexpr int64_t kManifestVersion = 1;
constexpr int64_t kAbiMajor = 1;

struct FeatureWord {
  std::string_view word;
  uint64_t bit;
};
constexpr std::array<FeatureWord, 4> kFeatures = {{
    {"chain", CLUTCH_FEATURE_CHAIN},
    {"isolated", CLUTCH_FEATURE_ISOLATED},
    {"zero_copy", CLUTCH_FEATURE_ZERO_COPY},
    {"fused", CLUTCH_FEATURE_FUSED},
}};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

bool only(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

// Reads one manifest. Each method that fails says where in the file.
class Reader {
 public:
  Reader(Manifest& manifest, const std::string& path) : manifest_(manifest), path_(path) {}

  Status read(const toml::table& root);

 private:
  using Keys = std::initializer_list<std::string_view>;

  std::string at(const toml::node& node) const {
    const toml::source_position where = node.source().begin;
    // A table that stands nowhere in the text (the root of an empty file) has no position.
    return path_ + ":" + std::to_string(std::max<uint32_t>(where.line, 1)) + ":" +
           std::to_string(std::max<uint32_t>(where.column, 1)) + ": ";
  }
  Status refuse(const toml::node& node, const std::string& why) const {
    return Status(CLUTCH_ERR_CONFIG, at(node) + why, CLUTCH_ORIGIN_CONFIG);
  }

  // Note the keys of a table that are not in the list.
  void warn_unknown(const toml::table& table, const std::string& prefix, Keys known);

  // `name` is the key with the tables around it, for messages.
  Result<std::string> text(const toml::table& table, std::string_view key, const std::string& name, bool required);
  Result<uint32_t> number(const toml::table& table, std::string_view key, const std::string& name);
  Result<std::vector<std::string>> words(const toml::table& table, std::string_view key, const std::string& name);

  Status read_identity(const toml::table& root);
  Status read_abi(const toml::table& root);
  Status read_library(const toml::table& root);
  Status read_library_file(const toml::table& table, const std::string& name);
  Status read_capabilities(const toml::table& root);
  Result<ManifestCapability> read_capability(const toml::table& table);
  Status read_requirements(const toml::table& root);

  Manifest& manifest_;
  const std::string& path_;
};

void Reader::warn_unknown(const toml::table& table, const std::string& prefix, Keys known) {
  const std::span<const std::string_view> names(known.begin(), known.size());
  for (const auto& [key, node] : table) {
    if (std::find(names.begin(), names.end(), key.str()) != names.end()) continue;
    const std::string_view nearest = nearest_word(key.str(), names);
    manifest_.warnings.push_back(
        at(node) + "unknown key " + quoted(prefix + std::string(key.str())) +
        (nearest.empty() ? "" : "; did you mean " + quoted(prefix + std::string(nearest)) + "?"));
  }
}

Result<std::string> Reader::text(const toml::table& table, std::string_view key, const std::string& name,
                                 bool required) {
  const toml::node* node = table.get(key);
  if (node == nullptr) {
    if (!required) return std::string();
    return refuse(table, "the key " + quoted(name) + " is missing");
  }
  const auto* value = node->as_string();
  if (value == nullptr) return refuse(*node, quoted(name) + " must be text in quotes");
  if (required && value->get().empty()) return refuse(*node, quoted(name) + " is empty");
  if (value->get().find('\0') != std::string::npos) return refuse(*node, quoted(name) + " holds a zero byte");
  return value->get();
}

Result<uint32_t> Reader::number(const toml::table& table, std::string_view key, const std::string& name) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return refuse(table, "the key " + quoted(name) + " is missing");
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < 1 || value->get() > std::numeric_limits<uint32_t>::max()) {
    return refuse(*node, quoted(name) + " must be a whole number from 1");
  }
  return static_cast<uint32_t>(value->get());
}

Result<std::vector<std::string>> Reader::words(const toml::table& table, std::string_view key,
                                               const std::string& name) {
  std::vector<std::string> result;
  const toml::node* node = table.get(key);
  if (node == nullptr) return result;
  const toml::array* array = node->as_array();
  if (array == nullptr) return refuse(*node, quoted(name) + " must be a list of words");
  for (const toml::node& element : *array) {
    const auto* word = element.as_string();
    if (word == nullptr || word->get().empty() || !only(word->get(), "._-/")) {
      return refuse(element, quoted(name) + " must be a list of words of letters, digits and . _ - /");
    }
    if (std::find(result.begin(), result.end(), word->get()) != result.end()) {
      return refuse(element, quoted(name) + " names " + quoted(word->get()) + " twice");
    }
    result.push_back(word->get());
  }
  std::sort(result.begin(), result.end());
  return result;
}

Status Reader::read(const toml::table& root) {
  CLUTCH_ASSIGN_OR_RETURN(const uint32_t version, number(root, "manifest_version", "manifest_version"));
  if (version != kManifestVersion) {
    return refuse(*root.get("manifest_version"),
                  "manifest_version " + std::to_string(version) + " is not known here; this host reads version 1");
  }
  if (const toml::node* must = root.get("must")) {
    const toml::table* table = must->as_table();
    if (table == nullptr) return refuse(*must, "\"must\" is not a table");
    for (const auto& [key, node] : *table) {
      return refuse(node, "the plugin demands " + quoted("must." + std::string(key.str())) +
                              ", which this host does not know; use a newer host");
    }
  }
  CLUTCH_RETURN_IF_ERROR(read_identity(root));
  CLUTCH_RETURN_IF_ERROR(read_abi(root));
  CLUTCH_RETURN_IF_ERROR(read_library(root));
  CLUTCH_RETURN_IF_ERROR(read_capabilities(root));
  CLUTCH_RETURN_IF_ERROR(read_requirements(root));
  warn_unknown(root, "",
               {"manifest_version", "id", "version", "publisher", "mode", "exclusive", "abi", "library", "capability",
                "requires", "must"});
  return {};
}

Status Reader::read_identity(const toml::table& root) {
  CLUTCH_ASSIGN_OR_RETURN(manifest_.id, text(root, "id", "id", true));
  CLUTCH_ASSIGN_OR_RETURN(manifest_.version, text(root, "version", "version", true));
  CLUTCH_ASSIGN_OR_RETURN(manifest_.publisher, text(root, "publisher", "publisher", false));
  CLUTCH_ASSIGN_OR_RETURN(manifest_.mode, text(root, "mode", "mode", true));
  CLUTCH_ASSIGN_OR_RETURN(manifest_.exclusive, words(root, "exclusive", "exclusive"));
  if (!only(manifest_.id, "._-") || manifest_.id.size() > 128) {
    return refuse(*root.get("id"), "the id " + quoted(manifest_.id) +
                                       " must be up to 128 letters, digits and . _ -, such as \"org.example.fast\"");
  }
  if (!only(manifest_.mode, "_-") || manifest_.mode.size() > 64) {
    return refuse(*root.get("mode"),
                  "the mode " + quoted(manifest_.mode) + " must be up to 64 letters, digits and _ -");
  }
  return {};
}

Status Reader::read_abi(const toml::table& root) {
  const toml::node* node = root.get("abi");
  if (node == nullptr) return refuse(root, "the table [abi] is missing");
  const toml::table* abi = node->as_table();
  if (abi == nullptr) return refuse(*node, "\"abi\" is not a table");
  CLUTCH_ASSIGN_OR_RETURN(const uint32_t major, number(*abi, "major", "abi.major"));
  CLUTCH_ASSIGN_OR_RETURN(manifest_.min_level, number(*abi, "min_level", "abi.min_level"));
  CLUTCH_ASSIGN_OR_RETURN(manifest_.max_level, number(*abi, "max_level", "abi.max_level"));
  if (major != kAbiMajor) {
    return refuse(*abi->get("major"), "the plugin is built for major version " + std::to_string(major) +
                                          " of the contract, this host has version 1; take a plugin built for it");
  }
  if (manifest_.min_level > manifest_.max_level) {
    return refuse(*abi->get("min_level"), "abi.min_level " + std::to_string(manifest_.min_level) +
                                              " is above abi.max_level " + std::to_string(manifest_.max_level));
  }
  warn_unknown(*abi, "abi.", {"major", "min_level", "max_level"});
  return {};
}

Status Reader::read_library(const toml::table& root) {
  const toml::node* node = root.get("library");
  if (node == nullptr) return refuse(root, "the table [library] is missing");
  const toml::table* library = node->as_table();
  if (library == nullptr) return refuse(*node, "\"library\" is not a table");

  const std::string platform(platform_name());
  std::string others;
  for (const auto& [key, entry] : *library) {
    if (entry.is_table()) {
      others += (others.empty() ? "" : ", ") + std::string(key.str());
    } else if (key.str() != "file" && key.str() != "sha256") {
      manifest_.warnings.push_back(at(entry) + "unknown key " + quoted("library." + std::string(key.str())));
    }
  }
  if (const toml::node* own = library->get(platform)) {
    if (!own->is_table()) return refuse(*own, quoted("library." + platform) + " is not a table");
    warn_unknown(*own->as_table(), "library." + platform + ".", {"file", "sha256"});
    return read_library_file(*own->as_table(), "library." + platform);
  }
  if (library->get("file") == nullptr && !others.empty()) {
    return refuse(*library, "there is no library for " + platform + "; the manifest has one for " + others);
  }
  return read_library_file(*library, "library");
}

Status Reader::read_library_file(const toml::table& table, const std::string& name) {
  CLUTCH_ASSIGN_OR_RETURN(manifest_.library, text(table, "file", name + ".file", true));
  CLUTCH_ASSIGN_OR_RETURN(manifest_.sha256, text(table, "sha256", name + ".sha256", false));
  const toml::node& file = *table.get("file");
  if (manifest_.library.front() == '/') {
    return refuse(file, quoted(manifest_.library) + " is an absolute path; name a file beside the manifest");
  }
  for (size_t begin = 0; begin <= manifest_.library.size();) {
    const size_t end = std::min(manifest_.library.find('/', begin), manifest_.library.size());
    if (manifest_.library.compare(begin, end - begin, "..") == 0) {
      return refuse(file, quoted(manifest_.library) + " leaves the manifest's folder; name a file beside the manifest");
    }
    begin = end + 1;
  }
  if (const toml::node* digest = table.get("sha256")) {
    std::transform(manifest_.sha256.begin(), manifest_.sha256.end(), manifest_.sha256.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (manifest_.sha256.size() != 64 || manifest_.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
      return refuse(*digest, quoted(name + ".sha256") + " must be 64 hex digits, as sha256sum prints them");
    }
  }
  return {};
}

Status Reader::read_capabilities(const toml::table& root) {
  const toml::node* node = root.get("capability");
  if (node == nullptr) return refuse(root, "no [[capability]] is named, so the plugin could serve nothing");
  const toml::array* array = node->as_array();
  if (array == nullptr) return refuse(*node, "\"capability\" must be written [[capability]], with two brackets");
  if (array->empty()) return refuse(*node, "no [[capability]] is named, so the plugin could serve nothing");
  if (array->size() > kMaxCapabilities) {
    return refuse(*node, "there are " + std::to_string(array->size()) + " capabilities; at most " +
                             std::to_string(kMaxCapabilities) + " are read");
  }
  for (const toml::node& element : *array) {
    const toml::table* table = element.as_table();
    if (table == nullptr) return refuse(element, "\"capability\" must be written [[capability]], with two brackets");
    CLUTCH_ASSIGN_OR_RETURN(ManifestCapability capability, read_capability(*table));
    if (manifest_.capability(capability.kind) != nullptr) {
      return refuse(element, "the kind " + quoted(capability.kind) + " stands in two capabilities");
    }
    manifest_.capabilities.push_back(std::move(capability));
  }
  return {};
}

Result<ManifestCapability> Reader::read_capability(const toml::table& table) {
  ManifestCapability capability;
  CLUTCH_ASSIGN_OR_RETURN(capability.kind, text(table, "kind", "capability.kind", true));
  if (!only(capability.kind, "._-/")) {
    return refuse(*table.get("kind"), "the kind " + quoted(capability.kind) + " must be letters, digits and . _ - /");
  }
  if (const toml::node* node = table.get("revisions")) {
    const toml::array* range = node->as_array();
    const auto bound = [&](size_t i) {
      const auto* value = range != nullptr && range->size() == 2 ? (*range)[i].as_integer() : nullptr;
      return value != nullptr && value->get() <= std::numeric_limits<uint32_t>::max() ? value->get() : 0;
    };
    if (bound(0) < 1 || bound(1) < bound(0)) {
      return refuse(*node, "\"capability.revisions\" must be [lowest, highest], two whole numbers from 1");
    }
    capability.min_revision = static_cast<uint32_t>(bound(0));
    capability.max_revision = static_cast<uint32_t>(bound(1));
  }
  CLUTCH_ASSIGN_OR_RETURN(capability.payloads, words(table, "payloads", "capability.payloads"));
  if (capability.payloads.empty()) {
    return refuse(table, "the capability " + quoted(capability.kind) + " names no payloads");
  }
  CLUTCH_ASSIGN_OR_RETURN(const std::vector<std::string> features, words(table, "features", "capability.features"));
  for (const std::string& word : features) {
    const auto found = std::find_if(kFeatures.begin(), kFeatures.end(),
                                    [&](const FeatureWord& feature) { return feature.word == word; });
    if (found == kFeatures.end()) {
      manifest_.warnings.push_back(at(*table.get("features")) + "unknown feature " + quoted(word));
    } else {
      capability.features |= found->bit;
    }
  }
  warn_unknown(table, "capability.", {"kind", "revisions", "payloads", "features"});
  return capability;
}

Status Reader::read_requirements(const toml::table& root) {
  const toml::node* node = root.get("requires");
  if (node == nullptr) return {};
  const toml::table* table = node->as_table();
  if (table == nullptr) return refuse(*node, "\"requires\" is not a table");
  CLUTCH_ASSIGN_OR_RETURN(manifest_.required_host_extensions,
                          words(*table, "host_extensions", "requires.host_extensions"));
  warn_unknown(*table, "requires.", {"host_extensions"});
  return {};
}

// Absolute path without symbolic links, or empty with errno.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), &free);
  return real ? std::string(real.get()) : std::string();
}

}  // namespace

const ManifestCapability* Manifest::capability(std::string_view kind) const {
  const auto found = std::find_if(capabilities.begin(), capabilities.end(),
                                  [&](const ManifestCapability& entry) { return entry.kind == kind; });
  return found == capabilities.end() ? nullptr : &*found;
}

Result<Manifest> parse_manifest(std::string_view text, const std::string& path) {
  toml::table parsed;
  try {
    parsed = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    const toml::source_position where = error.source().begin;
    return Status(CLUTCH_ERR_CONFIG,
                  path + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) + ": " +
                      std::string(error.description()),
                  CLUTCH_ORIGIN_CONFIG);
  }
  Manifest manifest;
  manifest.path = path;
  manifest.folder = path.substr(0, path.find_last_of('/'));
  CLUTCH_RETURN_IF_ERROR(Reader(manifest, manifest.path).read(parsed));
  return manifest;
}

Result<Manifest> read_manifest(const std::string& path) {
  const std::string real = resolved(path);
  if (real.empty()) {
    return Status(CLUTCH_ERR_NOT_FOUND, path + ": cannot be read: " + std::generic_category().message(errno),
                  CLUTCH_ORIGIN_CONFIG);
  }
  CLUTCH_ASSIGN_OR_RETURN(const std::string text, read_text_file(real, kLargestManifest));
  CLUTCH_ASSIGN_OR_RETURN(Manifest manifest, parse_manifest(text, real));
  const std::string wanted = manifest.folder + "/" + manifest.library;
  manifest.library_path = resolved(wanted);
  if (manifest.library_path.empty()) {
    return Status(CLUTCH_ERR_NOT_FOUND,
                  real + ": the library " + wanted + " cannot be opened: " + std::generic_category().message(errno),
                  CLUTCH_ORIGIN_CONFIG);
  }
  if (!manifest.library_path.starts_with(manifest.folder + "/")) {
    return Status(CLUTCH_ERR_CONFIG,
                  real + ": the library " + quoted(manifest.library) + " is a symbolic link to " +
                      manifest.library_path + ", outside of the manifest's folder; put the file itself there",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return manifest;
}

std::vector<std::string> feature_words(uint64_t features) {
  std::vector<std::string> words;
  for (uint32_t i = 0; i < 64; ++i) {
    const uint64_t bit = uint64_t{1} << i;
    if ((features & bit) == 0) continue;
    const auto found = std::find_if(kFeatures.begin(), kFeatures.end(),
                                    [&](const FeatureWord& feature) { return feature.bit == bit; });
    words.push_back(found == kFeatures.end() ? "bit " + std::to_string(i) : std::string(found->word));
  }
  return words;
}

std::string_view platform_name() {
#if defined(__linux__)
#define CLUTCH_PLATFORM_OS "linux"
#elif defined(__APPLE__)
#define CLUTCH_PLATFORM_OS "macos"
#else
#error "name this operating system"
#endif
#if defined(__x86_64__)
#define CLUTCH_PLATFORM_ARCH "x86_64"
#elif defined(__aarch64__)
#define CLUTCH_PLATFORM_ARCH "aarch64"
#elif defined(__riscv) && __riscv_xlen == 64
#define CLUTCH_PLATFORM_ARCH "riscv64"
#else
#error "name this architecture"
#endif
#if defined(__GLIBC__)
#define CLUTCH_PLATFORM_LIBC "glibc"
#elif defined(__APPLE__)
#define CLUTCH_PLATFORM_LIBC "system"
#else
#define CLUTCH_PLATFORM_LIBC "musl"
#endif
  return CLUTCH_PLATFORM_OS "_" CLUTCH_PLATFORM_ARCH "_" CLUTCH_PLATFORM_LIBC;
}

}  // namespace clutch::host
