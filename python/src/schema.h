// Schema(text): columns as in "x: int64, word: string not null".
#pragma once

#include <memory>
#include <vector>

#include "clutch/columnar/type.h"
#include "state.h"

namespace clutch::python {

struct SchemaValue {
  std::shared_ptr<const columnar::Field> field;
  std::vector<std::unique_ptr<pyembed::Writer>> writers;  // one a column, NULL until it is needed and while it is used
};

}  // namespace clutch::python
