// A memory backend for all key groups, and short ways to use it in tests.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manual_clock.h"
#include "state/memory_backend.h"

namespace clutch::engine {

using Strings = std::vector<std::string>;

// The value of a result that must be there.
template <typename T>
T got(Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *std::move(result) : T();
}

inline void done(const Status& status) { EXPECT_TRUE(status.ok()) << status.message(); }

class State : public testing::Test {
 protected:
  StateId declare(const std::string& name, StateKind kind, std::optional<StateTtl> ttl = std::nullopt) {
    return got(backend_.declare({name, kind, ttl}));
  }
  void append(const StateAddress& at, const std::vector<std::string_view>& items) { done(backend_.append(at, items)); }

  ManualClock clock_{1000};
  KeyGroups groups_ = *KeyGroups::make(1);
  MemoryBackend backend_{groups_, 0, clock_};
};

}  // namespace clutch::engine
