#include "supervisor/collect.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/view.h"

namespace clutch::pyproc {
namespace {

using columnar::Array;
using columnar::ArrayView;
using columnar::Field;

Status lie(std::string what) {
  return {CLUTCH_ERR_PROTOCOL, "the worker's answer makes no sense: " + std::move(what), CLUTCH_ORIGIN_TRANSPORT};
}

// origin: rows of the range, never decreasing but with `any_order`; before them rows of timers, from `lowest` on, in
// the order they fired.
Status check_origin(const ArrowArray& origin, int64_t emitted, int64_t rows, int32_t lowest, bool any_order) {
  if (origin.length != emitted) {
    return lie(std::to_string(emitted) + " output rows have " + std::to_string(origin.length) + " origins");
  }
  if (origin.null_count != 0) return lie("an origin is null");
  const auto* values = ArrayView(origin).values<int32_t>();
  int32_t before = -1;
  bool good = true;
  for (int64_t i = 0; i < origin.length; ++i) {
    good &= (any_order || std::max(values[i], -1) >= before) && values[i] >= lowest && values[i] < rows;
    before = std::max(values[i], -1);
  }
  return good ? Status() : lie("an origin is out of range or out of order");
}

Array origins_from(int64_t start, int64_t length) {
  columnar::Buffer values;
  values.resize(length * static_cast<int64_t>(sizeof(int32_t)));
  auto* out = reinterpret_cast<int32_t*>(values.data());
  for (int64_t i = 0; i < length; ++i) out[i] = static_cast<int32_t>(start + i);
  std::vector<columnar::Buffer> buffers(2);
  buffers[1] = std::move(values);
  return columnar::make_array(length, 0, std::move(buffers), {});
}

// The same origins in the batch's row numbers. The array is ours: nobody else has seen it.
void shift(ArrowArray& origin, int64_t start) {
  auto* values = static_cast<int32_t*>(const_cast<void*>(origin.buffers[1]));
  for (int64_t i = 0; i < origin.length; ++i) {
    if (values[i] >= 0) values[i] += static_cast<int32_t>(start);
  }
}

class Collector {
 public:
  Collector(const Job& job, const Range& range, JobTimes& times)
      : job_(job), range_(range), times_(times), function_(*job.function) {}

  Status read(std::span<const uint8_t> arena, uint64_t used) {
    CLUTCH_RETURN_IF_ERROR(reader_.open(arena, used));
    out_.bytes = static_cast<int64_t>(used);
    const auto& sections = reader_.sections();
    for (size_t i = 0; i < sections.size(); ++i) {
      const Section& section = sections[i];
      if (section.kind == SectionKind::kEmit) {
        if (i + 1 == sections.size() || sections[i + 1].kind != SectionKind::kOrigin ||
            sections[i + 1].id != section.id) {
          return lie("output rows come without origins");
        }
        CLUTCH_RETURN_IF_ERROR(read_emit(section, sections[i + 1]));
        ++i;
      } else {
        CLUTCH_RETURN_IF_ERROR(read_changes(section));
      }
    }
    return {};
  }

  Status take(std::vector<BatchNotes>&& notes) {
    for (BatchNotes& note : notes) {
      for (DeadLetter& letter : note.dead_letters) {
        if (letter.row < 0 || letter.row >= range_.length) return lie("a dead letter names a row that is not there");
        if (letter.error.ok()) return lie("a dead letter has no error");
        letter.error = in_batch_rows(std::move(letter.error), range_.start);
        letter.row += range_.start;
        out_.dead_letters.push_back(std::move(letter));
      }
      for (Metric& metric : note.metrics) out_.metrics.push_back(std::move(metric));
    }
    return {};
  }

  Outputs finish() { return std::move(out_); }

 private:
  const Field* schema_of(uint32_t tag) const {
    if (tag == 0) return &function_.output;
    return tag - 1 < function_.side_outputs.size() ? &function_.side_outputs[tag - 1].schema : nullptr;
  }

  Status read_emit(const Section& emit, const Section& origin) {
    const Field* schema = schema_of(emit.id);
    if (schema == nullptr) return lie("output " + std::to_string(emit.id) + " was never declared");
    if (emit.implied && (emit.id != 0 || !function_.same_schema)) {
      return lie("input rows are emitted where input and output have different schemas");
    }
    Output output;
    output.kind = SectionKind::kEmit;
    output.id = emit.id;
    int64_t emitted = -1;
    const int64_t sources = function_.by_group ? job_.groups() : range_.length;
    if (!emit.implied) {
      CLUTCH_ASSIGN_OR_RETURN(output.rows, reader_.copy(emit, *schema, &times_.validate));
      if (output.rows->null_count != 0) return lie("a whole output row is null");
      emitted = output.rows->length;
    }
    if (origin.implied) {
      if (!emit.implied && emitted != sources) {
        return lie(std::to_string(emitted) + " output rows for " + std::to_string(sources) +
                   (function_.by_group ? " groups" : " input rows"));
      }
      if (!job_.whole()) output.origin = origins_from(range_.start, range_.length);
    } else {
      CLUTCH_ASSIGN_OR_RETURN(output.origin, reader_.copy(origin, origin_field(), &times_.validate));
      CLUTCH_RETURN_IF_ERROR(check_origin(*output.origin.get(), emitted < 0 ? output.origin->length : emitted, sources,
                                          job_.batch.timers != nullptr && !emit.implied ? INT32_MIN : 0,
                                          function_.any_order));
      if (range_.start != 0) shift(*output.origin.get(), range_.start);
    }
    out_.outputs.push_back(std::move(output));
    return {};
  }

