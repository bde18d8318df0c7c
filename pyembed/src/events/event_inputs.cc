#include "events/event_inputs.h"

#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

struct Column {
  const char* name;
  std::optional<TypeId> type;  // nothing: any
};

Status check_columns(const FunctionSpec& spec, const EventKind& kind, std::initializer_list<Column> wanted) {
  const std::vector<Field>& columns = spec.input.type.children;
  bool good = columns.size() == wanted.size();
  std::string text;
  size_t i = 0;
  for (const Column& column : wanted) {
    good = good && columns[i].name == column.name && (!column.type || columns[i].type.id == *column.type);
    text += (i++ == 0 ? "" : ", ") + std::string(column.name);
    if (column.type) text += *column.type == TypeId::kInt8 ? ": int8" : ": int64";
  }
  if (good) return {};
  return Status(CLUTCH_ERR_ARGUMENT,
                std::string(kind.id) + " takes the columns " + text + ", not " + columnar::to_string(spec.input.type));
}

bool has_null(const ArrowArray& column, int64_t offset, int64_t rows) {
  const ArrayView view(column);
  if (column.null_count == 0) return false;
  for (int64_t row = 0; row < rows; ++row) {
    if (view.is_null(offset + row)) return true;
  }
  return false;
}

}  // namespace

Result<EventInputs> EventInputs::make(const FunctionSpec& spec, const EventKind& kind, const Module& module) {
  EventInputs made;
  made.two_ = kind.two;
  made.pairs_ = kind.call == EventKind::Call::kJoin;
  const std::vector<Field>& columns = spec.input.type.children;
  if (made.two_) {
    CLUTCH_RETURN_IF_ERROR(check_columns(spec, kind, {{"input", TypeId::kInt8}, {"value1", {}}, {"value2", {}}}));
  } else if (made.pairs_) {
    CLUTCH_RETURN_IF_ERROR(check_columns(
        spec, kind,
        {{"left", {}}, {"right", {}}, {"left_timestamp", TypeId::kInt64}, {"right_timestamp", TypeId::kInt64}}));
  }
  made.whole_rows_ = !made.two_ && !made.pairs_ && columns.size() > 1;
  if (made.whole_rows_) {
    CLUTCH_ASSIGN_OR_RETURN(made.readers_[0], Reader::make(spec.input, module));
  } else {
    const size_t first = made.two_ ? 1 : 0;
    for (size_t i = 0; i < (made.two_ || made.pairs_ ? 2U : 1U); ++i) {
      CLUTCH_ASSIGN_OR_RETURN(made.readers_[i], Reader::make(columns[first + i], module));
      made.names_[i] = columns[first + i].name;
    }
  }
  if (made.whole_rows_) made.names_[0] = columns.front().name;
  return made;
}

bool EventInputs::bind(const ArrowArray& rows) {
  rows_ = &rows;
  first_ = whole_rows_ ? 0 : rows.offset;
  if (two_) which_ = ArrayView(*rows.children[0]).values<int8_t>() + rows.offset;
  if (pairs_) {
    for (size_t i = 0; i < 2; ++i) times_[i] = ArrayView(*rows.children[2 + i]).values<int64_t>() + rows.offset;
  }
  if (whole_rows_) return readers_[0]->bind(rows);
  const int64_t column = two_ ? 1 : 0;
  return readers_[0]->bind(*rows.children[column]) &&
         (readers_[1] == nullptr || readers_[1]->bind(*rows.children[column + 1]));
}

void EventInputs::unbind() {
  for (const std::unique_ptr<Reader>& reader : readers_) {
    if (reader != nullptr) reader->unbind();
  }
  rows_ = nullptr;
  which_ = nullptr;
}

std::string EventInputs::unreadable(int64_t rows) const {
  if (two_) {
    if (has_null(*rows_->children[0], rows_->offset, rows)) return "column \"input\" has a null; it is 0 or 1";
    for (int64_t row = 0; row < rows; ++row) {
      if (which_[row] != 0 && which_[row] != 1) {
        return "column \"input\" is " + std::to_string(which_[row]) + " in row " + std::to_string(row) +
               "; it is 0 or 1";
      }
    }
  }
  for (int64_t i = 2; pairs_ && i < 4; ++i) {
    if (has_null(*rows_->children[i], rows_->offset, rows)) {
      return "column \"" + std::string(i == 2 ? "left" : "right") + "_timestamp\" has a null; each element has a time";
    }
  }
  return {};
}

}  // namespace clutch::pyembed
