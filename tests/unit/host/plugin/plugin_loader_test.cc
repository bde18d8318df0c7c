#include "plugin/loader.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "module_folder.h"
#include "plugin/sha256.h"

namespace clutch::host {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kSameBuild = "; install library and manifest of the same build";

// Why a module is refused, without the part that names it.
std::string refusal(const ModuleFolder& module, int32_t code, const LoadOptions& options = {}) {
  const Result<std::unique_ptr<Plugin>> plugin = module.load(options);
  EXPECT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.status().code(), code) << plugin.status().message();
  const std::string message(plugin.status().message());
  const std::string prefix = "plugin org.test.module (" + module.library() + "): ";
  EXPECT_THAT(message, StartsWith(prefix));
  return message.substr(std::min(prefix.size(), message.size()));
}

std::string refusal(const std::string& fault, int32_t code, const ModuleManifest& manifest = {}) {
  return refusal(ModuleFolder(fault, manifest), code);
}

TEST(Loader, LoadsWhatKeepsTheContract) {
  const ModuleFolder module("none");
  const auto plugin = module.load();
  ASSERT_TRUE(plugin.ok()) << plugin.status().message();
  EXPECT_EQ((*plugin)->id(), "org.test.module");
  EXPECT_EQ((*plugin)->mode(), "module");
  EXPECT_EQ((*plugin)->path(), module.library());
  EXPECT_EQ((*plugin)->level(), 1u);
  EXPECT_EQ((*plugin)->api().function_poll, nullptr);
  EXPECT_NE((*plugin)->extension("org.test.map"), nullptr);
  EXPECT_EQ((*plugin)->extension("org.test.none"), nullptr);
  EXPECT_EQ((*plugin)->api().runtime_probe(nullptr, nullptr, nullptr), CLUTCH_OK);
}

TEST(Loader, TwoHostsShareOneLibraryThatIsNeverUnmapped) {
  const ModuleFolder module("none");
  auto first = module.load();
  auto second = module.load();
  ASSERT_TRUE(first.ok() && second.ok());
  const auto probe = (*first)->api().runtime_probe;
  EXPECT_EQ(probe, (*second)->api().runtime_probe);
  (*first).reset();
  (*second).reset();
  EXPECT_EQ(probe(nullptr, nullptr, nullptr), CLUTCH_OK);
}

TEST(Loader, KeepsThePluginsSymbolsToItself) {
  const ModuleFolder module("none");
  const auto plugin = module.load();
  ASSERT_TRUE(plugin.ok());
  EXPECT_EQ(dlsym(RTLD_DEFAULT, CLUTCH_PLUGIN_SYMBOL), nullptr);
}

TEST(Loader, RefusesLevelsThatDoNotMeet) {
  EXPECT_EQ(refusal("wrong_level", CLUTCH_ERR_UNSUPPORTED),
            "it speaks levels 7 to 9 of the contract, this host level 1; use a newer host or an older plugin");
  EXPECT_EQ(refusal(ModuleFolder("none", {.levels = "min_level = 4\nmax_level = 4"}), CLUTCH_ERR_UNSUPPORTED),
            "it speaks level 4 of the contract, this host level 1; use a newer host or an older plugin");
  EXPECT_EQ(refusal(ModuleFolder("none"), CLUTCH_ERR_UNSUPPORTED, {.min_level = 2, .max_level = 3}),
            "it speaks level 1 of the contract, this host levels 2 to 3; use a newer plugin");
}

TEST(Loader, RefusesWhatIsNoPlugin) {
  EXPECT_EQ(refusal("no_symbol", CLUTCH_ERR_LOAD),
            "it does not export clutch_plugin_negotiate_v1, so it is not a plugin of Clutch");
  EXPECT_THAT(refusal("unresolved", CLUTCH_ERR_LOAD),
              testing::AllOf(StartsWith("it cannot be loaded: "),
                             HasSubstr("undefined symbol: clutch_test_nobody_defines_this")));
  const ModuleFolder text("none");
  text.folder().write("module.so", "This is no library.");
  EXPECT_THAT(refusal(text, CLUTCH_ERR_LOAD), HasSubstr("it cannot be loaded: " + text.library() + ": "));
}

TEST(Loader, RefusesAPluginThatNegotiatesWrongly) {
  EXPECT_EQ(refusal("throws", CLUTCH_ERR_PROTOCOL),
            "it threw while negotiating, which the contract forbids: out of paper");
  EXPECT_EQ(refusal("status", CLUTCH_ERR_PROTOCOL), "it answered status 5 while negotiating; legal are 0 and -2");
  EXPECT_EQ(refusal("no_table", CLUTCH_ERR_PROTOCOL), "it agreed on level 1 but gave no table");
  EXPECT_EQ(refusal("level_zero", CLUTCH_ERR_PROTOCOL),
            "it chose level 0 of the contract, but the highest of both is 1");
}

TEST(Loader, RefusesABrokenTable) {
  EXPECT_THAT(refusal("small_table", CLUTCH_ERR_PROTOCOL),
              testing::MatchesRegex("its table has 64 bytes; level 1 of the contract has [0-9]+"));
  EXPECT_EQ(refusal("null_slot", CLUTCH_ERR_PROTOCOL),
            "its table has NULL for runtime_probe, function_close; the contract allows that for function_poll alone");
  EXPECT_EQ(refusal("null_text", CLUTCH_ERR_PROTOCOL), "its mode is text at address NULL");
  EXPECT_EQ(refusal("null_capability", CLUTCH_ERR_PROTOCOL),
            "its capability 1 is NULL or smaller than at level 1 of the contract");
  EXPECT_EQ(refusal("twice", CLUTCH_ERR_PROTOCOL), "it names table.scalar twice");
}

