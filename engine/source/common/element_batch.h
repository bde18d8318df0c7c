// Batches as sources give them: struct<value: the element's type, timestamp: int64>, without timestamps.
#pragma once

#include "clutch/columnar/builder.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// The type of such a batch.
columnar::Field source_batch(const columnar::Field& element);

// What the builder of the values holds, as a batch; the builder is empty then.
columnar::Array element_batch(columnar::ArrayBuilder& values);

// Fails with CLUTCH_ERR_ARGUMENT unless the element is text. `place` as for Members.
Status check_text_element(const columnar::Field& element, std::string_view place);

// The same for a struct.
Status check_struct_element(const columnar::Field& element, std::string_view place);

}  // namespace clutch::engine
