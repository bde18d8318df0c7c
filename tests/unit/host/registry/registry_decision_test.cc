#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plugins.h"
#include "registry/registry.h"

namespace clutch::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const Status kNoLibpython(CLUTCH_ERR_UNSUPPORTED, "python3.9 has no shared libpython", CLUTCH_ORIGIN_CONFIG);

Registry two_modes() {
  return Registry(found({make_plugin("org.inside", "inside", {"table.scalar", "stream.map"}),
                         make_plugin("org.process", "process", {"table.scalar", "stream.filter"}, {"import"}, 0)}));
}

DecisionRequest request(const std::string& mode, FallbackPolicy fallback = FallbackPolicy::kWarn) {
  DecisionRequest request;
  request.function = "f";
  request.steps = {{"table.scalar", 1, "import"}};
  request.mode = mode;
  request.mode_origin = "API";
  request.fallback = fallback;
  return request;
}

std::string message(const Decision& decision) { return std::string(decision.status.message()); }

TEST(Decide, TakesTheModeAskedForWithoutRegardToCase) {
  const Registry registry = two_modes();
  TestProber prober;
  const Decision decision = registry.decide(request("InSide"), prober);
  ASSERT_TRUE(decision.status.ok()) << decision.status.message();
  EXPECT_EQ(decision.plugin, "org.inside");
  EXPECT_EQ(decision.mode, "inside");
  EXPECT_FALSE(decision.fell_back);
  EXPECT_THAT(prober.asked, ElementsAre("org.inside"));
  EXPECT_EQ(decision.to_text(),
            "function \"f\" (table.scalar): mode inside, plugin org.inside\n"
            "  asked for: mode InSide (API), fallback warn\n"
            "  because: mode inside is the one asked for (API)\n"
            "  mode inside, plugin org.inside: chosen: plugin org.inside (mode inside) can serve it\n"
            "    python.version = 3.11.2\n"
            "  mode process, plugin org.process: not asked: plugin org.process (mode process) was not asked, because "
            "org.inside is chosen\n");
}

TEST(Decide, FallsBackWithTheReason) {
  const Registry registry = two_modes();
  TestProber prober({{"org.inside", kNoLibpython}});
  const Decision decision = registry.decide(request("inside"), prober);
  ASSERT_TRUE(decision.status.ok()) << decision.status.message();
  EXPECT_EQ(decision.plugin, "org.process");
  EXPECT_TRUE(decision.fell_back);
  EXPECT_EQ(decision.reason, "python3.9 has no shared libpython");
  EXPECT_EQ(decision.candidates[0].verdict, Verdict::kUnable);
  EXPECT_THAT(decision.candidates[0].facts, ElementsAre(Pair("python.executable", "/none")));
  EXPECT_THAT(decision.to_text(), HasSubstr("mode process, plugin org.process, not the mode asked for\n"));
}

TEST(Decide, RefusesInsteadWhenFallbackIsForbidden) {
  const Registry registry = two_modes();
  TestProber prober({{"org.inside", kNoLibpython}});
  const Decision decision = registry.decide(request("inside", FallbackPolicy::kForbid), prober);
  EXPECT_EQ(decision.status.code(), CLUTCH_ERR_UNSUPPORTED);
  EXPECT_EQ(message(decision),
            "function \"f\": mode inside (API) cannot serve it: python3.9 has no shared libpython; another mode is not "
            "taken, because python.execution-mode.fallback = forbid");
  EXPECT_EQ(decision.plugin, "");
  EXPECT_THAT(prober.asked, ElementsAre("org.inside"));
}

TEST(Decide, RefusesWhenNobodyCanServeAndTellsEachReason) {
  const Registry registry = two_modes();
  TestProber prober({{"org.inside", kNoLibpython},
                     {"org.process", Status(CLUTCH_ERR_CONFIG, "no interpreter", CLUTCH_ORIGIN_CONFIG)}});
  EXPECT_EQ(message(registry.decide(request("inside"), prober)),
            "function \"f\": no plugin can serve it: python3.9 has no shared libpython; no interpreter");
}

