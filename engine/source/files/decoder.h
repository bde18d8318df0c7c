// Records of a file's text to elements.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "source/files/spec.h"

namespace clutch::engine {

// What decode() is to take of a text.
struct DecodeLimits {
  size_t end = SIZE_MAX;  // records that begin at or behind this byte of the text are somebody else's
  bool last = false;      // nothing follows the text
  int64_t rows = 0;       // of the builder
  int64_t bytes = 0;      // of the text
};

struct Decoded {
  size_t consumed = 0;  // bytes of the text that are done with; on failure those before the bad record
  int64_t skipped = 0;  // bad records passed over
  Status status;        // why the record behind `consumed` is bad
};

// Made for one element type; has no memory of one text in the next.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // The bytes of the header at the front of a file's text; -1 if it may go on behind the text. Remembers what it says.
  virtual Result<int64_t> header(std::string_view text, bool last) {
    static_cast<void>(text);
    static_cast<void>(last);
    return int64_t{0};
  }

  // Append the elements of whole records at the front of the text, as many as the limits let.
  virtual Decoded decode(std::string_view text, const DecodeLimits& limits, columnar::ArrayBuilder& out) = 0;
};

// Fails with CLUTCH_ERR_ARGUMENT where the format does not give such elements.
Result<std::unique_ptr<Decoder>> make_decoder(const FilesSpec& spec, const columnar::Field& element,
                                              std::string_view place);

}  // namespace clutch::engine
