#include "conform/case.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <set>

#include "rows/text.h"

namespace clutch::tool {
namespace {

// Reads the keys of one table and remembers which were asked for, so that those left over can be refused.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string file) : table_(table), file_(std::move(file)) {}

  std::string text(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return {};
    if (const auto value = node->value_exact<std::string>()) return *value;
    fail(*node, key, "text");
    return {};
  }

  std::optional<int64_t> integer(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (const auto value = node->value_exact<int64_t>()) return *value;
    fail(*node, key, "a whole number");
    return std::nullopt;
  }

  const toml::array* array(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (node->is_array()) return node->as_array();
    fail(*node, key, "an array");
    return nullptr;
  }

  const toml::table* table(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (node->is_table()) return node->as_table();
    fail(*node, key, "a table");
    return nullptr;
  }

  // One table, or an array of them.
  std::vector<const toml::table*> tables(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return {};
    if (node->is_table()) return {node->as_table()};
    std::vector<const toml::table*> out;
    if (const toml::array* list = node->as_array()) {
      for (const toml::node& item : *list) out.push_back(item.as_table());
    }
    if (!out.empty() && std::find(out.begin(), out.end(), nullptr) == out.end()) return out;
    fail(*node, key, "a table or an array of tables");
    return {};
  }

  std::map<std::string, std::string> texts(std::string_view key) {
    std::map<std::string, std::string> out;
    if (const toml::table* found = table(key)) {
      for (const auto& [name, value] : *found) {
        if (const auto text = value.value_exact<std::string>()) {
          out[std::string(name.str())] = *text;
        } else {
          fail(value, name.str(), "text");
        }
      }
    }
    return out;
  }

  bool has(std::string_view key) const { return table_.contains(key); }

  // The first thing that was wrong, or the first key that nobody asked for.
  Status finish() {
    if (!status_.ok()) return status_;
    for (const auto& [key, value] : table_) {
      if (!used_.contains(std::string(key.str()))) fail(value, key.str(), "a key that cases have");
    }
    return status_;
  }

  Status place(std::string what) const {
    return {CLUTCH_ERR_CONFIG, file_ + ":" + std::to_string(table_.source().begin.line) + ": " + std::move(what)};
  }

 private:
  const toml::node* find(std::string_view key) {
    used_.insert(std::string(key));
    return table_.get(key);
  }

  void fail(const toml::node& node, std::string_view key, std::string_view expected) {
    if (!status_.ok()) return;
    status_ = Status(CLUTCH_ERR_CONFIG, file_ + ":" + std::to_string(node.source().begin.line) + ": \"" +
                                            std::string(key) + "\" is not " + std::string(expected));
  }

