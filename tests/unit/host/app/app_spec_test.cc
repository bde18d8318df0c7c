#include "app/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clutch/clutch.hpp"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Result<host::FunctionSpec> read(const Spec& spec) { return spec.with_raw(host::read_spec); }

std::string columns_of(const char* text, const char* single = "") {
  const Result<columnar::Field> field = host::parse_columns(text, single);
  return field.ok() ? host::columns_text(*field) : std::string(field.status().message());
}

TEST(AppSpec, ReadsColumnsFromText) {
  EXPECT_EQ(columns_of("word: string, n: int64"), "word: string, n: int64");
  EXPECT_EQ(columns_of(" word :string not null,n:BIGINT NOT NULL "), "word: string not null, n: int64 not null");
  EXPECT_EQ(columns_of("int64, string"), "f0: int64, f1: string");
  EXPECT_EQ(columns_of("int64", "result"), "result: int64");
  EXPECT_EQ(columns_of("int64, string", "result"), "f0: int64, f1: string");
  EXPECT_EQ(columns_of("t: timestamp[us, +01:00], m: map<string, list<int64>>, d: decimal128(10, 2)"),
            "t: timestamp[us, +01:00], m: map<string, list<int64>>, d: decimal128(10, 2)");
  EXPECT_EQ(columns_of(""), "");
}

TEST(AppSpec, RefusesColumnsThatMeanNothing) {
  EXPECT_EQ(columns_of("a: int64, a: string"), "column \"a\" is there twice; give each its own name");
  EXPECT_EQ(columns_of("a:"), "column \"a\" has no type; write \"name: type\"");
  EXPECT_EQ(columns_of("a: int64,"), "column \"f1\" has no type; write \"name: type\"");
  EXPECT_EQ(columns_of(": int64"), "\": int64\" has no name before ':'");
  EXPECT_THAT(columns_of("word: strng"), HasSubstr("column \"word\": "));
  EXPECT_THAT(columns_of("word: strng"), HasSubstr("strng"));
}

TEST(AppSpec, NamesComeFromTheCode) {
  const auto name = [](const Code& code) {
    const auto spec = read(Spec("table.scalar", code).input("x: int64").output("int64"));
    return spec.ok() ? spec->name : std::string(spec.status().message());
  };
  EXPECT_EQ(name(imported("pkg.module:Class.method")), "Class.method");
  EXPECT_EQ(name(imported("dir/file.py:f")), "f");
  EXPECT_EQ(name(native("libfoo.so:symbol")), "symbol");
  EXPECT_EQ(name(source("import os\ndef first(x):\n  def inner(): pass\n  return x\nasync def last (x): return x\n")),
            "last");
  EXPECT_EQ(name(source("class Keep(object):\n  pass")), "Keep");
  EXPECT_EQ(name(pickle("\x80\x04")), "table.scalar");
}

TEST(AppSpec, AChainHasTheNamesOfItsSteps) {
  const auto spec = read(Spec("stream.map", imported("m:a"))
                             .then("stream.flat_map", imported("m:b"))
                             .step_name("split")
                             .input("x: string")
                             .output("string"));
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->name, "a > split");
  EXPECT_EQ(spec->steps[1].name, "split");
  EXPECT_EQ(host::columns_text(spec->output), "result: string");
}

TEST(AppSpec, APickleSaysWhichPythonMadeIt) {
  const auto options = [](Code code) {
    return read(Spec("stream.map", std::move(code)).input("x: int64").output("int64"))->steps[0].options;
  };
  EXPECT_THAT(options(pickle("N.", "3.11.2")), ElementsAre(Pair("python.version", "3.11.2")));
  EXPECT_THAT(options(pickle("N.")), IsEmpty());
}

TEST(AppSpec, AFilterGivesItsInput) {
  const auto spec = read(Spec("stream.filter", imported("m:keep")).input("x: string, n: int64"));
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(host::columns_text(spec->output), "x: string, n: int64");
}

