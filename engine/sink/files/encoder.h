// Elements as the records of a file.
#pragma once

#include <memory>
#include <string>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "sink/files/spec.h"

namespace clutch::engine {

class Encoder {
 public:
  virtual ~Encoder() = default;
  // What each file begins with.
  virtual std::string header() const { return {}; }
  // Append the record of one element, with its line end.
  virtual void append(const ArrowArray& values, int64_t row, std::string& out) const = 0;
};

// Fails with CLUTCH_ERR_UNSUPPORTED where the format has no form of the type.
Result<std::unique_ptr<Encoder>> make_encoder(const FileSinkSpec& spec, const columnar::Field& element);

}  // namespace clutch::engine
