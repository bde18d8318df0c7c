// The table of cells against a map, with hashes that collide on purpose.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "exchange/key_group.h"
#include "state/cell_table.h"

namespace clutch::engine {
namespace {

using Name = std::pair<std::string, std::string>;

// `hashes`: how many different ones the keys have.
void compare(unsigned seed, uint32_t hashes) {
  std::mt19937 random(seed);
  CellTable table;
  std::map<Name, std::string> model;
  for (int step = 0; step < 4000; ++step) {
    const Name name{"k" + std::to_string(random() % 60), random() % 3 == 0 ? "w" : ""};
    const uint32_t hash = hash_key(name.first) % hashes;
    CellTable::Cell* found = table.find(hash, name.first, name.second);
    ASSERT_EQ(found != nullptr, model.contains(name)) << seed << " " << step;
    const std::string bytes = std::to_string(step);
    if (random() % 2 == 0) {
      if (found == nullptr) found = &table.add(hash, name.first, name.second, StateItem{});
      std::get<StateItem>(found->contents).bytes = bytes;
      model[name] = bytes;
    } else if (found != nullptr) {
      table.erase(*found);
      model.erase(name);
    }
    if (step % 500 == 499) {
      const auto odd = [](const std::string& text) { return (text.back() - '0') % 2 == 1; };
      const size_t gone = table.erase_if([&](StateContents& cell) { return odd(std::get<StateItem>(cell).bytes); });
      EXPECT_EQ(gone, std::erase_if(model, [&](const auto& item) { return odd(item.second); }));
    }
    ASSERT_EQ(table.size(), model.size());
  }
  std::map<Name, std::string> left;
  for (const CellTable::Cell& cell : table) left[{cell.key, cell.space}] = std::get<StateItem>(cell.contents).bytes;
  EXPECT_EQ(left, model);
}

TEST(CellTable, IsLikeAMap) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    for (const uint32_t hashes : {1U, 4U, 97U, UINT32_MAX}) compare(seed, hashes);
  }
}

TEST(CellTable, FetchingIsAllowedAtAnyTime) {
  CellTable table;
  table.fetch(7);
  table.fetch_cell(7);
  const CellTable::Cell& cell = table.add(7, "key", "", StateItem{"x", 1});
  table.fetch(7);
  table.fetch_cell(7);
  EXPECT_EQ(&cell, table.find(7, "key", ""));
  table.clear();
  EXPECT_EQ(nullptr, table.find(7, "key", ""));
  EXPECT_TRUE(table.empty());
}

}  // namespace
}  // namespace clutch::engine
