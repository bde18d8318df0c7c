#include "state/coder.h"

#include "clutch/columnar/validate.h"

namespace clutch::pyembed {
namespace {

constexpr std::string_view kKey = "key";  // the name of what others are found by

PyObject* bytes_object(std::string_view bytes) {
  return PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
}

}  // namespace

Result<Coder> Coder::make(std::string name, const std::optional<std::string>& type, const Module& module) {
  Coder coder(std::move(name));
  if (!type) {
    CLUTCH_ASSIGN_OR_RETURN(Pickler pickler, Pickler::make(module.layout()));
    coder.pickler_.emplace(std::move(pickler));
    if (coder.name_ == kKey) coder.pickler_->use_for_keys();
    return coder;
  }
  CLUTCH_ASSIGN_OR_RETURN(columnar::Type parsed, columnar::parse_type(*type));
  return make(columnar::Field{coder.name_, std::move(parsed), true}, module);
}

Result<Coder> Coder::of_keys(const std::string& type, const Module& module) {
  Result<Coder> coder = make(std::string(kKey), type == "pickle" ? std::nullopt : std::optional(type), module);
  if (!coder.ok()) return std::move(coder).status().prefixed("option key_type");
  return coder;
}

Result<Coder> Coder::make(columnar::Field field, const Module& module) {
  Coder coder(field.name);
  field.nullable = true;
  CLUTCH_ASSIGN_OR_RETURN(columnar::RowCodec codec, columnar::RowCodec::make(field));
  coder.codec_.emplace(std::move(codec));
  coder.builder_ = std::make_unique<columnar::ArrayBuilder>(field);
  CLUTCH_ASSIGN_OR_RETURN(coder.reader_, Reader::make(field, module));
  CLUTCH_ASSIGN_OR_RETURN(coder.writer_, Writer::make(field, module));
  if (coder.name_ == kKey) coder.writer_->use_for_keys();
  return coder;
}

void Coder::set_mismatch(const std::string& of) {
  if (PyErr_Occurred() != nullptr) return;
  Mismatch mismatch = writer_->take_mismatch();
  mismatch.hint.clear();
  PyErr_SetString(PyExc_TypeError, mismatch.sentence(name_ + " of " + of).c_str());
}

void Coder::set_other_type(const Status& status, const std::string& of) const {
  PyErr_SetString(PyExc_ValueError,
                  (of + " holds another type than declared: " + std::string(status.message())).c_str());
}

size_t Coder::encode_many(const std::vector<PyObject*>& values, const std::string& of, std::string& ret_bytes,
                          std::vector<size_t>& ret_ends) {
  ret_bytes.clear();
  ret_ends.clear();
  size_t done = 0;
  if (!codec_) {
    for (; done < values.size(); ++done) {
      std::string_view pickled;
      if (!pickler_->dump(values[done], pickled)) break;
      ret_bytes.append(pickled);
      ret_ends.push_back(ret_bytes.size());
    }
    return done;
  }
  done = static_cast<size_t>(writer_->write_many(values.data(), static_cast<int64_t>(values.size()), *builder_));
  if (done < values.size()) set_mismatch(of);
  const columnar::Array array = builder_->finish();
  for (size_t i = 0; i < done; ++i) {
    codec_->encode(*array, static_cast<int64_t>(i), ret_bytes);
    ret_ends.push_back(ret_bytes.size());
  }
  return done;
}

size_t Coder::decode_many(const std::vector<std::string_view>& bytes, const std::string& of,
                          std::vector<PyRef>& ret_values) {
  ret_values.clear();
  ret_values.reserve(bytes.size());
  if (!codec_) {
    for (const std::string_view one : bytes) {
      PyRef value = PyRef::steal(decode(one, of));
      if (!value) break;
      ret_values.push_back(std::move(value));
    }
    return ret_values.size();
  }
  Status status;
  builder_->reserve(static_cast<int64_t>(bytes.size()));
  for (size_t i = 0; i < bytes.size() && status.ok(); ++i) status = codec_->decode(bytes[i], *builder_);
  const columnar::Array array = builder_->finish();
  if (status.ok()) status = columnar::validate(codec_->field(), *array, columnar::Depth::kFull);
  if (!status.ok()) {
    set_other_type(status, of);
    return static_cast<size_t>(array->length) < bytes.size() ? static_cast<size_t>(array->length) : 0;
  }
  std::vector<PyObject*> read(bytes.size());
  int64_t done = 0;
  if (reader_->bind(*array)) done = reader_->read_many(0, array->length, read.data());
  for (int64_t i = 0; i < done; ++i) ret_values.push_back(PyRef::steal(read[static_cast<size_t>(i)]));
  reader_->unbind();
  return ret_values.size();
}

PyObject* Coder::encode(PyObject* value, const std::string& of) {
  if (!codec_) {
    std::string_view pickled;
    return pickler_->dump(value, pickled) ? bytes_object(pickled) : nullptr;
  }
  if (!writer_->write(value, *builder_)) {
    set_mismatch(of);
    return nullptr;
  }
  const columnar::Array array = builder_->finish();
  std::string bytes;
  codec_->encode(*array, 0, bytes);
  return bytes_object(bytes);
}

PyObject* Coder::decode(std::string_view bytes, const std::string& of) {
  if (!codec_) return pickler_->load(bytes);
  Status status = codec_->decode(bytes, *builder_);
  const columnar::Array array = builder_->finish();
  if (status.ok()) status = columnar::validate(codec_->field(), *array, columnar::Depth::kFull);
  if (!status.ok()) {
    set_other_type(status, of);
    return nullptr;
  }
  PyObject* value = reader_->bind(*array) ? reader_->read(0) : nullptr;
  reader_->unbind();
  return value;
}

}  // namespace clutch::pyembed
