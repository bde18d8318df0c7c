#include "plugin/table.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "config/parse.h"

namespace clutch::host {
namespace {

constexpr uint64_t kMaxCapabilities = 256;
constexpr uint64_t kKnownFeatures =
    CLUTCH_FEATURE_CHAIN | CLUTCH_FEATURE_ISOLATED | CLUTCH_FEATURE_ZERO_COPY | CLUTCH_FEATURE_FUSED;
constexpr uint64_t kMustUnderstand = ~uint64_t{0} << 32;
constexpr uint32_t kFirstCapabilitySize = offsetof(clutch_capability, features) + sizeof(clutch_capability::features);

Status broken(std::string why) { return Status(CLUTCH_ERR_PROTOCOL, std::move(why), CLUTCH_ORIGIN_PLUGIN); }

template <typename R, typename... Args>
R stub(Args...) noexcept {
  if constexpr (std::is_same_v<R, int32_t>) {
    return CLUTCH_ERR_UNSUPPORTED;
  } else if constexpr (std::is_pointer_v<R>) {
    return nullptr;
  }
}

// Fills one slot or finds fault with it.
class Slots {
 public:
  Slots(clutch_plugin_api& api, uint32_t their_size) : api_(api), their_size_(their_size) {}

  template <typename R, typename... Args>
  void visit(const char* name, R (*&slot)(Args...), bool nullable = false) {
    const auto end = static_cast<size_t>(reinterpret_cast<char*>(&slot + 1) - reinterpret_cast<char*>(&api_));
    if (end > their_size_) {
      slot = nullable ? nullptr : &stub<R, Args...>;
    } else if (slot == nullptr && !nullable) {
      missing_ += (missing_.empty() ? "" : ", ") + std::string(name);
    }
  }

  const std::string& missing() const { return missing_; }

 private:
  clutch_plugin_api& api_;
  const uint32_t their_size_;
  std::string missing_;
};

Result<std::string> text_of(const clutch_str& text, const char* what) {
  if (text.data == nullptr && text.size > 0) return broken(std::string("its ") + what + " is text at address NULL");
  return text.size == 0 ? std::string() : std::string(text.data, text.size);
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ",") + word;
  return result;
}

Status differs(const std::string& what, const std::string& table, const std::string& manifest, const Manifest& where) {
  return broken("it says " + what + " \"" + table + "\", but its manifest " + where.path + " says \"" + manifest +
                "\"; install library and manifest of the same build");
}

Status compare_capability(const clutch_capability& capability, const std::string& kind, const Manifest& manifest) {
  const ManifestCapability* said = manifest.capability(kind);
  if (said == nullptr) {
    return broken("it serves " + kind + ", but its manifest " + manifest.path +
                  " does not name that kind; install library and manifest of the same build");
  }
  const auto range = [](uint32_t low, uint32_t high) { return std::to_string(low) + " to " + std::to_string(high); };
  const std::string revisions = range(capability.min_revision, capability.max_revision);
  const std::string said_revisions = range(said->min_revision, said->max_revision);
  if (revisions != said_revisions) return differs("revisions of " + kind, revisions, said_revisions, manifest);

  CLUTCH_ASSIGN_OR_RETURN(const std::string payload_text, text_of(capability.payloads, "list of payloads"));
  std::vector<std::string> payloads = split(payload_text, ',');
  std::sort(payloads.begin(), payloads.end());
  if (payloads != said->payloads) {
    return differs("payloads of " + kind, joined(payloads), joined(said->payloads), manifest);
  }
  if (const uint64_t unknown = capability.features & ~kKnownFeatures & kMustUnderstand; unknown != 0) {
    return broken("its capability " + kind + " has the feature " + joined(feature_words(unknown)) +
                  ", which a host must understand and this one does not; use a newer host");
  }
  const std::string features = joined(feature_words(capability.features & kKnownFeatures));
  const std::string said_features = joined(feature_words(said->features & kKnownFeatures));
  if (features != said_features) return differs("features of " + kind, features, said_features, manifest);
  return {};
}

}  // namespace

Result<clutch_plugin_api> adopt_table(const clutch_plugin_api& theirs, uint32_t first_size) {
  if (theirs.struct_size < first_size) {
    return broken("its table has " + std::to_string(theirs.struct_size) + " bytes; level 1 of the contract has " +
                  std::to_string(first_size));
  }
  clutch_plugin_api api{};
  std::memcpy(&api, &theirs, std::min<size_t>(theirs.struct_size, sizeof api));
  Slots slots(api, theirs.struct_size);
  slots.visit("get_extension", api.get_extension);
  slots.visit("runtime_open", api.runtime_open);
  slots.visit("runtime_probe", api.runtime_probe);
  slots.visit("runtime_describe", api.runtime_describe);
  slots.visit("runtime_close", api.runtime_close);
  slots.visit("function_open", api.function_open);
  slots.visit("function_submit", api.function_submit);
  slots.visit("function_poll", api.function_poll, /*nullable=*/true);
  slots.visit("function_cancel", api.function_cancel);
  slots.visit("function_close", api.function_close);
  if (!slots.missing().empty()) {
    return broken("its table has NULL for " + slots.missing() + "; the contract allows that for function_poll alone");
  }
  api.struct_size = sizeof api;
  return api;
}

Status compare_with_manifest(const clutch_plugin_api& api, const Manifest& manifest) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string id, text_of(api.id, "id"));
  CLUTCH_ASSIGN_OR_RETURN(const std::string version, text_of(api.version, "version"));
  CLUTCH_ASSIGN_OR_RETURN(const std::string mode, text_of(api.mode, "mode"));
  if (id != manifest.id) return differs("id", id, manifest.id, manifest);
  if (version != manifest.version) return differs("version", version, manifest.version, manifest);
  if (mode != manifest.mode) return differs("mode", mode, manifest.mode, manifest);

  if (api.n_capabilities > kMaxCapabilities || (api.capabilities == nullptr && api.n_capabilities > 0)) {
    return broken("its list of capabilities is not one: " + std::to_string(api.n_capabilities) + " entries");
  }
  std::vector<std::string> kinds;
  for (uint64_t i = 0; i < api.n_capabilities; ++i) {
    const clutch_capability* capability = api.capabilities[i];
    if (capability == nullptr || capability->struct_size < kFirstCapabilitySize) {
      return broken("its capability " + std::to_string(i) + " is NULL or smaller than at level 1 of the contract");
    }
    CLUTCH_ASSIGN_OR_RETURN(const std::string kind, text_of(capability->kind, "kind"));
    if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return broken("it names " + kind + " twice");
    CLUTCH_RETURN_IF_ERROR(compare_capability(*capability, kind, manifest));
    kinds.push_back(kind);
  }
  for (const ManifestCapability& said : manifest.capabilities) {
    if (std::find(kinds.begin(), kinds.end(), said.kind) == kinds.end()) {
      return broken("it does not serve " + said.kind + ", but its manifest " + manifest.path +
                    " names that kind; install library and manifest of the same build");
    }
  }
  return {};
}

}  // namespace clutch::host
