// Arrays as a hostile worker may describe them: validate_untrusted reads nothing outside the extents, and what it
// accepts can be printed, copied, sliced, taken from and compared.
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/validate.h"
#include "columnar_input.h"

using namespace clutch;
using namespace clutch::columnar;
using clutch::fuzz::Input;
using clutch::fuzz::require;

namespace {

constexpr const char* kTypes[] = {
    "null",
    "bool",
    "int8",
    "int64",
    "float16",
    "decimal128(5, 2)",
    "decimal128(38, 0)",
    "string",
    "large_string",
    "binary",
    "large_binary",
    "fixed_size_binary[3]",
    "fixed_size_binary[0]",
    "date32",
    "date64",
    "time32[ms]",
    "time64[ns]",
    "timestamp[us, UTC]",
    "duration[s]",
    "month_interval",
    "day_time_interval",
    "month_day_nano_interval",
    "list<int8 not null>",
    "list<string>",
    "large_list<bool>",
    "fixed_size_list<int16 not null>[3]",
    "fixed_size_list<string>[2]",
    "fixed_size_list<null>[2147483647]",
    "fixed_size_list<int8>[0]",
    "struct<>",
    "struct<a: int8 not null, b: string, c: bool>",
    "map<string, int8>",
    "map<int8, list<string> not null>",
    "dictionary<int8, string>",
    "dictionary<uint64, int8>",
    "dictionary<int16, dictionary<uint8, bool>>",
    "list<dictionary<int8, list<string>>>",
    "struct<s: struct<t: struct<u: string not null>>, m: map<string, map<string, bool>>>",
    "list<list<list<null>>>",
};

// An array tree whose buffers each have memory of exactly the size their extent says. Owned here; no release needed.
class Description {
 public:
  ArrowArray* build(const Type& type, Input& input, int64_t rows) {
    arrays_.emplace_back();
    ArrowArray& array = arrays_.back();
    array = {};
    array.length = number(input, rows);
    array.offset = number(input, input.byte() % 4);
    const Layout layout = layout_of(type);
    array.null_count = number(input, layout == Layout::kNull ? array.length : input.byte() % 4);
    array.n_buffers = number(input, buffer_count(layout));
    array.n_children = number(input, static_cast<int64_t>(child_count(type)));

    // Rows to make memory for; what the description says beyond that is to be refused.
    const auto small = [](int64_t count) { return count >= 0 && count <= 64; };
    const int64_t end = small(array.length) && small(array.offset) ? array.length + array.offset : 8;
    pointers_.emplace_back();
    for (int64_t i = 0; i < buffer_count(layout); ++i) pointers_.back().push_back(buffer(type, layout, i, end, input));
    array.buffers = pointers_.back().data();

    children_.emplace_back();
    std::vector<ArrowArray*>& list = children_.back();
    const bool dictionary = type.id == TypeId::kDictionary;
    for (size_t i = 0; i < child_count(type); ++i) {
      int64_t items = end;
      if (layout == Layout::kFixedList) items = end * std::min(type.width, 4);
      if (layout == Layout::kList || layout == Layout::kLargeList) items = input.byte() % 16;
      list.push_back(build(type.children[i].type, input, items));
    }
    array.children = list.data();
    if (dictionary) array.dictionary = build(type.children[0].type, input, input.byte() % 8);
    return &array;
  }

  std::vector<Extent>& extents() { return extents_; }

 private:
  // Mostly what is usual, sometimes anything. Counts of pointers must not be too large for the memory behind them, so
  // those that are not usual are checked before anything is read.
  static int64_t number(Input& input, int64_t usual) {
    const uint8_t choice = input.byte();
    if (choice < 240) return usual;
    if (choice < 248) return static_cast<int64_t>(static_cast<uint64_t>(usual) + input.byte() - 128U);
    return static_cast<int64_t>(input.word(8));
  }

