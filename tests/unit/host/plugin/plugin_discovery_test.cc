#include "plugin/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "folder.h"

namespace clutch::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string manifest_text(const std::string& id, const std::string& mode = "fast") {
  return "manifest_version = 1\nid = '" + id + "'\nversion = '1'\nmode = '" + mode +
         "'\n[abi]\nmajor = 1\nmin_level = 1\nmax_level = 1\n[library]\nfile = 'lib.so'\n[[capability]]\nkind = "
         "'table.scalar'\npayloads = ['import']\n";
}

void add_plugin(const TestFolder& folder, const std::string& name, const std::string& id) {
  folder.write(name + "/plugin.toml", manifest_text(id));
  folder.write(name + "/lib.so", "x");
}

std::vector<std::string> ids(const Discovery& discovery) {
  std::vector<std::string> result;
  for (const Manifest& manifest : discovery.plugins) result.push_back(manifest.id);
  return result;
}

TEST(Discovery, SearchesPlacesInOrderAndFoldersByName) {
  const TestFolder folder;
  add_plugin(folder, "one/b", "org.b");
  add_plugin(folder, "one/a", "org.a");
  add_plugin(folder, "single", "org.single");
  add_plugin(folder, "env/c", "org.c");
  add_plugin(folder, "user/d", "org.d");
  add_plugin(folder, "system/e", "org.e");
  folder.write("one/not_a_plugin/readme", "x");
  const Discovery discovery = discover_plugins({.configured_path = folder.path("one") + ":" + folder.path("single"),
                                                .environment_path = folder.path("env"),
                                                .user_folder = folder.path("user"),
                                                .system_folder = folder.path("system")});
  EXPECT_THAT(ids(discovery), ElementsAre("org.a", "org.b", "org.single", "org.c", "org.d", "org.e"));
  EXPECT_THAT(discovery.report.warnings, IsEmpty());
}

TEST(Discovery, TellsEveryPlaceAndWhatCameOfIt) {
  const TestFolder folder;
  folder.write("file", "x");
  folder.write("empty/readme", "x");
  const Discovery discovery =
      discover_plugins({.configured_path = "plugins:" + folder.path("file") + ":" + folder.path("empty") + ":" +
                                           folder.path("empty") + "/../empty",
                        .environment_path = folder.path("none"),
                        .system_folder = folder.path("none")});
  EXPECT_EQ(discovery.report.to_text(),
            "Places searched for plugins, in order:\n"
            "  configuration plugins: refused: is not an absolute path; plugins are never looked for relative to the "
            "current folder\n"
            "  configuration " +
                folder.path("file") + ": refused: is not a folder\n  configuration " + folder.path("empty") +
                ": no manifest\n  configuration " + folder.path("empty") +
                "/../empty: searched already\n  environment " + folder.path("none") +
                ": does not exist\n  user: not set\n  system " + folder.path("none") +
                ": does not exist\nNo manifest was found.\n");
  EXPECT_THAT(discovery.plugins, IsEmpty());
  const auto json = nlohmann::json::parse(discovery.report.to_json());
  EXPECT_EQ(json["places"].size(), 7u);
  EXPECT_EQ(json["places"][0]["refused"], true);
}

TEST(Discovery, FirstOfAnIdWins) {
  const TestFolder folder;
  add_plugin(folder, "one/a", "org.a");
  add_plugin(folder, "two/a", "org.a");
  const Discovery discovery =
      discover_plugins({.configured_path = folder.path("two"), .environment_path = folder.path("one")});
  ASSERT_EQ(discovery.plugins.size(), 1u);
  EXPECT_EQ(discovery.plugins[0].path, folder.path("two/a/plugin.toml"));
  ASSERT_EQ(discovery.report.findings.size(), 2u);
  EXPECT_EQ(discovery.report.findings[1].state, FindingState::kShadowed);
  EXPECT_EQ(discovery.report.findings[1].reason,
            "the id org.a was found before in " + folder.path("two/a/plugin.toml"));
}

TEST(Discovery, ABrokenManifestIsAnErrorInTheReport) {
  const TestFolder folder;
  add_plugin(folder, "good", "org.good");
  const std::string broken = folder.write("broken/plugin.toml", "manifest_version = \n");
  const Discovery discovery = discover_plugins({.configured_path = folder.path()});
  EXPECT_THAT(ids(discovery), ElementsAre("org.good"));
  ASSERT_EQ(discovery.report.findings.size(), 2u);
  EXPECT_EQ(discovery.report.findings[0].state, FindingState::kBroken);
  EXPECT_THAT(discovery.report.findings[0].reason, HasSubstr(broken + ":1:"));
  EXPECT_THAT(discovery.report.warnings, ElementsAre(HasSubstr("plugin refused: " + broken + ":1:")));
}

