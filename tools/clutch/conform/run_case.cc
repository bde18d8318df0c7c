#include "conform/run_case.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <nlohmann/json.hpp>
#include <sstream>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/type.h"
#include "common.h"
#include "conform/plain_store.h"
#include "rows/json_rows.h"

namespace clutch::tool {
namespace {

using columnar::Field;
using rows::Json;

// A case that does not hold, with what was expected and what was seen.
struct Mismatch {
  std::string what;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) out.push_back(Json::parse(line).dump());
  }
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

// What one or several batches gave, in comparable form.
struct Seen {
  std::vector<std::string> rows;
  std::vector<int64_t> origin;
  std::vector<std::string> dead_letters;
  std::map<std::string, std::vector<std::string>> sides;

  void add(const Output& output, int64_t first_row) {
    const Field batch = unwrap(columnar::import_field(*output.schema()));
    for (int64_t row = 0; row < output.size(); ++row) {
      rows.push_back(rows::row_json_array(batch, *output.rows(), row).dump());
      origin.push_back(output.origin(row) + first_row);
    }
    for (const std::string& side : output.sides()) {
      const Field columns = unwrap(columnar::import_field(*output.side_schema(side)));
      const ArrowArray& given = *output.side_rows(side);
      for (int64_t row = 0; row < given.length; ++row) {
        sides[side].push_back(rows::row_json_array(columns, given, row).dump());
      }
    }
    for (const DeadLetter& letter : output.dead_letters()) {
      dead_letters.push_back(Json({letter.row + first_row, letter.error.code_name(), letter.error.what()}).dump());
    }
  }
};

Field batch_field(const std::string& columns) {
  Field batch;
  batch.type = unwrap(columnar::parse_type("struct<" + columns + ">"));
  batch.nullable = false;
  return batch;
}

OnError on_error_of(const std::string& word) {
  if (word == "null") return OnError::kNull;
  return word == "dead_letter" ? OnError::kDeadLetter : OnError::kFail;
}

// The distinct keys of a batch, in the order in which they first stand there, and each row's place in them.
struct Keys {
  std::vector<std::string> distinct;
  std::vector<int32_t> index;

  int32_t of(const std::string& key) {
    const auto found = std::find(distinct.begin(), distinct.end(), key);
    const auto place = static_cast<int32_t>(found - distinct.begin());
    if (found == distinct.end()) distinct.push_back(key);
    return place;
  }
};

Field number_field(const char* type) { return {"n", unwrap(columnar::parse_type(type)), false}; }

template <typename T>
columnar::Array numbers_of(const char* type, const std::vector<int64_t>& values) {
  columnar::ArrayBuilder builder(number_field(type));
  for (const int64_t value : values) builder.append<T>(static_cast<T>(value));
  return builder.finish();
}

class Runner {
 public:
  Runner(const Host& host, const PluginUnderTest& plugin, const Case& test, bool own_store)
      : own_store_(own_store),
        host_(host),
        plugin_(plugin),
        test_(test),
        batch_(batch_field(test.input)),
        schema_(columnar::export_field(batch_)) {}

  CaseResult run() {
    CaseResult result{test_.name, "pass", "", ""};
    if (std::string reason = why_not_applicable(); !reason.empty()) return {test_.name, "skip", reason, ""};
    try {
      if (test_.error) {
        expect_error();
      } else {
        expect_rows();
      }
      char text[32];
      std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(digest_));
      result.digest = text;
    } catch (const Mismatch& mismatch) {
      result.outcome = "fail";
      result.reason = mismatch.what;
    } catch (const Error& error) {
      result.outcome = "fail";
      result.reason = std::string("unexpected ") + error.code_name() + ": " + error.what();
      for (const auto& [key, value] : error.details()) result.reason += "\n  " + key + ": " + value;
    }
    return result;
  }

 private:
  bool native() const { return !test_.native.empty() && plugin_.has_payload("native"); }