TEST(Decide, ManifestsRuleOutWithoutAsking) {
  const Registry registry = two_modes();
  const auto reason = [&](DecisionRequest::Step step, bool chain) {
    DecisionRequest wanted = request("process", FallbackPolicy::kForbid);
    wanted.steps = {step};
    if (chain) wanted.steps.push_back(step);
    TestProber prober;
    const Decision decision = registry.decide(wanted, prober);
    EXPECT_EQ(decision.status.code(), CLUTCH_ERR_UNSUPPORTED);
    EXPECT_THAT(prober.asked, IsEmpty());
    return decision.candidates.at(0).reason;
  };
  EXPECT_EQ(reason({"stream.map", 1, "import"}, false),
            "plugin org.process (mode process) does not serve the kind stream.map");
  EXPECT_EQ(reason({"table.scalar", 2, "import"}, false),
            "plugin org.process (mode process) serves revisions 1 to 1 of table.scalar, not 2");
  EXPECT_EQ(reason({"table.scalar", 1, "pickle"}, false),
            "plugin org.process (mode process) does not take the payload format pickle for table.scalar; it takes "
            "import");
  EXPECT_EQ(reason({"table.scalar", 1, "import"}, true),
            "plugin org.process (mode process) does not run table.scalar in a chain of several steps");
}

TEST(Decide, RefusesAnUnknownModeWithThoseThatExist) {
  Discovery discovery = found(
      {make_plugin("org.inside", "inside", {"table.scalar"}), make_plugin("org.process", "process", {"table.scalar"})});
  discovery.report.findings.push_back(
      {"/p/x/plugin.toml", "system", FindingState::kBroken, "org.x", "insid", "wrong checksum"});
  const Registry registry(std::move(discovery));
  TestProber prober;
  const Decision decision = registry.decide(request("insid"), prober);
  EXPECT_EQ(decision.status.code(), CLUTCH_ERR_CONFIG);
  EXPECT_EQ(message(decision),
            "function \"f\": python.execution-mode = \"insid\" (API): no plugin has this mode; modes that exist: "
            "inside, process; did you mean inside?; plugin org.x is not used: wrong checksum");
  EXPECT_THAT(std::string(decision.status.detail("search")), HasSubstr("Places searched for plugins, in order:\n"));
  EXPECT_THAT(prober.asked, IsEmpty()) << "an unknown mode is a mistake, not a reason to fall back";
}

TEST(Decide, TellsEveryPlaceSearchedWhenThereAreNoPlugins) {
  const Registry registry(found({}));
  TestProber prober;
  EXPECT_EQ(message(registry.decide(request("inside"), prober)),
            "function \"f\": python.execution-mode = \"inside\" (API): no plugin has this mode; no plugin was found at "
            "all; searched were environment (not set), system /p (searched)");
}

TEST(Decide, ATieIsAnErrorThatNamesThePin) {
  const Registry registry(
      found({make_plugin("org.a", "inside", {"table.scalar"}), make_plugin("org.b", "inside", {"table.scalar"})}));
  TestProber prober;
  const Decision decision = registry.decide(request("inside"), prober);
  EXPECT_EQ(decision.status.code(), CLUTCH_ERR_CONFIG);
  EXPECT_EQ(message(decision),
            "function \"f\": several plugins can serve it and nothing says which to take: org.a (mode inside), org.b "
            "(mode inside); set clutch.plugin.pin = \"org.a\" or another of these ids");

  DecisionRequest pinned = request("inside");
  pinned.pin = "org.b";
  EXPECT_EQ(registry.decide(pinned, prober).plugin, "org.b");

  TestProber one_refuses({{"org.a", kNoLibpython}});
  EXPECT_EQ(registry.decide(request("inside"), one_refuses).plugin, "org.b") << "one that cannot is no rival";
}

TEST(Decide, FallbackPrefersTheDefaultModeAndElseWantsNoDoubt) {
  const Registry all(
      found({make_plugin("org.a", "inside", {"table.scalar"}), make_plugin("org.b", "b", {"table.scalar"}),
             make_plugin("org.process", "process", {"table.scalar"})}));
  TestProber prober({{"org.a", kNoLibpython}});
  EXPECT_EQ(all.decide(request("inside"), prober).plugin, "org.process");
  EXPECT_THAT(prober.asked, ElementsAre("org.a", "org.process"));

  const Registry two(found({make_plugin("org.a", "inside", {"table.scalar"}),
                            make_plugin("org.b", "b", {"table.scalar"}), make_plugin("org.c", "c", {"table.scalar"})}));
  EXPECT_THAT(message(two.decide(request("inside"), prober)), HasSubstr("several plugins can serve it"));
}

