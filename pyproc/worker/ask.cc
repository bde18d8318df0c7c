// What a batch asks its host while it runs: more of a list or map state than came with it.
#include <string>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "worker/worker.h"

namespace clutch::pyproc {

Status Worker::ask(ReadState question, const ArrowArray& names) {
  const uint64_t needed = ArenaWriter::kEmptyBytes + ArenaWriter::bytes_for(state_names_field(), names);
  CLUTCH_ASSIGN_OR_RETURN(const Arena* out, out_arena(question.ticket, needed));
  writer_.start(out->bytes());
  writer_.add(SectionKind::kStateNames, question.state, state_names_field(), names);
  question.bytes = writer_.finish();
  must(link_.send(question));

  StateRead answer;
  Status mapped;
  Message message;
  do {
    if (!link_.next_state(question.ticket, message)) Watch::leave();
    AddArena add;
    if (message.header().type == FrameType::kAddArena) {
      // The answer comes in any case, and must be taken.
      if (!message.read(add)) give_up("an AddArena has the wrong size");
      if (Status added = arenas_.add(add, message.attached); !added.ok()) mapped = std::move(added);
    }
  } while (message.header().type != FrameType::kStateRead);
  (void)message.read(answer);  // next_state has read it before
  CLUTCH_RETURN_IF_ERROR(mapped);
  if (answer.status != CLUTCH_OK) {
    return Status(answer.status,
                  "the host did not read state " + std::to_string(question.state) + " while the batch ran (status " +
                      std::to_string(answer.status) + ")",
                  CLUTCH_ORIGIN_HOST);
  }
  const Arena* arena = arenas_.find(answer.arena);
  if (arena == nullptr) {
    return Status(CLUTCH_ERR_PROTOCOL,
                  "state came in arena " + std::to_string(answer.arena) + ", which this worker does not have",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  return answer_.open(arena->bytes(), answer.bytes);
}

// A copy: the next answer may use the arena again, while the runtime still has this one.
Result<columnar::Array> Worker::answered(SectionKind kind, const columnar::Field& field) const {
  for (const Section& section : answer_.sections()) {
    if (section.kind == kind) return answer_.copy(section, field);
  }
  return Status(CLUTCH_ERR_PROTOCOL, "state came without what was asked for", CLUTCH_ORIGIN_TRANSPORT);
}

Result<columnar::Array> Worker::page(const clutch_batch_context& context, uint32_t state, int32_t key,
                                     std::string_view cursor, uint64_t max_bytes, std::string& ret_next) {
  columnar::ArrayBuilder name(state_names_field());
  name.child(0).append<int32_t>(key);
  CLUTCH_RETURN_IF_ERROR(name.child(1).append_bytes(cursor));
  name.append_struct();
  ReadState question;
  question.ticket = context.ticket;
  question.state = state;
  question.question = StateQuestion::kPage;
  question.max_bytes = max_bytes;
  CLUTCH_RETURN_IF_ERROR(ask(question, *name.finish()));
  CLUTCH_ASSIGN_OR_RETURN(const columnar::Array next, answered(SectionKind::kStateCursor, state_cursor_field()));
  if (next->length != 1) {
    return Status(CLUTCH_ERR_PROTOCOL, "a page of state came with " + std::to_string(next->length) + " cursors",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  ret_next = columnar::ArrayView(*next).bytes_at<int32_t>(0);
  return answered(SectionKind::kStatePage, state_page_field());
}

Result<columnar::Array> Worker::look_up(const clutch_batch_context& context, uint32_t state, const ArrowArray& names) {
  ReadState question;
  question.ticket = context.ticket;
  question.state = state;
  question.question = StateQuestion::kLookUp;
  CLUTCH_RETURN_IF_ERROR(ask(question, names));
  CLUTCH_ASSIGN_OR_RETURN(columnar::Array found, answered(SectionKind::kStateFound, state_found_field()));
  if (found->length != names.length) {
    return Status(
        CLUTCH_ERR_PROTOCOL,
        std::to_string(names.length) + " entries were looked up and " + std::to_string(found->length) + " values came",
        CLUTCH_ORIGIN_TRANSPORT);
  }
  return found;
}

}  // namespace clutch::pyproc
