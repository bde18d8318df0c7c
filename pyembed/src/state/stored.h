// States of the host as Python code uses them: five functions over numbers of states and groups, and bytes.
//
//   encode(state, part, object) -> bytes        decode(state, part, bytes) -> object
//   page(state, group, cursor) -> (pairs, next) lookup(state, group, key) -> bytes or None
//   apply(state, changes)                       read(state) -> a list with bytes or None for each group
//
// What a batch changes is kept on the Python side and applied once, so all of them read what was there before it.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/ext/state.h"
#include "plan/callback.h"
#include "state/coder.h"
#include "table/host.h"

namespace clutch::pyembed {

class StoredStates {
 public:
  static constexpr size_t kFunctions = 6;

  StoredStates() = default;
  StoredStates(const StoredStates&) = delete;
  StoredStates& operator=(const StoredStates&) = delete;

  // Declare a state with the host: the type of its values, or of its keys and values. `label` names it in messages.
  // The number it has in the functions below.
  Result<size_t> add(const Host& host, clutch_function_context* context, const clutch_state_declaration& declaration,
                     std::string label, const std::vector<std::optional<std::string>>& types, const Module& module);

  // The Python functions in the order of the head of this file. False with a Python error set.
  bool functions(PyRef (&out)[kFunctions]);

  // The functions work from here on. A batch without keys (`context` is NULL) finds nothing in its states.
  void begin(const Host& host, clutch_batch_context* context);
  // Objects that user code still holds find no state any more.
  void end() { slot_.set(nullptr); }
  // Whether there is a context to apply to.
  bool keyed() const { return context_ != nullptr; }

 private:
  struct State {
    uint32_t number;  // the host's
    std::string label;
    std::vector<Coder> parts;
  };

  static PyObject* encode(PyObject* self, PyObject* arguments);
  static PyObject* decode(PyObject* self, PyObject* arguments);
  static PyObject* page(PyObject* self, PyObject* arguments);
  static PyObject* lookup(PyObject* self, PyObject* arguments);
  static PyObject* apply(PyObject* self, PyObject* arguments);
  static PyObject* read(PyObject* self, PyObject* arguments);
  PyObject* read_page(const State& state, int group, std::string_view cursor);
  PyObject* look_up(const State& state, int group, std::string_view key);
  PyObject* apply_changes(const State& state, PyObject* changes);
  PyObject* read_all(const State& state);
  State* find(int state, int part = 0);

  std::vector<State> states_;
  Slot slot_;
  const Host* host_ = nullptr;
  clutch_batch_context* context_ = nullptr;

 public:
  std::exception_ptr thrown{};  // of a callback
};

}  // namespace clutch::pyembed
