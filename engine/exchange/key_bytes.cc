#include "exchange/key_bytes.h"

#include "clutch/columnar/view.h"

namespace clutch::engine {

namespace {

// What None is in a column of pickles: a null. As a key it has bytes, as no bytes are the key of broadcast state.
constexpr std::string_view kPickleOfNone("\x80\x02N.", 4);

}  // namespace

bool is_pickle(const columnar::Type& type) { return columnar::to_string(type) == "pickle"; }

Result<KeyBytes> KeyBytes::make(const columnar::Field& key) {
  if (is_pickle(key.type)) return KeyBytes(std::nullopt);
  CLUTCH_ASSIGN_OR_RETURN(columnar::RowCodec codec, columnar::RowCodec::make(key));
  return KeyBytes(std::move(codec));
}

void KeyBytes::append(const ArrowArray& keys, int64_t row, std::string& out) const {
  if (codec_.has_value()) {
    codec_->encode(keys, row, out);
    return;
  }
  const columnar::ArrayView view(keys);
  out += view.is_null(row) ? kPickleOfNone : view.bytes_at<int32_t>(row);
}

}  // namespace clutch::engine
