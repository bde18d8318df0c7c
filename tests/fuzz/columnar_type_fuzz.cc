// Types from text and from schemas: whatever is read must be written and read back as the same.
#include <deque>
#include <string>
#include <vector>

#include "clutch/columnar/metadata.h"
#include "clutch/columnar/type.h"
#include "columnar_input.h"

using namespace clutch;
using namespace clutch::columnar;
using clutch::fuzz::Input;
using clutch::fuzz::require;

namespace {

void check_round_trip(const Field& field) {
  const Schema schema = export_field(field);
  const Result<Field> back = import_field(*schema);
  require(back.ok(), "import of the export of " + to_string(field) + ": " + std::string(back.status().message()));
  require(*back == field, "export and import of " + to_string(field) + " gave " + to_string(*back));
}

void check_text(const std::string& text) {
  const Result<Type> type = parse_type(text);
  if (!type.ok()) {
    require(!type.status().message().empty(), "an error has a message");
    return;
  }
  const std::string canonical = to_string(*type);
  const Result<Type> again = parse_type(canonical);
  require(again.ok(), canonical + " was written and not read: " + std::string(again.status().message()));
  require(*again == *type, canonical + " was read as " + to_string(*again));
  check_round_trip(Field{"c", *type, true});
}

// A tree of schemas as the input says; this object owns all of it.
class SchemaTree {
 public:
  ArrowSchema* build(Input& input, int depth) {
    schemas_.emplace_back();
    ArrowSchema& schema = schemas_.back();
    schema = {};
    schema.release = [](ArrowSchema* released) { released->release = nullptr; };
    schema.format = format(input);
    schema.name = input.byte() % 8 == 0 ? nullptr : text(input, input.byte() % 4);
    schema.flags = input.byte() % 8;
    if (const uint8_t choice = input.byte(); choice % 16 == 1) schema.metadata = object(input, choice / 16);
    int64_t children = depth > 70 ? 0 : input.byte() % 4;
    if (schema.format != nullptr && std::strlen(schema.format) == 2 && schema.format[0] == '+') {
      if (schema.format[1] == 'l' && input.byte() % 8 != 0) children = 1;
    }
    std::vector<ArrowSchema*> list;
    for (int64_t i = 0; i < children; ++i) {
      list.push_back(input.byte() == 255 ? nullptr : build(input, depth + 1));
    }
    pointers_.push_back(std::move(list));
    schema.children = pointers_.back().data();
    schema.n_children = input.byte() == 255 ? -1 : children;
    if (depth < 70 && input.byte() % 8 == 1) schema.dictionary = build(input, depth + 1);
    return &schema;
  }

 private:
  const char* text(Input& input, size_t size) {
    texts_.push_back(input.text(size));
    return texts_.back().c_str();
  }
  const char* object(Input& input, int choice) {
    texts_.push_back(object_metadata(choice < 6 ? "pickle" : choice < 12 ? "tuple" : input.text(4)));
    return texts_.back().data();
  }
  const char* format(Input& input) {
    static const char* const kFormats[] = {"n",      "b",   "c",   "i",         "L",   "e",     "g",    "u",
                                           "Z",      "w:3", "tdD", "tdm",       "tts", "ttn",   "tss:", "tsu:UTC",
                                           "tDm",    "tiM", "tin", "+l",        "+L",  "+s",    "+m",   "+w:2",
                                           "d:10,2", "+l",  "+s",  "d:3,1,128", "vu",  "+ud:0", "+vl",  "+r"};
    const uint8_t choice = input.byte();
    if (choice == 255) return nullptr;
    if (choice >= 200) return text(input, choice % 16);
    return kFormats[choice % std::size(kFormats)];
  }

  std::deque<ArrowSchema> schemas_;
  std::deque<std::vector<ArrowSchema*>> pointers_;
  std::deque<std::string> texts_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  if (input.byte() % 2 == 0) {
    check_text(input.text(input.left()));
    return 0;
  }
  SchemaTree tree;
  const Result<Field> field = import_field(*tree.build(input, 0));
  if (field.ok()) check_round_trip(*field);
  return 0;
}
