// The process plugin as a host loads it: by its one symbol, from where it stands in the build tree.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "pool_host.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

std::string text_of(clutch_str text) { return {text.data, text.size}; }

class ProcessPlugin : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::getenv("CLUTCH_PROCESS_PLUGIN");
    void* library = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << ::dlerror();
    const auto negotiate = reinterpret_cast<clutch_plugin_negotiate_fn>(::dlsym(library, CLUTCH_PLUGIN_SYMBOL));
    ASSERT_NE(negotiate, nullptr);
    clutch_host_offer offer{};
    offer.struct_size = sizeof(offer);
    offer.min_level = offer.max_level = 99;
    clutch_plugin_answer answer{};
    answer.struct_size = sizeof(answer);
    ASSERT_EQ(negotiate(&offer, &answer), CLUTCH_ERR_UNSUPPORTED);
    EXPECT_EQ(answer.max_level, CLUTCH_ABI_LEVEL);
    offer.min_level = 1;
    ASSERT_EQ(negotiate(&offer, &answer), CLUTCH_OK);
    ASSERT_EQ(answer.level, CLUTCH_ABI_LEVEL);
    api_ = answer.api;
  }

  clutch_runtime* open(const std::vector<std::pair<std::string, std::string>>& configuration) {
    std::vector<clutch_option> list;
    for (const auto& [key, value] : configuration) list.push_back({to_str(key), to_str(value)});
    const clutch_options options{list.data(), list.size()};
    clutch_runtime* runtime = nullptr;
    error_ = {};
    return api_->runtime_open(&host_.table(), &options, &runtime, &error_) == CLUTCH_OK ? runtime : nullptr;
  }

  // A spec of one step; lives as long as the fixture.
  const clutch_spec* spec(std::string_view source, std::string_view kind = CLUTCH_KIND_TABLE_SCALAR) {
    step_ = {};
    step_.struct_size = sizeof(step_);
    step_.name = to_str("inc");
    step_.kind = to_str(kind);
    step_.kind_revision = 1;
    step_.payload_format = to_str(CLUTCH_PAYLOAD_SOURCE);
    step_.payload = {reinterpret_cast<const uint8_t*>(source.data()), source.size()};
    const OpenFunction fields = function_of("inc", "");
    input_ = columnar::export_field(fields.input);
    output_ = columnar::export_field(fields.output);
    spec_ = {};
    spec_.struct_size = sizeof(spec_);
    spec_.name = to_str("inc");
    spec_.steps = &steps_;
    spec_.n_steps = 1;
    spec_.input = input_.get();
    spec_.output = output_.get();
    return &spec_;
  }

  TestHost host_;
  std::string path_;
  const clutch_plugin_api* api_ = nullptr;
  clutch_error error_;
  clutch_step step_{};
  const clutch_step* steps_ = &step_;
  columnar::Schema input_;
  columnar::Schema output_;
  clutch_spec spec_{};
};

TEST_F(ProcessPlugin, SaysWhatItsManifestSays) {
  std::ifstream file(path_.substr(0, path_.rfind('/')) + "/plugin.toml");
  std::stringstream manifest;
  manifest << file.rdbuf();
  const std::string text = manifest.str();
  EXPECT_NE(text.find("id = \"" + text_of(api_->id) + "\""), std::string::npos);
  EXPECT_NE(text.find("mode = \"" + text_of(api_->mode) + "\""), std::string::npos);
  EXPECT_NE(text.find("version = \"" + text_of(api_->version) + "\""), std::string::npos);
  const std::regex block("\\[\\[capability\\]\\]\nkind = \"([^\"]*)\"\n[^\n]*\nfeatures = \\[([^\\]]*)\\]");
  std::vector<std::pair<std::string, bool>> told;  // kind, and whether it may stand in a chain
  for (std::sregex_iterator at(text.begin(), text.end(), block), end; at != end; ++at) {
    told.emplace_back((*at)[1], (*at)[2].str().find("chain") != std::string::npos);
  }
  std::vector<std::pair<std::string, bool>> served;
  for (uint64_t i = 0; i < api_->n_capabilities; ++i) {
    const clutch_capability& capability = *api_->capabilities[i];
    EXPECT_EQ(text_of(capability.payloads), "import,pickle,source");
    EXPECT_NE(capability.features & CLUTCH_FEATURE_ISOLATED, 0u);
    served.emplace_back(text_of(capability.kind), (capability.features & CLUTCH_FEATURE_CHAIN) != 0);
  }
  EXPECT_EQ(served, told);
  EXPECT_GE(served.size(), 10u);
}

