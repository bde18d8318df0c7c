// The states of a keyed function: declared while it opens, read for all keys of a batch, written once with the batch.
#pragma once

#include <memory>

#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/executor.h"
#include "state/stored.h"

namespace clutch::pyembed {

class KeyStates {
 public:
  // `group` is the Python function that gives the number of the current key. `undoes`: rows may be taken back.
  static Result<std::unique_ptr<KeyStates>> make(const Gil& gil, const Executor::Parts& parts, PyView group,
                                                 bool undoes);
  // User code may still hold its context; it finds no states any more.
  ~KeyStates();
  KeyStates(const KeyStates&) = delete;
  KeyStates& operator=(const KeyStates&) = delete;

  // events.py's States, for open(context).
  PyObject* object() const { return object_.get(); }

  Status begin(const Gil& gil, const Host& host, const clutch_batch& batch, Failures& failures);
  // The current row is done, or is taken back. False with a Python error set.
  bool end_row() { return call("end_row"); }
  bool undo_row() { return call("undo_row"); }
  // Stage what changed with the batch.
  Status flush(const Gil& gil, const KeyedBatch& keyed, Failures& failures);
  // The batch is over.
  void end() { stored_.end(); }

 private:
  explicit KeyStates(const Executor::Parts& parts)
      : interpreter_(&parts.interpreter), host_(&parts.host), context_(parts.context) {}
  bool call(const char* method);
  static PyObject* declare(PyObject* self, PyObject* arguments);
  PyObject* declare_state(const char* name, int sort, PyObject* types, int64_t ttl_ms);

  Interpreter* interpreter_;
  const Host* host_;
  clutch_function_context* context_;
  StoredStates stored_;
  Slot slot_;
  PyRef object_;

 public:
  std::exception_ptr thrown{};  // of a callback
};

}  // namespace clutch::pyembed
