#include "plugin/exclusive.h"

#include <gtest/gtest.h>

#include "module_folder.h"

namespace clutch::host {
namespace {

// Resources have names of their own here: a library that was loaded stays, and so does its claim.
TEST(Exclusive, RefusesASecondPluginWithTheSameResource) {
  const ModuleFolder first("none", {.more = "exclusive = ['snake', 'one']"});
  const ModuleFolder second("none", {.more = "exclusive = ['snake', 'two']"});
  const ModuleFolder third("none", {.more = "exclusive = ['three']"});
  auto loaded = first.load();
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const Status refused = second.load().status();
  EXPECT_EQ(refused.code(), CLUTCH_ERR_LOAD);
  EXPECT_EQ(refused.message(),
            second.library() + ": a process can have only one plugin that uses snake, and plugin org.test.module (" +
                first.library() + ") is loaded; use that one, or run this one in another process");
  EXPECT_TRUE(third.load().ok());

  (*loaded).reset();
  EXPECT_FALSE(second.load().ok()) << "a retired plugin still has what it took";
}

TEST(Exclusive, TheSameLibraryServesTwoHosts) {
  const ModuleFolder module("none", {.more = "exclusive = ['shared']"});
  const auto one = module.load();
  const auto two = module.load();
  EXPECT_TRUE(one.ok() && two.ok());
}

}  // namespace
}  // namespace clutch::host