  const void* buffer(const Type& type, Layout layout, int64_t i, int64_t end, Input& input) {
    const bool wide = layout == Layout::kLargeBytes || layout == Layout::kLargeList;
    const bool offsets = i == 1 && (layout == Layout::kBytes || layout == Layout::kList || wide);
    int64_t size = (end + 7) / 8;
    if (i == 1 && layout == Layout::kFixed) size = end * std::min(byte_width(type), 16);
    if (offsets) size = (end + 1) * (wide ? 8 : 4);
    if (i == 2) size = 24;
    const uint8_t choice = input.byte();
    if (choice >= 250) size = input.byte();
    if (choice >= 245 && choice < 250) size = std::max<int64_t>(size - 1, 0);
    if (size < 0 || size > 4096) size = 0;

    memory_.push_back(std::make_unique<uint8_t[]>(static_cast<size_t>(size)));
    uint8_t* data = memory_.back().get();
    if (offsets && input.byte() < 240) {
      rising_offsets(data, size, wide, input);
    } else if (i == 2 && input.byte() < 200) {
      std::memset(data, 'a' + input.byte() % 20, static_cast<size_t>(size));
    } else if (i == 1 && input.byte() < 128) {
      std::memset(data, 0, static_cast<size_t>(size));
      for (int64_t at = 0; at < size; at += std::max(byte_width(type), 1)) data[at] = input.byte() % 8;
    } else {
      input.fill(data, static_cast<size_t>(size));
    }
    const bool absent = i == 0 ? input.byte() % 2 == 0 : input.byte() == 255;
    extents_.push_back({input.byte() == 255 ? nullptr : data, size});
    return absent ? nullptr : data;
  }

  static void rising_offsets(uint8_t* data, int64_t size, bool wide, Input& input) {
    const int64_t width = wide ? 8 : 4;
    int64_t offset = input.byte() % 2;
    for (int64_t at = 0; at + width <= size; at += width) {
      std::memcpy(data + at, &offset, static_cast<size_t>(width));
      offset += input.byte() % 3;
    }
  }

  std::deque<ArrowArray> arrays_;
  std::deque<std::vector<const void*>> pointers_;
  std::deque<std::vector<ArrowArray*>> children_;
  std::vector<std::unique_ptr<uint8_t[]>> memory_;
  std::vector<Extent> extents_;
};

void use(const Field& field, const ArrowArray& array) {
  const std::string name = to_string(field);
  require(validate(field, array, Depth::kFull).ok(), name + ": accepted as untrusted, refused as trusted");
  const int64_t rows = std::min<int64_t>(array.length, 256);
  for (int64_t i = 0; i < rows; ++i) require(row_to_string(field, array, i).size() <= 200, name + ": text is not cut");

  const Array part = slice(array, array.length - rows, rows);
  const Result<Array> copied = copy(field, *part);
  require(copied.ok(), name + ": copy failed");
  const Status status = validate(field, **copied, Depth::kFull);
  require(status.ok(), name + ": the copy is broken: " + std::string(status.message()));
  require(equal(field, *part, **copied), name + ": the copy is not equal");
  require(equal(field, *part, *part), name + ": not equal to itself");

  std::vector<int32_t> positions;
  for (int64_t i = rows; i > 0; --i) positions.push_back(static_cast<int32_t>(i - 1));
  const Result<Array> taken = take(field, *part, positions);
  require(taken.ok() && validate(field, **taken, Depth::kFull).ok(), name + ": take failed");
  for (int64_t i = 0; i < rows; ++i) {
    require(equal(field, *slice(**taken, i, 1), *slice(*part, rows - 1 - i, 1)), name + ": take gave another row");
  }
  const ArrowArray* twice[] = {part.get(), copied->get()};
  const Result<Array> both = concatenate(field, twice);
  if (both.ok()) require(equal(field, *slice(**both, rows, rows), *part), name + ": concatenate gave other rows");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Field> fields = [] {
    std::vector<Field> all;
    for (const char* text : kTypes) all.push_back(Field{"c", *parse_type(text), true});
    return all;
  }();
  Input input(data, size);
  const Field& field = fields[input.byte() % fields.size()];
  Description description;
  const ArrowArray& array = *description.build(field.type, input, input.byte() % 20);
  std::vector<Extent>& extents = description.extents();
  const uint8_t choice = input.byte();
  if (choice == 255 && !extents.empty()) extents.pop_back();
  if (choice == 254) extents.push_back({nullptr, 0});
  if (choice == 253 && !extents.empty()) extents[0].size = -1;

  const Status status = validate_untrusted(field, array, extents);
  if (status.ok()) {
    use(field, array);
  } else {
    require(!status.message().empty(), "an error has a message");
  }
  return 0;
}