  std::string why_not_applicable() const {
    const auto has = [](const std::vector<std::string>& words, const std::string& word) {
      return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (!test_.feature.empty() && !has(plugin_.features, test_.feature)) {
      return "plugin " + plugin_.id + " does not have the feature " + test_.feature;
    }
    if (native()) {
      if (plugin_.native_library.empty()) return "the case is native code; name its library with --native-library";
      if (has(plugin_.kinds, test_.native_kind)) return {};
      return "plugin " + plugin_.id + " does not serve " + test_.native_kind;
    }
    for (const CaseStep& step : test_.steps) {
      if (!plugin_.has_payload(step.payload_format)) {
        return "plugin " + plugin_.id + " does not take payloads of format " + step.payload_format;
      }
      if (!has(plugin_.kinds, step.kind)) return "plugin " + plugin_.id + " does not serve " + step.kind;
    }
    if (test_.steps.empty()) return "the case is for native functions alone";
    for (const std::string& package : test_.packages) {
      if (!has_package(package)) return "the interpreter has no package " + package;
    }
    return {};
  }

  bool has_package(const std::string& package) const {
    Spec spec("table.scalar", source("import " + package + "\ndef f(x): return x\n"));
    spec.name("probe").input("x: int64").output("int64").mode(plugin_.mode);
    try {
      host_.open(spec);
      return true;
    } catch (const Error& error) {
      if (error.detail(CLUTCH_DETAIL_EXCEPTION_TYPE) == "ModuleNotFoundError") return false;
      throw;
    }
  }

  Spec make_spec() {
    const auto code_of = [](const CaseStep& step) {
      if (step.payload_format == "source") return source(step.payload);
      return step.payload_format == "import" ? imported(step.payload) : pickle(step.payload);
    };
    const auto dress = [this](Spec& spec, const CaseStep& step) {
      if (!step.name.empty()) spec.step_name(step.name);
      for (const auto& [key, value] : test_.step_options) spec.step_option(key, value);
      if (!step.attribute.empty()) spec.step_option("attribute", step.attribute);
      if (!step.style.empty()) spec.step_option("style", step.style);
      if (!step.takes_row.empty()) spec.step_option("takes_row", step.takes_row);
    };
    Spec spec = native() ? Spec(test_.native_kind, clutch::native(plugin_.native_library + ":" + test_.native))
                         : Spec(test_.steps[0].kind, code_of(test_.steps[0]));
    if (!native()) {
      dress(spec, test_.steps[0]);
      for (size_t i = 1; i < test_.steps.size(); ++i) {
        spec.then(test_.steps[i].kind, code_of(test_.steps[i]));
        dress(spec, test_.steps[i]);
      }
    }
    spec.input(schema_.get()).output(test_.output).mode(plugin_.mode).on_error(on_error_of(test_.on_error));
    spec.option("python.execution-mode.fallback", "forbid");
    for (const auto& [key, value] : test_.options) spec.option(key, value);
    if (own_store_) spec.state_store(stores_.emplace_back().table());
    return spec;
  }

  columnar::Array parse_rows(const std::string& text) const {
    return unwrap(rows::batch_from_json_lines(text, batch_));
  }

  Output call(const Function& function, columnar::Array rows) const {
    return function.call(Rows(rows.detach()), Milliseconds(test_.timeout_ms));
  }

  Output call(const Function& function, columnar::Array rows, const GroupParts& parts) const {
    if (parts.empty()) return call(function, std::move(rows));
    clutch_app_batch_options options{};
    options.struct_size = sizeof(options);
    options.timeout_ms = test_.timeout_ms;
    Keys keys;
    for (const std::string& key : parts.keys) {
      if (!key.empty()) keys.of(key);
    }
    // The empty key is the operator's own, and the last one.
    if (!native() && test_.steps[0].kind.find("broadcast") != std::string::npos) keys.of("");
    for (const std::string& key : parts.keys) keys.index.push_back(keys.of(key));
    columnar::ArrayBuilder merged(columnar::struct_of({number_field("int32"), number_field("int32")}));
    for (const auto& [into, from] : parts.merges) {
      merged.child(0).append<int32_t>(keys.of(into));
      merged.child(1).append<int32_t>(keys.of(from));
      merged.append_struct();
    }
    columnar::ArrayBuilder distinct({"keys", unwrap(columnar::parse_type("binary")), false});
    for (const std::string& key : keys.distinct) {
      if (const Status status = distinct.append_bytes(key); !status.ok()) throw Mismatch{std::string(status.message())};
    }
    columnar::Array key_array = distinct.finish();
    columnar::Array index = numbers_of<int32_t>("int32", {keys.index.begin(), keys.index.end()});
    columnar::Array kinds = numbers_of<int8_t>("int8", parts.row_kinds);
    columnar::Array flags = numbers_of<int8_t>("int8", parts.row_flags);
    columnar::Array merges = merged.finish();
    columnar::ArrayBuilder times({"timestamps", unwrap(columnar::parse_type("int64")), true});
    for (const int64_t time : parts.timestamps) {
      if (time < 0) {
        times.append_null();
      } else {
        times.append<int64_t>(time);
      }
    }
    columnar::Array timestamps = times.finish();
    if (parts.keyed) options.keys = key_array.get();
    if (parts.keyed) options.key_index = index.get();
    if (!parts.timestamps.empty()) options.timestamps = timestamps.get();
    if (parts.watermark) options.flags |= CLUTCH_APP_HAS_WATERMARK;
    options.watermark_ms = parts.watermark.value_or(0);
    options.processing_time_ms = parts.processing_time;
    if (!parts.row_kinds.empty()) options.row_kinds = kinds.get();
    if (!parts.row_flags.empty()) options.row_flags = flags.get();
    if (!parts.merges.empty()) options.merges = merges.get();
    return function.call(Rows(rows.detach()), options);
  }

  // Rows by group or by key: other batches make other groups, and each function has state of its own.
  bool by_group() const {
    return !native() && (test_.steps[0].kind.find("aggregate") != std::string::npos || test_.parts.keyed);
  }

  void expect_groups() {
    const columnar::Array input = parse_rows(test_.rows);
    const columnar::Array first = columnar::slice(*input, 0, std::min<int64_t>(input->length, 1));
    const ArrowArray* parts[] = {first.get(), first.get(), input.get(), first.get()};
    const columnar::Array longer = unwrap(columnar::concatenate(batch_, parts));
    for (const bool sliced : {false, true}) {
      const Function function = host_.open(make_spec());
      Seen seen;
      seen.add(call(function,
                    sliced ? columnar::slice(*longer, 2 * first->length, input->length)
                           : unwrap(columnar::copy(batch_, *input)),
                    test_.parts),
               0);
      check_seen(sliced ? "slice of a longer array" : "whole", seen);
      expect_after(function);
    }
  }

  void check_lines(const std::string& way, const std::vector<std::string>& seen,
                   const std::vector<std::string>& expected) const {
    if (seen != expected) {
      throw Mismatch{way + ": expected\n" + joined(expected) + "and got\n" + joined(seen)};
    }
  }

  void check_seen(const std::string& way, const Seen& seen) {
    check_lines(way, seen.rows, lines_of(test_.expect));
    check_origin(way, seen, test_.origin);
    check_sides(way, seen, test_.sides);
    // A dead letter's expected message may be the beginning of the one that is given.
    const std::vector<std::string> expected = lines_of(test_.dead_letters);
    if (seen.dead_letters.size() != expected.size()) check_lines(way + ", dead letters", seen.dead_letters, expected);
    for (size_t i = 0; i < expected.size(); ++i) {
      const Json want = Json::parse(expected[i]);
      const Json have = Json::parse(seen.dead_letters[i]);
      if (want[0] != have[0] || want[1] != have[1] ||
          have[2].get<std::string>().rfind(want[2].get<std::string>(), 0) != 0) {
        check_lines(way + ", dead letters", seen.dead_letters, expected);
      }
    }
    remember(seen.rows);
  }

  void remember(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      for (const char c : line + "\n") digest_ = (digest_ ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
    }
  }

  void expect_rows() {
    if (by_group()) return expect_groups();
    const Function function = host_.open(make_spec());
    const columnar::Array input = parse_rows(test_.rows);
    const int64_t count = input->length;
    const auto run_pieces = [&](const std::string& way, const std::vector<std::pair<int64_t, int64_t>>& pieces) {
      Seen seen;
      for (const auto& [first, length] : pieces) {
        // Only the whole batch can have parts, which have one entry a row.
        seen.add(call(function, unwrap(columnar::copy(batch_, *columnar::slice(*input, first, length))), test_.parts),
                 first);
      }
      check_seen(way, seen);
    };
    run_pieces("whole", {{0, count}});
    expect_after(function);
    if (!test_.after.empty() || !test_.parts.empty() || test_.dead_letters.empty() == false || count == 0) return;

    std::vector<std::pair<int64_t, int64_t>> single;
    for (int64_t row = 0; row < count; ++row) single.emplace_back(row, 1);
    run_pieces("one row a batch", single);
    run_pieces("empty batches around", {{0, 0}, {0, count}, {count, 0}});
    run_sliced(function, *input, count);
    run_with_validity(function, count);
  }

  void run_sliced(const Function& function, const ArrowArray& input, int64_t count) {
    const columnar::Array first = columnar::slice(input, 0, 1);
    const ArrowArray* parts[] = {first.get(), first.get(), first.get(), &input, first.get()};
    const columnar::Array longer = unwrap(columnar::concatenate(batch_, parts));
    Seen seen;
    seen.add(call(function, columnar::slice(*longer, 3, count)), 0);
    check_seen("slice of a longer array", seen);
  }

  // With a row of nulls behind, which a slice cuts off, every column has a validity bitmap.
  void run_with_validity(const Function& function, int64_t count) {
    Json nulls = Json::array();
    for (const Field& column : batch_.type.children) {
      if (!column.nullable) return;
      nulls.push_back(nullptr);
    }
    const columnar::Array longer = parse_rows(test_.rows + "\n" + nulls.dump() + "\n");
    Seen seen;
    seen.add(call(function, columnar::slice(*longer, 0, count)), 0);
    check_seen("with validity bitmaps", seen);
  }

  void expect_after(const Function& function) {
    for (size_t i = 0; i < test_.after.size(); ++i) {
      const SecondBatch& after = test_.after[i];
      const std::string way = i == 0 ? "second batch" : "batch " + std::to_string(i + 2);
      if (after.error) {
        expect_failure(function, after.rows, after.parts, *after.error);
        continue;
      }
      Seen seen;
      seen.add(call(function, parse_rows(after.rows), after.parts), 0);
      check_lines(way, seen.rows, lines_of(after.expect));
      check_origin(way, seen, after.origin);
      check_sides(way, seen, after.sides);
      remember(seen.rows);
    }
  }

  void check_origin(const std::string& way, const Seen& seen, const std::optional<std::vector<int64_t>>& origin) const {
    if (!origin || seen.origin == *origin) return;
    throw Mismatch{way + ": expected rows to come from " + Json(*origin).dump() + ", not " + Json(seen.origin).dump()};
  }

  void check_sides(const std::string& way, const Seen& seen, const Sides& sides) {
    for (const auto& [name, lines] : seen.sides) {
      if (!sides.contains(name)) check_lines(way + ", side output " + name, lines, {});
    }
    for (const auto& [name, expected] : sides) {
      const auto found = seen.sides.find(name);
      const std::vector<std::string> lines = found == seen.sides.end() ? std::vector<std::string>() : found->second;
      check_lines(way + ", side output " + name, lines, lines_of(expected));
      remember(lines);
    }
  }

  void expect_error() {
    const ExpectedError& expected = *test_.error;
    std::optional<Function> function;
    try {
      function.emplace(host_.open(make_spec()));
    } catch (const Error& error) {
      if (!expected.at_open) throw;
      check_error(error, expected);
      return;
    }
    if (expected.at_open) throw Mismatch{"the function opened, where " + expected.code + " was expected"};
    expect_failure(*function, test_.rows, test_.parts, expected);
    expect_after(*function);
  }

  void expect_failure(const Function& function, const std::string& rows, const GroupParts& parts,
                      const ExpectedError& expected) {
    try {
      const Output output = call(function, parse_rows(rows), parts);
      Seen seen;
      seen.add(output, 0);
      throw Mismatch{"the batch gave\n" + joined(seen.rows) + "where " + expected.code + " was expected"};
    } catch (const Error& error) {
      check_error(error, expected);
    }
  }

  void check_error(const Error& error, const ExpectedError& expected) {
    const std::string message = error.what();
    if (error.code_name() != expected.code) {
      throw Mismatch{"expected " + expected.code + ", got " + error.code_name() + ": " + message};
    }
    if (!expected.message.empty() && message != expected.message) {
      throw Mismatch{"expected the message\n  " + expected.message + "\nand got\n  " + message};
    }
    if (message.find(expected.contains) == std::string::npos) {
      throw Mismatch{"expected a message with\n  " + expected.contains + "\nand got\n  " + message};
    }
    if (expected.row && error.row() != *expected.row) {
      throw Mismatch{"expected row " + std::to_string(*expected.row) + ", got " + std::to_string(error.row())};
    }
    for (const auto& [key, value] : expected.details) {
      if (error.detail(key) != value) {
        throw Mismatch{"expected detail " + key + " to be \"" + value + "\", not \"" + error.detail(key) + "\""};
      }
    }
    remember({error.code_name()});
  }

  const bool own_store_;
  std::deque<PlainStore> stores_;  // One for each function that was opened; they outlive the functions.
  const Host& host_;
  const PluginUnderTest& plugin_;
  const Case& test_;
  const Field batch_;
  const columnar::Schema schema_;
  uint64_t digest_ = 0xcbf29ce484222325ULL;
};

}  // namespace

