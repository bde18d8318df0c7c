#include "app/spec.h"

#include <cstddef>
#include <cstring>

#include "config/parse.h"
#include "function/error.h"
#include "service/application_store.h"

namespace clutch::host {
namespace {

// Size of the spec before state_store joined it.
constexpr size_t kFirstSpec = offsetof(clutch_app_spec, state_store);

// The pieces between commas that stand in no bracket.
std::vector<std::string_view> split_columns(std::string_view text) {
  std::vector<std::string_view> out;
  size_t start = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i == text.size() ? ',' : text[i];
    if (c == '<' || c == '(' || c == '[') ++depth;
    if (c == '>' || c == ')' || c == ']') --depth;
    if (c != ',' || (depth > 0 && i < text.size())) continue;
    out.push_back(trim(text.substr(start, i - start)));
    start = i + 1;
  }
  return out;
}

// Position of the ':' behind a column's name, npos if it has none.
size_t name_end(std::string_view column) {
  int depth = 0;
  for (size_t i = 0; i < column.size(); ++i) {
    const char c = column[i];
    if (c == '<' || c == '(' || c == '[') ++depth;
    if (c == '>' || c == ')' || c == ']') --depth;
    if (c == ':' && depth == 0) return i;
  }
  return std::string_view::npos;
}

// Cut "not null" off the end of a type.
bool take_not_null(std::string_view& type) {
  for (const std::string_view word : {"null", "not"}) {
    const size_t size = word.size();
    if (type.size() <= size || !equal_ignoring_case(type.substr(type.size() - size), word)) return false;
    const std::string_view rest = trim(type.substr(0, type.size() - size));
    if (rest.size() + size == type.size()) return false;  // No space before the word.
    type = rest;
  }
  return true;
}

std::string payload_name(const StepSpec& step) {
  const std::string& payload = step.payload;
  for (const auto& [key, value] : step.options) {
    if (key == "attribute") return value;
  }
  if (step.payload_format == CLUTCH_PAYLOAD_IMPORT || step.payload_format == CLUTCH_PAYLOAD_NATIVE) {
    const size_t colon = payload.rfind(':');
    if (colon != std::string::npos && colon + 1 < payload.size()) return payload.substr(colon + 1);
  }
  if (step.payload_format == CLUTCH_PAYLOAD_SOURCE) {
    // The last function or class at the left margin, which is the one that runs.
    std::string found;
    for (size_t start = 0; start < payload.size();) {
      const size_t end = std::min(payload.find('\n', start), payload.size());
      const std::string_view line = std::string_view(payload).substr(start, end - start);
      for (const std::string_view word : {"def ", "async def ", "class "}) {
        if (line.substr(0, word.size()) != word) continue;
        const std::string_view rest = trim(line.substr(word.size()));
        found = rest.substr(0, rest.find_first_of("(: "));
      }
      start = end + 1;
    }
    if (!found.empty()) return found;
  }
  return step.kind;
}

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

Result<StepSpec> read_step(const clutch_app_step* step, uint64_t index) {
  const std::string where = "step " + std::to_string(index);
  if (step == nullptr) return argument_error("spec: " + where + " is NULL");
  CLUTCH_RETURN_IF_ERROR(
      check_struct_size("clutch_app_step", step->struct_size, sizeof(clutch_app_step), sizeof(clutch_app_step)));
  StepSpec out;
  out.kind = text_or_empty(step->kind);
  if (out.kind.empty()) return argument_error("spec: " + where + " has no kind; give one, such as \"table.scalar\"");
  out.payload_format = text_or_empty(step->payload_format);
  if (out.payload_format.empty() || step->payload == nullptr) {
    return argument_error("spec: " + where + " (" + out.kind +
                          ") has no code; give payload_format and payload, such as \"import\" and \"module:function\"");
  }
  const auto* payload = static_cast<const char*>(step->payload);
  out.payload.assign(payload, step->payload_size != 0 ? step->payload_size : std::strlen(payload));
  out.revision = step->kind_revision == 0 ? 1 : step->kind_revision;
  CLUTCH_ASSIGN_OR_RETURN(out.options, read_options(step->options, step->n_options, where));
  out.name = text_or_empty(step->name);
  if (out.name.empty()) out.name = payload_name(out);
  return out;
}

Result<columnar::Field> read_columns(const ArrowSchema* schema, const char* text, const char* what,
                                     std::string_view single) {
  if (schema != nullptr) {
    if (schema->release == nullptr)
      return argument_error(std::string("spec: the schema of the ") + what + " is released");
    Result<columnar::Field> field = columnar::import_field(*schema);
    if (!field.ok()) return std::move(field).status().prefixed(std::string("spec: ") + what);
    if (field->type.id != columnar::TypeId::kStruct) {
      return argument_error(std::string("spec: the schema of the ") + what + " is " + columnar::to_string(field->type) +
                            "; it must be a struct of the columns");
    }
    return field;
  }
  if (text == nullptr) {
    return argument_error(std::string("spec: the ") + what +
                          " has neither text nor schema; give its columns, such as \"" + what +
                          " = word: string, n: int64\"");
  }
  Result<columnar::Field> field = parse_columns(text, single);
  if (!field.ok()) return std::move(field).status().prefixed(std::string("spec: ") + what);
  return field;
}

}  // namespace

