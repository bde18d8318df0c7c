#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "window/merging_windows.h"
#include "window_text.h"

namespace clutch::engine {
namespace {

using Windows = std::vector<Window>;

TEST(MergingWindows, AWindowAloneIsNamedAfterItself) {
  MergingWindows windows;
  const Merge merge = windows.add({0, 5});
  EXPECT_EQ(merge.window, (Window{0, 5}));
  EXPECT_EQ(merge.state, (Window{0, 5}));
  EXPECT_EQ(merge.merged, Windows{});
  EXPECT_EQ(windows.state_of({0, 5}), (Window{0, 5}));
  EXPECT_EQ(windows.state_of({0, 6}), std::nullopt);
}

TEST(MergingWindows, GrowingKeepsTheNameAndMovesNothing) {
  MergingWindows windows;
  windows.add({0, 5});
  const Merge merge = windows.add({5, 9});  // touches
  EXPECT_EQ(merge.window, (Window{0, 9}));
  EXPECT_EQ(merge.state, (Window{0, 5}));
  EXPECT_EQ(merge.merged, (Windows{{0, 5}}));
  EXPECT_EQ(merge.merged_states, Windows{});
  EXPECT_EQ(windows.state_of({0, 5}), std::nullopt);
  EXPECT_EQ(windows.state_of({0, 9}), (Window{0, 5}));
}

TEST(MergingWindows, AWindowInsideAnotherMergesNothing) {
  MergingWindows windows;
  windows.add({0, 10});
  const Merge merge = windows.add({3, 6});
  EXPECT_EQ(merge.window, (Window{0, 10}));
  EXPECT_EQ(merge.merged, Windows{});
  EXPECT_EQ(windows.size(), 1U);
}

TEST(MergingWindows, ABridgeJoinsAllThatItTouches) {
  MergingWindows windows;
  windows.add({20, 25});
  windows.add({0, 5});
  windows.add({10, 12});
  windows.add({40, 41});
  const Merge merge = windows.add({4, 21});
  EXPECT_EQ(merge.window, (Window{0, 25}));
  EXPECT_EQ(merge.state, (Window{0, 5}));
  EXPECT_EQ(merge.merged, (Windows{{0, 5}, {10, 12}, {20, 25}}));
  EXPECT_EQ(merge.merged_states, (Windows{{10, 12}, {20, 25}}));
  EXPECT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows.state_of({40, 41}), (Window{40, 41}));
}

TEST(MergingWindows, ARetiredWindowIsGone) {
  MergingWindows windows;
  windows.add({0, 5});
  EXPECT_FALSE(windows.retire({0, 4}));
  EXPECT_TRUE(windows.retire({0, 5}));
  EXPECT_TRUE(windows.empty());
  EXPECT_EQ(windows.add({4, 6}).window, (Window{4, 6}));
}

// Whatever is added, the windows are the connected parts of all that was added, and following the moves of contents
// finds every added window's contents under its window's name.
TEST(MergingWindows, HoldTheConnectedPartsAndLoseNoContents) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    MergingWindows windows;
    std::map<Window, std::set<Window>> contents;  // by name
    Windows parts;                                // the model
    for (int i = 0; i < 60; ++i) {
      const int64_t start = static_cast<int64_t>(random() % 400) - 200;
      const Window added{start, start + 1 + static_cast<int64_t>(random() % 6)};
      const Merge merge = windows.add(added);
      for (const Window source : merge.merged_states) {
        ASSERT_NE(source, merge.state);
        contents[merge.state].merge(contents[source]);
        contents.erase(source);
      }
      contents[merge.state].insert(added);

      Window cover = added;
      for (bool again = true; again;) {
        again = std::erase_if(parts, [&](const Window& part) {
                  if (!part.touches(cover)) return false;
                  cover = cover.cover(part);
                  return true;
                }) > 0;
      }
      parts.push_back(cover);
      ASSERT_EQ(merge.window, cover) << "seed " << seed;
      ASSERT_EQ(windows.size(), parts.size());
      for (const Window part : parts) {
        const auto state = windows.state_of(part);
        ASSERT_TRUE(state.has_value()) << part;
        for (const Window inside : contents.at(*state)) {
          ASSERT_TRUE(part.start <= inside.start && inside.end <= part.end) << inside << " in " << part;
        }
      }
      ASSERT_EQ(contents.size(), parts.size());
    }
  }
}

}  // namespace
}  // namespace clutch::engine
