// One choice of a plugin for a function, step by step.
#pragma once

#include <string>
#include <vector>

#include "registry/registry.h"

namespace clutch::host {

// What a plugin's manifest says against serving a function, in a sentence that stands alone; empty if nothing.
std::string static_objection(const Manifest& plugin, const std::vector<DecisionRequest::Step>& steps);

class Selection {
 public:
  // `prober` may be NULL: manifests alone decide.
  Selection(const Registry& registry, const DecisionRequest& request, Prober* prober);

  Decision run();

 private:
  struct Entry {
    const Manifest* plugin;
    size_t candidate;  // Index in decision_.candidates.
  };

  Status check_request() const;
  // Decide which mode is asked for, and which plugins are candidates at all.
  Status choose_field();
  Status unknown_mode() const;
  // Ask those that manifests allow. Returns the able ones.
  std::vector<const Entry*> ask(const std::vector<const Entry*>& group);
  Status settle(const std::vector<const Entry*>& able, bool fell_back);
  Status tie(const std::vector<const Entry*>& able) const;
  Status nobody(bool fallback_tried) const;
  Status run_steps();
  std::vector<const Entry*> of_mode(const std::string& mode, bool same) const;
  std::string function_text() const;
  std::string mode_setting() const;
  std::string reasons_of(const std::vector<const Entry*>& group) const;

  const Registry& registry_;
  const DecisionRequest& request_;
  Prober* const prober_;
  Decision decision_;
  std::vector<Entry> entries_;
  std::vector<Status> refusals_;  // Of probed plugins, in order.
};

}  // namespace clutch::host
