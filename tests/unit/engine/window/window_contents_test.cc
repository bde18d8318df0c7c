// Events as a runtime plays them: results must be those of elements that are kept as the tracker's actions say.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "exchange/batches.h"
#include "manual_clock.h"
#include "state/memory_backend.h"
#include "window/contents.h"
#include "window_text.h"

namespace clutch::engine {
namespace {

using Elements = std::vector<int64_t>;
// key, window, elements in order
using Fired = std::vector<std::tuple<std::string, Window, Elements>>;

template <typename T>
T at(const ArrowArray& column, int64_t row) {
  return columnar::ArrayView(column).values<T>()[row];
}

// Keeps elements where a runtime keeps accumulators: by key and name of the cell, or (contents) for one firing.
class Player {
 public:
  explicit Player(bool contents) : contents_(contents) {}

  void play(const WindowEventBatch::Columns& batch) {
    const ArrowArray& rows = *batch.rows;
    const int64_t first = rows.n_children - 5;
    std::map<int32_t, std::pair<std::string, Window>> cells;
    for (int64_t row = 0; row < rows.length; ++row) {
      const auto cell = at<int32_t>(*rows.children[first + 1], row);
      const Window window{at<int64_t>(*rows.children[first + 3], row), at<int64_t>(*rows.children[first + 4], row)};
      const std::string key = key_of(batch, row);
      const auto op = static_cast<WindowOp>(at<int8_t>(*rows.children[first], row));
      if (op == WindowOp::kCell) {
        EXPECT_TRUE(cells.emplace(cell, std::pair(key, window)).second) << "cell " << cell << " is named twice";
        continue;
      }
      ASSERT_TRUE(cells.contains(cell)) << "cell " << cell << " has no name";
      ASSERT_EQ(cells[cell].first, key);
      Elements& elements = kept_[cells[cell]];
      if (op == WindowOp::kAdd) {
        elements.push_back(at<int64_t>(*rows.children[0], row));
      } else if (op == WindowOp::kFire) {
        fired.emplace_back(key, window, elements);
        if (contents_) kept_.erase(cells[cell]);
      } else if (op == WindowOp::kMerge) {
        Elements& from = kept_[cells.at(at<int32_t>(*rows.children[first + 2], row))];
        elements.insert(elements.end(), from.begin(), from.end());
        from.clear();
      } else if (op == WindowOp::kClear) {
        cleared.emplace_back(key, window);
      } else {
        kept_.erase(cells[cell]);
      }
      EXPECT_EQ(columnar::ArrayView(*rows.children[0]).is_null(row), op != WindowOp::kAdd);
    }
  }

  Fired fired;
  std::vector<std::pair<std::string, Window>> cleared;

 private:
  static std::string key_of(const WindowEventBatch::Columns& batch, int64_t row) {
    const auto place = at<int32_t>(*batch.key_index, row);
    return std::string(columnar::ArrayView(*batch.keys).bytes_at<int32_t>(place));
  }
  bool contents_;
  std::map<std::pair<std::string, Window>, Elements> kept_;
};

columnar::Field value_field() { return {"value", *columnar::parse_type("int64"), true}; }

// One tracker with its contents; steps come as batches of (key, timestamp), with values 0, 1, 2, ...
class Stage {
 public:
  Stage(WindowAssigner assigner, Trigger trigger, int64_t lateness, bool contents, std::optional<Evictor> evictor = {})
      : tracker_(*WindowTracker::make(assigner, trigger, lateness, 0)), player(contents) {
    if (contents) {
      Result<ListedContents> made = ListedContents::make({value_field()}, backend_, keys_, evictor, true);
      EXPECT_TRUE(made.ok());
      contents_ = std::make_unique<ListedContents>(std::move(*made));
    } else {
      contents_ = std::make_unique<FoldedContents>(value_field(), true);
    }
  }

  void add(const std::vector<std::pair<std::string, int64_t>>& rows) {
    columnar::ArrayBuilder values(value_field());
    std::vector<int64_t> timestamps;
    WindowActions actions;
    for (const auto& [key, timestamp] : rows) {
      timestamps.push_back(timestamp);
      values.append<int64_t>(next_++);
      const auto row = static_cast<int64_t>(timestamps.size()) - 1;
      EXPECT_TRUE(tracker_.add({.key = keys_.id_of(key), .row = row, .timestamp = timestamp}, actions).ok());
    }
    const columnar::Array array = values.finish();
    const WindowElements elements{{array.get()}, {}, timestamps};
    run(actions, &elements);
  }

  void advance(int64_t watermark) {
    WindowActions actions;
    tracker_.advance_watermark(watermark, actions);
    run(actions, nullptr);
  }

  size_t cells() const { return backend_.cell_count(); }

 private:
  void run(const WindowActions& actions, const WindowElements* elements) {
    const Status ran = contents_->run(actions, elements, events_);
    EXPECT_TRUE(ran.ok()) << ran.message();
    Result<WindowEventBatch::Columns> columns = events_.finish(contents_->values(elements));
    ASSERT_TRUE(columns.ok()) << columns.status().message();
    contents_->reset();
    EXPECT_EQ(events_.size(), 0);
    player.play(*columns);
  }

