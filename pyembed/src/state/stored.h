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

  // The same for a state whose values `coder` writes; keys of a map are bytes.
  Result<size_t> add(const Host& host, clutch_function_context* context, const clutch_state_declaration& declaration,
                     std::string label, Coder coder);

  // Needed before begin() where functions() is not called. False with a Python error set.
  bool make() { return slot_.object() != nullptr || slot_.make(); }

  // The Python functions in the order of the head of this file. False with a Python error set.
  bool functions(PyRef (&out)[kFunctions]);

  // The functions work from here on. A batch without keys (`context` is NULL) finds nothing in its states.
  void begin(const Host& host, clutch_batch_context* context);
  // Objects that user code still holds find no state any more.
  void end() {
    if (slot_.object() != nullptr) slot_.set(nullptr);
  }
  // The same for native code; `state` is what add() gave. The values of a value state, one row a key of the batch:
  // false with a Python error set.
  bool read_values(size_t state, columnar::Array& ret_values) const;
  // Map entries of many keys: the host's answer to `keys` as clutch_host_state.lookup says. False with a Python error.
  bool look_up(size_t state, const ArrowArray& keys, columnar::Array& ret_values) const;
  // Stage changes, made with changes_builder().
  bool apply(size_t state, columnar::ArrayBuilder& changes) const;
  static columnar::ArrayBuilder changes_builder(size_t changes = 0);
  static void add_change(columnar::ArrayBuilder& changes, int32_t key, int8_t op,
                         std::optional<std::string_view> map_key, std::optional<std::string_view> value);
  Coder& coder(size_t state, size_t part) { return states_[state].parts[part]; }
  const std::string& label(size_t state) const { return states_[state].label; }
  // Whether there is a context to apply to.
  bool keyed() const { return context_ != nullptr; }

 private:
  struct State {
    uint32_t number;  // the host's
    std::string label;
    std::vector<Coder> parts;
  };

  Result<size_t> declare(const Host& host, clutch_function_context* context,
                         const clutch_state_declaration& declaration, State added);
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
