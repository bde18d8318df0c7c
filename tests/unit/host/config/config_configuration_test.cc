#include "config/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace clutch::host {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

std::string message(const Status& status) { return std::string(status.message()); }

Status load_environment(Configuration& configuration, std::vector<const char*> variables) {
  variables.push_back(nullptr);
  return configuration.load_environment(variables.data());
}

TEST(Configuration, LaterSourcesHideEarlierOnesInAnyOrderOfReading) {
  Configuration configuration;
  EXPECT_EQ(configuration.find("python.execution-mode")->origin, "default");
  ASSERT_TRUE(configuration.set("python.execution-mode", "a").ok());
  ASSERT_TRUE(load_environment(configuration, {"CLUTCH_PYTHON_EXECUTION_MODE=b"}).ok());
  ASSERT_TRUE(configuration.load_text("[python]\nexecution-mode = 'c'\n", "/etc/clutch.toml").ok());
  EXPECT_EQ(configuration.find("python.execution-mode")->value, "a");
  EXPECT_EQ(configuration.find("python.execution-mode")->origin, "API");
  configuration.unset("python.execution-mode");
  EXPECT_EQ(configuration.describe("python.execution-mode"),
            "python.execution-mode = \"b\" (environment variable CLUTCH_PYTHON_EXECUTION_MODE)");
  EXPECT_EQ(configuration.find_in(ConfigSource::kFile, "python.execution-mode")->origin, "/etc/clutch.toml:2");
}

TEST(Configuration, FunctionOptionsHoldForThatFunctionAlone) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set("python.execution-mode", "a").ok());
  const Result<Configuration> own = configuration.with_function_options("f", {{"python.execution-mode", "b"}});
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->describe("python.execution-mode"), "python.execution-mode = \"b\" (function \"f\")");
  EXPECT_EQ(configuration.find("python.execution-mode")->value, "a");
  EXPECT_EQ(message(configuration.with_function_options("f", {{"python.process.depth", "4"}}).status()),
            "python.process.depth = \"4\" (function \"f\"): out of range; legal is 1 to 3 batches");
}

TEST(Configuration, ReadsNestedTablesListsAndNumbers) {
  Configuration configuration;
  const Status status = configuration.load_text(R"(
clutch.plugin-path = ["/a", "/b"]
acme.level = 7
[python]
files = ["x.py", "y.zip"]
"execution-mode" = "thread"
"execution-mode.fallback" = "Forbid"
[python.process]
workers = 4
batch-timeout = "2 s"
memory-limit = "1 gb"
[python.job-options]
colour = true
)",
                                                "job.toml");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_THAT(*configuration.list("clutch.plugin-path"), ElementsAre("/a", "/b"));
  EXPECT_THAT(*configuration.list("python.files"), ElementsAre("x.py", "y.zip"));
  EXPECT_EQ(*configuration.integer("python.process.workers"), 4);
  EXPECT_EQ(*configuration.duration_ms("python.process.batch-timeout"), 2000);
  EXPECT_EQ(*configuration.size_bytes("python.process.memory-limit"), int64_t{1} << 30);
  EXPECT_EQ(*configuration.choice("python.execution-mode.fallback"), "forbid");
  EXPECT_EQ(*configuration.text("python.job-options.colour"), "true");
  EXPECT_EQ(configuration.find("acme.level")->value, "7");
  EXPECT_THAT(configuration.warnings(), IsEmpty());
}

