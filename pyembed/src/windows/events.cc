#include "windows/events.h"

#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

constexpr char kOne[] = "value, op: int8, cell: int32, other: int32, start: int64, end: int64";
constexpr char kTwo[] = "input: int8, value1, value2, op: int8, cell: int32, other: int32, start: int64, end: int64";

struct Column {
  const char* name;
  TypeId type;
};
constexpr Column kEvents[] = {{"op", TypeId::kInt8},
                              {"cell", TypeId::kInt32},
                              {"other", TypeId::kInt32},
                              {"start", TypeId::kInt64},
                              {"end", TypeId::kInt64}};

template <typename T>
const T* values(const ArrowArray& rows, int64_t column) {
  return ArrayView(*rows.children[column]).values<T>() + rows.offset;
}

}  // namespace

Result<WindowEvents> WindowEvents::make(const FunctionSpec& spec, bool two, const Module& module) {
  const std::vector<Field>& columns = spec.input.type.children;
  const size_t first = two ? 3 : 1;
  bool good = columns.size() == first + std::size(kEvents);
  if (good && two) {
    good = columns[0].name == "input" && columns[0].type.id == TypeId::kInt8 && columns[1].name == "value1" &&
           columns[2].name == "value2";
  }
  good = good && (two || columns[0].name == "value");
  for (size_t i = 0; good && i < std::size(kEvents); ++i) {
    good = columns[first + i].name == kEvents[i].name && columns[first + i].type.id == kEvents[i].type;
  }
  if (!good) {
    return Status(CLUTCH_ERR_ARGUMENT, spec.steps.front().kind + " takes the columns " + (two ? kTwo : kOne) +
                                           ", not " + columnar::to_string(spec.input.type));
  }
  WindowEvents made;
  made.two_ = two;
  for (size_t i = 0; i < (two ? 2U : 1U); ++i) {
    CLUTCH_ASSIGN_OR_RETURN(made.readers_[i], Reader::make(columns[two ? 1 + i : 0], module));
  }
  return made;
}

bool WindowEvents::bind(const ArrowArray& rows) {
  rows_ = &rows;
  const int64_t first = two_ ? 3 : 1;
  if (two_) inputs_ = values<int8_t>(rows, 0);
  ops_ = values<int8_t>(rows, first);
  cells_ = values<int32_t>(rows, first + 1);
  others_ = values<int32_t>(rows, first + 2);
  starts_ = values<int64_t>(rows, first + 3);
  ends_ = values<int64_t>(rows, first + 4);
  return readers_[0]->bind(*rows.children[two_ ? 1 : 0]) && (!two_ || readers_[1]->bind(*rows.children[2]));
}

void WindowEvents::unbind() {
  for (const std::unique_ptr<Reader>& reader : readers_) {
    if (reader != nullptr) reader->unbind();
  }
  rows_ = nullptr;
}

std::string WindowEvents::unreadable(int64_t rows) const {
  const size_t first = two_ ? 3 : 1;
  for (size_t i = 0; i < std::size(kEvents); ++i) {
    const ArrowArray& column = *rows_->children[first + i];
    const ArrayView view(column);
    for (int64_t row = 0; column.null_count != 0 && row < rows; ++row) {
      if (view.is_null(rows_->offset + row)) {
        return "column \"" + std::string(kEvents[i].name) + "\" has a null in row " + std::to_string(row);
      }
    }
  }
  constexpr char below[] = "cells are numbered from 0 and there are no more than rows";
  for (int64_t row = 0; row < rows; ++row) {
    const auto bad = [row](const char* column, int64_t value, const char* wanted) {
      return "column \"" + std::string(column) + "\" is " + std::to_string(value) + " in row " + std::to_string(row) +
             "; " + wanted;
    };
    if (ops_[row] < 0 || ops_[row] > 5) return bad("op", ops_[row], "it is 0 to 5");
    if (two_ && op(row) == WindowOp::kAdd && inputs_[row] != 0 && inputs_[row] != 1) {
      return bad("input", inputs_[row], "it is 0 or 1");
    }
    if (op(row) == WindowOp::kClear) continue;
    if (cells_[row] < 0 || cells_[row] >= rows) return bad("cell", cells_[row], below);
    if (op(row) != WindowOp::kMerge) continue;
    if (others_[row] < 0 || others_[row] >= rows) return bad("other", others_[row], below);
    if (others_[row] == cells_[row]) return bad("other", others_[row], "a cell is merged into another one");
  }
  return {};
}

std::string window_option(const FunctionSpec& spec, std::string_view key) {
  for (auto step = spec.steps.rbegin(); step != spec.steps.rend(); ++step) {
    if (const auto found = find_option(step->options, key)) return std::string(*found);
  }
  return {};
}

std::string window_text(int64_t start, int64_t end) {
  return "window [" + std::to_string(start) + ", " + std::to_string(end) + ")";
}

}  // namespace clutch::pyembed
