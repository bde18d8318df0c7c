#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "plugins.h"
#include "registry/registry.h"

namespace clutch::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Registry, InternsKindsDensely) {
  Registry registry(found({make_plugin("org.a", "a", {"table.scalar", "stream.map"})}));
  EXPECT_THAT(registry.kinds(), ElementsAre("table.scalar", "stream.map"));
  EXPECT_EQ(registry.intern_kind("stream.map"), 1u);
  EXPECT_EQ(registry.intern_kind("org.acme.kind"), 2u);
  EXPECT_EQ(registry.kind_name(2), "org.acme.kind");
  EXPECT_EQ(registry.kind_name(3), "");
}

TEST(Registry, ListsModesOnce) {
  const Registry registry(
      found({make_plugin("org.z", "z", {"k"}), make_plugin("org.a", "a", {"k"}), make_plugin("org.b", "A", {"k"})}));
  EXPECT_THAT(registry.modes(), ElementsAre("a", "z"));
}

TEST(Explain, IsATableOfKindAndPlugin) {
  Manifest exclusive = make_plugin("org.a", "a", {"table.scalar"}, {"import", "pickle"});
  exclusive.exclusive = {"libpython"};
  Registry registry(found({exclusive, make_plugin("org.b", "b", {"stream.map", "table.scalar"}, {"import"}, 0)}));
  registry.mark_unusable("org.b", "it cannot be loaded: broken");
  EXPECT_EQ(registry.explain_text(""),
            "stream.map\n"
            "  mode a, plugin org.a: no: plugin org.a (mode a) does not serve the kind stream.map\n"
            "  mode b, plugin org.b: no: it cannot be loaded: broken\n"
            "table.scalar\n"
            "  mode a, plugin org.a: yes: payloads import, pickle; chain; if no other plugin of the process uses "
            "libpython\n"
            "  mode b, plugin org.b: no: it cannot be loaded: broken\n");
  EXPECT_EQ(registry.explain("table.scalar").size(), 2u);
  const auto json = nlohmann::json::parse(registry.explain_json("table.scalar"));
  EXPECT_EQ(json[0]["able"], true);
  EXPECT_EQ(json[1]["reason"], "it cannot be loaded: broken");
}

TEST(Explain, SaysNoForKindsNobodyKnows) {
  const Registry registry(found({make_plugin("org.a", "a", {"table.scalar"})}));
  EXPECT_EQ(registry.explain_text("stream.nap"),
            "stream.nap\n  mode a, plugin org.a: no: plugin org.a (mode a) does not serve the kind stream.nap\n");
}

TEST(Explain, TellsTheSearchWhenThereAreNoPlugins) {
  const Registry registry(found({}));
  EXPECT_THAT(registry.explain_text(""), HasSubstr("No plugin was found, so nothing can be served.\nPlaces searched"));
}

TEST(Registry, ServesSeveralThreads) {
  Registry registry(found({make_plugin("org.a", "a", {"table.scalar"})}));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&registry] {
      for (int i = 0; i < 200; ++i) {
        registry.intern_kind("kind." + std::to_string(i));
        registry.mark_unusable("org.x", std::to_string(i));
        EXPECT_FALSE(registry.explain("table.scalar").empty());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> kinds = registry.kinds();
  EXPECT_EQ(kinds.size(), 201u);
  EXPECT_EQ(std::set<std::string>(kinds.begin(), kinds.end()).size(), 201u);
}

}  // namespace
}  // namespace clutch::host
