// One value as the bytes that are kept in state, and back: by its type, or pickled where none is declared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clutch/columnar/row_codec.h"
#include "convert/convert.h"
#include "convert/pickler.h"

namespace clutch::pyembed {

class Coder {
 public:
  // `type` is its text, such as BIGINT or ROW<a INT>; nothing for pickled values. `name` is what the value is to its
  // state ("element", "value", or "key", which others are found by). Fails with a sentence for a type that is unknown
  // or cannot be stored.
  static Result<Coder> make(std::string name, const std::optional<std::string>& type, const Module& module);

  // New bytes, or NULL with a Python error set. `of` names the state: "state \"count\"".
  PyObject* encode(PyObject* value, const std::string& of);
  // A new reference, or NULL with a Python error set.
  PyObject* decode(std::string_view bytes, const std::string& of);

 private:
  explicit Coder(std::string name) : name_(std::move(name)) {}

  std::string name_;
  std::optional<columnar::RowCodec> codec_;  // nothing: pickled
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<columnar::ArrayBuilder> builder_;
  std::optional<Pickler> pickler_;  // where there is no codec
};

}  // namespace clutch::pyembed
