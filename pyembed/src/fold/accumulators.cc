#include "fold/accumulators.h"

#include <charconv>

#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

constexpr size_t kDefaultCache = 1000;  // (unit: accumulators) python.state.cache-size

// Types whose values are immutable objects of exactly one class.
bool is_plain(const columnar::Type& type) {
  switch (type.id) {
    case TypeId::kNull:
    case TypeId::kBool:
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint8:
    case TypeId::kUint16:
    case TypeId::kUint32:
    case TypeId::kUint64:
    case TypeId::kFloat64:
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
      return true;
    default:
      return false;
  }
}

bool is_exactly(TypeId id, PyObject* value) {
  if (value == Py_None) return true;
  switch (id) {
    case TypeId::kNull:
      return false;
    case TypeId::kBool:
      return PyBool_Check(value);
    case TypeId::kFloat64:
      return PyFloat_CheckExact(value);
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
      return PyUnicode_CheckExact(value);
    default:
      return PyLong_CheckExact(value);
  }
}

Field binary_field(const char* name) {
  Field field;
  field.name = name;
  field.type.id = TypeId::kBinary;
  return field;
}

Field number_field(const char* name, TypeId id) {
  Field field;
  field.name = name;
  field.type.id = id;
  field.nullable = false;
  return field;
}

size_t cache_size(const Options& options) {
  size_t size = kDefaultCache;
  if (const auto text = find_option(options, "python.state.cache-size")) {
    std::from_chars(text->data(), text->data() + text->size(), size);  // the host has checked it
  }
  return size;
}

}  // namespace