TEST(Configuration, RefusesBrokenTomlWithLineAndColumn) {
  Configuration configuration;
  EXPECT_THAT(message(configuration.load_text("[python]\nfiles = \n", "job.toml")), StartsWith("job.toml:2:"));
  EXPECT_THAT(message(configuration.load_text("python.execution-mode = 'a'\npython.execution-mode.fallback = 'warn'\n",
                                              "job.toml")),
              HasSubstr("must be quoted: \"execution-mode.fallback\" = \"warn\""));
  EXPECT_THAT(message(configuration.load_text("python.files = 2020-01-01\n", "job.toml")),
              HasSubstr("python.files: dates and times are not values here; give text in quotes"));
  EXPECT_THAT(message(configuration.load_text("python.files = [['a']]\n", "job.toml")),
              HasSubstr("python.files: a list holds text, numbers and truth values only"));
  EXPECT_THAT(message(configuration.load_text("python.files = ['a,b']\n", "job.toml")),
              HasSubstr("\"a,b\" holds ',', which separates the elements of this list"));
}

TEST(Configuration, TakesNothingOfAFileWithAWrongValue) {
  Configuration configuration;
  const Status status = configuration.load_text("python.files = 'x'\npython.row-deadline = 'soon'\n", "job.toml");
  EXPECT_EQ(status.code(), CLUTCH_ERR_CONFIG);
  EXPECT_EQ(status.origin(), CLUTCH_ORIGIN_CONFIG);
  EXPECT_EQ(message(status),
            "python.row-deadline = \"soon\" (job.toml:2): not a duration; give whole milliseconds, or a whole number "
            "with a unit (ns, us, ms, s, min, h, d) such as \"10 ms\"");
  EXPECT_FALSE(configuration.has("python.files"));
}

TEST(Configuration, RefusalsNameKeyValueOriginAndWhatIsLegal) {
  Configuration configuration;
  EXPECT_EQ(message(configuration.set("python.process.depth", "9")),
            "python.process.depth = \"9\" (API): out of range; legal is 1 to 3 batches");
  EXPECT_EQ(message(configuration.set("python.execution-mode.fallback", "perhaps")),
            "python.execution-mode.fallback = \"perhaps\" (API): not a legal value; legal are warn, forbid, allow");
  EXPECT_EQ(message(configuration.set("python.process.memory-limit", "-1")),
            "python.process.memory-limit = \"-1\" (API): not a size; give whole bytes, or a whole number with a unit "
            "(b, kb, mb, gb, tb) such as \"64 mb\"");
  EXPECT_EQ(message(configuration.set("python.metric.enabled", "maybe")),
            "python.metric.enabled = \"maybe\" (API): not a truth value; legal are true and false");
  EXPECT_EQ(message(configuration.set("python.fn-execution.arrow.batch.size", "0")),
            "python.fn-execution.arrow.batch.size = \"0\" (API): out of range; legal is 1 rows or more");
  EXPECT_EQ(message(configuration.set("", "x")), "API: a key is empty");
  EXPECT_EQ(message(load_environment(configuration, {"CLUTCH_PYTHON_PROCESS_WORKERS=many"})),
            "python.process.workers = \"many\" (environment variable CLUTCH_PYTHON_PROCESS_WORKERS): not a whole "
            "number");
  EXPECT_EQ(*configuration.integer("python.process.depth"), 2);
}

TEST(Configuration, WarnsOfUnknownKeysAndKeepsThem) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set("python.excution-mode", "thread").ok());
  ASSERT_TRUE(configuration.set("clutch.nothing-like-it", "1").ok());
  ASSERT_TRUE(configuration.set("acme.own", "1").ok());
  EXPECT_THAT(configuration.warnings(),
              ElementsAre("python.excution-mode = \"thread\" (API): unknown key; did you mean python.execution-mode?",
                          "clutch.nothing-like-it = \"1\" (API): unknown key"));
  EXPECT_THAT(configuration.effective(), Contains(Pair("python.excution-mode", "thread")));
  EXPECT_THAT(configuration.effective(), Contains(Pair("acme.own", "1")));
}

TEST(Configuration, TellsWhichPyFlinkKeysHaveNoEffect) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set("python.requirements", "requirements.txt").ok());
  EXPECT_THAT(configuration.warnings(),
              ElementsAre("python.requirements = \"requirements.txt\" (API): has no effect: nothing is installed; "
                          "install packages for python.executable, for example in a virtual environment"));
}