bool PluginUnderTest::has_payload(const std::string& payload) const {
  return std::find(payloads.begin(), payloads.end(), payload) != payloads.end();
}

PluginUnderTest find_plugin(const Host& host, const std::string& mode_or_id, const std::string& native_library) {
  const Json found = Json::parse(host.plugins(Format::kJson));
  std::string known;
  for (const Json& plugin : found.value("plugins", Json::array())) {
    PluginUnderTest out;
    out.id = plugin.value("id", "");
    out.mode = plugin.value("mode", "");
    out.native_library = native_library;
    known += (known.empty() ? "" : ", ") + out.mode + " (" + out.id + ")";
    if (out.id != mode_or_id && out.mode != mode_or_id) continue;
    const auto merge = [](std::vector<std::string>& into, const Json& words) {
      for (const Json& word : words) into.push_back(word.get<std::string>());
    };
    for (const Json& capability : plugin.value("capabilities", Json::array())) {
      out.kinds.push_back(capability.value("kind", ""));
      merge(out.payloads, capability.value("payloads", Json::array()));
      merge(out.features, capability.value("features", Json::array()));
    }
    return out;
  }
  throw Error(CLUTCH_ERR_NOT_FOUND, "there is no plugin \"" + mode_or_id +
                                        "\"; found: " + (known.empty() ? "none" : known) +
                                        "; `clutch plugins` lists where it was looked for");
}

CaseResult run_case(const Host& host, const PluginUnderTest& plugin, const Case& test, bool own_store) {
  return Runner(host, plugin, test, own_store).run();
}

}  // namespace clutch::tool
