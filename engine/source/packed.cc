#include "source/packed.h"

#include <limits>

#include "clutch/columnar/row_codec.h"
#include "clutch/columnar/validate.h"

namespace clutch::engine {
namespace {

constexpr size_t kSize = 4;

Status broken(size_t at, const std::string& why) {
  return Status(CLUTCH_ERR_DATA, "byte " + std::to_string(at) + ": " + why);
}

}  // namespace

Status pack_elements(const columnar::Field& element, const ArrowArray& array, std::string& blob) {
  CLUTCH_ASSIGN_OR_RETURN(const columnar::RowCodec codec, columnar::RowCodec::make(element));
  for (int64_t row = 0; row < array.length; ++row) {
    const size_t start = blob.size();
    blob.append(kSize, '\0');
    codec.encode(array, row, blob);
    const size_t size = blob.size() - start - kSize;
    if (size > std::numeric_limits<uint32_t>::max()) {
      blob.resize(start);
      return Status(CLUTCH_ERR_VALUE, "element " + std::to_string(row) + " has " + std::to_string(size) +
                                          " bytes, which is too much for one element");
    }
    for (size_t i = 0; i < kSize; ++i) blob[start + i] = static_cast<char>(size >> (8 * i));
  }
  return {};
}

Result<columnar::Array> unpack_elements(const columnar::Field& element, std::string_view blob, int64_t rows,
                                        size_t& at) {
  CLUTCH_ASSIGN_OR_RETURN(const columnar::RowCodec codec, columnar::RowCodec::make(element));
  columnar::ArrayBuilder builder(element);
  size_t next = at;
  for (int64_t row = 0; row < rows && next < blob.size(); ++row) {
    if (blob.size() - next < kSize) return broken(next, "the blob ends inside the size of an element");
    size_t size = 0;
    for (size_t i = 0; i < kSize; ++i) size |= static_cast<size_t>(static_cast<uint8_t>(blob[next + i])) << (8 * i);
    if (blob.size() - next - kSize < size) return broken(next, "the blob ends inside an element");
    Status status = codec.decode(blob.substr(next + kSize, size), builder);
    if (!status.ok()) return broken(next, std::string(status.message()));
    next += kSize + size;
  }
  columnar::Array array = builder.finish();
  CLUTCH_RETURN_IF_ERROR(columnar::validate(element, *array, columnar::Depth::kFull));
  at = next;
  return array;
}

}  // namespace clutch::engine
