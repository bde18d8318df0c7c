#include "columns/arguments.h"

#include <cstring>

#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using columnar::TypeId;

const char* unit_text(columnar::TimeUnit unit) {
  switch (unit) {
    case columnar::TimeUnit::kSecond:
      return "[s]";
    case columnar::TimeUnit::kMilli:
      return "[ms]";
    case columnar::TimeUnit::kMicro:
      return "[us]";
    case columnar::TimeUnit::kNano:
      return "[ns]";
  }
  return "";
}

PyRef text(const std::string& value) {
  return PyRef::steal(PyUnicode_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size())));
}

// A byte a row: 1 is null. NULL where no row is.
const uint8_t* null_bytes(Kept& kept, const ArrowArray& array, int64_t first, int64_t count,
                          const uint8_t* parent_nulls) {
  if (!has_nulls(array, first, count)) return parent_nulls;
  const columnar::ArrayView view(array);
  uint8_t* bytes = kept.add_buffer(count);
  for (int64_t i = 0; i < count; ++i) {
    const bool parent = parent_nulls != nullptr && parent_nulls[i] != 0;
    bytes[i] = parent || view.is_null(first + i) ? 1 : 0;
  }
  return bytes;
}

}  // namespace

std::string typestr_of(const columnar::Type& type) {
  switch (type.id) {
    case TypeId::kInt8:
      return "|i1";
    case TypeId::kInt16:
      return "<i2";
    case TypeId::kInt32:
      return "<i4";
    case TypeId::kInt64:
      return "<i8";
    case TypeId::kUint8:
      return "|u1";
    case TypeId::kUint16:
      return "<u2";
    case TypeId::kUint32:
      return "<u4";
    case TypeId::kUint64:
      return "<u8";
    case TypeId::kFloat16:
      return "<f2";
    case TypeId::kFloat32:
      return "<f4";
    case TypeId::kFloat64:
      return "<f8";
    case TypeId::kTimestamp:
      return std::string("<M8") + unit_text(type.unit);
    case TypeId::kDuration:
      return std::string("<m8") + unit_text(type.unit);
    case TypeId::kDate64:
      return "<M8[ms]";
    default:
      return "";
  }
}

Result<std::unique_ptr<ArgumentColumn>> ArgumentColumn::make(const columnar::Field& field, Style style,
                                                             const Module& module) {
  const columnar::Type& type = field.type;
  const bool pandas = style == Style::kPandas;
  const bool date = type.id == TypeId::kDate32 || type.id == TypeId::kDate64;
  Form form = Form::kObjects;
  std::string typestr = typestr_of(type);
  if (type.id == TypeId::kBool) {
    form = Form::kBool;
    typestr = "|b1";
  } else if (type.id == TypeId::kDate32 && !pandas) {
    form = Form::kDays;
    typestr = "<M8[D]";
  } else if (!typestr.empty() && !(date && pandas)) {  // in pandas a date is a datetime.date, as in PyFlink
    form = Form::kFixed;
  } else if (type.id == TypeId::kStruct && pandas) {
    form = Form::kStruct;
  } else if (type.id == TypeId::kDictionary &&
             (!typestr_of(type.children[0].type).empty() || type.children[0].type.id == TypeId::kBool)) {
    form = Form::kDecoded;
  }
  std::unique_ptr<ArgumentColumn> argument(new ArgumentColumn(field, form));
  argument->typestr_ = typestr;
  argument->lists_ =
      pandas && (type.id == TypeId::kList || type.id == TypeId::kLargeList || type.id == TypeId::kFixedSizeList);
  if (form == Form::kObjects || form == Form::kDecoded) {
    CLUTCH_ASSIGN_OR_RETURN(argument->reader_, Reader::make(field, module));
  }
  if (form == Form::kDecoded) {
    columnar::Field values = type.children[0];
    values.name = field.name;
    values.nullable = true;
    CLUTCH_ASSIGN_OR_RETURN(argument->writer_, Writer::make(values, module));
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<ArgumentColumn> plain, make(values, style, module));
    argument->children_.push_back(std::move(plain));
  }
  if (form == Form::kStruct) {
    for (const columnar::Field& child : type.children) {
      CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<ArgumentColumn> made, make(child, style, module));
      argument->children_.push_back(std::move(made));
    }
  }
  if (form == Form::kFixed && pandas && !type.timezone.empty()) {
    CLUTCH_ASSIGN_OR_RETURN(Zone zone, module.datetime().zone(type.timezone));
    // Every version of pandas knows names; offsets only as objects.
    argument->zone_ = zone.fixed ? std::move(zone.tzinfo) : text(type.timezone);
  }
  return argument;
}

