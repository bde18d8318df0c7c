// Run one case of the conformance table against one plugin, in this process.
#pragma once

#include <string>
#include <vector>

#include "clutch/clutch.hpp"
#include "conform/case.h"

namespace clutch::tool {

// What is known of the plugin before a case runs.
struct PluginUnderTest {
  std::string id;
  std::string mode;
  std::vector<std::string> features;  // Of all its capabilities.
  std::vector<std::string> payloads;  // Of all its capabilities.
  std::vector<std::string> kinds;
  std::string native_library;  // Holds the symbols of native cases.

  bool has_payload(const std::string& payload) const;
};

// Find a plugin by mode or id among those the host found. Throws clutch::Error naming those that exist.
PluginUnderTest find_plugin(const Host& host, const std::string& mode_or_id, const std::string& native_library);

struct CaseResult {
  std::string name;
  std::string outcome;  // "pass", "fail", "skip"; and by the parent: "crash", "timeout"
  std::string reason;   // Empty for pass.
  std::string digest;   // Of everything the case gave, to compare plugins with each other.
};

// With `own_store` state and timers lie in a store of this program (plain_store.h), and not in that of the host.
CaseResult run_case(const Host& host, const PluginUnderTest& plugin, const Case& test, bool own_store);

}  // namespace clutch::tool
