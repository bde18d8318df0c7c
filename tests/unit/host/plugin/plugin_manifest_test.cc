#include "plugin/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "clutch/abi/plugin.h"
#include "folder.h"

namespace clutch::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kGood = R"(manifest_version = 1
id = "org.example.fast"
version = "2.0"
mode = "fast"
exclusive = ["libpython"]

[abi]
major = 1
min_level = 1
max_level = 2

[library]
file = "libfast.so"
sha256 = "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

[[capability]]
kind = "table.scalar"
revisions = [1, 3]
payloads = ["pickle", "import"]
features = ["zero_copy", "chain"]

[[capability]]
kind = "stream.map"
payloads = ["import"]

[requires]
host_extensions = ["clutch.host.state/1"]
)";

// kGood with one piece replaced.
std::string with(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  const Result<Manifest> manifest = parse_manifest(text, "/p/plugin.toml");
  EXPECT_FALSE(manifest.ok());
  EXPECT_EQ(manifest.status().code(), CLUTCH_ERR_CONFIG);
  return std::string(manifest.status().message());
}

TEST(Manifest, IsReadWhole) {
  const Result<Manifest> manifest = parse_manifest(kGood, "/p/plugin.toml");
  ASSERT_TRUE(manifest.ok()) << manifest.status().message();
  EXPECT_EQ(manifest->id, "org.example.fast");
  EXPECT_EQ(manifest->version, "2.0");
  EXPECT_EQ(manifest->mode, "fast");
  EXPECT_EQ(manifest->folder, "/p");
  EXPECT_EQ(manifest->min_level, 1u);
  EXPECT_EQ(manifest->max_level, 2u);
  EXPECT_EQ(manifest->library, "libfast.so");
  EXPECT_EQ(manifest->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THAT(manifest->exclusive, ElementsAre("libpython"));
  EXPECT_THAT(manifest->required_host_extensions, ElementsAre("clutch.host.state/1"));
  EXPECT_THAT(manifest->warnings, IsEmpty());
  ASSERT_EQ(manifest->capabilities.size(), 2u);
  const ManifestCapability* scalar = manifest->capability("table.scalar");
  ASSERT_NE(scalar, nullptr);
  EXPECT_EQ(scalar->max_revision, 3u);
  EXPECT_THAT(scalar->payloads, ElementsAre("import", "pickle"));
  EXPECT_EQ(scalar->features, CLUTCH_FEATURE_CHAIN | CLUTCH_FEATURE_ZERO_COPY);
  EXPECT_EQ(manifest->capability("stream.filter"), nullptr);
}

TEST(Manifest, TakesTheLibraryOfThisPlatform) {
  const std::string own(platform_name());
  const std::string text =
      with("[library]\nfile = \"libfast.so\"",
           "[library." + own + "]\nfile = \"" + own + "/libfast.so\"\n[library.plan9_mips_none]\nfile = \"x\"");
  // The sha256 of kGood now stands under the other platform.
  const Result<Manifest> manifest = parse_manifest(text, "/p/plugin.toml");
  ASSERT_TRUE(manifest.ok()) << manifest.status().message();
  EXPECT_EQ(manifest->library, own + "/libfast.so");
  EXPECT_EQ(manifest->sha256, "");
  EXPECT_EQ(refusal(with("[library]", "[library.plan9_mips_none]")),
            "/p/plugin.toml:12:1: there is no library for " + own + "; the manifest has one for plan9_mips_none");
}

TEST(Manifest, RefusesBrokenTomlWithLineAndColumn) {
  EXPECT_THAT(refusal(with("version = \"2.0\"", "version = ")), StartsWith("/p/plugin.toml:3:"));
  EXPECT_EQ(refusal(""), "/p/plugin.toml:1:1: the key \"manifest_version\" is missing");
  EXPECT_THAT(refusal("\xff"), StartsWith("/p/plugin.toml:1:"));
}

TEST(Manifest, RefusalsSayWhereAndWhatInASentence) {
  const std::pair<std::string, std::string> cases[] = {
      {with("manifest_version = 1", "manifest_version = 2"),
       "1:20: manifest_version 2 is not known here; this host reads version 1"},
      {with("id = \"org.example.fast\"\n", ""), "1:1: the key \"id\" is missing"},
      {with("\"org.example.fast\"", "\"a b\""),
       "2:6: the id \"a b\" must be up to 128 letters, digits and . _ -, such as \"org.example.fast\""},
      {with("mode = \"fast\"", "mode = \"\""), "4:8: \"mode\" is empty"},
      {with("mode = \"fast\"", "mode = 7"), "4:8: \"mode\" must be text in quotes"},
      {with("mode = \"fast\"", "mode = \"a.b\""), "4:8: the mode \"a.b\" must be up to 64 letters, digits and _ -"},
      {with("[\"libpython\"]", "\"libpython\""), "5:13: \"exclusive\" must be a list of words"},
      {with("major = 1", "major = 2"),
       "8:9: the plugin is built for major version 2 of the contract, this host has version 1; take a plugin built "
       "for it"},
      {with("min_level = 1", "min_level = 3"), "9:13: abi.min_level 3 is above abi.max_level 2"},
      {with("min_level = 1", "min_level = -1"), "9:13: \"abi.min_level\" must be a whole number from 1"},
      {with("\"libfast.so\"", "\"/lib/libfast.so\""),
       "13:8: \"/lib/libfast.so\" is an absolute path; name a file beside the manifest"},
      {with("\"libfast.so\"", "\"lib/../../libfast.so\""),
       "13:8: \"lib/../../libfast.so\" leaves the manifest's folder; name a file beside the manifest"},
      {with("\"libfast.so\"", "\"..\""), "13:8: \"..\" leaves the manifest's folder; name a file beside the manifest"},
      {with("\"BA78", "\"XX78"), "14:10: \"library.sha256\" must be 64 hex digits, as sha256sum prints them"},
      {with("\"BA78", "\"78"), "14:10: \"library.sha256\" must be 64 hex digits, as sha256sum prints them"},
      {with("[1, 3]", "[3, 1]"), "18:13: \"capability.revisions\" must be [lowest, highest], two whole numbers from 1"},
      {with("[1, 3]", "[1]"), "18:13: \"capability.revisions\" must be [lowest, highest], two whole numbers from 1"},
      {with("[\"pickle\", \"import\"]", "[]"), "16:1: the capability \"table.scalar\" names no payloads"},
      {with("[\"pickle\", \"import\"]", "[\"a\", \"a\"]"), "19:18: \"capability.payloads\" names \"a\" twice"},
      {with("\"stream.map\"", "\"table.scalar\""), "22:1: the kind \"table.scalar\" stands in two capabilities"},
  };
  for (const auto& [text, sentence] : cases) EXPECT_EQ(refusal(text), "/p/plugin.toml:" + sentence);
}

TEST(Manifest, RefusesWhatMustBeUnderstoodAndIsNot) {
  EXPECT_EQ(refusal(std::string(kGood) + "[must]\nsigned_by = 'x'\n"),
            "/p/plugin.toml:29:13: the plugin demands \"must.signed_by\", which this host does not know; use a newer "
            "host");
}

TEST(Manifest, RefusesAPluginThatServesNothing) {
  const std::string text(kGood.substr(0, kGood.find("[[capability]]")));
  EXPECT_EQ(refusal(text), "/p/plugin.toml:1:1: no [[capability]] is named, so the plugin could serve nothing");
  EXPECT_EQ(refusal(text + "[capability]\nkind = 'x'\n"),
            "/p/plugin.toml:16:1: \"capability\" must be written [[capability]], with two brackets");
}

TEST(Manifest, WarnsOfUnknownKeys) {
  const Result<Manifest> manifest = parse_manifest(with("[abi]", "pubisher = 'x'\n[abi]\nlevel = 1\n"), "plugin.toml");
  ASSERT_TRUE(manifest.ok()) << manifest.status().message();
  EXPECT_THAT(manifest->warnings,
              testing::UnorderedElementsAre(HasSubstr("unknown key \"pubisher\"; did you mean \"publisher\"?"),
                                            HasSubstr("plugin.toml:9:9: unknown key \"abi.level\"")));
}

TEST(Manifest, IgnoresFeaturesItDoesNotKnowWithAWarning) {
  const Result<Manifest> manifest = parse_manifest(with("\"chain\"", "\"teleport\""), "plugin.toml");
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->capability("table.scalar")->features, uint64_t{CLUTCH_FEATURE_ZERO_COPY});
  EXPECT_THAT(manifest->warnings, ElementsAre("plugin.toml:20:12: unknown feature \"teleport\""));
  EXPECT_THAT(feature_words(CLUTCH_FEATURE_CHAIN | uint64_t{1} << 40), ElementsAre("chain", "bit 40"));
}

