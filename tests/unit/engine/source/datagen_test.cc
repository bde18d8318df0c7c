#include "source/datagen/datagen.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "connectors.h"

namespace clutch::engine {
namespace {

using Json = nlohmann::json;
using Kind = SourceReader::Polled::Kind;
using Texts = std::vector<std::string>;

std::unique_ptr<Source> source_of(const Json& members, std::string_view type) {
  auto source = make_datagen_source(members, value_field(type), "nodes[0].source");
  EXPECT_TRUE(source.ok()) << source.status().message();
  return source.ok() ? *std::move(source) : nullptr;
}

std::string refusal(const Json& members, std::string_view type) {
  auto source = make_datagen_source(members, value_field(type), "nodes[0].source");
  return source.ok() ? "not refused" : std::string(source.status().message());
}

Json field(const char* name, const char* kind) { return {{"name", name}, {"kind", kind}}; }

Json with(Json object, const Json& more) {
  object.update(more);
  return object;
}

TEST(DatagenSource, CountsToTheEndOfASequence) {
  const Json fields = Json::array({with(field("n", "sequence"), {{"start", 5}, {"end", 8}})});
  const auto source = source_of({{"fields", fields}}, "struct<n: int32>");
  EXPECT_TRUE(source->bounded());
  EXPECT_EQ(read_all(*source), (Texts{R"({"n":5})", R"({"n":6})", R"({"n":7})", R"({"n":8})"}));
  EXPECT_EQ(read_all(*source, 2), (Texts{R"({"n":5})", R"({"n":7})", R"({"n":6})", R"({"n":8})"}));
}

const char* const kTypes =
    "struct<i: int8, l: int64, f: float64, s: string, b: bool, t: timestamp[ms], d: date32, x: float32>";

Json random_fields() {
  return Json::array({with(field("i", "random"), {{"min", -3}, {"max", 3}}), field("l", "random"),
                      with(field("f", "random"), {{"min", 2.0}, {"max", 3.0}}),
                      with(field("s", "random"), {{"length", 20}, {"null_rate", 0.5}}), field("b", "random"),
                      with(field("t", "random"), {{"min", 1000}, {"max", 1001}}), field("d", "random"),
                      field("x", "random")});
}

TEST(DatagenSource, RandomValuesKeepTheirBounds) {
  const auto source = source_of({{"fields", random_fields()}, {"rows", 1000}, {"seed", 7}}, kTypes);
  std::set<int64_t> small;
  std::set<std::string> texts;
  std::set<std::string> times;
  int nulls = 0;
  int trues = 0;
  for (const std::string& text : read_all(*source)) {
    const Json row = Json::parse(text);
    small.insert(row["i"].get<int64_t>());
    times.insert(row["t"].get<std::string>());
    EXPECT_GE(row["f"].get<double>(), 2.0);
    EXPECT_LT(row["f"].get<double>(), 3.0);
    trues += row["b"].get<bool>() ? 1 : 0;
    if (row["s"].is_null()) {
      ++nulls;
    } else {
      EXPECT_EQ(row["s"].get<std::string>().size(), 20U);
      texts.insert(row["s"].get<std::string>());
    }
  }
  EXPECT_EQ(small, (std::set<int64_t>{-3, -2, -1, 0, 1, 2, 3}));
  EXPECT_EQ(times, (std::set<std::string>{"1970-01-01T00:00:01", "1970-01-01T00:00:01.001"}));
  EXPECT_GT(nulls, 400);
  EXPECT_LT(nulls, 600);
  EXPECT_EQ(texts.size(), static_cast<size_t>(1000 - nulls));
  EXPECT_GT(trues, 400);
  EXPECT_LT(trues, 600);
}

TEST(DatagenSource, ASeedGivesTheSameRowsOnAnyParallelism) {
  const Json members = {{"fields", random_fields()}, {"rows", 101}, {"seed", 7}};
  const Texts alone = read_all(*source_of(members, kTypes));
  Texts three = read_all(*source_of(members, kTypes), 3);
  Texts other = read_all(*source_of(with(members, {{"seed", 8}}), kTypes));
  Texts sorted = alone;
  std::sort(sorted.begin(), sorted.end());
  std::sort(three.begin(), three.end());
  EXPECT_EQ(three, sorted);
  EXPECT_NE(other, alone);
}

TEST(DatagenSource, KeepsItsRate) {
  const Json fields = Json::array({field("n", "sequence")});
  const auto source = source_of({{"fields", fields}, {"rows", 41}, {"rows_per_second", 1000}}, "struct<n: int64>");
  auto reader = *source->reader({});
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(reader->open().ok());
  EXPECT_EQ(drain(*source, *reader).size(), 41U);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(40));
}

TEST(DatagenSource, WakeAndDeadlineEndAWait) {
  const Json fields = Json::array({field("n", "sequence")});
  const auto source = source_of({{"fields", fields}, {"rows_per_second", 1e-4}}, "struct<n: int64>");
  EXPECT_FALSE(source->bounded());
  auto reader = *source->reader({});
  ASSERT_TRUE(reader->open().ok());
  EXPECT_EQ(reader->poll(std::nullopt)->batch->length, 1);
  EXPECT_EQ(reader->poll(std::chrono::steady_clock::now())->kind, Kind::kNothing);
  std::thread waker([&] { reader->wake(); });
  EXPECT_EQ(reader->poll(std::nullopt)->kind, Kind::kNothing);
  waker.join();
}

TEST(DatagenSource, GoesOnFromAPosition) {
  const Json fields = Json::array({field("n", "sequence")});
  const auto source = source_of({{"fields", fields}, {"rows", 10}}, "struct<n: int64>");
  auto reader = *source->reader({1, 2, 2});
  ASSERT_TRUE(reader->open().ok());
  ASSERT_TRUE(reader->poll(std::nullopt).ok());
  auto other = *source->reader({1, 2, 100});
  ASSERT_TRUE(other->restore(*reader->position()).ok());
  ASSERT_TRUE(other->open().ok());
  EXPECT_EQ(drain(*source, *other), (Texts{R"({"n":5})", R"({"n":7})", R"({"n":9})"}));
  EXPECT_EQ((*source->reader({0, 2, 1}))->restore("5").message(),
            "row 5 is none of subtask 0 of 2; restore datagen with the same parallelism");
  EXPECT_EQ((*source->reader({}))->restore("x").message(),
            "the position of a source datagen cannot be read: it is no row number");
}

TEST(DatagenSource, RefusesFieldsByTheirPlace) {
  const std::string type = "struct<n: int8>";
  const auto one = [&](const Json& field) { return refusal({{"fields", Json::array({field})}}, type); };
  EXPECT_EQ(refusal({{"fields", Json::array()}}, type),
            "nodes[0].source.fields: has no entry for column \"n\"; give {\"name\": \"n\", \"kind\": \"random\"}");
  EXPECT_EQ(refusal({{"fields", Json::array({field("n", "random"), field("m", "random")})}}, type),
            "nodes[0].source.fields: has 2 entries where there are 1 columns: struct<n: int8>");
  EXPECT_EQ(refusal({{"fields", Json::array({field("n", "random"), field("n", "random")})}}, type),
            "nodes[0].source.fields: has two entries for column \"n\"");
  EXPECT_EQ(one(field("n", "rand")),
            "nodes[0].source.fields[0].kind: \"rand\" is not known; there are sequence, random");
  EXPECT_EQ(one(with(field("n", "random"), {{"max", 128}})),
            "nodes[0].source.fields[0].max: 128 is no whole number from -128 to 127");
  EXPECT_EQ(one(with(field("n", "random"), {{"null_rate", 2}})),
            "nodes[0].source.fields[0].null_rate: is not between 0 and 1");
  EXPECT_EQ(one(with(field("n", "sequence"), {{"length", 2}})),
            "nodes[0].source.fields[0].length: is not known; there are name, kind, start, end");
  EXPECT_EQ(refusal({{"fields", Json::array({field("l", "random")})}}, "struct<l: list<int8>>"),
            "nodes[0].source.fields[0].kind: there are no random values of list<int8>; take integers, floats, bool, "
            "string, binary, date32, duration or timestamp");
  EXPECT_EQ(refusal({{"fields", Json::array({field("s", "sequence")})}}, "struct<s: string>"),
            "nodes[0].source.fields[0].kind: a sequence is of whole numbers, and column \"s\" is string");
  EXPECT_EQ(refusal({{"fields", Json::array({field("n", "random")})}, {"rows_per_second", 0}}, type),
            "nodes[0].source.rows_per_second: is not above 0 and at most 1e12");
  EXPECT_EQ(refusal({{"fields", Json::array()}}, "int64"),
            "nodes[0].source: gives rows, and \"output\" is int64; write \"output\": \"struct<a: int64, b: string>\"");
}

}  // namespace
}  // namespace clutch::engine
