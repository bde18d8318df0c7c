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
  const columnar::Field field{coder.name_, std::move(parsed), true};
  CLUTCH_ASSIGN_OR_RETURN(columnar::RowCodec codec, columnar::RowCodec::make(field));
  coder.codec_.emplace(std::move(codec));
  coder.builder_ = std::make_unique<columnar::ArrayBuilder>(field);
  CLUTCH_ASSIGN_OR_RETURN(coder.reader_, Reader::make(field, module));
  CLUTCH_ASSIGN_OR_RETURN(coder.writer_, Writer::make(field, module));
  if (coder.name_ == kKey) coder.writer_->use_for_keys();
  return coder;
}

PyObject* Coder::encode(PyObject* value, const std::string& of) {
  if (!codec_) {
    std::string_view pickled;
    return pickler_->dump(value, pickled) ? bytes_object(pickled) : nullptr;
  }
  if (!writer_->write(value, *builder_)) {
    if (PyErr_Occurred() != nullptr) return nullptr;
    Mismatch mismatch = writer_->take_mismatch();
    mismatch.hint.clear();
    PyErr_SetString(PyExc_TypeError, mismatch.sentence(name_ + " of " + of).c_str());
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
    PyErr_SetString(PyExc_ValueError,
                    (of + " holds another type than declared: " + std::string(status.message())).c_str());
    return nullptr;
  }
  PyObject* value = reader_->bind(*array) ? reader_->read(0) : nullptr;
  reader_->unbind();
  return value;
}

}  // namespace clutch::pyembed
