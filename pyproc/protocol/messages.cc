#include "protocol/messages.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "clutch/columnar/metadata.h"
#include "clutch/columnar/validate.h"
#include "worker.capnp.h"

namespace clutch::pyproc {
namespace {

using columnar::Field;

// Schema nests a struct and a list a level, and columnar refuses more than 64 levels; other messages are flat.
constexpr int kFlatNesting = 8;
constexpr int kSchemaNesting = 140;

// ---- writing ----

// Why: the first segment is made large enough for everything, so that there is never a second one; a message that
// turns out larger than the guess is built again.
template <typename Root, typename Fill>
Bytes build(Fill&& fill) {
  size_t words = 512;
  while (true) {
    capnp::MallocMessageBuilder builder(static_cast<unsigned>(words), capnp::AllocationStrategy::GROW_HEURISTICALLY);
    fill(builder.initRoot<Root>());
    if (builder.getSegmentsForOutput().size() == 1) {
      const kj::Array<capnp::word> flat = capnp::messageToFlatArray(builder);
      const auto bytes = flat.asBytes();
      return Bytes(bytes.begin(), bytes.end());
    }
    words = 2 * capnp::computeSerializedSizeInWords(builder);
  }
}

capnp::Text::Reader text(const std::string& value) { return capnp::Text::Reader(value.c_str(), value.size()); }

template <typename List>
void put(List list, const Options& options) {
  for (unsigned i = 0; i < options.size(); ++i) {
    list[i].setKey(text(options[i].first));
    list[i].setValue(text(options[i].second));
  }
}

unsigned count(size_t size) { return static_cast<unsigned>(size); }

void put(wire::Error::Builder out, const Status& error) {
  out.setCode(error.code());
  if (error.ok()) return;
  out.setOrigin(error.origin());
  out.setMessage(text(std::string(error.message())));
  put(out.initDetails(count(error.details().size())), error.details());
}

// `schema` is of export_field, so its metadata is in order.
void put_schema(wire::Schema::Builder out, const ArrowSchema& schema) {
  out.setFormat(schema.format);
  out.setName(schema.name == nullptr ? "" : schema.name);
  out.setFlags(schema.flags);
  if (const Result<std::string> object = columnar::object_of(schema.metadata); object.ok() && !object->empty()) {
    out.setObject(text(*object));
  }
  auto children = out.initChildren(count(static_cast<size_t>(schema.n_children)));
  for (unsigned i = 0; i < children.size(); ++i) put_schema(children[i], *schema.children[i]);
  if (schema.dictionary != nullptr) put_schema(out.initDictionary(), *schema.dictionary);
}

void put(wire::Schema::Builder out, const Field& field) {
  const columnar::Schema schema = columnar::export_field(field);
  put_schema(out, *schema.get());
}

// ---- reading ----

Status broken(std::string_view why) {
  return {CLUTCH_ERR_PROTOCOL, "a message on the control socket is malformed: " + std::string(why),
          CLUTCH_ORIGIN_TRANSPORT};
}

// Reads one message: `take` gets the root and gives a Status. capnp throws on everything that is out of bounds.
template <typename Root, typename Take>
Status parse(std::span<const uint8_t> bytes, int nesting, Take&& take) {
  if (bytes.size() < 16 || bytes.size() % sizeof(capnp::word) != 0)
    return broken("its size is no whole number of words");
  uint32_t more_segments;
  std::memcpy(&more_segments, bytes.data(), sizeof(more_segments));
  if (more_segments != 0) return broken("it has more than one segment");
  const size_t n_words = bytes.size() / sizeof(capnp::word);
  kj::Array<capnp::word> words = kj::heapArray<capnp::word>(n_words);
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  capnp::ReaderOptions limits;
  limits.traversalLimitInWords = 4 * n_words + 64;
  limits.nestingLimit = nesting;
  try {
    capnp::FlatArrayMessageReader reader(words, limits);
    return take(reader.getRoot<Root>());
  } catch (const kj::Exception& exception) {
    return broken(exception.getDescription().cStr());
  }
}

// Text that people and the host's API get: whatever is no UTF-8 becomes '?'.
std::string clean(capnp::Text::Reader value) {
  std::string out(value.begin(), value.size());
  if (columnar::valid_utf8(reinterpret_cast<const uint8_t*>(out.data()), static_cast<int64_t>(out.size()))) return out;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return out;
}

template <typename List>
Options take_options(List list) {
  Options out;
  out.reserve(list.size());
  for (auto option : list) out.emplace_back(clean(option.getKey()), clean(option.getValue()));
  return out;
}

Status take_error(wire::Error::Reader in) {
  const int32_t code = in.getCode();
  if (code == CLUTCH_OK) return {};
  // A code that is no failure must not become one that a caller takes for success or for pending.
  Status out(code < CLUTCH_OK && code >= CLUTCH_ERR_INTERNAL ? code : CLUTCH_ERR_INTERNAL, clean(in.getMessage()),
             in.getOrigin());
  for (auto detail : in.getDetails()) out.with(clean(detail.getKey()), clean(detail.getValue()));
  return out;
}

// An ArrowSchema over the strings of the message, for import_field alone.
struct SchemaNode {
  ArrowSchema schema{};
  std::vector<SchemaNode> children;
  std::vector<ArrowSchema*> pointers;
  std::vector<SchemaNode> dictionary;  // none or one
  std::vector<char> metadata;          // stays in its place when the node moves, as a short string would not

