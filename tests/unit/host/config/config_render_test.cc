#include "config/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace clutch::host {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RenderKeyTable, HasARowForEachKey) {
  const std::string text = render_key_table_markdown();
  for (const KeyInfo& key : known_keys()) EXPECT_THAT(text, HasSubstr("| `" + std::string(key.name) + "` |"));
  EXPECT_THAT(text,
              HasSubstr("| `python.process.depth` | integer | `2` | 1 to 3 batches | Batches that may be on their "
                        "way to one worker at once. |\n"));
  EXPECT_THAT(text, HasSubstr("| `python.execution-mode.fallback` | `warn`, `forbid`, `allow` | `warn` |  |"));
}

TEST(RenderConfiguration, ShowsOrigins) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set("acme.name", "a \"b\"").ok());
  EXPECT_EQ(render_configuration_text(configuration, false),
            "acme.name = \"a \\\"b\\\"\"  # API; not a key of Clutch\n");
  const std::string all = render_configuration_text(configuration, true);
  EXPECT_THAT(all, HasSubstr("python.execution-mode = \"process\"  # default\n"));
  EXPECT_THAT(all, HasSubstr("clutch.plugin.pin = \"\"  # not set\n"));
}

TEST(RenderConfiguration, GivesJsonAlsoOfBytesThatAreNoText) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set("acme.bytes", "\xff").ok());
  const auto json = nlohmann::json::parse(render_configuration_json(configuration, false));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["key"], "acme.bytes");
  EXPECT_EQ(json[0]["origin"], "API");
}

}  // namespace
}  // namespace clutch::host
