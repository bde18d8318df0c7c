// Hosts as applications see them: opening, choosing a plugin, closing, and what is said when something is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_plugin.h"

namespace clutch::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

template <typename Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(CLUTCH_OK, "nothing was thrown");
}

// The error of a C call, which takes a clutch_app_error**.
template <typename Call>
Error c_error(Call call) {
  clutch_app_error* error = nullptr;
  const int32_t status = call(&error);
  if (status == CLUTCH_OK) return Error(CLUTCH_OK, "nothing failed");
  Error out = detail::take_error(status, error);
  EXPECT_EQ(out.code(), status);
  return out;
}

TEST(AppHost, TwoHostsInOneProcessDoNotKnowEachOther) {
  FakePlugin left;
  FakePlugin right;
  const FakeHost first({&left}, {{"clutch.batch.max-bytes", "1000"}});
  const FakeHost second({&right});
  const Function on_first = first.open(doubling());
  {
    Function on_second = second.open(doubling());
    EXPECT_THAT(on_second.call(numbers({1})).column<int64_t>(0), ElementsAre(2));
    EXPECT_EQ(right.functions_opened, 1);
    EXPECT_EQ(left.functions_opened, 1);
    on_second.close();
  }
  EXPECT_THAT(on_first.call(numbers({1})).column<int64_t>(0), ElementsAre(2));
}

TEST(AppHost, ARuntimeServesAllFunctionsOfOneConfiguration) {
  FakePlugin plugin;
  {
    const FakeHost host({&plugin});
    EXPECT_EQ(plugin.runtimes_opened, 0);  // Nothing starts before it is needed.
    const Function a = host.open(doubling());
    const Function b = host.open(doubling().option("python.row-deadline", "5"));
    EXPECT_EQ(plugin.runtimes_opened, 1);
    EXPECT_THAT(plugin.function_options, Contains(Pair("python.row-deadline", "5")));
    const Function c = host.open(doubling().option("python.executable", "/usr/bin/other"));
    EXPECT_EQ(plugin.runtimes_opened, 2);
    EXPECT_THAT(plugin.function_options, Contains(Pair("python.executable", "/usr/bin/other")));
  }
  EXPECT_EQ(plugin.functions_closed, 3);
  EXPECT_EQ(plugin.runtimes_closed, 2);
}