  Status read_changes(const Section& section) {
    const bool state = section.kind == SectionKind::kStateChanges;
    if (!state && section.kind != SectionKind::kTimerChanges) {
      return lie("a section has the kind " + std::to_string(static_cast<uint32_t>(section.kind)));
    }
    if (state && section.id >= function_.states.size()) {
      return lie("state " + std::to_string(section.id) + " was never declared");
    }
    if (job_.batch.keys == nullptr) return lie("state or timers change in a batch without keys");
    Output output;
    output.kind = section.kind;
    output.id = section.id;
    CLUTCH_ASSIGN_OR_RETURN(
        output.rows, reader_.copy(section, state ? state_changes_field() : timer_changes_field(), &times_.validate));
    out_.outputs.push_back(std::move(output));
    return {};
  }

  const Job& job_;
  const Range& range_;
  JobTimes& times_;
  const Function& function_;
  ArenaReader reader_;
  Outputs out_;
};

// The host said why in the error it was given; a status without a message leaves that as it is.
Status not_taken(int32_t code) { return {code, "", CLUTCH_ORIGIN_PLUGIN}; }

Status stage_output(const HostServices& host, Job& job, Output& output) {
  clutch_batch_context* context = job.batch.context;
  Function& function = *job.function;
  switch (output.kind) {
    case SectionKind::kStateChanges: {
      ArrowArray changes = output.rows.detach();
      const int32_t code = host.state()->apply(context, function.host_states[output.id], &changes, job.error);
      return code == CLUTCH_OK ? Status() : not_taken(code);
    }
    case SectionKind::kTimerChanges: {
      ArrowArray changes = output.rows.detach();
      if (host.timer() == nullptr) {
        changes.release(&changes);
        return {CLUTCH_ERR_UNSUPPORTED, "the function sets timers, which this host does not have", CLUTCH_ORIGIN_HOST};
      }
      const int32_t code = host.timer()->apply(context, &changes, job.error);
      return code == CLUTCH_OK ? Status() : not_taken(code);
    }
    default: {
      ArrowArray rows = output.rows.detach();
      ArrowArray origin = output.origin.detach();
      const int32_t code = host.host().emit(context, function.host_tags[output.id], &rows, &origin, job.error);
      return code == CLUTCH_OK ? Status() : not_taken(code);
    }
  }
}

Status stage_dead_letter(const HostServices& host, Job& job, const DeadLetter& letter) {
  if (host.dead_letter() == nullptr) {
    return {CLUTCH_ERR_UNSUPPORTED, "a row goes to the dead letters, which this host does not have",
            CLUTCH_ORIGIN_HOST};
  }
  clutch_error* error = nullptr;
  const int32_t code = host.dead_letter()->add(job.batch.context, letter.row, &error, job.error);
  if (code != CLUTCH_OK) return not_taken(code);
  set_error(host.host(), error, letter.error);
  return {};
}

}  // namespace

void Outputs::append(Outputs&& more) {
  if (outputs.empty() && dead_letters.empty() && metrics.empty()) {
    *this = std::move(more);
    return;
  }
  for (Output& output : more.outputs) outputs.push_back(std::move(output));
  for (DeadLetter& letter : more.dead_letters) dead_letters.push_back(std::move(letter));
  for (Metric& metric : more.metrics) metrics.push_back(std::move(metric));
  bytes += more.bytes;
}

Result<Outputs> collect(const Job& job, const Range& range, std::span<const uint8_t> arena, uint64_t used,
                        std::vector<BatchNotes>&& notes, JobTimes& times) {
  const int64_t start = now_ns();
  const int64_t validated = times.validate;
  Collector collector(job, range, times);
  CLUTCH_RETURN_IF_ERROR(collector.read(arena, used));
  CLUTCH_RETURN_IF_ERROR(collector.take(std::move(notes)));
  times.copy += now_ns() - start - (times.validate - validated);
  return collector.finish();
}

Status stage(const HostServices& host, Job& job) {
  for (Output& output : job.outputs.outputs) CLUTCH_RETURN_IF_ERROR(stage_output(host, job, output));
  for (const DeadLetter& letter : job.outputs.dead_letters)
    CLUTCH_RETURN_IF_ERROR(stage_dead_letter(host, job, letter));
  if (host.metrics() != nullptr) {
    for (const Metric& metric : job.outputs.metrics) {
      host.metrics()->record(job.function->context, metric.kind, to_str(metric.name), metric.value);
    }
  }
  return {};
}

Status in_batch_rows(Status error, int64_t start) {
  const std::string row(error.detail(CLUTCH_DETAIL_ROW));
  int64_t number = 0;
  if (start == 0 || row.empty()) return error;
  const auto [end, failure] = std::from_chars(row.data(), row.data() + row.size(), number);
  if (failure != std::errc() || end != row.data() + row.size()) return error;
  const std::string shifted = std::to_string(number + start);
  std::string message(error.message());
  const std::string said = " row " + row + ":";
  if (const size_t at = message.find(said); at != std::string::npos) {
    message.replace(at, said.size(), " row " + shifted + ":");
  }
  Status out(error.code(), std::move(message), error.origin());
  for (const auto& [key, value] : error.details()) out.with(key, value);
  out.with(CLUTCH_DETAIL_ROW, shifted);
  return out;
}

}  // namespace clutch::pyproc
