// Workers that are killed in the middle of aggregations, a hundred times: the same final result as without.
//
//   fold_kills_test          CLUTCH_PLUGIN_PATH and CLUTCH_PYTHON_EXECUTABLE say what to run
#include <unistd.h>

#include <clutch/clutch.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"

namespace {

namespace columnar = clutch::columnar;

constexpr int kBatches = 200;
constexpr int kKills = 100;
constexpr int kRows = 40;
constexpr int kKeys = 7;

// The worker ends in the middle of a row's accumulate, with its accumulator half changed and other rows done; once for
// each mark, which is a file.
std::string code(const std::string& marks) {
  return "import os, signal\n"
         "from clutch.table.data_view import ListView\n"
         "class Sum:\n"
         "    def create_accumulator(self):\n"
         "        return [0, 0, ListView()]\n"
         "    def accumulate(self, acc, x, kill):\n"
         "        acc[0] += x\n"
         "        acc[2].add(x)\n"
         "        mark = '" +
         marks +
         "/%d' % kill\n"
         "        if kill and not os.path.exists(mark):\n"
         "            open(mark, 'w').close()\n"
         "            os.kill(os.getpid(), signal.SIGKILL)\n"
         "        acc[1] += 1\n"
         "    def get_value(self, acc):\n"
         "        return '%d %d %d' % (acc[0], acc[1], sum(acc[2]))\n";
}

columnar::Field field(const char* name, const char* type) { return {name, *columnar::parse_type(type), false}; }

std::map<int, std::string> run(const clutch::Host& host, const std::string& marks, bool kill) {
  clutch::Spec spec("table.aggregate", clutch::source(code(marks)));
  spec.step_option("accumulator", "ROW<s BIGINT, n BIGINT, l NULL>");
  spec.step_option("views", "[[2, \"list\", \"BIGINT\"]]");
  spec.name("sum").input(std::string("x: int64, kill: int64")).output("s: string").mode("process");
  const clutch::Function function = host.open(spec);
  std::map<int, std::string> last;
  for (int batch = 0; batch < kBatches; ++batch) {
    std::vector<int64_t> xs, kills;
    columnar::ArrayBuilder keys(field("keys", "binary"));
    columnar::ArrayBuilder index(field("key_index", "int32"));
    for (int key = 0; key < kKeys; ++key) {
      if (!keys.append_bytes("key" + std::to_string(key)).ok()) std::abort();
    }
    for (int row = 0; row < kRows; ++row) {
      xs.push_back(batch * 1000 + row);
      index.append<int32_t>((row * 3 + batch) % kKeys);
      const bool here = kill && batch % 2 == 1 && row == (batch * 7) % kRows;
      kills.push_back(here ? (batch + 1) / 2 : 0);
    }
    columnar::Array key_array = keys.finish();
    columnar::Array index_array = index.finish();
    clutch_app_batch_options options{};
    options.struct_size = sizeof(options);
    options.keys = key_array.get();
    options.key_index = index_array.get();
    const clutch::Output output = function.call(clutch::columns(xs, kills), options);
    for (int64_t row = 0; row < output.size(); ++row) last[static_cast<int>(output.origin(row))] = output.text(row);
  }
  return last;
}

}  // namespace

int main() try {
  const std::string folder = (std::filesystem::temp_directory_path() / "clutch-fold-kills-XXXXXX").string();
  std::vector<char> made(folder.begin(), folder.end());
  made.push_back('\0');
  if (mkdtemp(made.data()) == nullptr) return 1;
  clutch::HostSettings settings;
  settings.options.emplace_back("python.process.workers", "1");
  settings.options.emplace_back("clutch.log.level", "error");
  const clutch::Host host(settings);
  const std::map<int, std::string> quiet = run(host, made.data(), false);
  const std::map<int, std::string> killed = run(host, made.data(), true);
  int kills = 0;
  for (const auto& entry : std::filesystem::directory_iterator(made.data())) kills += entry.is_regular_file() ? 1 : 0;
  std::filesystem::remove_all(made.data());
  std::printf("1..2\n%s 1 workers were killed %d times\n", kills == kKills ? "ok" : "not ok", kills);
  const bool same = quiet == killed && quiet.size() == kKeys;
  std::printf("%s 2 the final result is the same\n", same ? "ok" : "not ok");
  if (!same) {
    for (const auto& [key, text] : quiet) {
      std::printf("# key %d: %s, and with kills %s\n", key, text.c_str(),
                  killed.count(key) > 0 ? killed.at(key).c_str() : "nothing");
    }
  }
  return same && kills == kKills ? 0 : 1;
} catch (const clutch::Error& error) {
  std::printf("Bail out! %s: %s\n", error.code_name(), error.what());
  return 1;
}
