// Any Python object as bytes, and back: what a column of type pickle holds, and state without a declared type.
//
// The format is pickle's protocol 5, which every Python from 3.8 on has. Objects of the program itself (its module
// __main__, of which another process has another one) and what pickle does not take go to cloudpickle, where that is
// installed: it takes functions and classes along.
#pragma once

#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "convert/layout.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

// Belongs to one reader or writer.
class Pickler {
 public:
  // Fails with CLUTCH_ERR_UNSUPPORTED where the interpreter has no module pickle.
  static Result<Pickler> make(const ObjectLayout& layout);

  // Objects are keys from now on: those of the same structure give the same bytes, which pickle does not promise (it
  // notes which parts are the same object). Objects that contain themselves are refused then.
  void use_for_keys() { keys_ = true; }

  // The pickle, valid until the next call. False with a Python error set.
  bool dump(PyObject* value, std::string_view& ret_bytes);

  // A new reference, or NULL with a Python error set. Runs what the pickle says: bytes of a stranger run his code.
  PyObject* load(std::string_view bytes) const;

 private:
  Pickler() = default;
  PyRef dump_object(PyObject* value) const;
  PyRef dump_equal(PyObject* value, PyObject* pickler) const;
  PyRef dump_by_value(PyObject* value);
  bool find_cloudpickle();

  const ObjectLayout* layout_ = nullptr;
  PyRef dumps_, loads_, pickler_, file_, protocol_;
  PyRef cloud_dumps_, cloud_pickler_;  // of cloudpickle; empty until they are needed, None where it is not there
  PyRef by_value_;                     // the last type whose objects only cloudpickle took
  bool keys_ = false;
  std::string plain_;
  PyRef given_;
};

}  // namespace clutch::pyembed
