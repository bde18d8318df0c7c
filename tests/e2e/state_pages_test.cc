// Lists and maps that are larger than what travels with a batch, over a store that counts what it gives: the same
// results in both modes, also where the worker is killed in the middle of them, and no more read than is needed.
//
//   state_pages_test         CLUTCH_PLUGIN_PATH and CLUTCH_PYTHON_EXECUTABLE say what to run
#include <unistd.h>

#include <clutch/clutch.hpp>
#include <clutch/state_store.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clutch/columnar/builder.h"

namespace {

namespace columnar = clutch::columnar;

constexpr int64_t kEntries = 30'000;
// More than what travels of two states, and a page; far less than a map.
constexpr uint64_t kSomePages = 60'000;

std::string text(clutch_bytes bytes) { return {reinterpret_cast<const char*>(bytes.data), bytes.size}; }
clutch_bytes bytes(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

class Store : public clutch::StateStore {
 public:
  uint64_t given = 0;  // bytes of entries
  uint64_t found = 0;  // entries looked up

  void declare(uint32_t, const clutch_state_declaration& declaration) override {
    kinds_.push_back(declaration.state_kind);
  }
  void read(uint32_t, const clutch_bytes*, uint64_t, int64_t, clutch_app_state_value*) override {}
  void read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) override {
    page_.clear();
    const auto place = std::make_pair(request.state, text(request.key));
    uint64_t size = 0;
    const auto full = [&] { return !page_.empty() && size >= request.max_bytes; };
    const auto give = [&](const std::string& map_key, const std::string& value) {
      page_.push_back({bytes(map_key), bytes(value)});
      size += map_key.size() + value.size();
    };
    if (kinds_[request.state] == CLUTCH_STATE_LIST) {
      const std::vector<std::string>& list = lists_[place];
      uint64_t at = request.first;
      for (; at < list.size() && !full(); ++at) give(kNone, list[at]);
      ret_page.more = at < list.size() ? 1 : 0;
    } else {
      const auto& map = maps_[place];
      auto at = request.after.data == nullptr ? map.begin() : map.upper_bound(text(request.after));
      for (; at != map.end() && !full(); ++at) give(at->first, at->second);
      ret_page.more = at != map.end() ? 1 : 0;
    }
    given += size;
    ret_page.entries = page_.data();
    ret_page.n_entries = page_.size();
  }
  void look_up(uint32_t state, const clutch_app_entry_name* names, uint64_t n_names, int64_t,
               clutch_app_state_value* ret_values) override {
    for (uint64_t i = 0; i < n_names; ++i) {
      const auto& map = maps_[{state, text(names[i].key)}];
      const auto at = map.find(text(names[i].map_key));
      ++found;
      if (at == map.end()) continue;
      ret_values[i].data = bytes(at->second).data;
      ret_values[i].size = at->second.size();
      given += at->first.size() + at->second.size();
    }
  }
  void commit(const clutch_app_commit& commit) override {
    for (uint64_t i = 0; i < commit.n_changes; ++i) {
      const clutch_app_state_change& change = commit.changes[i];
      const auto place = std::make_pair(change.state, text(change.key));
      if (change.op == CLUTCH_STATE_OP_CLEAR) {
        lists_.erase(place);
        maps_.erase(place);
      } else if (change.op == CLUTCH_STATE_OP_APPEND) {
        lists_[place].push_back(text(change.value));
      } else if (change.op == CLUTCH_STATE_OP_REMOVE) {
        maps_[place].erase(text(change.map_key));
      } else if (change.op == CLUTCH_STATE_OP_PUT) {
        maps_[place][text(change.map_key)] = text(change.value);
      }
    }
  }
  uint64_t due(int64_t, int64_t, const clutch_app_timer*&) override { return 0; }
  std::optional<int64_t> next(int32_t) override { return std::nullopt; }

 private:
  const std::string kNone;
  std::vector<int32_t> kinds_;
  std::map<std::pair<uint32_t, std::string>, std::vector<std::string>> lists_;
  std::map<std::pair<uint32_t, std::string>, std::map<std::string, std::string>> maps_;
  std::vector<clutch_app_state_entry> page_;
};

// What it does for a value is one of the methods below; MARK is a file that only one process makes, and dies.
constexpr char kCode[] = R"(
import os, signal, zlib

class Descriptor:
    def __init__(self, name, *types):
        self.name, self.clutch_types = name, types

class Pages:
    def open(self, context):
        self.list = context.get_list_state(Descriptor("list", "STRING"))
        self.map = context.get_map_state(Descriptor("map", "STRING", "STRING"))

    def process_element(self, value, ctx):
        yield getattr(self, value)()

    def fill(self):
        self.list.add_all(["item %d of the list" % i for i in range(N)])
        self.map.put_all({"%06d" % i: "value %d of the map" % i for i in range(N)})
        return "filled"

    def few(self):
        self.list.add("x")
        self.map.put("a", "b")
        return "filled"

    def all(self):
        items, entries = list(self.list.get()), sorted(self.map.items())
        return "%d %d %d" % (len(items), len(entries), zlib.crc32(repr((items, entries)).encode()))