  void fill(wire::Schema::Reader in) {
    schema.format = in.getFormat().cStr();
    schema.name = in.getName().cStr();
    schema.flags = in.getFlags();
    if (const auto object = in.getObject(); object.size() > 0) {
      const std::string bytes = columnar::object_metadata({object.begin(), object.size()});
      metadata.assign(bytes.begin(), bytes.end());
      schema.metadata = metadata.data();
    }
    for (auto child : in.getChildren()) children.emplace_back().fill(child);
    for (SchemaNode& child : children) pointers.push_back(&child.schema);
    schema.n_children = static_cast<int64_t>(children.size());
    schema.children = pointers.data();
    if (in.hasDictionary()) {
      dictionary.emplace_back().fill(in.getDictionary());
      schema.dictionary = &dictionary.front().schema;
    }
    schema.release = [](ArrowSchema*) {};
  }
};

Result<Field> take_field(wire::Schema::Reader in) {
  SchemaNode node;
  node.fill(in);
  return columnar::import_field(node.schema);
}

}  // namespace

Bytes encode(const Configure& message) {
  return build<wire::Configure>([&](wire::Configure::Builder out) {
    put(out.initOptions(count(message.options.size())), message.options);
    out.setNumber(message.number);
  });
}

Bytes encode(const Ready& message) {
  return build<wire::Ready>([&](wire::Ready::Builder out) {
    put(out.initError(), message.error);
    out.setPid(message.pid);
    put(out.initFacts(count(message.facts.size())), message.facts);
  });
}

Bytes encode(const OpenFunction& message) {
  return build<wire::OpenFunction>([&](wire::OpenFunction::Builder out) {
    out.setFunction(message.function);
    out.setName(text(message.name));
    auto steps = out.initSteps(count(message.steps.size()));
    for (unsigned i = 0; i < steps.size(); ++i) {
      const StepSpec& step = message.steps[i];
      steps[i].setName(text(step.name));
      steps[i].setKind(text(step.kind));
      steps[i].setKindRevision(step.kind_revision);
      steps[i].setPayloadFormat(text(step.payload_format));
      steps[i].setPayload({reinterpret_cast<const kj::byte*>(step.payload.data()), step.payload.size()});
      put(steps[i].initOptions(count(step.options.size())), step.options);
    }
    put(out.initInput(), message.input);
    put(out.initOutput(), message.output);
    out.setOnError(message.on_error);
    put(out.initOptions(count(message.options.size())), message.options);
  });
}

Bytes encode(const FunctionOpened& message) {
  return build<wire::FunctionOpened>([&](wire::FunctionOpened::Builder out) {
    out.setFunction(message.function);
    put(out.initError(), message.error);
    auto states = out.initStates(count(message.states.size()));
    for (unsigned i = 0; i < states.size(); ++i) {
      states[i].setName(text(message.states[i].name));
      states[i].setStateKind(message.states[i].state_kind);
      states[i].setTtlMs(message.states[i].ttl_ms);
      states[i].setTtlUpdate(message.states[i].ttl_update);
      states[i].setTtlVisibility(message.states[i].ttl_visibility);
    }
    auto sides = out.initSideOutputs(count(message.side_outputs.size()));
    for (unsigned i = 0; i < sides.size(); ++i) {
      sides[i].setName(text(message.side_outputs[i].name));
      put(sides[i].initSchema(), message.side_outputs[i].schema);
    }
  });
}

Bytes encode(const FunctionClosed& message) {
  return build<wire::FunctionClosed>([&](wire::FunctionClosed::Builder out) {
    out.setFunction(message.function);
    put(out.initError(), message.error);
  });
}

Bytes encode(const BatchNotes& message) {
  return build<wire::BatchNotes>([&](wire::BatchNotes::Builder out) {
    out.setTicket(message.ticket);
    auto letters = out.initDeadLetters(count(message.dead_letters.size()));
    for (unsigned i = 0; i < letters.size(); ++i) {
      letters[i].setRow(message.dead_letters[i].row);
      put(letters[i].initError(), message.dead_letters[i].error);
    }
    auto metrics = out.initMetrics(count(message.metrics.size()));
    for (unsigned i = 0; i < metrics.size(); ++i) {
      metrics[i].setKind(message.metrics[i].kind);
      metrics[i].setName(text(message.metrics[i].name));
      metrics[i].setValue(message.metrics[i].value);
    }
  });
}

Bytes encode(const BatchError& message) {
  return build<wire::BatchError>([&](wire::BatchError::Builder out) {
    out.setTicket(message.ticket);
    put(out.initError(), message.error);
  });
}

Bytes encode(const LogLine& message) {
  return build<wire::Log>([&](wire::Log::Builder out) {
    out.setLevel(message.level);
    out.setFunction(message.function);
    out.setSource(text(message.source));
    out.setText(text(message.text));
  });
}

Status decode(std::span<const uint8_t> bytes, Configure& ret) {
  return parse<wire::Configure>(bytes, kFlatNesting, [&](wire::Configure::Reader in) {
    ret.options = take_options(in.getOptions());
    ret.number = in.getNumber();
    return Status();
  });
}

Status decode(std::span<const uint8_t> bytes, Ready& ret) {
  return parse<wire::Ready>(bytes, kFlatNesting, [&](wire::Ready::Reader in) {
    ret.error = take_error(in.getError());
    ret.pid = in.getPid();
    ret.facts = take_options(in.getFacts());
    return Status();
  });
}

Status decode(std::span<const uint8_t> bytes, OpenFunction& ret) {
  return parse<wire::OpenFunction>(bytes, kSchemaNesting, [&](wire::OpenFunction::Reader in) -> Status {
    ret.function = in.getFunction();
    ret.name = clean(in.getName());
    ret.steps.clear();
    for (auto step : in.getSteps()) {
      StepSpec& out = ret.steps.emplace_back();
      out.name = clean(step.getName());
      out.kind = clean(step.getKind());
      out.kind_revision = step.getKindRevision();
      out.payload_format = clean(step.getPayloadFormat());
      const auto payload = step.getPayload();
      out.payload.assign(reinterpret_cast<const char*>(payload.begin()), payload.size());
      out.options = take_options(step.getOptions());
    }
    CLUTCH_ASSIGN_OR_RETURN(ret.input, take_field(in.getInput()));
    CLUTCH_ASSIGN_OR_RETURN(ret.output, take_field(in.getOutput()));
    ret.on_error = in.getOnError();
    ret.options = take_options(in.getOptions());
    return {};
  });
}

Status decode(std::span<const uint8_t> bytes, FunctionOpened& ret) {
  return parse<wire::FunctionOpened>(bytes, kSchemaNesting, [&](wire::FunctionOpened::Reader in) -> Status {
    ret.function = in.getFunction();
    ret.error = take_error(in.getError());
    ret.states.clear();
    for (auto state : in.getStates()) {
      ret.states.push_back({clean(state.getName()), state.getStateKind(), state.getTtlMs(), state.getTtlUpdate(),
                            state.getTtlVisibility()});
    }
    ret.side_outputs.clear();
    for (auto side : in.getSideOutputs()) {
      CLUTCH_ASSIGN_OR_RETURN(Field schema, take_field(side.getSchema()));
      ret.side_outputs.push_back({clean(side.getName()), std::move(schema)});
    }
    return {};
  });
}

Status decode(std::span<const uint8_t> bytes, FunctionClosed& ret) {
  return parse<wire::FunctionClosed>(bytes, kFlatNesting, [&](wire::FunctionClosed::Reader in) {
    ret.function = in.getFunction();
    ret.error = take_error(in.getError());
    return Status();
  });
}

Status decode(std::span<const uint8_t> bytes, BatchNotes& ret) {
  return parse<wire::BatchNotes>(bytes, kFlatNesting, [&](wire::BatchNotes::Reader in) {
    ret.ticket = in.getTicket();
    ret.dead_letters.clear();
    for (auto letter : in.getDeadLetters()) {
      ret.dead_letters.push_back({letter.getRow(), take_error(letter.getError())});
    }
    ret.metrics.clear();
    for (auto metric : in.getMetrics()) {
      ret.metrics.push_back({metric.getKind(), clean(metric.getName()), metric.getValue()});
    }
    return Status();
  });
}

Status decode(std::span<const uint8_t> bytes, BatchError& ret) {
  return parse<wire::BatchError>(bytes, kFlatNesting, [&](wire::BatchError::Reader in) {
    ret.ticket = in.getTicket();
    ret.error = take_error(in.getError());
    return Status();
  });
}

Status decode(std::span<const uint8_t> bytes, LogLine& ret) {
  return parse<wire::Log>(bytes, kFlatNesting, [&](wire::Log::Reader in) {
    ret.level = in.getLevel();
    ret.function = in.getFunction();
    ret.source = clean(in.getSource());
    ret.text = clean(in.getText());
    return Status();
  });
}

namespace {

// Words of framing a text or detail costs beside its bytes, generously.
constexpr size_t kPerText = 32;

size_t encoded_bound(const Status& error) {
  size_t bytes = 128 + error.message().size() + kPerText;
  for (const auto& [key, value] : error.details()) bytes += key.size() + value.size() + 2 * kPerText;
  return bytes;
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string without_middle(std::string_view value, size_t max_bytes) {
  static constexpr std::string_view kMark = "\n[...]\n";
  if (value.size() <= max_bytes) return std::string(value);
  if (max_bytes <= 2 * kMark.size()) max_bytes = 2 * kMark.size();
  size_t head = (max_bytes - kMark.size()) / 2;
  size_t tail = value.size() - (max_bytes - kMark.size() - head);
  while (head > 0 && continues_character(value[head])) --head;
  while (tail < value.size() && continues_character(value[tail])) ++tail;
  return std::string(value.substr(0, head)).append(kMark).append(value.substr(tail));
}

}  // namespace

void fit(Status& error, size_t max_bytes) {
  if (error.ok()) return;
  size_t longest = std::max<size_t>(max_bytes / 2, 64);
  while (encoded_bound(error) > max_bytes && longest >= 64) {
    Status cut(error.code(), without_middle(error.message(), longest), error.origin());
    for (const auto& [key, value] : error.details()) cut.with(key, without_middle(value, longest));
    error = std::move(cut);
    longest /= 2;
  }
}

}  // namespace clutch::pyproc
