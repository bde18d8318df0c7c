// Random batches of changes against a plain map, with restores into other numbers of subtasks between them.
#include <gmock/gmock.h>

#include <memory>
#include <random>
#include <set>
#include <tuple>

#include "function_store.h"
#include "state_fixture.h"

namespace clutch::engine {
namespace {

struct Model {
  std::map<std::string, std::string> values;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, std::map<std::string, std::string>> maps;
  std::set<std::tuple<int32_t, int64_t, std::string>> timers;
};

class FunctionStateModel : public testing::TestWithParam<uint32_t> {
 protected:
  void open(int32_t parallelism) {
    subtasks_.clear();
    for (int32_t i = 0; i < parallelism; ++i) {
      subtasks_.push_back(std::make_unique<FunctionStore>(parallelism, i));
      subtasks_.back()->declare_all();
    }
  }
  FunctionStore& of(const std::string& key) {
    for (const auto& subtask : subtasks_) {
      if (subtask->holds(key)) return *subtask;
    }
    throw std::out_of_range(key);
  }
  // Move everything to another number of subtasks.
  void rescale(int32_t parallelism) {
    std::vector<std::string> groups;
    for (const auto& subtask : subtasks_) {
      for (int32_t group = subtask->range.first; group <= subtask->range.last; ++group) {
        groups.push_back(got(subtask->state.snapshot(group)));
      }
    }
    open(parallelism);
    for (const auto& subtask : subtasks_) {
      for (int32_t group = subtask->range.first; group <= subtask->range.last; ++group) {
        done(subtask->state.restore(group, groups[static_cast<size_t>(group)]));
      }
    }
  }

  std::vector<std::unique_ptr<FunctionStore>> subtasks_;
};

TEST_P(FunctionStateModel, AgreesWithIt) {
  std::mt19937 random(GetParam());
  Model model;
  open(1 + static_cast<int32_t>(random() % 4));
  const auto text = [&](uint32_t range) { return std::string(1, static_cast<char>('a' + random() % range)); };
  for (int round = 0; round < 60; ++round) {
    std::map<FunctionStore*, std::vector<FunctionStore::Change>> changes;
    std::map<FunctionStore*, std::vector<FunctionStore::TimerChange>> timers;
    for (int i = 0; i < 30; ++i) {
      const std::string key = text(20);
      const std::string field = text(4);
      const std::string bytes = std::to_string(round) + "." + std::to_string(i);
      std::vector<FunctionStore::Change>& out = changes[&of(key)];
      switch (random() % 8) {
        case 0:
          out.push_back({0, CLUTCH_STATE_OP_PUT, key, {}, bytes});
          model.values[key] = bytes;
          break;
        case 1:
          out.push_back({0, CLUTCH_STATE_OP_CLEAR, key, {}, ""});
          model.values.erase(key);
          break;
        case 2:
          out.push_back({1, CLUTCH_STATE_OP_APPEND, key, {}, bytes});
          model.lists[key].push_back(bytes);
          break;
        case 3:
          out.push_back({2, CLUTCH_STATE_OP_PUT, key, field, bytes});
          model.maps[key][field] = bytes;
          break;
        case 4:
          out.push_back({2, CLUTCH_STATE_OP_REMOVE, key, field, ""});
          model.maps[key].erase(field);
          break;
        case 5:
          if (random() % 4 != 0) break;
          out.push_back({1, CLUTCH_STATE_OP_CLEAR, key, {}, ""});
          out.push_back({2, CLUTCH_STATE_OP_CLEAR, key, {}, ""});
          model.lists.erase(key);
          model.maps.erase(key);
          break;
        default: {
          const auto domain = static_cast<int32_t>(random() % 2);
          const auto time = static_cast<int64_t>(random() % 10) + (domain == 0 ? round : 0);
          const bool remove = random() % 3 == 0;
          timers[&of(key)].push_back({key, time, domain, remove ? 1 : 0});
          if (remove) model.timers.erase({domain, time, key});
          if (!remove) model.timers.emplace(domain, time, key);
        }
      }
    }
    for (const auto& subtask : subtasks_) {
      ASSERT_EQ(subtask->commit(changes[subtask.get()], timers[subtask.get()]), CLUTCH_OK);
    }
    if (random() % 5 == 0) rescale(1 + static_cast<int32_t>(random() % 8));

    std::vector<std::string> due;
    std::vector<std::string> expected;
    for (const auto& subtask : subtasks_) {
      for (const std::string& timer : subtask->due(round + 5, 7)) due.push_back(timer);
    }
    for (const auto& [domain, time, key] : model.timers) {
      if (time <= (domain == 0 ? round + 5 : 7))
        expected.push_back(key + (domain == 0 ? "@" : "~") + std::to_string(time));
    }
    ASSERT_THAT(due, testing::UnorderedElementsAreArray(expected));
    for (char letter = 'a'; letter < 'a' + 20; ++letter) {
      const std::string key(1, letter);
      const FunctionStore& store = of(key);
      const auto value = model.values.find(key);
      ASSERT_EQ(store.value(key), value == model.values.end() ? std::nullopt : std::optional(value->second));
      ASSERT_EQ(store.pages(1, key, 1000, 1 + random() % 20), model.lists[key]);
      std::vector<std::string> entries;
      for (const auto& [field, bytes] : model.maps[key]) entries.push_back(field + "=" + bytes);
      ASSERT_EQ(store.pages(2, key, 1000, 1 + random() % 20), entries);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FunctionStateModel, testing::Range(0U, 20U));

}  // namespace
}  // namespace clutch::engine