  ManualClock clock_{0};
  MemoryBackend backend_{*KeyGroups::make(1), 0, clock_};
  KeyTable keys_;
  WindowTracker tracker_;
  WindowEventBatch events_{keys_};
  std::unique_ptr<WindowContents> contents_;
  int64_t next_ = 0;

 public:
  Player player;
};

TEST(WindowContents, BothWaysGiveTheSameOnRandomStreams) {
  std::mt19937 random(7);
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  const std::vector<WindowAssigner> assigners = {
      *WindowAssigner::tumbling(TimeDomain::kEventTime, 10), *WindowAssigner::sliding(TimeDomain::kEventTime, 10, 5),
      *WindowAssigner::session(TimeDomain::kEventTime, 7), WindowAssigner::global()};
  for (int run = 0; run < 80; ++run) {
    const WindowAssigner& assigner = assigners[static_cast<size_t>(pick(0, 3))];
    Trigger trigger = pick(0, 1) == 0 ? *Trigger::count(pick(1, 4)) : assigner.default_trigger();
    if (pick(0, 2) == 0) trigger = trigger.purging();
    const int64_t lateness = pick(0, 1) * 6;
    Stage folded(assigner, trigger, lateness, false);
    Stage listed(assigner, trigger, lateness, true);
    int64_t clock = 0;
    for (int step = 0; step < 25; ++step) {
      std::vector<std::pair<std::string, int64_t>> rows;
      for (int64_t i = pick(0, 8); i > 0; --i) {
        rows.emplace_back(std::string(static_cast<size_t>(pick(1, 3)), 'k'), clock + pick(-12, 6));
      }
      folded.add(rows);
      listed.add(rows);
      clock += pick(0, 6);
      folded.advance(clock - 4);
      listed.advance(clock - 4);
      ASSERT_EQ(folded.player.fired, listed.player.fired) << "run " << run << " step " << step;
    }
    folded.advance(kMaxWatermark);
    listed.advance(kMaxWatermark);
    ASSERT_EQ(folded.player.fired, listed.player.fired);
    ASSERT_EQ(folded.player.cleared, listed.player.cleared);
    if (assigner.domain() == TimeDomain::kEventTime) {
      ASSERT_EQ(listed.cells(), 0U) << "all windows are over";
    }
  }
}

TEST(WindowContents, ACountEvictorKeepsTheLastElements) {
  for (const bool after : {false, true}) {
    Stage stage(WindowAssigner::global(), *Trigger::count(2), 0, true, *Evictor::count(3, after));
    stage.add({{"a", 1}, {"a", 2}, {"a", 3}, {"a", 4}, {"a", 5}, {"a", 6}});
    const Window window = Window::global();
    const Fired before = {{"a", window, {0, 1}}, {"a", window, {1, 2, 3}}, {"a", window, {3, 4, 5}}};
    const Fired behind = {{"a", window, {0, 1}}, {"a", window, {0, 1, 2, 3}}, {"a", window, {1, 2, 3, 4, 5}}};
    EXPECT_EQ(stage.player.fired, after ? behind : before);
  }
}

TEST(WindowContents, ATimeEvictorDropsWhatIsOlderThanTheNewestByItsTime) {
  Stage stage(WindowAssigner::global(), *Trigger::count(3), 0, true, *Evictor::time(10, false));
  stage.add({{"a", 20}, {"a", 10}, {"a", 11}, {"a", 31}, {"a", 30}, {"a", 21}});
  EXPECT_EQ(stage.player.fired, (Fired{{"a", Window::global(), {0, 2}}, {"a", Window::global(), {3, 4}}}));
}

TEST(WindowContents, AnEvictorThatTakesAllLeavesAnEmptyCall) {
  Stage stage(WindowAssigner::global(), *Trigger::count(1), 0, true, *Evictor::count(0, false));
  stage.add({{"a", 1}});
  EXPECT_EQ(stage.player.fired, (Fired{{"a", Window::global(), {}}}));
}

TEST(WindowContents, EvictorsRefuseNegativeNumbers) {
  EXPECT_EQ(Evictor::count(-1, false).status().message(),
            "an evictor cannot keep -1 elements of a window; give a number that is not negative");
  EXPECT_EQ(Evictor::time(-5, false).status().message(),
            "an evictor cannot keep the elements of the last -5 ms; give a time that is not negative");
}

TEST(KeyTable, NumbersComeBackWhenTheirKeyIsReleased) {
  KeyTable keys;
  const KeyId a = keys.id_of("a");
  const KeyId b = keys.id_of(std::string("b\0b", 3));
  EXPECT_NE(a, b);
  EXPECT_EQ(keys.id_of("a"), a);
  EXPECT_EQ(keys.key(b), std::string("b\0b", 3));
  keys.release(a);
  EXPECT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys.id_of("c"), a);
  EXPECT_EQ(keys.key(a), "c");
}

}  // namespace
}  // namespace clutch::engine