Result<Accumulators> Accumulators::make(const Gil& gil, const Executor::Parts& parts, PyRef create) {
  const StepSpec& step = parts.spec.steps.front();
  const auto text = find_option(step.options, "accumulator");
  if (!text) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "the type of the accumulator is not known; declare accumulator_type, or give the step the option "
                  "\"accumulator\", such as ROW<total BIGINT, n BIGINT>",
                  CLUTCH_ORIGIN_USER);
  }
  Result<columnar::Type> type = columnar::parse_type(*text);
  if (!type.ok()) return std::move(type).status().prefixed("option accumulator");
  Field field{"accumulator", *std::move(type), true};
  if (field.type.object == "tuple") field.type.object.clear();  // which class it is, create_accumulator() says
  CLUTCH_ASSIGN_OR_RETURN(columnar::RowCodec codec, columnar::RowCodec::make(field));
  const clutch_host_state* state = parts.host.state;
  if (state == nullptr) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "this host has no state to keep accumulators in", CLUTCH_ORIGIN_HOST);
  }
  Accumulators made(std::move(field), std::move(codec));
  CLUTCH_ASSIGN_OR_RETURN(made.reader_, Reader::make(made.field_, parts.interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(made.writer_, Writer::make(made.field_, parts.interpreter.module()));
  made.builder_ = std::make_unique<columnar::ArrayBuilder>(made.field_);
  const clutch_state_declaration declaration{sizeof(declaration), CLUTCH_STATE_VALUE, to_str("accumulator"), 0, 0, 0};
  const int32_t declared = state->declare(parts.context, &declaration, &made.state_, nullptr);
  if (declared < 0) return Status(declared, "the host did not take the state \"accumulator\"", CLUTCH_ORIGIN_HOST);
  if (const auto views = find_option(step.options, "views"); views && !views->empty() && *views != "[]") {
    CLUTCH_ASSIGN_OR_RETURN(made.views_, Views::make(gil, parts, *views, made.field_));
  }
  const columnar::Type& of = made.field_.type;
  made.plain_ = of.id == TypeId::kStruct;
  for (const Field& child : of.children) made.plain_ = made.plain_ && is_plain(child.type);
  made.plain_ = made.plain_ && made.views_ == nullptr;
  made.cache_ = std::make_unique<AccumulatorCache>(cache_size(parts.spec.options));
  made.create_ = std::move(create);
  return made;
}

PyRef Accumulators::create(const Gil&) {
  PyRef object = PyRef::steal(PyObject_CallObject(create_.get(), nullptr));
  if (object && container_ == Container::kUnknown) {
    container_ = PyList_CheckExact(object.get())    ? Container::kList
                 : PyTuple_CheckExact(object.get()) ? Container::kTuple
                                                    : Container::kOther;
  }
  return object;
}

PyRef Accumulators::read(int64_t row) {
  PyRef object = PyRef::steal(reader_->read(row));
  const Module& module = reader_->module();
  if (!object || container_ == Container::kOther || !module.is_row(object.get())) return object;
  PyRef values = module.row_values(object.get());
  if (!values || container_ == Container::kList) return values;
  return PyRef::steal(PySequence_Tuple(values.get()));
}

PyRef Accumulators::with_views(const Gil& gil, PyRef object, int32_t group) {
  return object && views_ != nullptr ? views_->attach(gil, object, group) : std::move(object);
}

Status Accumulators::load(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed,
                          Failures& failures) {
  groups_.clear();
  groups_.resize(static_cast<size_t>(keyed.groups()));
  stored_ = false;
  if (views_ != nullptr && !views_->begin(gil, host, batch)) return failures.group(gil, "views", "the batch");
  std::vector<int32_t> missing;
  if (keyed.has_keys()) {
    ArrowArray given{};
    const int32_t code = host.state->read(batch.context, state_, &given, nullptr);
    if (code < 0) return failures.plain(code, "cannot read its accumulators from the host", CLUTCH_ORIGIN_HOST);
    const columnar::Array values(std::move(given));
    const ArrayView rows(*values);
    const ArrayView stored(rows.child(0));
    if (values->length != keyed.groups()) {
      return failures.plain(CLUTCH_ERR_DATA, "got accumulators of another number of keys", CLUTCH_ORIGIN_HOST);
    }
    for (int32_t i = 0; i < keyed.groups(); ++i) {
      const int64_t at = values->offset + i;
      if (stored.is_null(at)) continue;
      Group& group = groups_[static_cast<size_t>(i)];
      group.bytes = stored.bytes_at<int32_t>(at);
      group.object = cache_->take(keyed.key(i), group.bytes);
      if (!group.object) missing.push_back(i);
    }
  }
  CLUTCH_RETURN_IF_ERROR(decode(gil, missing, keyed, failures));
  for (int32_t i = 0; i < keyed.groups(); ++i) {
    Group& group = groups_[static_cast<size_t>(i)];
    if (group.object) continue;
    group.object = with_views(gil, create(gil), i);
    if (!group.object) return failures.group(gil, "create_accumulator()", keyed.key_text(i));
  }
  return {};
}

Status Accumulators::decode(const Gil& gil, const std::vector<int32_t>& missing, const KeyedBatch& keyed,
                            Failures& failures) {
  if (missing.empty()) return {};
  // The first one that is made tells what the function works with.
  if (container_ == Container::kUnknown && !create(gil)) {
    return failures.group(gil, "create_accumulator()", keyed.key_text(missing.front()));
  }
  for (const int32_t i : missing) {
    const Status status = codec_.decode(groups_[static_cast<size_t>(i)].bytes, *builder_);
    if (status.ok()) continue;
    return failures.plain(CLUTCH_ERR_DATA, "cannot read the accumulator of " + keyed.key_text(i) + " from state: " +
                                               std::string(status.message()) + "; was accumulator_type changed?");
  }
  const columnar::Array decoded = builder_->finish();
  const Status valid = columnar::validate(field_, *decoded, columnar::Depth::kFull);
  if (!valid.ok()) {
    return failures.plain(CLUTCH_ERR_DATA, "cannot read its accumulators from state: " + std::string(valid.message()));
  }
  Status status;
  bool good = reader_->bind(*decoded);
  for (size_t row = 0; row < missing.size() && good; ++row) {
    PyRef object = with_views(gil, read(static_cast<int64_t>(row)), missing[row]);
    good = static_cast<bool>(object);
    if (!good) status = failures.group(gil, "reading the accumulator", keyed.key_text(missing[row]));
    groups_[static_cast<size_t>(missing[row])].object = std::move(object);
  }
  if (!good && status.ok()) status = failures.group(gil, "reading the accumulators", "the batch");
  reader_->unbind();
  return status;
}

Status Accumulators::clear(const Gil& gil, int32_t group, const KeyedBatch& keyed, Failures& failures) {
  Group& of = groups_[static_cast<size_t>(group)];
  if (views_ != nullptr && !views_->clear(gil, group)) return failures.group(gil, "merge()", keyed.key_text(group));
  of.object = with_views(gil, create(gil), group);
  if (!of.object) return failures.group(gil, "create_accumulator()", keyed.key_text(group));
  of.touched = false;
  of.cleared = true;
  return {};
}

Status Accumulators::write(const Gil& gil, PyObject* object, int32_t group, const KeyedBatch& keyed,
                           Failures& failures) {
  PyRef plain = views_ != nullptr ? views_->detach(gil, object) : PyRef::share(object);
  if (plain && writer_->write(plain.get(), *builder_)) return {};
  if (!plain || PyErr_Occurred() != nullptr) {
    return failures.group(gil, "storing the accumulator", keyed.key_text(group));
  }
  Mismatch mismatch = writer_->take_mismatch();
  if (!mismatch.path.empty() && mismatch.path.front() == '.') mismatch.path.erase(0, 1);
  return failures.misfit("storing the accumulator", keyed.key_text(group), "accumulator", std::move(mismatch));
}

Status Accumulators::remember(const Gil& gil, int32_t group, const KeyedBatch& keyed, Failures& failures) {
  if (views_ != nullptr && !views_->begin_row(gil)) return failures.group(gil, "views", keyed.key_text(group));
  PyObject* object = at(group);
  if (plain_ && PyList_CheckExact(object)) {
    kept_ = PyRef::steal(PyList_GetSlice(object, 0, PyList_Size(object)));
    if (!kept_) return failures.group(gil, "copying the accumulator", keyed.key_text(group));
    return {};
  }
  kept_.reset();
  CLUTCH_RETURN_IF_ERROR(write(gil, object, group, keyed, failures));
  copy_ = builder_->finish();
  return {};
}

Status Accumulators::bring_back(const Gil& gil, int32_t group, const KeyedBatch& keyed, Failures& failures) {
  Group& of = groups_[static_cast<size_t>(group)];
  if (views_ != nullptr && !views_->undo_row(gil)) return failures.group(gil, "views", keyed.key_text(group));
  if (kept_) {
    of.object = std::move(kept_);
    return {};
  }
  PyRef object;
  if (reader_->bind(*copy_)) object = with_views(gil, read(0), group);
  of.object = std::move(object);
  Status status = of.object ? Status() : failures.group(gil, "copying the accumulator", keyed.key_text(group));
  reader_->unbind();
  return status;
}

Status Accumulators::store(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed,
                           Failures& failures) {
  if (!keyed.has_keys()) {
    // Without state there is nobody to tell later that it could not have been stored.
    for (int32_t i = 0; i < groups(); ++i) CLUTCH_RETURN_IF_ERROR(write(gil, at(i), i, keyed, failures));
    return {};
  }
  std::vector<int32_t> written;
  for (int32_t i = 0; i < groups(); ++i) {
    if (!groups_[static_cast<size_t>(i)].touched) continue;
    CLUTCH_RETURN_IF_ERROR(write(gil, at(i), i, keyed, failures));
    written.push_back(i);
  }
  const columnar::Array encoded = builder_->finish();
  columnar::ArrayBuilder changes(
      columnar::struct_of({number_field("key", TypeId::kInt32), number_field("op", TypeId::kInt8),
                           binary_field("map_key"), binary_field("value")}));
  const auto change = [&](int32_t group, int8_t op) {
    changes.child(0).append<int32_t>(group);
    changes.child(1).append<int8_t>(op);
    changes.child(2).append_null();
    changes.append_struct();
  };
  std::string bytes;
  for (size_t row = 0; row < written.size(); ++row) {
    Group& group = groups_[static_cast<size_t>(written[row])];
    bytes.clear();
    codec_.encode(*encoded, static_cast<int64_t>(row), bytes);
    if (bytes == group.bytes) continue;
    group.bytes = bytes;
    CLUTCH_RETURN_IF_ERROR(changes.child(3).append_bytes(bytes));
    change(written[row], CLUTCH_STATE_OP_PUT);
  }
  for (int32_t i = 0; i < groups(); ++i) {
    if (!merged_away(i) || groups_[static_cast<size_t>(i)].bytes.empty()) continue;
    groups_[static_cast<size_t>(i)].bytes.clear();
    changes.child(3).append_null();
    change(i, CLUTCH_STATE_OP_CLEAR);
  }
  if (changes.length() > 0) {
    ArrowArray array = changes.finish().detach();
    const int32_t code = host.state->apply(batch.context, state_, &array, nullptr);
    if (code < 0) return failures.plain(code, "cannot hand its accumulators to the host", CLUTCH_ORIGIN_HOST);
  }
  if (views_ != nullptr && !views_->flush(gil)) return failures.group(gil, "storing the views", "the batch");
  stored_ = true;
  return {};
}

bool Accumulators::faithful(PyObject* object) const {
  PyRef values;
  if (PyList_CheckExact(object) && container_ == Container::kList) {
    values = PyRef::share(object);
  } else if (reader_->module().is_row(object) && container_ == Container::kOther) {
    values = reader_->module().row_values(object);
    PyErr_Clear();
    if (!values || !PyList_CheckExact(values.get())) return false;
  } else {
    return false;
  }
  const std::vector<Field>& fields = field_.type.children;
  if (PyList_Size(values.get()) != static_cast<Py_ssize_t>(fields.size())) return false;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!is_exactly(fields[i].type.id, PyList_GetItem(values.get(), static_cast<Py_ssize_t>(i)))) return false;
  }
  return true;
}

void Accumulators::end(const KeyedBatch& keyed) {
  if (stored_ && plain_) {
    for (int32_t i = 0; i < groups(); ++i) {
      Group& group = groups_[static_cast<size_t>(i)];
      if (group.bytes.empty() || !faithful(group.object.get())) continue;
      cache_->put(keyed.key(i), std::move(group.bytes), std::move(group.object));
    }
  }
  drop();
}

void Accumulators::drop() {
  groups_.clear();
  kept_.reset();
  copy_.reset();
  builder_->finish().reset();
  if (views_ != nullptr) views_->end();
}

}  // namespace clutch::pyembed