TEST(Configuration, ReadsTheEnvironment) {
  Configuration configuration;
  ASSERT_TRUE(load_environment(configuration, {"PATH=/bin", "CLUTCH_PYTHON_EXECUTION_MODE_FALLBACK=allow",
                                               "CLUTCH_LOG_LEVEL=debug", "CLUTCH_PYTHON_EXECUTON_MODE=x", "CLUTCH_ODD",
                                               "CLUTCH_SOMETHING_ELSE_ENTIRELY=1", "CLUTCH_JOB_STATUS=never"})
                  .ok());
  EXPECT_EQ(*configuration.choice("python.execution-mode.fallback"), "allow");
  EXPECT_EQ(*configuration.choice("clutch.log.level"), "debug");
  EXPECT_THAT(configuration.warnings(),
              ElementsAre("environment variable CLUTCH_PYTHON_EXECUTON_MODE names no known key; did you mean "
                          "CLUTCH_PYTHON_EXECUTION_MODE?",
                          "environment variable CLUTCH_SOMETHING_ELSE_ENTIRELY names no known key"));
}

TEST(Configuration, ReadsTheFileThatTheEnvironmentNames) {
  const std::string path = testing::TempDir() + "clutch_config_test.toml";
  std::ofstream(path) << "python.execution-mode = 'thread'\n";
  Configuration configuration;
  ASSERT_TRUE(load_environment(configuration, {("CLUTCH_CONFIG=" + path).c_str()}).ok());
  EXPECT_EQ(configuration.describe("python.execution-mode"), "python.execution-mode = \"thread\" (" + path + ":1)");
  std::remove(path.c_str());
  EXPECT_EQ(message(load_environment(configuration, {("CLUTCH_CONFIG=" + path).c_str()})),
            "environment variable CLUTCH_CONFIG: " + path + ": cannot be read: No such file or directory");
  EXPECT_EQ(message(configuration.load_file("/")), "/: is not a regular file");
}

TEST(Configuration, GivesPluginsPlainValues) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set("python.row-deadline", "3 s").ok());
  ASSERT_TRUE(configuration.set("python.process.start-timeout", "1500 us").ok());
  ASSERT_TRUE(configuration.set("python.process.memory-limit", "1 kb").ok());
  ASSERT_TRUE(configuration.set("python.process.sandbox", "OFF").ok());
  ASSERT_TRUE(configuration.set("clutch.plugin.require-checksum", "yes").ok());
  const Options options = configuration.effective();
  EXPECT_THAT(options, Contains(Pair("python.row-deadline", "3000")));
  EXPECT_THAT(options, Contains(Pair("python.process.start-timeout", "1500 us")));
  EXPECT_THAT(options, Contains(Pair("python.process.memory-limit", "1024")));
  EXPECT_THAT(options, Contains(Pair("python.process.sandbox", "off")));
  EXPECT_THAT(options, Contains(Pair("clutch.plugin.require-checksum", "true")));
  EXPECT_THAT(options, Contains(Pair("python.executable", "python3")));
  EXPECT_THAT(options, Not(Contains(Pair("python.metric.enabled", "true")))) << "defaults without effect stay out";
  EXPECT_TRUE(std::is_sorted(options.begin(), options.end()));
  EXPECT_EQ(*configuration.duration_ms("python.process.start-timeout"), 2);
}

TEST(Configuration, EmptyTextIsAValueAndEmptyNumbersAreNot) {
  Configuration configuration;
  ASSERT_TRUE(configuration.set("python.files", "").ok());
  EXPECT_THAT(*configuration.list("python.files"), IsEmpty());
  EXPECT_THAT(message(configuration.set("python.row-deadline", "")), HasSubstr("not a duration"));
  EXPECT_THAT(message(configuration.set("python.files", std::string_view("a\0b", 3))), HasSubstr("holds a zero byte"));
}

}  // namespace
}  // namespace clutch::host
