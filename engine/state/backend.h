// Where keyed state lies: bytes by state, key and namespace, in memory or on disk. An operator's subtask has one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/columnar/result.h"
#include "state/descriptor.h"

namespace clutch::engine {

using StateId = uint32_t;

// One cell. The namespace tells the windows of a key apart, and is empty where there are none. The key decides the key
// group. Borrowed for the call.
struct StateAddress {
  StateId state;
  std::string_view key;
  std::string_view space = {};
};

// One change of a batch. Borrowed for the call.
struct StateChange {
  enum class Op : uint8_t {
    kSet,     // a value, or the entry `field` of a map
    kAppend,  // an item to a list
    kRemove,  // the entry `field` of a map
    kClear,   // the cell
    kTouch,   // it was read: the cell, or the entry `field`. What has expired goes; the rest begins its time anew if
              // the state's reads count
  };
  StateAddress at;
  Op op;
  std::optional<std::string_view> field = {};
  std::string_view bytes = {};
};

// Which part of a list or a map to look at.
struct StatePageRequest {
  StateAddress at;
  uint64_t first = 0;                          // of a list: so many items are in front of the page
  std::optional<std::string_view> after = {};  // of a map: the page begins behind this field
  uint64_t max_bytes = UINT64_MAX;             // about; a page has one entry at least if any is left
};

struct StatePage {
  std::vector<std::pair<std::string_view, std::string_view>> entries;  // by field; those of a list have none
  bool more = false;
};

// Not thread-safe. Values come back as copies. Every call fails with CLUTCH_ERR_ARGUMENT for an id that was not
// declared, for another kind than the declared one, and for a key whose group this subtask does not hold; nothing has
// changed then. A cell without contents does not exist: an emptied list or map is as one never written.
class StateBackend {
 public:
  virtual ~StateBackend() = default;

  // Name a state. The same name and descriptor give the same id; another kind or time to live under a name that is
  // taken is CLUTCH_ERR_ARGUMENT. A name that restore() brought takes the time to live of its first declaration.
  virtual Result<StateId> declare(const StateDescriptor& descriptor) = 0;

  virtual Result<std::optional<std::string>> value(const StateAddress& at) = 0;
  virtual Status set_value(const StateAddress& at, std::string_view bytes) = 0;

  virtual Result<std::vector<std::string>> list(const StateAddress& at) = 0;
  virtual Status append(const StateAddress& at, std::span<const std::string_view> items) = 0;
  // Append the items of lists of the same state and key to the list at `at`, in order, with their ages; the lists they
  // came from are cleared. None of them may be `at`.
  virtual Status merge_lists(const StateAddress& at, std::span<const std::string_view> from_spaces) = 0;

  using Entries = std::vector<std::pair<std::string, std::string>>;
  virtual Result<std::optional<std::string>> entry(const StateAddress& at, std::string_view field) = 0;
  virtual Status set_entry(const StateAddress& at, std::string_view field, std::string_view bytes) = 0;
  virtual Status remove_entry(const StateAddress& at, std::string_view field) = 0;
  // Up to `limit` entries behind the field `after` (from the first without it), by the bytes of their fields.
  virtual Result<Entries> entries(const StateAddress& at, std::optional<std::string_view> after, size_t limit) = 0;

  virtual Status clear(const StateAddress& at) = 0;

  // Batches. `now` is the processing time of the batch, and not the clock's. Looking is not reading: it changes nothing
  // and refreshes nothing (kTouch does), and gives what is to be seen at `now`, borrowed until the next call.
  using View = std::optional<std::string_view>;
  // The values of many cells without a namespace, one for each key.
  virtual Status look(StateId state, std::span<const std::string_view> keys, int64_t now,
                      std::span<View> ret_values) = 0;
  // The entry `fields[i]` of the map of `keys[i]`.
  virtual Status look_fields(StateId state, std::span<const std::string_view> keys,
                             std::span<const std::string_view> fields, int64_t now, std::span<View> ret_values) = 0;
  virtual Status look_page(const StatePageRequest& request, int64_t now, StatePage& ret_page) = 0;
  // Make all changes, in order, or none of them.
  virtual Status apply(std::span<const StateChange> changes, int64_t now) = 0;

  // All states of a key group as bytes, without what has expired. The same contents give the same bytes.
  virtual Result<std::string> snapshot(int32_t key_group) = 0;
  // Make a key group what a snapshot says, whichever subtask and backend wrote it. CLUTCH_ERR_DATA for bytes that are
  // none, CLUTCH_ERR_ARGUMENT for a state that is declared with another kind; nothing has changed then.
  virtual Status restore(int32_t key_group, std::string_view snapshot) = 0;
};

}  // namespace clutch::engine