Status check_struct_size(std::string_view name, uint32_t given, size_t first, size_t now) {
  if (given >= first) return {};
  return argument_error(std::string(name) + ": struct_size is " + std::to_string(given) + "; set it to sizeof(" +
                        std::string(name) + "), which is " + std::to_string(now));
}

Result<Options> read_options(const clutch_app_option* options, uint64_t count, std::string_view what) {
  Options out;
  if (options == nullptr && count > 0) {
    return argument_error(std::string(what) + ": n_options is " + std::to_string(count) + ", but options is NULL");
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (options[i].key == nullptr || options[i].value == nullptr) {
      return argument_error(std::string(what) + ": option " + std::to_string(i) + " has a NULL key or value");
    }
    out.emplace_back(options[i].key, options[i].value);
  }
  return out;
}

Result<columnar::Field> parse_columns(std::string_view text, std::string_view single) {
  if (trim(text).empty()) return columnar::struct_of({});
  std::vector<columnar::Field> columns;
  const std::vector<std::string_view> pieces = split_columns(text);
  for (const std::string_view piece : pieces) {
    const size_t colon = name_end(piece);
    columnar::Field column;
    std::string_view type = piece;
    if (colon == std::string_view::npos) {
      column.name = pieces.size() == 1 && !single.empty() ? std::string(single) : "f" + std::to_string(columns.size());
    } else {
      column.name = trim(piece.substr(0, colon));
      type = trim(piece.substr(colon + 1));
      if (column.name.empty()) {
        return Status(CLUTCH_ERR_ARGUMENT, "\"" + std::string(piece) + "\" has no name before ':'", CLUTCH_ORIGIN_USER);
      }
    }
    for (const columnar::Field& other : columns) {
      if (other.name != column.name) continue;
      return Status(CLUTCH_ERR_ARGUMENT, "column \"" + column.name + "\" is there twice; give each its own name",
                    CLUTCH_ORIGIN_USER);
    }
    if (type.empty()) {
      return Status(CLUTCH_ERR_ARGUMENT, "column \"" + column.name + "\" has no type; write \"name: type\"",
                    CLUTCH_ORIGIN_USER);
    }
    column.nullable = !take_not_null(type);
    Result<columnar::Type> parsed = columnar::parse_type(type);
    if (!parsed.ok()) return std::move(parsed).status().prefixed("column \"" + column.name + "\"");
    column.type = *std::move(parsed);
    columns.push_back(std::move(column));
  }
  return columnar::struct_of(std::move(columns));
}

std::string columns_text(const columnar::Field& field) {
  std::string out;
  for (const columnar::Field& column : field.type.children) {
    if (!out.empty()) out += ", ";
    out += column.name + ": " + columnar::to_string(column.type);
    if (!column.nullable) out += " not null";
  }
  return out;
}

