// One value as the bytes that are kept in state, and back: by its type, or pickled where none is declared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

  // Of the keys of batches, by the option key_type; those of the type pickle are their pickles, as they are.
  static Result<Coder> of_keys(const std::string& type, const Module& module);

  // The same for a field; its type decides.
  static Result<Coder> make(columnar::Field field, const Module& module);

  // Whether values are of a declared type.
  bool typed() const { return codec_.has_value(); }

  // Many values (borrowed) at once, each as bytes behind one another: value i ends at ret_ends[i] of ret_bytes. The
  // number of them that were encoded: where it is not all, a Python error is set for that one.
  size_t encode_many(const std::vector<PyObject*>& values, const std::string& of, std::string& ret_bytes,
                     std::vector<size_t>& ret_ends);
  // The number decoded into new references, likewise.
  size_t decode_many(const std::vector<std::string_view>& bytes, const std::string& of, std::vector<PyRef>& ret_values);

  // New bytes, or NULL with a Python error set. `of` names the state: "state \"count\"".
  PyObject* encode(PyObject* value, const std::string& of);
  // A new reference, or NULL with a Python error set.
  PyObject* decode(std::string_view bytes, const std::string& of);

 private:
  explicit Coder(std::string name) : name_(std::move(name)) {}
  void set_mismatch(const std::string& of);
  void set_other_type(const Status& status, const std::string& of) const;

  std::string name_;
  std::optional<columnar::RowCodec> codec_;  // nothing: pickled
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<columnar::ArrayBuilder> builder_;
  std::optional<Pickler> pickler_;  // where there is no codec
};

}  // namespace clutch::pyembed
