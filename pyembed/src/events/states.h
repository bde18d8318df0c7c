// The states of a keyed function: declared while it opens, read for all keys of a batch, written once with the batch.
#pragma once

#include <memory>

#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/executor.h"
#include "state/stored.h"
#include "state/values.h"

namespace clutch::pyembed {

class KeyStates {
 public:
  // `key` says whose state is meant, and outlives this object. `undoes`: rows may be taken back.
  static Result<std::unique_ptr<KeyStates>> make(const Gil& gil, const Executor::Parts& parts, CurrentKey& key,
                                                 bool undoes);
  // User code may still hold its context; it finds no states any more.
  ~KeyStates();
  KeyStates(const KeyStates&) = delete;
  KeyStates& operator=(const KeyStates&) = delete;

  // events.py's States, for open(context).
  PyObject* object() const { return object_.get(); }

  // `operator_group`: the key whose state is that of the whole operator, -1 if there is none.
  Status begin(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed,
               int32_t operator_group, Failures& failures);
  // The current row is done, or is taken back. False with a Python error set.
  bool end_row();
  bool undo_row();
  // Stage what changed with the batch.
  Status flush(const Gil& gil, const KeyedBatch& keyed, Failures& failures);
  // The batch is over.
  void end();

 private:
  KeyStates(const Executor::Parts& parts, CurrentKey& key)
      : interpreter_(&parts.interpreter), host_(&parts.host), context_(parts.context), key_(&key) {}
  bool call(const char* method, PyObject* argument = nullptr);
  static PyObject* declare(PyObject* self, PyObject* arguments);
  static PyObject* group(PyObject* self, PyObject*);
  PyObject* declare_state(const clutch_state_declaration& declaration, const char* label, PyObject* types);

  Interpreter* interpreter_;
  const Host* host_;
  clutch_function_context* context_;
  CurrentKey* key_;
  StoredStates stored_;
  std::vector<std::unique_ptr<ValueCells>> values_;
  Slot slot_;         // this object for as long as it lives
  bool open_ = true;  // states may be declared
  PyRef value_type_, object_;

 public:
  std::exception_ptr thrown{};  // of a callback
};

}  // namespace clutch::pyembed
