// What aggregates refuse when they open, on a host without state. What they do with it is in the conformance table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kSum[] =
    "class Sum:\n"
    "    def create_accumulator(self):\n        return [0]\n"
    "    def accumulate(self, acc, x):\n        acc[0] += x\n"
    "    def get_value(self, acc):\n        return acc[0]\n";

SpecText sum(const std::string& accumulator) {
  SpecText spec = source("table.aggregate", kSum);
  spec.steps[0].options.add("accumulator", accumulator);
  return spec;
}

TEST(FoldTest, NeedsAHostWithState) {
  Session session;
  EXPECT_THAT(session.refuse(sum("ROW<s BIGINT>")).message,
              HasSubstr("this host has no state to keep accumulators in"));
}

TEST(FoldTest, RefusesAccumulatorTypesThatCannotBeReadOrStored) {
  Session session;
  EXPECT_THAT(session.refuse(sum("ROW<s BIGGEST>")).message, HasSubstr("option accumulator: type \"ROW<s BIGGEST>\""));
  EXPECT_THAT(session.refuse(sum("dictionary<int32, string>")).message,
              HasSubstr("a value of type dictionary<int32, string> cannot be kept by itself"));
}

TEST(FoldTest, StandsAlone) {
  Session session;
  SpecText spec = sum("ROW<s BIGINT>");
  spec.steps.push_back({"then", "table.scalar", "source", "def f(x): return x\n"});
  EXPECT_THAT(session.refuse(spec).message,
              HasSubstr("which stands alone; put the other steps into functions of their"));
}

TEST(FoldTest, RefusesAsyncMethods) {
  Session session;
  SpecText spec = source("table.aggregate",
                         "class A:\n"
                         "    def create_accumulator(self):\n        return [0]\n"
                         "    async def accumulate(self, acc, x):\n        pass\n"
                         "    def get_value(self, acc):\n        return 0\n");
  EXPECT_THAT(session.refuse(spec).message,
              HasSubstr("accumulate() is async, and table.aggregate calls plain methods; remove 'async'"));
}

}  // namespace
}  // namespace clutch::pyembed::testing