Result<FunctionSpec> read_spec(const clutch_app_spec* spec) {
  if (spec == nullptr) return argument_error("spec is NULL");
  CLUTCH_RETURN_IF_ERROR(check_struct_size("clutch_app_spec", spec->struct_size, kFirstSpec, sizeof(clutch_app_spec)));
  if (spec->n_steps == 0 || spec->steps == nullptr)
    return argument_error("spec: there are no steps; give at least one");
  FunctionSpec out;
  for (uint64_t i = 0; i < spec->n_steps; ++i) {
    CLUTCH_ASSIGN_OR_RETURN(StepSpec step, read_step(spec->steps[i], i));
    out.steps.push_back(std::move(step));
  }
  out.name = text_or_empty(spec->name);
  if (out.name.empty()) {
    for (const StepSpec& step : out.steps) out.name += (out.name.empty() ? "" : " > ") + step.name;
  } else if (out.steps.size() == 1 && spec->steps[0]->name == nullptr) {
    out.steps.front().name = out.name;
  }
  if (spec->on_error < CLUTCH_ON_ERROR_FAIL || spec->on_error > CLUTCH_ON_ERROR_DEAD_LETTER) {
    return argument_error("spec: on_error is " + std::to_string(spec->on_error) +
                          "; it is 0 (fail), 1 (null) or 2 (dead letter)");
  }
  out.on_error = spec->on_error;
  CLUTCH_ASSIGN_OR_RETURN(out.input, read_columns(spec->input_schema, spec->input, "input", {}));
  const bool filters = out.steps.back().kind == CLUTCH_KIND_STREAM_FILTER;
  if (spec->output == nullptr && spec->output_schema == nullptr && filters) {
    out.output = out.input;
  } else {
    CLUTCH_ASSIGN_OR_RETURN(out.output, read_columns(spec->output_schema, spec->output, "output", "result"));
  }
  CLUTCH_ASSIGN_OR_RETURN(out.options, read_options(spec->options, spec->n_options, "spec"));
  if (spec->mode != nullptr) out.options.emplace_back("python.execution-mode", spec->mode);
  out.completed = spec->completed;
  out.completed_self = spec->completed_self;
  if (CLUTCH_HAS(spec, clutch_app_spec, state_store) && spec->state_store != nullptr) {
    CLUTCH_ASSIGN_OR_RETURN(out.state_store, read_state_store(*spec->state_store));
  }
  return out;
}

std::vector<clutch_option> raw_options(const Options& options) {
  std::vector<clutch_option> out;
  out.reserve(options.size());
  for (const auto& [key, value] : options) out.push_back({to_str(key), to_str(value)});
  return out;
}

RawSpec::RawSpec(const FunctionSpec& spec, const Options& configuration)
    : options_(raw_options(configuration)),
      input_(columnar::export_field(spec.input)),
      output_(columnar::export_field(spec.output)) {
  step_options_.reserve(spec.steps.size());
  steps_.reserve(spec.steps.size());
  for (const StepSpec& step : spec.steps) {
    step_options_.push_back(raw_options(step.options));
    clutch_step raw{};
    raw.struct_size = sizeof(raw);
    raw.name = to_str(step.name);
    raw.kind = to_str(step.kind);
    raw.kind_revision = step.revision;
    raw.payload_format = to_str(step.payload_format);
    raw.payload = {reinterpret_cast<const uint8_t*>(step.payload.data()), step.payload.size()};
    raw.options = {step_options_.back().data(), step_options_.back().size()};
    steps_.push_back(raw);
    step_pointers_.push_back(&steps_.back());
  }
  spec_.struct_size = sizeof(spec_);
  spec_.name = to_str(spec.name);
  spec_.steps = step_pointers_.data();
  spec_.n_steps = step_pointers_.size();
  spec_.input = input_.get();
  spec_.output = output_.get();
  spec_.on_error = spec.on_error;
  spec_.options = {options_.data(), options_.size()};
}

}  // namespace clutch::host
