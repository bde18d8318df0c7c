#include "config/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace clutch::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseDuration, TakesMillisecondsOrAUnit) {
  EXPECT_EQ(*parse_duration_ns("10"), 10'000'000);
  EXPECT_EQ(*parse_duration_ns(" 10 ms "), 10'000'000);
  EXPECT_EQ(*parse_duration_ns("1S"), 1'000'000'000);
  EXPECT_EQ(*parse_duration_ns("250us"), 250'000);
  EXPECT_EQ(*parse_duration_ns("2 min"), 120'000'000'000);
  EXPECT_EQ(*parse_duration_ns("0"), 0);
}

TEST(ParseDuration, RefusesWhatIsNone) {
  constexpr std::string_view kSentence =
      "not a duration; give whole milliseconds, or a whole number with a unit (ns, us, ms, s, min, h, d) such as "
      "\"10 ms\"";
  for (const char* text : {"", "ms", "-1", "+1", "1.5 s", "10 parsecs", "10 ms 5", "0x10", "ten"}) {
    EXPECT_EQ(parse_duration_ns(text).status().message(), kSentence) << text;
  }
  EXPECT_EQ(parse_duration_ns("99999999999999999999").status().message(), "too large for 64 bits");
  EXPECT_EQ(parse_duration_ns("9999999999999 d").status().message(), "too large for 64 bits");
  EXPECT_EQ(parse_duration_ns("99999999999999999999 parsecs").status().message(), kSentence);
}

TEST(ParseSize, TakesBytesOrAUnit) {
  EXPECT_EQ(*parse_size_bytes("64 mb"), 64 << 20);
  EXPECT_EQ(*parse_size_bytes("64MB"), 64 << 20);
  EXPECT_EQ(*parse_size_bytes("1g"), 1 << 30);
  EXPECT_EQ(*parse_size_bytes("12"), 12);
  EXPECT_THAT(std::string(parse_size_bytes("64 megs").status().message()), HasSubstr("not a size; give whole bytes"));
}

TEST(ParseBool, TakesTheUsualWords) {
  for (const char* text : {"true", "TRUE", "yes", "on", "1"}) EXPECT_TRUE(*parse_bool(text)) << text;
  for (const char* text : {"false", "No", "off", "0"}) EXPECT_FALSE(*parse_bool(text)) << text;
  EXPECT_EQ(parse_bool("maybe").status().message(), "not a truth value; legal are true and false");
}

TEST(ParseInteger, RefusesRests) {
  EXPECT_EQ(*parse_integer("-7"), -7);
  EXPECT_EQ(parse_integer("7x").status().message(), "not a whole number");
  EXPECT_EQ(parse_integer("").status().message(), "not a whole number");
  EXPECT_EQ(parse_integer("9223372036854775808").status().message(), "too large for 64 bits");
}

TEST(ParseChoice, GivesTheSpellingOfTheTable) {
  EXPECT_EQ(*parse_choice(" WARN", "warn|forbid"), "warn");
  EXPECT_EQ(parse_choice("war", "warn|forbid").status().message(), "not a legal value; legal are warn, forbid");
}

TEST(Glob, MatchesTheWholeText) {
  EXPECT_TRUE(glob_match("org.clutch.*", "org.clutch.thread"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*.b?d", "a.bad.bed"));
  EXPECT_TRUE(glob_match("ORG.*", "org.x"));
  EXPECT_FALSE(glob_match("org.clutch", "org.clutch.thread"));
  EXPECT_FALSE(glob_match("", "x"));
  EXPECT_FALSE(glob_match("a*b*c", "aXXbXX"));
}

TEST(Glob, IsNotSlowOnManyStars) { EXPECT_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a'))); }

TEST(Split, TrimsAndLeavesEmptyPartsOut) { EXPECT_THAT(split(" a, ,b,", ','), ElementsAre("a", "b")); }

}  // namespace
}  // namespace clutch::host