TEST(ReadManifest, FindsTheLibraryBesideIt) {
  const TestFolder folder;
  const std::string path = folder.write("plugin.toml", kGood);
  EXPECT_EQ(read_manifest(path).status().message(),
            path + ": the library " + folder.path("libfast.so") + " cannot be opened: No such file or directory");
  folder.write("libfast.so", "x");
  const Result<Manifest> manifest = read_manifest(path);
  ASSERT_TRUE(manifest.ok()) << manifest.status().message();
  EXPECT_EQ(manifest->library_path, folder.path("libfast.so"));
  EXPECT_EQ(read_manifest(folder.path("none.toml")).status().message(),
            folder.path("none.toml") + ": cannot be read: No such file or directory");
}

TEST(ReadManifest, RefusesALibraryOutsideBehindASymbolicLink) {
  const TestFolder folder;
  const std::string path = folder.write("inner/plugin.toml", kGood);
  const std::string outside = folder.write("outside.so", "x");
  std::filesystem::create_symlink(outside, folder.path("inner/libfast.so"));
  EXPECT_EQ(read_manifest(path).status().message(),
            path + ": the library \"libfast.so\" is a symbolic link to " + outside +
                ", outside of the manifest's folder; put the file itself there");
}

TEST(ReadManifest, RefusesFilesThatAreTooLarge) {
  const TestFolder folder;
  const std::string path = folder.write("plugin.toml", std::string(70'000, '#'));
  EXPECT_EQ(read_manifest(path).status().message(), path + ": is larger than 65536 bytes");
}

}  // namespace
}  // namespace clutch::host