    def killed(self):
        seen = []
        for entry in self.map.items():
            seen.append(entry)
            if len(seen) == N // 2 and not os.path.exists(MARK):
                open(MARK, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
        return "%d %d" % (len(seen), zlib.crc32(repr(sorted(seen)).encode()))

    def hit(self):
        return repr(self.map.get("%06d" % (N - 1)))

    def miss(self):
        return repr((self.map.get("zzz"), self.map.get("000000x"), self.map.get("")))

    def contains(self):
        return repr([key in self.map for key in ("000000", "%06d" % (N - 1), "zzz", "0")])

    def change(self):
        self.map.put("000000", "first")
        self.map.put("%06d" % (N - 2), "changed")
        self.map.put("zzz", "last")
        self.map.remove("%06d" % (N - 1))
        self.list.add("end")
        return self.all() + " " + repr([self.map.get(key) for key in ("000000", "%06d" % (N - 1), "zzz")])

    def clear(self):
        self.list.clear()
        self.map.clear()
        self.map.put("one", "1")
        return self.all() + " " + repr((self.map.get("000000"), self.map.get("%06d" % (N - 1))))

    def empty(self):
        return repr((self.map.is_empty(), list(self.map.keys())))

pages = Pages()
)";

columnar::Array keys_of(const std::vector<std::string>& values) {
  columnar::ArrayBuilder out({"keys", *columnar::parse_type("binary"), false});
  for (const std::string& value : values) {
    if (!out.append_bytes(value).ok()) std::abort();
  }
  return out.finish();
}

// What one call gave, and cost.
struct Step {
  std::string told;
  uint64_t given;
  uint64_t found;
};

class Runs {
 public:
  Runs(const clutch::Host& host, const std::string& mode, const std::string& mark) {
    clutch::Spec spec("stream.keyed_process",
                      clutch::source("N = " + std::to_string(kEntries) + "\nMARK = '" + mark + "'\n" + kCode));
    spec.name("pages").input("does: string").output("told: string").mode(mode.c_str()).state_store(store_.table());
    function_.emplace(host.open(spec));
  }

  // One row a key.
  Step run(const std::vector<std::pair<std::string, std::string>>& rows) {
    std::vector<std::string> keys, does;
    for (const auto& [key, what] : rows) {
      keys.push_back(key);
      does.push_back(what);
    }
    columnar::Array key_array = keys_of(keys);
    clutch_app_batch_options options{};
    options.struct_size = sizeof(options);
    options.keys = key_array.get();
    const uint64_t given = store_.given;
    const uint64_t found = store_.found;
    const clutch::Output output = function_->call(clutch::columns(does), options);
    Step step{"", store_.given - given, store_.found - found};
    for (const std::string_view told : output.column<std::string_view>(0)) step.told += std::string(told) + ";";
    return step;
  }

 private:
  Store store_;
  std::optional<clutch::Function> function_;
};

int tests = 0;
int failures = 0;

void check(bool good, const std::string& what, const std::string& why) {
  std::printf("%s %d %s\n", good ? "ok" : "not ok", ++tests, what.c_str());
  if (good) return;
  ++failures;
  std::printf("# %s\n", why.c_str());
}

}  // namespace

int main() try {
  const std::string folder = (std::filesystem::temp_directory_path() / "clutch-state-pages-XXXXXX").string();
  std::vector<char> made(folder.begin(), folder.end());
  made.push_back('\0');
  if (mkdtemp(made.data()) == nullptr) return 1;
  const std::string mark = std::string(made.data()) + "/killed";
  std::ofstream(mark).put('\n');  // nobody is killed in thread mode
  clutch::HostSettings settings;
  settings.options.emplace_back("clutch.log.level", "error");
  const clutch::Host host(settings);
  Runs thread(host, "thread", mark);
  Runs process(host, "process", mark);
  const std::string last = std::to_string(kEntries - 1);
  const std::pair<const char*, std::string> steps[] = {
      {"fill", "filled;filled;"},
      {"all", ""},
      {"killed", ""},
      {"hit", "'value " + last + " of the map';None;"},
      {"miss", "(None, None, None);(None, None, None);"},
      {"contains", "[True, True, False, False];[False, False, False, False];"},
      {"change", ""},
      {"all", ""},
      {"hit", "None;None;"},
      {"clear", "0 1 4269485897 (None, None);0 1 4269485897 (None, None);"},
      {"all", "0 1 4269485897;0 1 4269485897;"},
      {"empty", "(False, ['one']);(False, ['one']);"},
  };
  for (const auto& [what, expected] : steps) {
    const std::string small = what == std::string("fill") ? "few" : what;
    if (what == std::string("killed")) std::filesystem::remove(mark);
    const Step there = process.run({{"big", what}, {"small", small}});
    const Step here = thread.run({{"big", what}, {"small", small}});
    const std::string name = what;
    check(here.told == there.told && (expected.empty() || here.told == expected), name + " is the same in both modes",
          "thread: " + here.told + " process: " + there.told + " expected: " + expected);
    if (name == "killed") check(std::filesystem::exists(mark), "the worker was killed in the middle of it", mark);
    if (name == "all" || name == "change" || name == "fill") continue;
    if (name == "killed" || name == "empty" || name == "clear") continue;
    check(there.given < kSomePages, name + " reads some pages of the state, not all of it",
          std::to_string(there.given) + " bytes");
    check(there.found <= 4, name + " asks only for what did not travel", std::to_string(there.found) + " entries");
  }
  std::filesystem::remove_all(made.data());
  std::printf("1..%d\n", tests);
  return failures == 0 ? 0 : 1;
} catch (const clutch::Error& error) {
  std::printf("Bail out! %s: %s\n", error.code_name(), error.what());
  return 1;
}
