// Keyed state in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/key_group.h"
#include "state/backend.h"
#include "state/contents.h"
#include "time/clock.h"

namespace clutch::engine {

class MemoryBackend final : public StateBackend {
 public:
  // For the key groups of one subtask. `clock` gives the processing time that ages are measured in, and must outlive
  // the backend.
  MemoryBackend(KeyGroups groups, int32_t subtask, const Clock& clock)
      : groups_(groups), range_(groups.range_of(subtask)), clock_(&clock) {}

  Result<StateId> declare(const StateDescriptor& descriptor) override;
  Result<std::optional<std::string>> value(const StateAddress& at) override;
  Status set_value(const StateAddress& at, std::string_view bytes) override;
  Result<std::vector<std::string>> list(const StateAddress& at) override;
  Status append(const StateAddress& at, std::span<const std::string_view> items) override;
  Status merge_lists(const StateAddress& at, std::span<const std::string_view> from_spaces) override;
  Result<std::optional<std::string>> entry(const StateAddress& at, std::string_view field) override;
  Status set_entry(const StateAddress& at, std::string_view field, std::string_view bytes) override;
  Status remove_entry(const StateAddress& at, std::string_view field) override;
  Result<Entries> entries(const StateAddress& at, std::optional<std::string_view> after, size_t limit) override;
  Status clear(const StateAddress& at) override;
  Status look(StateId state, std::span<const std::string_view> keys, int64_t now, std::span<View> ret_values) override;
  Status look_fields(StateId state, std::span<const std::string_view> keys, std::span<const std::string_view> fields,
                     int64_t now, std::span<View> ret_values) override;
  Status look_page(const StatePageRequest& request, int64_t now, StatePage& ret_page) override;
  Status apply(std::span<const StateChange> changes, int64_t now) override;
  Result<std::string> snapshot(int32_t key_group) override;
  Status restore(int32_t key_group, std::string_view snapshot) override;

  // Whether apply() would take these changes.
  Status check(std::span<const StateChange> changes);

  // Forget what has expired in the next key group, in turn, so that a few calls a second keep memory in bounds. Returns
  // the number of cells that are no more.
  size_t sweep();

  // Cells there are; expired ones count until they are found.
  size_t cell_count() const;

 private:
  struct State {
    StateDescriptor descriptor;
    bool declared;                   // or only known from a snapshot, yet without its time to live
    std::vector<StateGroup> groups;  // by key group, from the first of the range
  };
  // One cell's place, whether or not there is a cell.
  struct Place {
    State* state;
    CellTable* cells;
    uint32_t hash;          // of the key
    CellTable::Cell* cell;  // nullptr: there is none
  };

  Result<State*> find_state(StateId state, std::optional<StateKind> kind);
  // The table of a key's group; nullptr: it is not held here.
  CellTable* table_of(State& state, uint32_t hash) const {
    const int32_t group = groups_.group_of(hash);
    return range_.contains(group) ? &state.groups[static_cast<size_t>(group - range_.first)].cells : nullptr;
  }
  Status not_held(uint32_t hash) const { return check_group(groups_.group_of(hash)); }
  Result<Place> find(const StateAddress& at, std::optional<StateKind> kind);
  Status check_group(int32_t group) const;
  State& add_state(StateDescriptor descriptor, bool declared);
  State* state_named(std::string_view name);
  // Find the cell's contents of type T, or make them.
  template <typename T>
  static T& contents(Place& place, const StateAddress& at) {
    if (place.cell == nullptr) place.cell = &place.cells->add(place.hash, at.key, at.space, T());
    return std::get<T>(place.cell->contents);
  }
  static void forget(Place& place);
  // hashes_ and tables_ of the keys, whose memory is on its way; the cell some places behind `i`, too.
  Status fetch(State& state, std::span<const std::string_view> keys);
  void fetch_ahead(size_t i) const;
  // Whether the state takes the change; the message says why not.
  bool fits(const StateChange& change) const;
  Status misfit(const StateChange& change);
  static void apply(const StateChange& change, int64_t now, Place& place);
  // Look at an item: refresh it if reads count. Sets `drop` if it has expired, and tells if it is still to be seen.
  bool look(const State& state, StateItem& item, bool& drop) const;

  KeyGroups groups_;
  KeyGroupRange range_;
  const Clock* clock_;
  std::vector<State> states_;
  size_t next_sweep_ = 0;

  // Of the keys of a batch.
  std::vector<uint32_t> hashes_;
  std::vector<CellTable*> tables_;
};

}  // namespace clutch::engine
