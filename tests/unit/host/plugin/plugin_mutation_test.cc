// Manifests and configuration files come from outside: whatever stands in them is read or refused with its place.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "config/configuration.h"
#include "plugin/manifest.h"

namespace clutch::host {
namespace {

constexpr std::string_view kManifest =
    "manifest_version = 1\nid = 'org.a'\nversion = '1'\nmode = 'a'\nexclusive = ['libpython']\n[abi]\nmajor = 1\n"
    "min_level = 1\nmax_level = 1\n[library]\nfile = 'a.so'\nsha256 = "
    "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'\n[[capability]]\nkind = 'table.scalar'\n"
    "revisions = [1, 2]\npayloads = ['import', 'pickle']\nfeatures = ['chain']\n[requires]\nhost_extensions = ['x/1']\n"
    "[must]\n";

constexpr std::string_view kConfiguration =
    "clutch.plugin-path = ['/a', '/b']\n[python]\nfiles = 'x'\n\"execution-mode.fallback\" = 'warn'\n[python.process]\n"
    "workers = 3\nbatch-timeout = '3 s'\nmemory-limit = '1 gb'\n[python.job-options]\na.b = 1.5\n";

// One to four changes: a byte replaced, taken out, put in, or a stretch repeated somewhere else.
std::string mutated(std::string_view seed, std::mt19937& random) {
  std::string text(seed);
  const auto below = [&](size_t limit) { return limit == 0 ? 0 : static_cast<size_t>(random()) % limit; };
  constexpr std::string_view kBytes = "'\"[]{}=.,#\n\\0-19azAZ_ \x80\xff";
  for (size_t changes = 1 + below(4); changes > 0; --changes) {
    const size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        if (!text.empty()) text[at] = kBytes[below(kBytes.size())];
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, 1, kBytes[below(kBytes.size())]);
        break;
      default:
        text.insert(at, text.substr(below(text.size()), below(40)));
        break;
    }
  }
  return text;
}

TEST(Mutation, AManifestIsReadOrRefusedWithItsPlace) {
  std::mt19937 random(20240229);
  size_t accepted = 0;
  for (int i = 0; i < 4'000; ++i) {
    const std::string text = mutated(kManifest, random);
    const Result<Manifest> manifest = parse_manifest(text, "/p/plugin.toml");
    if (manifest.ok()) {
      ++accepted;
      ASSERT_FALSE(manifest->id.empty() || manifest->mode.empty() || manifest->capabilities.empty()) << text;
      ASSERT_NE(manifest->library.front(), '/') << text;
      continue;
    }
    const std::string_view message = manifest.status().message();
    ASSERT_TRUE(message.starts_with("/p/plugin.toml:") && message.size() > 20) << message << "\n" << text;
    ASSERT_TRUE(message[15] >= '1' && message[15] <= '9') << message << "\n" << text;
  }
  EXPECT_GT(accepted, 50u) << "the mutations are too rough to reach what comes after the syntax";
}

TEST(Mutation, AConfigurationFileIsReadOrRefusedWithItsPlace) {
  std::mt19937 random(20240301);
  size_t accepted = 0;
  for (int i = 0; i < 4'000; ++i) {
    const std::string text = mutated(kConfiguration, random);
    Configuration configuration;
    const Status status = configuration.load_text(text, "c.toml");
    accepted += status.ok();
    if (status.ok()) {
      ASSERT_FALSE(configuration.effective().empty());
    } else {
      ASSERT_NE(status.message().find("c.toml:"), std::string_view::npos) << status.message() << "\n" << text;
      ASSERT_FALSE(configuration.has("python.files")) << text;
    }
  }
  EXPECT_GT(accepted, 50u);
}

}  // namespace
}  // namespace clutch::host
