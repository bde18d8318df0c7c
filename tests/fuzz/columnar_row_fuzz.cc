// Single values from bytes: whatever is read is a valid array, and written again as the same bytes.
#include <string>

#include "clutch/columnar/row_codec.h"
#include "clutch/columnar/validate.h"
#include "columnar_input.h"

using namespace clutch;
using namespace clutch::columnar;
using clutch::fuzz::Input;
using clutch::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const char* const kTypes[] = {"int64",
                                       "bool",
                                       "null",
                                       "binary",
                                       "large_binary",
                                       "fixed_size_binary[3]",
                                       "list<int8>",
                                       "large_list<binary>",
                                       "map<int16, list<bool>>",
                                       "fixed_size_list<struct<a: int8, b: binary>>[2]",
                                       "struct<a: int64, b: list<struct<c: binary not null, d: null>>, e: bool>"};
  Input input(data, size);
  const char* text = kTypes[input.byte() % std::size(kTypes)];
  const Field field{"c", *parse_type(text), true};
  const Result<RowCodec> codec = RowCodec::make(field);
  require(codec.ok(), std::string("there is a codec for ") + text);

  // The header is given, so that the input is about the value.
  ArrayBuilder nulls(field);
  nulls.append_null();
  const Array null = nulls.finish();
  std::string bytes;
  codec->encode(*null, 0, bytes);
  bytes.resize(3);
  bytes += input.text(input.left());

  ArrayBuilder builder(field);
  builder.append_null();
  const Status status = codec->decode(bytes, builder);
  require(builder.length() == (status.ok() ? 2 : 1), "a value is there exactly if it was read");
  const Array array = builder.finish();
  const Status valid = validate(field, *array, Depth::kFull);
  require(valid.ok(), std::string(text) + ": " + std::string(valid.message()));
  if (!status.ok()) {
    require(!status.message().empty(), "an error has a message");
    return 0;
  }
  std::string again;
  codec->encode(*array, 1, again);
  require(again == bytes, std::string(text) + " was read and written as other bytes");
  return 0;
}