TEST_F(ProcessPlugin, RunsABatchWithWhatStandsBesideIt) {
  clutch_runtime* runtime = open({{"python.executable", std::getenv("CLUTCH_TEST_PYTHON")}});
  ASSERT_NE(runtime, nullptr) << error_.message;
  const clutch_spec* wanted = spec("def inc(x):\n    return x + 1\n");
  ASSERT_EQ(api_->runtime_probe(runtime, wanted, &error_), CLUTCH_OK) << error_.message;
  EXPECT_EQ(error_.details.at("python.version").substr(0, 2), "3.");

  clutch_function* function = nullptr;
  clutch_function_info info{sizeof(info), 0};
  ASSERT_EQ(api_->function_open(runtime, wanted, nullptr, &function, &info, &error_), CLUTCH_OK) << error_.message;
  EXPECT_EQ(info.max_in_flight, 2u);
  Batch rows(int64_batch({1, 2, 3}));
  clutch_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.context = &rows.context;
  batch.sequence = 1;
  batch.rows = rows.rows.get();
  ASSERT_EQ(api_->function_submit(function, &batch, &rows.context.error), CLUTCH_PENDING);
  while (!rows.context.complete) api_->function_poll(function, now_ns() + 10000 * kMillisecond);
  EXPECT_EQ(rows.context.status, CLUTCH_OK) << rows.error().message;
  EXPECT_EQ(rows.results(), (std::vector<int64_t>{2, 3, 4}));

  std::map<std::string, std::string> facts;
  api_->runtime_describe(
      runtime,
      [](void* self, clutch_str key, clutch_str value) {
        (*static_cast<std::map<std::string, std::string>*>(self))[text_of(key)] = text_of(value);
      },
      &facts);
  EXPECT_EQ(facts["workers"], "1");
  EXPECT_FALSE(facts["worker.pids"].empty());
  EXPECT_EQ(api_->function_close(function, &error_), CLUTCH_OK);
  api_->runtime_close(runtime);
}

TEST_F(ProcessPlugin, RefusesWhatItCannotServe) {
  EXPECT_EQ(open({{"python.process.workers", "many"}}), nullptr);
  EXPECT_EQ(error_.code, CLUTCH_ERR_CONFIG);
  EXPECT_EQ(error_.message, "python.process.workers has the value 'many'; it takes a whole number from 1 to 256");

  clutch_runtime* runtime = open({{"python.executable", "/no/python"}});
  ASSERT_NE(runtime, nullptr) << error_.message;
  EXPECT_EQ(api_->runtime_probe(runtime, spec("x"), &error_), CLUTCH_ERR_UNSUPPORTED);
  EXPECT_NE(error_.message.find("/no/python"), std::string::npos) << error_.message;
  clutch_function* function = nullptr;
  clutch_function_info info{sizeof(info), 0};
  EXPECT_LT(api_->function_open(runtime, spec("x", "stream.window"), nullptr, &function, &info, &error_), 0);
  EXPECT_EQ(error_.message,
            "process mode does not serve the kind stream.window; it serves stream.async, "
            "stream.broadcast_process, stream.co_flat_map, stream.co_map, stream.co_process, stream.filter, "
            "stream.flat_map, stream.interval_join, stream.key_by, stream.keyed_broadcast_process, "
            "stream.keyed_co_process, stream.keyed_process, stream.map, stream.process, stream.reduce, "
            "stream.timestamps, stream.window.aggregate, stream.window.apply, stream.window.co_group, "
            "stream.window.flat_join, stream.window.join, stream.window.process, stream.window.reduce, "
            "table.aggregate, table.aggregate.vectorized, table.scalar, table.scalar.async, "
            "table.scalar.vectorized, table.table and table.table_aggregate");
  api_->runtime_close(runtime);
}

}  // namespace
}  // namespace clutch::pyproc::testing
