#include "events/sides.h"

#include "errors/exception.h"

namespace clutch::pyembed {

Result<SideOutputs> SideOutputs::make(const Gil& gil, const Executor::Parts& parts) {
  SideOutputs made;
  std::optional<std::string_view> text;  // the first step that has it
  for (const StepSpec& step : parts.spec.steps) {
    if (!text) text = find_option(step.options, "side_outputs");
  }
  if (!text || text->empty()) return made;
  PyRef parse = parts.interpreter.helper(gil, Interpreter::File::kEvents, "parse_sides");
  PyRef given = PyRef::steal(PyUnicode_DecodeUTF8(text->data(), static_cast<Py_ssize_t>(text->size()), "replace"));
  PyRef found =
      parse && given ? PyRef::steal(PyObject_CallFunctionObjArgs(parse.get(), given.get(), nullptr)) : PyRef();
  if (!found) {
    return to_status(CLUTCH_ERR_UNSUPPORTED, "its side outputs",
                     describe(gil, parts.interpreter, take_exception(gil), false));
  }
  if (parts.host.side_output == nullptr && PyList_Size(found.get()) > 0) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "this host has no side outputs", CLUTCH_ORIGIN_HOST);
  }
  for (Py_ssize_t i = 0; i < PyList_Size(found.get()); ++i) {
    PyObject* pair = PyList_GetItem(found.get(), i);
    const std::string name = to_text(PyTuple_GetItem(pair, 0));
    Result<columnar::Type> type = columnar::parse_type(to_text(PyTuple_GetItem(pair, 1)));
    if (!type.ok()) return std::move(type).status().prefixed("option side_outputs, \"" + name + "\"");
    columnar::Field field{"", *std::move(type), false};
    if (field.type.id != columnar::TypeId::kStruct) {
      field = columnar::struct_of({columnar::Field{"value", std::move(field.type), true}});
      field.nullable = false;
    }
    FunctionSpec spec = parts.spec;
    spec.output = field;
    Result<Outputs> outputs = Outputs::make(spec, parts.interpreter.module());
    if (!outputs.ok()) return std::move(outputs).status().prefixed("side output \"" + name + "\"");
    const columnar::Schema schema = columnar::export_field(field);
    uint32_t tag = 0;
    const int32_t code = parts.host.side_output->declare(parts.context, to_str(name), schema.get(), &tag, nullptr);
    if (code < 0) return Status(code, "the host did not take the side output \"" + name + "\"", CLUTCH_ORIGIN_HOST);
    made.sides_.push_back({name, tag, std::move(spec), *std::move(outputs)});
  }
  return made;
}

SideOutputs::Side* SideOutputs::find(std::string_view name) {
  for (Side& side : sides_) {
    if (side.name == name) return &side;
  }
  return nullptr;
}

std::vector<int64_t> SideOutputs::counts() const {
  std::vector<int64_t> counts;
  for (const Side& side : sides_) counts.push_back(side.outputs.origin_count());
  return counts;
}

void SideOutputs::truncate(const std::vector<int64_t>& counts) {
  for (size_t i = 0; i < sides_.size(); ++i) sides_[i].outputs.truncate_rows(counts[i]);
}

void SideOutputs::clear() {
  for (Side& side : sides_) side.outputs.clear();
}

int32_t SideOutputs::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  for (Side& side : sides_) {
    Outputs::Finished finished = side.outputs.finish(batch.rows->length);
    if (finished.length == 0) continue;
    ArrowArray rows = finished.rows.detach();
    ArrowArray origin = finished.origin.detach();
    const int32_t code = host.host->emit(batch.context, side.tag, &rows, &origin, error);
    if (code < 0) return code;
  }
  return CLUTCH_OK;
}

}  // namespace clutch::pyembed
