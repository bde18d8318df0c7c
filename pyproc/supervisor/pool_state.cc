// List and map states: a first page of each key travels with its batch, and what lies behind it is read when the worker
// asks for it.
#include <algorithm>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/state.h"
#include "supervisor/pool.h"

namespace clutch::pyproc {
namespace {

// About what travels of one state of one key. Measured: 16 KiB cost a batch some 30 us, also if it does not read them,
// and to ask for what did not travel costs 60 us; 64 KiB would cost 180.
constexpr uint64_t kPageOfKey = uint64_t{16} << 10;
// What many keys share, so that a batch of them keeps to a size; but each has the last of these, within which most
// lists and maps are whole.
constexpr uint64_t kPagesOfBatch = uint64_t{32} << 20;
constexpr uint64_t kLeastOfKey = uint64_t{1} << 10;

// The most that a worker gets in one page, however much it asks for.
constexpr uint64_t kLargestPage = uint64_t{1} << 20;

uint64_t page_of_each(int64_t keys) {
  return std::clamp(kPagesOfBatch / static_cast<uint64_t>(std::max<int64_t>(keys, 1)), kLeastOfKey, kPageOfKey);
}

struct AnswerPart {
  SectionKind kind;
  const columnar::Field* field;
  columnar::Array array;
};

}  // namespace

Result<columnar::Array> Pool::read_entries(const Job& job, uint32_t state) {
  ArrowArray given{};
  clutch_bytes next{};
  const int32_t code =
      host_.state()->read_page(job.batch.context, job.function->host_states[state], CLUTCH_STATE_ALL_KEYS, {},
                               page_of_each(job.batch.keys->length), &given, &next, job.error);
  if (code != CLUTCH_OK) return Status(code, "", CLUTCH_ORIGIN_HOST);
  return columnar::Array(std::move(given));
}

// The worker waits for the answer, so nothing comes before that but lies; and the slot stays as it is.
Status Pool::handle_read_state(const WorkerPtr& worker, std::optional<Question>& ret_question) {
  ReadState asked;
  if (!worker->inbox.read(asked)) return lie("a ReadState of the wrong size");
  Question question;
  const ArenaMemory* out = nullptr;
  int64_t keys = 0;
  {
    const Lock lock(mutex_);
    Slot* slot = slot_of(*worker, asked.ticket);
    if (slot == nullptr || slot->out == nullptr) return lie("it asked for state of a batch it does not have");
    if (slot->order != worker->head()) return lie("it asked for state of a batch that it is not at");
    if (slot->asking) return lie("it asked for state twice at a time");
    // One that is on its way out, or gone, gets no answer.
    if (worker->ended || worker->life.state() != WorkerState::kReady) return {};
    question.ticket = asked.ticket;
    question.slot = static_cast<uint32_t>(slot - worker->slots.data());
    if (slot->state == Slot::State::kRevoked) {
      question.refused = CLUTCH_ERR_CANCELLED;
    } else {
      const Function& function = *slot->job->function;
      if (slot->job->batch.keys == nullptr) return lie("it asked for state of a batch that has no keys");
      const bool page = asked.question == StateQuestion::kPage;
      if (!page && asked.question != StateQuestion::kLookUp) {
        return lie("a question of kind " + std::to_string(static_cast<uint32_t>(asked.question)) + " about state");
      }
      if (asked.state >= function.states.size() || function.states[asked.state].state_kind == CLUTCH_STATE_VALUE ||
          (!page && function.states[asked.state].state_kind != CLUTCH_STATE_MAP)) {
        return lie("it asked for " + std::string(page ? "a page" : "entries") + " of state " +
                   std::to_string(asked.state) + ", which has none");
      }
      question.context = slot->job->batch.context;
      question.state = asked.state;
      question.host_state = function.host_states[asked.state];
      question.kind = asked.question;
      question.max_bytes = std::min(asked.max_bytes, kLargestPage);
      out = slot->out.get();
      keys = slot->job->batch.keys->length;
    }
    slot->asking = true;
  }
  if (out != nullptr) {
    Result<columnar::Array> names = read_names(out->readable(), asked.bytes, question.kind, keys);
    if (names.ok()) {
      question.names = *std::move(names);
    } else if (names.status().code() == CLUTCH_ERR_MEMORY) {
      question.refused = CLUTCH_ERR_MEMORY;
    } else {
      const Lock lock(mutex_);
      worker->slots[question.slot].asking = false;
      return names.status();
    }
  }
  ret_question = std::move(question);
  return {};
}

// The names that a question says lie in this arena: a copy, checked.
Result<columnar::Array> Pool::read_names(std::span<const uint8_t> arena, uint64_t used, StateQuestion kind,
                                         int64_t keys) {
  ArenaReader reader;
  CLUTCH_RETURN_IF_ERROR(reader.open(arena, used));
  const std::vector<Section>& sections = reader.sections();
  if (sections.size() != 1 || sections[0].kind != SectionKind::kStateNames || sections[0].implied) {
    return lie("it asked for state without saying which");
  }
  CLUTCH_ASSIGN_OR_RETURN(columnar::Array names, reader.copy(sections[0], state_names_field()));
  if (kind == StateQuestion::kPage && names->length != 1) {
    return lie("it asked for " + std::to_string(names->length) + " pages of state at once");
  }
  if (names->null_count != 0 || names->children[0]->null_count != 0 || names->children[1]->null_count != 0) {
    return lie("it asked for state without saying which");
  }
  const int32_t* positions = columnar::ArrayView(*names->children[0]).values<int32_t>();
  for (int64_t i = 0; i < names->length; ++i) {
    if (positions[i] >= 0 && positions[i] < keys) continue;
    return lie("it asked for state of key " + std::to_string(positions[i]) + " of a batch of " + std::to_string(keys) +
               " keys");
  }
  return names;
}

// On a lent thread, or aside. No lock is held while the host reads: `asking` keeps the batch where it is.
void Pool::answer(const WorkerPtr& worker, Question question) {
  Slot& slot = worker->slots[question.slot];
  StateRead answer;
  answer.ticket = question.ticket;
  answer.status = question.refused != CLUTCH_OK ? question.refused : read_state(question, slot, *worker, answer);
  question.names.reset();
  {
    // Before it is told, since its next word may come at once.
    const Lock lock(mutex_);
    slot.asking = false;
    if (worker->ended) return loop_->wake();
  }
  if (const Status sent = worker->send(answer); !sent.ok()) {
    const Lock lock(mutex_);
    cannot_send(*worker, sent);
    loop_->wake();
  }
}

int32_t Pool::read_state(const Question& question, Slot& slot, Worker& worker, StateRead& answer) {
  const clutch_host_state& host = *host_.state();
  std::vector<AnswerPart> parts;
  ArrowArray given{};
  if (question.kind == StateQuestion::kLookUp) {
    const int32_t code =
        host.lookup(question.context, question.host_state, question.names.get(), &given, /*error=*/nullptr);
    if (code != CLUTCH_OK) return code;
    parts.push_back({SectionKind::kStateFound, &state_found_field(), columnar::Array(std::move(given))});
  } else {
    const int32_t key = columnar::ArrayView(*question.names->children[0]).values<int32_t>()[0];
    const std::string_view cursor = columnar::ArrayView(*question.names->children[1]).bytes_at<int32_t>(0);
    clutch_bytes next{};
    const int32_t code = host.read_page(question.context, question.host_state, key,
                                        {reinterpret_cast<const uint8_t*>(cursor.data()), cursor.size()},
                                        question.max_bytes, &given, &next, /*error=*/nullptr);
    if (code != CLUTCH_OK) return code;
    parts.push_back({SectionKind::kStatePage, &state_page_field(), columnar::Array(std::move(given))});
    columnar::ArrayBuilder rest(state_cursor_field());
    if (!rest.append_bytes({reinterpret_cast<const char*>(next.data), next.size}).ok()) return CLUTCH_ERR_MEMORY;
    parts.push_back({SectionKind::kStateCursor, &state_cursor_field(), rest.finish()});
  }
  uint64_t needed = ArenaWriter::kEmptyBytes + 2 * static_cast<uint64_t>(kArenaAlign);
  for (const AnswerPart& part : parts) needed += ArenaWriter::bytes_for(*part.field, *part.array);
  if (slot.answers == nullptr || slot.answers->size() < needed) {
    auto larger = worker.add_arena(ArenaRole::kIn, needed, 0);
    if (!larger.ok()) return larger.status().code();
    worker.drop_arena(std::exchange(slot.answers, *std::move(larger)));
  }
  ArenaWriter writer;
  writer.start(slot.answers->writable());
  for (const AnswerPart& part : parts) writer.add(part.kind, question.state, *part.field, *part.array);
  answer.bytes = writer.finish();
  answer.arena = slot.answers->number();
  return CLUTCH_OK;
}

}  // namespace clutch::pyproc
