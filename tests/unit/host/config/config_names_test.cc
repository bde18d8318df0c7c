#include <gtest/gtest.h>

#include <set>

#include "config/keys.h"
#include "config/parse.h"

namespace clutch::host {
namespace {

TEST(KeyTable, DefaultsAreLegalAndRowsAreWhole) {
  for (const KeyInfo& key : known_keys()) {
    EXPECT_FALSE(key.doc.empty()) << key.name;
    if (key.default_value.empty()) continue;
    const Status status = check_value(key, key.default_value);
    EXPECT_TRUE(status.ok()) << key.name << ": " << status.message();
  }
}

TEST(KeyTable, HasEveryKeyOfPyFlink) {
  for (const char* key : {"python.execution-mode",
                          "python.fn-execution.bundle.size",
                          "python.fn-execution.bundle.time",
                          "python.fn-execution.arrow.batch.size",
                          "python.fn-execution.memory.managed",
                          "python.state.cache-size",
                          "python.map-state.read-cache-size",
                          "python.map-state.write-cache-size",
                          "python.map-state.iterate-response-batch-size",
                          "python.metric.enabled",
                          "python.profile.enabled",
                          "python.operator-chaining.enabled",
                          "python.files",
                          "python.requirements",
                          "python.archives",
                          "python.executable",
                          "python.client.executable",
                          "python.pythonpath",
                          "python.systemenv.enabled",
                          "python.job-options",
                          "python.internal.archives-key-map",
                          "python.internal.files-key-map",
                          "python.internal.requirements-file-key",
                          "python.fn-execution.framework.memory.size",
                          "python.fn-execution.buffer.memory.size"}) {
    EXPECT_NE(find_key(key), nullptr) << key;
  }
}

TEST(KeyTable, EnvironmentNamesAreUnique) {
  std::set<std::string> names;
  for (const KeyInfo& key : known_keys()) EXPECT_TRUE(names.insert(environment_name(key.name)).second) << key.name;
  EXPECT_EQ(environment_name("python.execution-mode.fallback"), "CLUTCH_PYTHON_EXECUTION_MODE_FALLBACK");
  EXPECT_EQ(environment_name("clutch.plugin-path"), "CLUTCH_PLUGIN_PATH");
  EXPECT_FALSE(names.contains("CLUTCH_CONFIG"));
}

TEST(KeyTable, KeysBelowAMapBelongToIt) {
  EXPECT_EQ(find_key("python.job-options.deep.er"), find_key("python.job-options"));
  EXPECT_EQ(find_key("python.job-options-x"), nullptr);
  EXPECT_EQ(find_key("python.execution-mode.x"), nullptr);
  EXPECT_EQ(find_key(""), nullptr);
}

TEST(NearestKey, FindsSlipsOfThePenOnly) {
  EXPECT_EQ(nearest_key("python.excution-mode"), "python.execution-mode");
  EXPECT_EQ(nearest_key("Python.Execution-Mode"), "python.execution-mode");
  EXPECT_EQ(nearest_key("python.fiels"), "python.files");
  EXPECT_EQ(nearest_key("python.colour-of-the-snake"), "");
  EXPECT_EQ(nearest_key(std::string(100'000, 'x')), "");
}

}  // namespace
}  // namespace clutch::host