TEST(AppHost, CannotBeClosedWhileFunctionsAreOpen) {
  FakePlugin plugin;
  const FakeHost host({&plugin});
  Function function = host.open(doubling());
  const Error error = c_error([&](clutch_app_error** out) { return clutch_app_close(host.get(), out); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_ARGUMENT);
  EXPECT_STREQ(error.what(), "the host cannot be closed: 1 function is still open (\"double\"); close them first");
  EXPECT_THAT(function.call(numbers({2})).column<int64_t>(0), ElementsAre(4));  // Nothing has happened.
  EXPECT_EQ(plugin.runtimes_closed, 0);
}

TEST(AppHost, FallbackIsWarnedOfOnceAndTheDecisionIsOnTheHandle) {
  FakePlugin wanted("fast");
  FakePlugin other("process");
  wanted.probe = [&](const clutch_spec&, clutch_error* reason) {
    wanted.fail(reason, CLUTCH_ERR_UNSUPPORTED, "this Python has no shared library");
    return CLUTCH_ERR_UNSUPPORTED;
  };
  const FakeHost host({&wanted, &other});
  const Function function = host.open(doubling());
  EXPECT_EQ(function.mode(), "process");
  EXPECT_EQ(function.asked_mode(), "fast");
  EXPECT_EQ(function.plugin(), "org.test.process");
  EXPECT_THAT(function.decision(), HasSubstr("this Python has no shared library"));
  EXPECT_THAT(function.decision(Format::kJson), HasSubstr("\"org.test.process\""));
  function.call(numbers({1}));
  function.call(numbers({1}));
  std::vector<std::string> warnings;
  for (const LogLine& line : host.log()) {
    if (line.level == CLUTCH_APP_LOG_WARN && line.function == "double") warnings.push_back(line.text);
  }
  EXPECT_THAT(warnings, ElementsAre("function \"double\": python.execution-mode=fast asked, runs in process because "
                                    "this Python has no shared library"));
}

TEST(AppHost, ForbiddenFallbackIsARefusalWithTheWholeDecision) {
  FakePlugin wanted("fast");
  FakePlugin other("process");
  wanted.probe = [&](const clutch_spec&, clutch_error* reason) {
    wanted.fail(reason, CLUTCH_ERR_UNSUPPORTED, "this Python has no shared library");
    return CLUTCH_ERR_UNSUPPORTED;
  };
  const FakeHost host({&wanted, &other}, {{"python.execution-mode.fallback", "forbid"}});
  const Error error = error_of([&] { host.open(doubling()); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_UNSUPPORTED);
  EXPECT_THAT(error.what(), HasSubstr("function \"double\": mode fast"));
  EXPECT_THAT(error.what(), HasSubstr("this Python has no shared library"));
  EXPECT_THAT(error.detail("decision"), HasSubstr("org.test.process"));
  EXPECT_EQ(other.functions_opened, 0);
}

TEST(AppHost, AFunctionHasItsOwnMode) {
  FakePlugin first("one");
  FakePlugin second("two");
  const FakeHost host({&first, &second});
  EXPECT_EQ(host.open(doubling().mode("TWO")).mode(), "two");
  const Error error = error_of([&] { host.open(doubling().mode("three")); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_CONFIG);
  EXPECT_THAT(error.what(), HasSubstr("modes that exist: one, two"));
}

TEST(AppHost, AFailureToOpenKeepsNothing) {
  FakePlugin plugin;
  plugin.open = [&](const clutch_spec&, clutch_function_context*, clutch_error* error) {
    plugin.fail(error, CLUTCH_ERR_FUNCTION, "function \"double\": ModuleNotFoundError: No module named 'module'");
    return CLUTCH_ERR_FUNCTION;
  };
  const FakeHost host({&plugin});
  const Error error = error_of([&] { host.open(doubling()); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_FUNCTION);
  EXPECT_STREQ(error.what(), "function \"double\": ModuleNotFoundError: No module named 'module'");
  EXPECT_EQ(error.detail(CLUTCH_DETAIL_FUNCTION), "double");
}

TEST(AppHost, AFailureToCloseIsTold) {
  FakePlugin plugin;
  plugin.close = [&](clutch_error* error) {
    plugin.fail(error, CLUTCH_ERR_USER, "function \"double\": close(): OSError: disk full");
    return CLUTCH_ERR_USER;
  };
  const FakeHost host({&plugin});
  Function function = host.open(doubling());
  EXPECT_STREQ(error_of([&] { function.close(); }).what(), "function \"double\": close(): OSError: disk full");
  EXPECT_EQ(plugin.functions_closed, 1);
}

TEST(AppHost, ConfigurationIsReadWithItsOrigin) {
  FakePlugin plugin;
  const FakeHost host({&plugin}, {{"python.row-deadline", "10"}});
  char* value = nullptr;
  char* origin = nullptr;
  ASSERT_EQ(clutch_app_get(host.get(), "python.row-deadline", &value, &origin, nullptr), CLUTCH_OK);
  EXPECT_EQ(detail::take_text(value), "10");
  EXPECT_EQ(detail::take_text(origin), "API");
  EXPECT_STREQ(c_error([&](clutch_app_error** out) {
                 return clutch_app_get(host.get(), "no.such.key", &value, &origin, out);
               }).what(),
               "configuration key \"no.such.key\" has no value");
  const Error bad =
      c_error([&](clutch_app_error** out) { return clutch_app_set(host.get(), "python.row-deadline", "soon", out); });
  EXPECT_EQ(bad.code(), CLUTCH_ERR_CONFIG);
  EXPECT_THAT(bad.what(), HasSubstr("python.row-deadline"));
  EXPECT_EQ(clutch_app_set(host.get(), "python.row-deadlin", "1", nullptr), CLUTCH_OK);
  EXPECT_THAT(host.log().back().text, HasSubstr("python.row-deadline"));  // The nearest known name.
  EXPECT_THAT(detail::take_text(clutch_app_configuration(host.get(), CLUTCH_APP_TEXT)),
              HasSubstr("python.row-deadline"));
}

TEST(AppHost, TellsAboutPluginsAndRuntimes) {
  FakePlugin plugin;
  const FakeHost host({&plugin});
  EXPECT_THAT(detail::take_text(clutch_app_plugins(host.get(), CLUTCH_APP_TEXT)), HasSubstr("fake  org.test.fake 1.0"));
  EXPECT_THAT(detail::take_text(clutch_app_plugins(host.get(), CLUTCH_APP_JSON)),
              HasSubstr("\"id\": \"org.test.fake\""));
  char* text = nullptr;
  ASSERT_EQ(clutch_app_describe(host.get(), "FAKE", CLUTCH_APP_TEXT, &text, nullptr), CLUTCH_OK);
  EXPECT_EQ(detail::take_text(text), "plugin: org.test.fake\nmode: fake\nfake.version: 7\n");
  EXPECT_STREQ(c_error([&](clutch_app_error** out) {
                 return clutch_app_describe(host.get(), "none", CLUTCH_APP_TEXT, &text, out);
               }).what(),
               "no plugin has mode \"none\"; there are: fake");
  ASSERT_EQ(clutch_app_explain_kind(host.get(), "table.scalar", CLUTCH_APP_TEXT, &text, nullptr), CLUTCH_OK);
  EXPECT_THAT(detail::take_text(text), HasSubstr("org.test.fake"));
  doubling().with_raw([&](const clutch_app_spec* spec) {
    return clutch_app_explain_spec(host.get(), spec, CLUTCH_APP_TEXT, &text, nullptr);
  });
  EXPECT_THAT(detail::take_text(text), HasSubstr("fake.fact"));
  EXPECT_EQ(plugin.functions_opened, 0);
}

TEST(AppHost, LogLinesOfPluginsKeepTheirFunction) {
  FakePlugin plugin;
  clutch_function_context* context = nullptr;
  plugin.open = [&](const clutch_spec&, clutch_function_context* opened, clutch_error*) {
    context = opened;
    return CLUTCH_OK;
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const auto& log = plugin.extension<clutch_host_log>(CLUTCH_HOST_LOG);
  EXPECT_EQ(log.enabled(plugin.host, CLUTCH_LOG_DEBUG), 1);
  EXPECT_EQ(log.enabled(plugin.host, CLUTCH_LOG_TRACE), 0);
  log.write(plugin.host, CLUTCH_LOG_INFO, host::to_str("stdout"), context, host::to_str("hello"));
  EXPECT_EQ(host.log().back().source, "stdout");
  EXPECT_EQ(host.log().back().function, "double");
  EXPECT_EQ(host.log().back().text, "hello");
}

TEST(AppHost, MisuseOfTheCApiIsToldInASentence) {
  FakePlugin plugin;
  const FakeHost host({&plugin});
  clutch_app* app = nullptr;
  clutch_app_function* function = nullptr;
  clutch_app_settings settings{};
  settings.struct_size = 12;
  EXPECT_EQ(std::string(c_error([&](clutch_app_error** out) { return clutch_app_open(&settings, &app, out); }).what()),
            "clutch_app_settings: struct_size is 12; set it to sizeof(clutch_app_settings), which is " +
                std::to_string(sizeof(clutch_app_settings)));
  EXPECT_STREQ(c_error([&](clutch_app_error** out) { return clutch_app_open(nullptr, nullptr, out); }).what(),
               "clutch_app_open: ret_app is NULL");
  EXPECT_STREQ(c_error([&](clutch_app_error** out) {
                 return clutch_app_function_open(nullptr, nullptr, &function, out);
               }).what(),
               "clutch_app_function_open: app is NULL");
  EXPECT_STREQ(c_error([&](clutch_app_error** out) {
                 return clutch_app_function_open(host.get(), nullptr, &function, out);
               }).what(),
               "spec is NULL");
  Rows rows = numbers({1});
  clutch_app_result* result = nullptr;
  EXPECT_STREQ(c_error([&](clutch_app_error** out) {
                 return clutch_app_function_call(nullptr, rows.get(), nullptr, &result, out);
               }).what(),
               "clutch_app_function_call: function is NULL");
  EXPECT_EQ(rows.get()->release, nullptr);  // Moved rows are consumed on every path.
  EXPECT_EQ(clutch_app_function_call(nullptr, nullptr, nullptr, &result, nullptr), CLUTCH_ERR_ARGUMENT);
  const Function opened = host.open(doubling());
  clutch_app_batch_options options{};
  Rows more = numbers({1});
  EXPECT_EQ(std::string(c_error([&](clutch_app_error** out) {
                          return clutch_app_function_call(opened.get(), more.get(), &options, &result, out);
                        }).what()),
            "clutch_app_batch_options: struct_size is 0; set it to sizeof(clutch_app_batch_options), which is " +
                std::to_string(sizeof(clutch_app_batch_options)));
  EXPECT_EQ(more.get()->release, nullptr);
  char* text = nullptr;
  EXPECT_STREQ(c_error([&](clutch_app_error** out) {
                 return clutch_app_explain_kind(host.get(), nullptr, 9, &text, out);
               }).what(),
               "format is 9; it is 0 (text) or 1 (JSON)");
  EXPECT_EQ(clutch_app_plugins(host.get(), 9), nullptr);
  clutch_app_metrics metrics{};
  EXPECT_EQ(clutch_app_function_metrics(opened.get(), &metrics), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(clutch_app_close(nullptr, nullptr), CLUTCH_OK);
  EXPECT_EQ(clutch_app_function_close(nullptr, nullptr), CLUTCH_OK);
  clutch_app_error_free(nullptr);
  clutch_app_result_free(nullptr);
  clutch_app_text_free(nullptr);
}

TEST(AppHost, AResultOutlivesItsFunctionAndItsHost) {
  FakePlugin plugin;
  std::optional<Output> output;
  {
    const FakeHost host({&plugin});
    output = host.open(doubling()).call(numbers({1, 2}));
  }
  EXPECT_THAT(output->column<int64_t>("result"), ElementsAre(2, 4));
  EXPECT_EQ(output->text(1), "{'result': 4}");
  const Rows rows = output->take();
  EXPECT_THAT(read_int64(*rows.get()), ElementsAre(2, 4));
  EXPECT_EQ(output->size(), 0);
}

TEST(AppHost, ErrorsAreJson) {
  clutch_app_error* error = nullptr;
  clutch_app_open(nullptr, nullptr, &error);
  EXPECT_EQ(detail::take_text(clutch_app_error_json(error)),
            "{\"code\":-1,\"name\":\"CLUTCH_ERR_ARGUMENT\",\"origin\":4,\"message\":\"clutch_app_open: ret_app is "
            "NULL\",\"details\":{}}");
  clutch_app_error_free(error);
  EXPECT_STREQ(clutch_app_status_name(CLUTCH_ERR_STALE), "CLUTCH_ERR_STALE");
  EXPECT_STREQ(clutch_app_status_name(-1000), "CLUTCH_ERR_INTERNAL");
}

TEST(AppHost, APlainHostOpensWithoutPlugins) {
  HostSettings settings;
  settings.environment = false;
  settings.plugin_path = "/nonexistent/clutch";
  const Host host(settings);
  EXPECT_THAT(host.plugins(), HasSubstr("/nonexistent/clutch"));
  // Braces are options, also with one pair, which could otherwise mean many things.
  const Error error = error_of([&] { Host({{"python.execution-mode.fallback", "perhaps"}}); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_CONFIG);
  EXPECT_THAT(error.what(), HasSubstr("perhaps"));
}

}  // namespace
}  // namespace clutch::testing
