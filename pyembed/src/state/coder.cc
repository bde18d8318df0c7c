#include "state/coder.h"

#include "clutch/columnar/validate.h"

namespace clutch::pyembed {
namespace {

constexpr long kProtocol = 4;  // of pickles; every version of Python that is served reads it

PyObject* bytes_object(std::string_view bytes) {
  return PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
}

}  // namespace

Result<Coder> Coder::make(std::string name, const std::optional<std::string>& type, const Module& module) {
  Coder coder(std::move(name));
  if (!type) {
    PyRef pickle = PyRef::steal(PyImport_ImportModule("pickle"));
    if (pickle) coder.dumps_ = PyRef::steal(PyObject_GetAttrString(pickle.get(), "dumps"));
    if (pickle) coder.loads_ = PyRef::steal(PyObject_GetAttrString(pickle.get(), "loads"));
    if (coder.dumps_ && coder.loads_) return coder;
    PyErr_Clear();
    return Status(CLUTCH_ERR_UNSUPPORTED, "this interpreter has no module pickle; declare the type of the state");
  }
  CLUTCH_ASSIGN_OR_RETURN(columnar::Type parsed, columnar::parse_type(*type));
  const columnar::Field field{coder.name_, std::move(parsed), true};
  CLUTCH_ASSIGN_OR_RETURN(columnar::RowCodec codec, columnar::RowCodec::make(field));
  coder.codec_.emplace(std::move(codec));
  coder.builder_ = std::make_unique<columnar::ArrayBuilder>(field);
  CLUTCH_ASSIGN_OR_RETURN(coder.reader_, Reader::make(field, module));
  CLUTCH_ASSIGN_OR_RETURN(coder.writer_, Writer::make(field, module));
  return coder;
}

PyObject* Coder::encode(PyObject* value, const std::string& of) {
  if (!codec_) return PyObject_CallFunction(dumps_.get(), "Ol", value, kProtocol);
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
  if (!codec_) {
    PyRef given = PyRef::steal(bytes_object(bytes));
    return given ? PyObject_CallFunctionObjArgs(loads_.get(), given.get(), nullptr) : nullptr;
  }
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