TEST(Discovery, RefusesWhatOthersMayWrite) {
  const TestFolder folder;
  add_plugin(folder, "a", "org.a");
  const auto reason = [&](const std::string& path, mode_t mode, mode_t back) {
    chmod(path.c_str(), mode);
    const Discovery discovery = discover_plugins({.configured_path = folder.path()});
    chmod(path.c_str(), back);
    EXPECT_THAT(discovery.plugins, IsEmpty());
    return discovery.report.findings.empty() ? discovery.report.places.at(0).outcome
                                             : discovery.report.findings[0].reason;
  };
  EXPECT_EQ(reason(folder.path("a/lib.so"), 0666, 0644), folder.path("a/lib.so") +
                                                             " can be written by everybody (mode 0666); run: chmod "
                                                             "go-w " +
                                                             folder.path("a/lib.so"));
  EXPECT_EQ(reason(folder.path("a/plugin.toml"), 0664, 0644), folder.path("a/plugin.toml") +
                                                                  " can be written by its group (mode 0664); run: "
                                                                  "chmod go-w " +
                                                                  folder.path("a/plugin.toml"));
  EXPECT_EQ(reason(folder.path("a"), 0777, 0755),
            folder.path("a") + " can be written by everybody (mode 0777); run: chmod go-w " + folder.path("a"));
  EXPECT_EQ(reason(folder.path(), 0777, 0755),
            "refused: " + folder.path() + " can be written by everybody (mode 0777); run: chmod go-w " + folder.path());
  EXPECT_THAT(ids(discover_plugins({.configured_path = folder.path()})), ElementsAre("org.a"));
}

TEST(Discovery, RaisedRightsIgnoreEnvironmentAndUserFolder) {
  const TestFolder folder;
  add_plugin(folder, "env", "org.env");
  add_plugin(folder, "user", "org.user");
  add_plugin(folder, "system", "org.system");
  const Discovery discovery = discover_plugins({.environment_path = folder.path("env"),
                                                .user_folder = folder.path("user"),
                                                .system_folder = folder.path("system"),
                                                .secure = true});
  EXPECT_THAT(ids(discovery), ElementsAre("org.system"));
  EXPECT_THAT(discovery.report.warnings, ElementsAre("plugin folder " + folder.path("env") +
                                                         " ignored: this process runs with raised rights (AT_SECURE)",
                                                     "plugin folder " + folder.path("user") +
                                                         " ignored: this process runs with raised rights (AT_SECURE)"));
}

TEST(Discovery, SelectsAndDisablesByGlob) {
  const TestFolder folder;
  add_plugin(folder, "a", "org.one.a");
  add_plugin(folder, "b", "org.one.b");
  add_plugin(folder, "c", "org.two.c");
  SearchOptions options{.configured_path = folder.path(), .select = {"org.one.*"}, .disable = {"*.b"}};
  const Discovery discovery = discover_plugins(options);
  EXPECT_THAT(ids(discovery), ElementsAre("org.one.a"));
  EXPECT_EQ(discovery.report.findings[1].reason, "disabled by clutch.disable = \"*.b\"");
  EXPECT_EQ(discovery.report.findings[2].reason, "not selected by clutch.select");
  EXPECT_EQ(discovery.report.findings[2].state, FindingState::kDisabled);
}

TEST(Discovery, DemandsChecksumsWhereConfigured) {
  const TestFolder folder;
  add_plugin(folder, "a", "org.a");
  const Discovery discovery = discover_plugins({.configured_path = folder.path(), .require_checksum = true});
  EXPECT_EQ(
      discovery.report.findings.at(0).reason,
      folder.path("a/plugin.toml") + ": has no sha256 for its library, and clutch.plugin.require-checksum is set");
}

TEST(SearchOptions, KeepsConfigurationAndEnvironmentApart) {
  Configuration configuration;
  const char* environment[] = {"CLUTCH_PLUGIN_PATH=/env", "CLUTCH_DISABLE=a,b", nullptr};
  ASSERT_TRUE(configuration.load_environment(environment).ok());
  ASSERT_TRUE(configuration.load_text("clutch.plugin-path = ['/file']", "c.toml").ok());
  const Result<SearchOptions> options = search_options(configuration);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->configured_path, "/file");
  EXPECT_EQ(options->configured_origin, "c.toml:1");
  EXPECT_EQ(options->environment_path, "/env");
  EXPECT_THAT(options->disable, ElementsAre("a", "b"));
  EXPECT_THAT(options->system_folder, HasSubstr("clutch-1/plugins"));
  EXPECT_FALSE(options->secure);
}

}  // namespace
}  // namespace clutch::host