  const toml::table& table_;
  std::string file_;
  std::set<std::string> used_;
  Status status_;
};

// The payload of a step from whichever of its keys is there; nothing if none is.
Result<std::optional<CaseStep>> read_step(TableReader& reader) {
  CaseStep step;
  step.name = reader.text("name");
  step.kind = reader.text("kind");
  step.attribute = reader.text("attribute");
  step.style = reader.text("style");
  step.takes_row = reader.text("takes_row");
  const std::string source = reader.text("python");
  const std::string import = reader.text("import");
  const std::string pickle = reader.text("pickle");
  if (!source.empty()) {
    step.payload_format = "source";
    step.payload = source;
  } else if (!import.empty()) {
    step.payload_format = "import";
    step.payload = import;
  } else if (!pickle.empty()) {
    const auto bytes = rows::base64_decode(pickle);
    if (!bytes) return reader.place("\"pickle\" is not base64");
    step.payload_format = "pickle";
    step.payload = *bytes;
  } else {
    return std::optional<CaseStep>();
  }
  return std::optional(std::move(step));
}

Result<ExpectedError> read_error(const toml::table& table, const std::string& file) {
  TableReader reader(table, file);
  ExpectedError error;
  const std::string at = reader.text("at");
  if (!at.empty() && at != "open") return reader.place("\"at\" is not \"open\"");
  error.at_open = at == "open";
  error.code = reader.text("code");
  error.message = reader.text("message");
  error.contains = reader.text("contains");
  error.row = reader.integer("row");
  error.details = reader.texts("details");
  CLUTCH_RETURN_IF_ERROR(reader.finish());
  if (error.code.empty() || (error.message.empty() && error.contains.empty())) {
    return reader.place("an error needs \"code\", and \"message\" or \"contains\"");
  }
  return error;
}

std::vector<int64_t> read_numbers(TableReader& reader, std::string_view key) {
  std::vector<int64_t> out;
  if (const toml::array* numbers = reader.array(key)) {
    for (const toml::node& node : *numbers) out.push_back(node.value_or<int64_t>(-1));
  }
  return out;
}

Result<GroupParts> read_parts(TableReader& reader) {
  GroupParts parts;
  if (const toml::array* keys = reader.array("keys")) {
    for (const toml::node& node : *keys) parts.keys.push_back(node.value_or<std::string>(""));
    parts.keyed = true;
  }
  parts.timestamps = read_numbers(reader, "timestamps");
  parts.watermark = reader.integer("watermark");
  parts.processing_time = reader.integer("processing_time").value_or(0);
  parts.row_kinds = read_numbers(reader, "row_kinds");
  parts.row_flags = read_numbers(reader, "row_flags");
  if (const toml::array* merges = reader.array("merges")) {
    for (const toml::node& node : *merges) {
      const toml::array* pair = node.as_array();
      if (pair == nullptr || pair->size() != 2) return reader.place("\"merges\" is not an array of [into, from]");
      parts.merges.emplace_back((*pair)[0].value_or<std::string>(""), (*pair)[1].value_or<std::string>(""));
    }
  }
  return parts;
}

Result<Case> read_case(const toml::table& table, const std::string& file) {
  TableReader reader(table, file);
  Case out;
  out.file = file + ":" + std::to_string(table.source().begin.line);
  CLUTCH_ASSIGN_OR_RETURN(auto single, read_step(reader));
  out.name = reader.text("name");
  if (single) {
    single->name.clear();  // "name" is the case's own here.
    out.steps.push_back(*std::move(single));
  }
  if (const toml::array* steps = reader.array("steps")) {
    for (const toml::node& node : *steps) {
      if (!node.is_table()) return reader.place("\"steps\" is not an array of tables");
      TableReader step_reader(*node.as_table(), file);
      CLUTCH_ASSIGN_OR_RETURN(auto step, read_step(step_reader));
      CLUTCH_RETURN_IF_ERROR(step_reader.finish());
      if (!step) return step_reader.place("a step has no code");
      out.steps.push_back(*std::move(step));
    }
  }
  out.native = reader.text("native");
  out.native_kind = reader.text("kind");
  out.input = reader.text("input");
  out.output = reader.text("output");
  out.rows = reader.text("rows");
  out.expect = reader.text("expect");
  CLUTCH_ASSIGN_OR_RETURN(out.parts, read_parts(reader));
  if (reader.has("origin")) out.origin = read_numbers(reader, "origin");
  if (const std::string on_error = reader.text("on_error"); !on_error.empty()) out.on_error = on_error;
  out.dead_letters = reader.text("dead_letters");
  if (const toml::table* error = reader.table("error")) {
    CLUTCH_ASSIGN_OR_RETURN(out.error, read_error(*error, file));
  }
  out.options = reader.texts("options");
  out.step_options = reader.texts("step_options");
  out.timeout_ms = reader.integer("timeout_ms").value_or(0);
  out.feature = reader.text("feature");
  if (const toml::array* packages = reader.array("packages")) {
    for (const toml::node& node : *packages) out.packages.push_back(node.value_or<std::string>(""));
  }
  out.sides = reader.texts("sides");
  for (const toml::table* after : reader.tables("after")) {
    TableReader after_reader(*after, file);
    SecondBatch batch{after_reader.text("rows"), after_reader.text("expect"), {}, {}, after_reader.texts("sides"), {}};
    CLUTCH_ASSIGN_OR_RETURN(batch.parts, read_parts(after_reader));
    if (const toml::table* error = after_reader.table("error")) {
      CLUTCH_ASSIGN_OR_RETURN(batch.error, read_error(*error, file));
    }
    if (after_reader.has("origin")) batch.origin = read_numbers(after_reader, "origin");
    CLUTCH_RETURN_IF_ERROR(after_reader.finish());
    out.after.push_back(std::move(batch));
  }
  CLUTCH_RETURN_IF_ERROR(reader.finish());
  if (out.name.empty()) return reader.place("a case needs a \"name\"");
  if (out.steps.empty() && out.native.empty()) return reader.place("case \"" + out.name + "\" has no code");
  return out;
}

}  // namespace

Result<std::vector<Case>> load_cases(const std::string& folder) {
  std::error_code failure;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  if (failure || files.empty()) {
    return Status(CLUTCH_ERR_NOT_FOUND, "there are no conformance cases in " + folder +
                                            (failure ? ": " + failure.message() : "") +
                                            "; name their folder with --cases");
  }
  std::sort(files.begin(), files.end());

  std::vector<Case> cases;
  std::set<std::string> names;
  for (const auto& path : files) {
    const std::string file = path.filename().string();
    toml::table document;
    try {
      document = toml::parse_file(path.string());
    } catch (const toml::parse_error& error) {
      return Status(CLUTCH_ERR_CONFIG, file + ":" + std::to_string(error.source().begin.line) + ":" +
                                           std::to_string(error.source().begin.column) + ": " +
                                           std::string(error.description()));
    }
    const toml::array* list = document.get_as<toml::array>("case");
    if (list == nullptr) return Status(CLUTCH_ERR_CONFIG, file + ": there is no [[case]] in it");
    for (const toml::node& node : *list) {
      if (!node.is_table()) return Status(CLUTCH_ERR_CONFIG, file + ": \"case\" is not an array of tables");
      CLUTCH_ASSIGN_OR_RETURN(Case one, read_case(*node.as_table(), file));
      if (!names.insert(one.name).second) {
        return Status(CLUTCH_ERR_CONFIG, one.file + ": a second case named \"" + one.name + "\"");
      }
      cases.push_back(std::move(one));
    }
  }
  return cases;
}

}  // namespace clutch::tool
