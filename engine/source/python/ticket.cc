#include "source/python/ticket.h"

#include <utility>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "exchange/share.h"
#include "runtime/batch.h"

namespace clutch::engine {
namespace {

columnar::Field field_of(std::string name, columnar::TypeId id, bool nullable) {
  columnar::Field field{std::move(name), {}, nullable};
  field.type.id = id;
  return field;
}

columnar::Field struct_field(std::string name, std::vector<columnar::Field> children, bool nullable) {
  columnar::Field field = columnar::struct_of(std::move(children));
  field.name = std::move(name);
  field.nullable = nullable;
  return field;
}

columnar::Field position_field() { return field_of("position", columnar::TypeId::kBinary, true); }

}  // namespace

columnar::Field ticket_field() {
  return columnar::struct_of({struct_field("value",
                                           {field_of("most", columnar::TypeId::kInt64, false),
                                            field_of("given", columnar::TypeId::kInt64, false), position_field()},
                                           false)});
}

columnar::Array write_ticket(const Ticket& ticket) {
  columnar::ArrayBuilder rows(ticket_field());
  columnar::ArrayBuilder& value = rows.child(0);
  value.child(0).append(ticket.most);
  value.child(1).append(ticket.given);
  if (!ticket.position.has_value() || !value.child(2).append_bytes(*ticket.position).ok()) {
    value.child(2).append_null();
  }
  value.append_struct();
  rows.append_struct();
  return rows.finish();
}

columnar::Field answer_field(const columnar::Field& element) {
  columnar::Field value = element;
  value.name = "value";
  value.nullable = true;
  columnar::Field mark =
      struct_field("mark", {field_of("ended", columnar::TypeId::kBool, false), position_field()}, true);
  return columnar::struct_of({struct_field("value", {std::move(value), timestamp_field(), std::move(mark)}, false)});
}

Result<Answer> read_answer(columnar::Array rows) {
  const int64_t count = rows->length;
  const auto no_mark = [] {
    return Status(CLUTCH_ERR_DATA,
                  "its function does not answer tickets as docs/jobs.md says, there is no mark behind the elements; "
                  "let clutch.datastream make the function of a SourceFunction",
                  CLUTCH_ORIGIN_USER);
  };
  if (count == 0) return no_mark();
  // The parts of a result live and die with the whole of it, so they are shared.
  std::vector<columnar::Array> outer = Shared(std::move(rows)).columns();
  std::vector<columnar::Array> columns = Shared(std::move(outer[0])).columns();
  const Shared marks(std::move(columns[2]));
  if (columnar::ArrayView(*marks).is_null(count - 1)) return no_mark();
  const std::vector<columnar::Array> mark = marks.columns();
  Answer answer;
  answer.ended = columnar::ArrayView(*mark[0]).bool_at(count - 1);
  const columnar::ArrayView positions(*mark[1]);
  if (!positions.is_null(count - 1)) answer.position = std::string(positions.bytes_at<int32_t>(count - 1));
  if (count == 1) return answer;
  std::vector<columnar::Array> parts;
  for (size_t i = 0; i < 2; ++i) parts.push_back(Shared(std::move(columns[i])).slice(0, count - 1));
  answer.batch = columnar::make_batch(count - 1, std::move(parts));
  return answer;
}

}  // namespace clutch::engine