TEST(Loader, RefusesATableThatDisagreesWithTheManifest) {
  const auto says = [](const std::string& fault, const std::string& what, const std::string& table,
                       const std::string& manifest) {
    const ModuleFolder module(fault);
    EXPECT_EQ(refusal(module, CLUTCH_ERR_PROTOCOL), "it says " + what + " \"" + table + "\", but its manifest " +
                                                        module.manifest() + " says \"" + manifest + "\"" + kSameBuild);
  };
  says("other_id", "id", "org.test.other", "org.test.module");
  says("other_version", "version", "2", "1");
  says("other_mode", "mode", "other", "module");
  says("other_payloads", "payloads of table.scalar", "import,source", "import");
  says("other_features", "features of table.scalar", "chain", "");
  says("other_revisions", "revisions of table.scalar", "1 to 2", "1 to 1");

  const ModuleFolder more("more_kinds");
  EXPECT_EQ(refusal(more, CLUTCH_ERR_PROTOCOL),
            "it serves stream.map, but its manifest " + more.manifest() + " does not name that kind" + kSameBuild);
  const ModuleFolder less("none", {.more_tables = "[[capability]]\nkind = 'stream.map'\npayloads = ['import']\n"});
  EXPECT_EQ(refusal(less, CLUTCH_ERR_PROTOCOL),
            "it does not serve stream.map, but its manifest " + less.manifest() + " names that kind" + kSameBuild);
  const ModuleFolder levels("other_levels");
  EXPECT_EQ(refusal(levels, CLUTCH_ERR_PROTOCOL), "it speaks levels 1 to 3 of the contract, but its manifest " +
                                                      levels.manifest() + " says level 1" + kSameBuild);
}

TEST(Loader, RefusesFeaturesItMustUnderstandAndIgnoresOthers) {
  EXPECT_EQ(refusal("high_feature", CLUTCH_ERR_PROTOCOL),
            "its capability table.scalar has the feature bit 40, which a host must understand and this one does not; "
            "use a newer host");
  const ModuleFolder low("low_feature");
  EXPECT_TRUE(low.load().ok());
}

TEST(Loader, RefusesAHostThatLacksExtensions) {
  const ModuleFolder module("none", {.more_tables = "[requires]\nhost_extensions = ['clutch.host.a/1', 'x/1']\n"});
  EXPECT_EQ(refusal(module, CLUTCH_ERR_UNSUPPORTED, {.host_extensions = {"x/1"}}),
            "it needs host extensions that this host does not have: clutch.host.a/1");
  EXPECT_TRUE(module.load({.host_extensions = {"x/1", "clutch.host.a/1"}}).ok());
}

TEST(Loader, ChecksTheChecksum) {
  const std::string wrong(64, '0');
  const ModuleFolder bad("none", {.library = "sha256 = '" + wrong + "'\n"});
  const Status refused = bad.load().status();
  EXPECT_EQ(refused.code(), CLUTCH_ERR_LOAD);
  EXPECT_THAT(std::string(refused.message()),
              testing::MatchesRegex(bad.library() + ": has the sha256 [0-9a-f]+, but its manifest " + bad.manifest() +
                                    " says " + wrong + kSameBuild));
  const ModuleFolder none("none");
  EXPECT_EQ(none.load({.require_checksum = true}).status().message(),
            none.library() + ": its manifest " + none.manifest() +
                " has no sha256, and clutch.plugin.require-checksum is set");

  std::ifstream file(none.library(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const ModuleFolder good("none", {.library = "sha256 = '" + sha256_hex(bytes) + "'\n"});
  const auto plugin = good.load({.require_checksum = true});
  EXPECT_TRUE(plugin.ok()) << plugin.status().message();
}

TEST(Loader, RefusesALibraryThatOthersMayWrite) {
  const ModuleFolder module("none");
  chmod(module.library().c_str(), 0757);
  EXPECT_EQ(module.load().status().message(),
            module.library() + " can be written by everybody (mode 0757); run: chmod go-w " + module.library());
}

TEST(Loader, RefusesANewFileUnderTheNameOfALoadedOne) {
  const ModuleFolder module("none");
  ASSERT_TRUE(module.load().ok());
  const std::string next = module.folder().copy(std::string(MODULE_FOLDER) + "/fault_none.so", "next.so");
  std::filesystem::rename(next, module.library());
  EXPECT_EQ(module.load().status().message(),
            module.library() +
                ": was replaced after this process had loaded it, and the old one is still in use; restart the "
                "process, or install the new one under another name");
}

TEST(Loader, RefusesAFileThatIsGone) {
  const ModuleFolder module("none");
  const Result<Manifest> manifest = read_manifest(module.manifest());
  ASSERT_TRUE(manifest.ok());
  std::filesystem::remove(module.library());
  EXPECT_EQ(load_plugin(*manifest, {}).status().message(),
            module.library() + ": cannot be opened: No such file or directory");
}

}  // namespace
}  // namespace clutch::host
