// Which plugin can serve which kind of function, and which one a function gets.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/columnar/result.h"
#include "plugin/discovery.h"
#include "plugin/manifest.h"

namespace clutch::host {

// What to do when the mode asked for cannot serve a function: take another one and log that, refuse, or take another.
enum class FallbackPolicy { kWarn, kForbid, kAllow };
Result<FallbackPolicy> parse_fallback_policy(std::string_view word);
std::string_view fallback_policy_name(FallbackPolicy policy);

// What a function needs, as far as the choice depends on it.
struct DecisionRequest {
  struct Step {
    std::string kind;
    uint32_t revision = 1;
    std::string payload;  // Payload format.
    bool fused = false;   // It has an option of fused steps, see abi/spec.h.
  };

  std::string function;     // Name, for messages.
  std::vector<Step> steps;  // At least one.
  std::string mode;         // The function's own mode if it has one, else python.execution-mode.
  std::string mode_origin;  // "default", "API", "function \"f\"", ...: ConfigValue::origin.
  FallbackPolicy fallback = FallbackPolicy::kWarn;
  std::string pin;  // clutch.plugin.pin: id of the one plugin wanted; empty = none.
};

// Request of a function from the configuration that holds for it (mode, fallback, pin). The caller adds the steps.
Result<DecisionRequest> decision_request(const Configuration& configuration, std::string_view function);

enum class Verdict {
  kChosen,
  kAble,      // Would serve it, but another is preferred.
  kUnable,    // Said no, or could not be loaded.
  kNotAsked,  // The manifest allows it; not probed, because an earlier one was chosen or fallback is forbidden.
};
std::string_view verdict_name(Verdict verdict);

struct Candidate {
  std::string id;
  std::string mode;
  Verdict verdict = Verdict::kNotAsked;
  std::string reason;                                      // A sentence that stands alone.
  std::vector<std::pair<std::string, std::string>> facts;  // What the verdict rests on: "python.version", ...
};

// The outcome of a choice; printable whether it succeeded or not.
struct Decision {
  Status status;  // ok: `plugin` serves the function. Otherwise why nothing does; nothing is to be loaded.
  std::string function;
  std::vector<std::string> kinds;
  std::string requested_mode;
  std::string requested_origin;
  FallbackPolicy fallback = FallbackPolicy::kWarn;
  std::string plugin;  // Id of the chosen one, empty if none.
  std::string mode;    // Of the chosen one.
  bool fell_back = false;
  std::string reason;                 // One sentence: why this one; with fell_back, why not the mode asked for.
  std::vector<Candidate> candidates;  // In the order considered.

  std::string to_text() const;
  std::string to_json() const;
};

// Second step of a choice: asks a plugin about the actual function.
class Prober {
 public:
  virtual ~Prober() = default;

  struct Answer {
    Status status;  // ok = yes. Otherwise the plugin's reason, or why it could not be loaded.
    std::vector<std::pair<std::string, std::string>> facts;
  };

  // Load the plugin if that has not been done, open its runtime, and let it probe the function. Called by decide() on
  // the caller's thread, at most once a plugin and decision, without any lock held.
  virtual Answer probe(const Manifest& plugin) = 0;
};

// One cell of the table kind x plugin, from manifests and from what loading and probing showed since.
struct CapabilityEntry {
  std::string kind;
  std::string plugin;
  std::string mode;
  bool able = false;
  std::string reason;  // Why not; empty if able.
  uint32_t min_revision = 0;
  uint32_t max_revision = 0;
  std::vector<std::string> payloads;
  std::vector<std::string> features;
  std::vector<std::string> conditions;  // What else must hold: "only one plugin of a process may use libpython", ...
};

// Belongs to one host. All methods may be called from every thread.
class Registry {
 public:
  explicit Registry(Discovery discovery);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  const std::vector<Manifest>& plugins() const { return discovery_.plugins; }
  const SearchReport& search() const { return discovery_.report; }
  const Manifest* find_plugin(std::string_view id) const;

  // Modes that can be selected, sorted, each once.
  std::vector<std::string> modes() const;

  // A dense number for a kind id, the same for the life of the registry. Ids no plugin knows get one, too.
  uint32_t intern_kind(std::string_view kind);
  std::string kind_name(uint32_t number) const;
  std::vector<std::string> kinds() const;  // By number.

  // Remember that a plugin cannot be used at all (it failed to load, or its runtime to open), so that tables say why.
  void mark_unusable(std::string_view plugin, std::string reason);

  // That reason, or empty.
  std::string unusable_reason(std::string_view plugin) const;

  // Choose a plugin for a function.
  Decision decide(const DecisionRequest& request, Prober& prober) const;

  // As decide, from manifests alone.
  Decision decide_statically(const DecisionRequest& request) const;

  // One row a plugin for a kind; with an empty kind, for all kinds.
  std::vector<CapabilityEntry> explain(std::string_view kind) const;
  std::string explain_text(std::string_view kind) const;
  std::string explain_json(std::string_view kind) const;

 private:
  const Discovery discovery_;
  mutable std::mutex mutex_;  // Guards what follows. Never held while a plugin or the log runs.
  std::vector<std::string> kinds_;
  std::map<std::string, uint32_t, std::less<>> kind_numbers_;
  std::map<std::string, std::string, std::less<>> unusable_;
};

}  // namespace clutch::host