PyRef ArgumentColumn::plan() const {
  if (form_ == Form::kDecoded) return children_[0]->plan();
  PyRef name = text(field_.name);
  if (!name) return {};
  if (form_ == Form::kObjects) {
    return PyRef::steal(Py_BuildValue("(sOO)", "objects", name.get(), lists_ ? Py_True : Py_False));
  }
  if (form_ == Form::kStruct) {
    PyRef plans = PyRef::steal(PyList_New(0));
    for (const std::unique_ptr<ArgumentColumn>& child : children_) {
      PyRef plan = child->plan();
      if (!plans || !plan || PyList_Append(plans.get(), plan.get()) != 0) return {};
    }
    return PyRef::steal(Py_BuildValue("(sOO)", "struct", name.get(), plans.get()));
  }
  return PyRef::steal(Py_BuildValue("(sOsO)", "fixed", name.get(), typestr_.c_str(), zone_ ? zone_.get() : Py_None));
}

PyRef ArgumentColumn::part(PartMaker& maker, const ArrowArray& array, int64_t first, const uint8_t* parent_nulls) {
  switch (form_) {
    case Form::kObjects:
      return objects_part(maker, array, first, parent_nulls);
    case Form::kStruct:
      return struct_part(maker, array, first, parent_nulls);
    case Form::kDecoded:
      return decoded_part(maker, array, first, parent_nulls);
    default:
      return fixed_part(maker, array, first, parent_nulls);
  }
}

PyRef ArgumentColumn::fixed_part(PartMaker& maker, const ArrowArray& array, int64_t first,
                                 const uint8_t* parent_nulls) const {
  Kept& kept = *maker.kept;
  const columnar::ArrayView view(array);
  const uint8_t* data = nullptr;
  if (form_ == Form::kBool) {
    uint8_t* bytes = kept.add_buffer(maker.count);
    for (int64_t i = 0; i < maker.count; ++i) bytes[i] = view.bool_at(first + i) ? 1 : 0;
    data = bytes;
  } else if (form_ == Form::kDays) {
    auto* days = reinterpret_cast<int64_t*>(kept.add_buffer(maker.count * 8));
    const int32_t* values = view.values<int32_t>() + first;
    for (int64_t i = 0; i < maker.count; ++i) days[i] = values[i];
    data = reinterpret_cast<const uint8_t*>(days);
  } else {
    data = view.fixed_at(first, columnar::byte_width(field_.type));
  }
  const uint8_t* nulls = null_bytes(kept, array, first, maker.count, parent_nulls);
  return PyRef::steal(Py_BuildValue("(KK)", static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(data)),
                                    static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(nulls))));
}

PyRef ArgumentColumn::objects_part(PartMaker& maker, const ArrowArray& array, int64_t first,
                                   const uint8_t* parent_nulls) {
  PyRef count = PyRef::steal(PyLong_FromLongLong(maker.count));
  PyRef objects = count ? PyRef::steal(PyObject_CallFunctionObjArgs(maker.new_objects, count.get(), nullptr)) : PyRef();
  PyRef interface = objects ? PyRef::steal(PyObject_GetAttrString(objects.get(), "__array_interface__")) : PyRef();
  PyObject* data = interface ? PyDict_GetItemString(interface.get(), "data") : nullptr;
  if (data == nullptr || PyTuple_Check(data) == 0) return {};
  auto** places = reinterpret_cast<PyObject**>(PyLong_AsVoidPtr(PyTuple_GetItem(data, 0)));
  if (places == nullptr) return {};
  bool read = reader_->bind(array);
  for (int64_t i = 0; read && i < maker.count; ++i) {
    PyObject* value = nullptr;
    if (parent_nulls != nullptr && parent_nulls[i] != 0) {
      value = Py_None;
      Py_INCREF(value);
    } else {
      value = reader_->read(first + i);
    }
    if (value == nullptr) {
      maker.failed_column = field_.name;
      maker.failed_row = i;
      read = false;
      break;
    }
    Py_XDECREF(std::exchange(places[i], value));
  }
  reader_->unbind();
  return read ? std::move(objects) : PyRef();
}

PyRef ArgumentColumn::struct_part(PartMaker& maker, const ArrowArray& array, int64_t first,
                                  const uint8_t* parent_nulls) {
  const uint8_t* nulls = null_bytes(*maker.kept, array, first, maker.count, parent_nulls);
  PyRef parts = PyRef::steal(PyList_New(0));
  for (size_t i = 0; parts && i < children_.size(); ++i) {
    PyRef part = children_[i]->part(maker, *array.children[i], array.offset + first, nulls);
    if (!part || PyList_Append(parts.get(), part.get()) != 0) return {};
  }
  return parts;
}

PyRef ArgumentColumn::decoded_part(PartMaker& maker, const ArrowArray& array, int64_t first,
                                   const uint8_t* parent_nulls) {
  columnar::ArrayBuilder builder(writer_->field());
  builder.reserve(maker.count);
  bool read = reader_->bind(array);
  for (int64_t i = 0; read && i < maker.count; ++i) {
    PyRef value = PyRef::steal(reader_->read(first + i));
    read = value && writer_->write(value.get(), builder);
    if (!read) {
      maker.failed_column = field_.name;
      maker.failed_row = i;
    }
  }
  reader_->unbind();
  if (!read) return {};
  return children_[0]->part(maker, maker.kept->add_array(builder.finish()), 0, parent_nulls);
}

}  // namespace clutch::pyembed