TEST(AppSpec, ThePluginGetsEverything) {
  const auto spec = read(Spec("table.scalar", source("def f(x): return x"))
                             .name("mine")
                             .input("x: int64")
                             .output("y: int64")
                             .on_error(OnError::kNull)
                             .step_option("attribute", "f"));
  ASSERT_TRUE(spec.ok());
  const host::Options options{{"python.row-deadline", "5"}};
  const host::RawSpec raw(*spec, options);
  const clutch_spec& out = raw.get();
  EXPECT_EQ(std::string(out.name.data, out.name.size), "mine");
  ASSERT_EQ(out.n_steps, 1u);
  EXPECT_EQ(std::string(out.steps[0]->name.data, out.steps[0]->name.size), "mine");
  EXPECT_EQ(out.steps[0]->kind_revision, 1u);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(out.steps[0]->payload.data), out.steps[0]->payload.size),
            "def f(x): return x");
  EXPECT_EQ(out.steps[0]->options.count, 1u);
  EXPECT_EQ(out.on_error, CLUTCH_ON_ERROR_NULL);
  EXPECT_STREQ(out.input->children[0]->name, "x");
  EXPECT_STREQ(out.output->children[0]->format, "l");
  EXPECT_EQ(out.options.count, 1u);
}

TEST(AppSpec, SchemasMayBeArrow) {
  ArrowSchema schema{};
  ASSERT_EQ(clutch_app_schema_parse("a: int32, b: list<string>", &schema, nullptr), CLUTCH_OK);
  const auto spec = read(Spec("table.scalar", imported("m:f")).input(&schema).output("int64"));
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(host::columns_text(spec->input), "a: int32, b: list<string>");
  char* text = nullptr;
  ASSERT_EQ(clutch_app_schema_text(&schema, &text, nullptr), CLUTCH_OK);
  EXPECT_EQ(detail::take_text(text), "a: int32, b: list<string>");
  const auto column = read(Spec("table.scalar", imported("m:f")).input(schema.children[0]).output("int64"));
  EXPECT_EQ(column.status().message(), "spec: the schema of the input is int32; it must be a struct of the columns");
  schema.release(&schema);
}

TEST(AppSpec, RefusesWhatIsMissing) {
  const auto sentence = [](auto change) {
    return Spec("table.scalar", imported("m:f"))
        .input("x: int64")
        .output("int64")
        .with_raw([&](const clutch_app_spec* good) {
          clutch_app_spec bad = *good;
          clutch_app_step step = *good->steps[0];
          const clutch_app_step* pointer = &step;
          bad.steps = &pointer;
          change(bad, step);
          return std::string(host::read_spec(&bad).status().message());
        });
  };
  EXPECT_EQ(sentence([](auto&, auto&) {}), "");
  EXPECT_EQ(sentence([](auto& spec, auto&) { spec.n_steps = 0; }), "spec: there are no steps; give at least one");
  EXPECT_EQ(sentence([](auto&, auto& step) { step.kind = nullptr; }),
            "spec: step 0 has no kind; give one, such as \"table.scalar\"");
  EXPECT_EQ(sentence([](auto&, auto& step) { step.payload = nullptr; }),
            "spec: step 0 (table.scalar) has no code; give payload_format and payload, such as \"import\" and "
            "\"module:function\"");
  EXPECT_EQ(sentence([](auto&, auto& step) { step.struct_size = 4; }),
            "clutch_app_step: struct_size is 4; set it to sizeof(clutch_app_step), which is " +
                std::to_string(sizeof(clutch_app_step)));
  EXPECT_EQ(sentence([](auto& spec, auto&) { spec.on_error = 7; }),
            "spec: on_error is 7; it is 0 (fail), 1 (null) or 2 (dead letter)");
  EXPECT_EQ(sentence([](auto& spec, auto&) {
              spec.n_options = 3;
              spec.options = nullptr;
            }),
            "spec: n_options is 3, but options is NULL");
  EXPECT_THAT(sentence([](auto& spec, auto&) { spec.input = nullptr; }),
              HasSubstr("spec: the input has neither text nor schema; give its columns"));
  EXPECT_THAT(sentence([](auto& spec, auto&) { spec.output = nullptr; }),
              HasSubstr("spec: the output has neither text nor schema; give its columns"));
}

}  // namespace
}  // namespace clutch::testing
