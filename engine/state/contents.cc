#include "state/contents.h"

#include <algorithm>
#include <iterator>

namespace clutch::engine {
namespace {

constexpr char kVersion = 1;

void put_number(uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

void put_bytes(std::string_view bytes, std::string& out) {
  put_number(bytes.size(), out);
  out.append(bytes);
}

void put_item(const StateItem& item, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(item.written) >> shift));
  }
  put_bytes(item.bytes, out);
}

void put_cell(const StateCell& cell, std::string& out) {
  if (const auto* item = std::get_if<StateItem>(&cell)) {
    put_item(*item, out);
  } else if (const auto* list = std::get_if<StateList>(&cell)) {
    put_number(list->size(), out);
    for (const StateItem& one : *list) put_item(one, out);
  } else {
    const StateMap& map = std::get<StateMap>(cell);
    put_number(map.size(), out);
    for (const auto& [field, one] : map) {
      put_bytes(field, out);
      put_item(one, out);
    }
  }
}

// Reads what may be anything. After the first thing that is wrong all reads give nothing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool failed() const { return why_ != nullptr; }
  bool at_end() const { return at_ == bytes_.size(); }
  Status status() const {
    return Status(CLUTCH_ERR_DATA, "the snapshot of a key group cannot be read: " + std::string(why_) + " at byte " +
                                       std::to_string(at_) + " of " + std::to_string(bytes_.size()) +
                                       "; restore from another checkpoint");
  }
  void fail(const char* why) {
    if (why_ == nullptr) why_ = why;
  }

  uint8_t byte() {
    if (failed() || at_end()) {
      fail("it ends too early");
      return 0;
    }
    return static_cast<uint8_t>(bytes_[at_++]);
  }
  uint64_t number() {
    uint64_t out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t next = byte();
      out |= static_cast<uint64_t>(next & 0x7f) << shift;
      if ((next & 0x80) == 0) return out;
    }
    fail("a number is too long");
    return 0;
  }
  std::string bytes() {
    const uint64_t size = number();
    if (failed() || size > bytes_.size() - at_) {
      fail("it ends too early");
      return {};
    }
    at_ += size;
    return std::string(bytes_.substr(at_ - size, size));
  }
  StateItem item() {
    uint64_t written = 0;
    for (int shift = 0; shift < 64; shift += 8) written |= static_cast<uint64_t>(byte()) << shift;
    return {bytes(), static_cast<int64_t>(written)};
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  const char* why_ = nullptr;
};

StateCell read_cell(StateKind kind, Reader& in) {
  if (kind == StateKind::kValue) return in.item();
  const uint64_t count = in.number();
  StateList list;
  StateMap map;
  // The count is not believed: the loop ends with the bytes.
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    if (kind == StateKind::kList) {
      list.push_back(in.item());
    } else {
      std::string field = in.bytes();
      map.insert_or_assign(std::move(field), in.item());
    }
  }
  if (count == 0) in.fail("a cell is empty");
  if (kind == StateKind::kList) return list;
  return map;
}

StateContents read_state(Reader& in) {
  StateContents state{in.bytes(), StateKind::kValue, {}};
  const uint8_t kind = in.byte();
  if (kind > static_cast<uint8_t>(StateKind::kMap)) in.fail("there is no such kind of state");
  state.kind = static_cast<StateKind>(kind);
  const uint64_t cells = in.number();
  for (uint64_t i = 0; i < cells && !in.failed(); ++i) {
    std::string key = in.bytes();
    std::string space = in.bytes();
    StateCell cell = read_cell(state.kind, in);
    if (in.failed()) break;
    if (!state.cells.emplace(CellName(std::move(key), std::move(space)), std::move(cell)).second) {
      in.fail("a cell is there twice");
    }
  }
  return state;
}

// Forget the items that have expired; true if that were all.
bool nothing_left(StateCell& cell, const StateTtl& ttl, int64_t now) {
  const auto expired = [&](const StateItem& item) { return ttl.expired(item.written, now); };
  if (const auto* item = std::get_if<StateItem>(&cell)) return expired(*item);
  if (auto* list = std::get_if<StateList>(&cell)) {
    std::erase_if(*list, expired);
    return list->empty();
  }
  auto& map = std::get<StateMap>(cell);
  std::erase_if(map, [&](const auto& entry) { return expired(entry.second); });
  return map.empty();
}

}  // namespace

size_t drop_expired(StateCells& cells, const StateTtl& ttl, int64_t now) {
  const size_t before = cells.size();
  for (auto cell = cells.begin(); cell != cells.end();) {
    cell = nothing_left(cell->second, ttl, now) ? cells.erase(cell) : std::next(cell);
  }
  return before - cells.size();
}

std::string encode_contents(std::vector<const StateContents*> states) {
  std::sort(states.begin(), states.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  std::string out(1, kVersion);
  put_number(states.size(), out);
  for (const StateContents* state : states) {
    put_bytes(state->name, out);
    out.push_back(static_cast<char>(state->kind));
    put_number(state->cells.size(), out);
    std::vector<const StateCells::value_type*> cells;
    for (const auto& cell : state->cells) cells.push_back(&cell);
    std::sort(cells.begin(), cells.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    for (const auto* cell : cells) {
      put_bytes(cell->first.first, out);
      put_bytes(cell->first.second, out);
      put_cell(cell->second, out);
    }
  }
  return out;
}

Result<std::vector<StateContents>> decode_contents(std::string_view bytes) {
  Reader in(bytes);
  if (in.byte() != kVersion) in.fail("its version is not 1");
  const uint64_t count = in.failed() ? 0 : in.number();
  std::vector<StateContents> out;
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    out.push_back(read_state(in));
    for (size_t j = 0; j + 1 < out.size(); ++j) {
      if (out[j].name == out.back().name) in.fail("a state is there twice");
    }
  }
  if (!in.failed() && !in.at_end()) in.fail("something follows its end");
  if (in.failed()) return in.status();
  return out;
}

}  // namespace clutch::engine