TEST(Decide, APinExcludesAllOthers) {
  const Registry registry = two_modes();
  TestProber prober({{"org.inside", kNoLibpython}});
  DecisionRequest pinned = request("inside");
  pinned.pin = "org.inside";
  EXPECT_EQ(message(registry.decide(pinned, prober)),
            "function \"f\": mode inside (API) cannot serve it: python3.9 has no shared libpython; no other plugin is "
            "taken, because clutch.plugin.pin = \"org.inside\"");
  pinned.pin = "org.none";
  EXPECT_EQ(message(registry.decide(pinned, prober)),
            "clutch.plugin.pin = \"org.none\": no such plugin was found; found were org.inside, org.process");
  pinned.pin = "org.process";
  EXPECT_EQ(
      message(registry.decide(pinned, prober)),
      "clutch.plugin.pin = \"org.process\" has mode process, but python.execution-mode = \"inside\" (API); set one "
      "of them alone");
}

TEST(Decide, APinWinsOverAModeThatNobodySet) {
  const Registry registry = two_modes();
  TestProber prober;
  DecisionRequest pinned = request("process");
  pinned.mode_origin = "default";
  pinned.pin = "org.inside";
  const Decision decision = registry.decide(pinned, prober);
  EXPECT_EQ(decision.plugin, "org.inside");
  EXPECT_FALSE(decision.fell_back);
  EXPECT_EQ(decision.reason, "mode inside is the one asked for (clutch.plugin.pin)");
}

TEST(Decide, APluginMarkedUnusableLosesWithThatReason) {
  Registry registry = two_modes();
  registry.mark_unusable("org.inside", "it cannot be loaded: no such symbol");
  TestProber prober;
  const Decision decision = registry.decide(request("inside"), prober);
  EXPECT_EQ(decision.plugin, "org.process");
  EXPECT_EQ(decision.reason, "it cannot be loaded: no such symbol");
  EXPECT_THAT(prober.asked, ElementsAre("org.process"));
}

TEST(Decide, CanBeDoneFromManifestsAlone) {
  const Registry registry = two_modes();
  const Decision decision = registry.decide_statically(request("inside"));
  EXPECT_EQ(decision.plugin, "org.inside");
  EXPECT_EQ(decision.candidates[0].reason,
            "plugin org.inside (mode inside) may serve it, as far as its manifest tells");
  EXPECT_THAT(decision.candidates[0].facts, IsEmpty());
}

TEST(Decide, RefusesAFunctionWithoutSteps) {
  const Registry registry = two_modes();
  TestProber prober;
  DecisionRequest empty = request("inside");
  empty.steps.clear();
  EXPECT_EQ(message(registry.decide(empty, prober)), "function \"f\" has no steps");
}

TEST(Decision, IsJsonToo) {
  const Registry registry = two_modes();
  TestProber prober({{"org.inside", kNoLibpython}});
  const auto json = nlohmann::json::parse(registry.decide(request("inside"), prober).to_json());
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["fell_back"], true);
  EXPECT_EQ(json["plugin"], "org.process");
  EXPECT_EQ(json["candidates"][0]["verdict"], "unable");
  EXPECT_EQ(json["candidates"][1]["facts"]["python.version"], "3.11.2");
}

TEST(DecisionRequest, ComesFromTheConfigurationThatHoldsForTheFunction) {
  Configuration configuration;
  EXPECT_EQ(decision_request(configuration, "f")->mode, "process");
  EXPECT_EQ(decision_request(configuration, "f")->mode_origin, "default");
  const auto own = configuration.with_function_options(
      "f",
      {{"python.execution-mode", " Inside "}, {"python.execution-mode.fallback", "ALLOW"}, {"clutch.plugin.pin", "x"}});
  ASSERT_TRUE(own.ok());
  const Result<DecisionRequest> request = decision_request(*own, "f");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->mode, "Inside");
  EXPECT_EQ(request->mode_origin, "function \"f\"");
  EXPECT_EQ(request->fallback, FallbackPolicy::kAllow);
  EXPECT_EQ(request->pin, "x");
}

}  // namespace
}  // namespace clutch::host
