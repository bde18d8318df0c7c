// A value state as Python code uses it: an object with value(), update() and clear() for the current key. All keys of a
// batch are read and decoded at once, and what changed is encoded and written once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "state/stored.h"

namespace clutch::pyembed {

// Whose state is meant: set before each call of user code.
struct CurrentKey {
  int32_t group = -1;        // -1: nobody's
  const char* refusal = "";  // what is said where there is none
  // False with a Python error set where there is no current key.
  bool check() const {
    if (group >= 0) [[likely]]
      return true;
    PyErr_SetString(PyExc_RuntimeError, refusal);
    return false;
  }
};

class ValueCells {
 public:
  // `state` is a value state of `stored`, declared so. Everything given but the declaration outlives this object.
  ValueCells(StoredStates& stored, size_t state, const CurrentKey& key, const clutch_state_declaration& declaration)
      : stored_(stored),
        state_(state),
        key_(key),
        expires_(declaration.ttl_ms > 0),
        touches_(expires_ && (declaration.ttl_update != 0 || declaration.ttl_visibility != 0)) {}
  // The Python object may live longer, and finds nothing then.
  ~ValueCells();
  ValueCells(const ValueCells&) = delete;
  ValueCells& operator=(const ValueCells&) = delete;

  // The class of the objects; a new reference, NULL with a Python error set.
  static PyObject* make_type();
  // Make the object of this state. False with a Python error set.
  bool make(PyObject* type);
  PyObject* object() const { return object_.get(); }

  // A batch with so many keys begins.
  void begin(int32_t groups);
  // Objects become bytes: from here on what was done cannot be taken back. False with a Python error set and
  // failed_at() telling for which key.
  bool settle();
  // Take back what was done to the current key since settle().
  void forget();
  // settle(), and stage what changed with the batch.
  bool flush();
  int32_t failed_at() const { return failed_at_; }
  // The batch is over.
  void end();

  // What the methods do. New references, or NULL with a Python error set.
  PyObject* value();
  PyObject* update(PyObject* value);

 private:
  struct Cell {
    PyRef object;                      // as it was read or given
    std::optional<std::string> bytes;  // of settle(); nothing there: as stored
    bool touched = false;              // the object is newer than the bytes
    bool settled = false;              // the bytes are newer than those stored
    bool read = false;                 // where the host is to know that
  };

  bool read();
  bool load(Cell& cell, int32_t group);
  std::optional<std::string_view> stored_bytes(int32_t group) const;

  StoredStates& stored_;
  const size_t state_;
  const CurrentKey& key_;
  const bool expires_;  // a write counts also where it changes nothing
  const bool touches_;  // the host is to know what was read
  PyRef object_;
  std::vector<Cell> cells_;
  std::vector<int32_t> touched_;
  std::vector<int32_t> settled_;
  std::vector<int32_t> read_;
  columnar::Array found_;  // what the host has; released until it is read
  int32_t failed_at_ = -1;
  // Kept to keep their memory.
  std::vector<PyObject*> values_;
  std::string bytes_;
  std::vector<size_t> ends_;
};

}  // namespace clutch::pyembed
