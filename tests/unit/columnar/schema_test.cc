#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "clutch/columnar/metadata.h"
#include "clutch/columnar/type.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

// Metadata as Arrow lays it out, lengths as native int32.
std::string pairs_of(const std::vector<std::pair<std::string_view, std::string_view>>& pairs) {
  std::string metadata;
  const auto number = [&](size_t value) {
    const auto plain = static_cast<int32_t>(value);
    metadata.append(reinterpret_cast<const char*>(&plain), sizeof plain);
  };
  number(pairs.size());
  for (const auto& [key, value] : pairs) {
    number(key.size());
    metadata.append(key);
    number(value.size());
    metadata.append(value);
  }
  return metadata;
}

TEST(Schema, EveryTypeSurvivesExportAndImport) {
  for (const std::string& text : all_types()) {
    SCOPED_TRACE(text);
    for (const bool nullable : {true, false}) {
      Field field = field_of(text);
      field.nullable = nullable;
      Schema schema = export_field(field);
      const Result<Field> back = import_field(*schema);
      ASSERT_TRUE(back.ok()) << back.status().message();
      EXPECT_EQ(*back, field) << to_string(*back);
      EXPECT_EQ(format_of(field.type), schema->format);
    }
  }
}

TEST(Schema, FormatsAreThoseOfArrow) {
  const std::pair<const char*, const char*> kFormats[] = {
      {"int64", "l"},
      {"uint8", "C"},
      {"float16", "e"},
      {"decimal128(10, 2)", "d:10,2"},
      {"large_binary", "Z"},
      {"fixed_size_binary[16]", "w:16"},
      {"date64", "tdm"},
      {"time64[ns]", "ttn"},
      {"timestamp[us, UTC]", "tsu:UTC"},
      {"timestamp[s]", "tss:"},
      {"duration[ms]", "tDm"},
      {"month_day_nano_interval", "tin"},
      {"fixed_size_list<int8>[3]", "+w:3"},
      {"struct<>", "+s"},
      {"map<string, int8>", "+m"},
      {"dictionary<int16, string>", "s"},
  };
  for (const auto& [text, format] : kFormats) EXPECT_EQ(format_of(field_of(text).type), format);
}

TEST(Schema, NamesInsideListsAndMapsAreTheirOwn) {
  Schema list = export_field(field_of("list<int8>"));
  list->children[0]->name = "element";
  EXPECT_EQ(*import_field(*list), field_of("list<int8>"));
  Schema map = export_field(field_of("map<string, int8>"));
  map->children[0]->name = "key_value";
  map->children[0]->flags = ARROW_FLAG_NULLABLE;
  map->children[0]->children[0]->name = "k";
  map->children[0]->children[0]->flags = ARROW_FLAG_NULLABLE;
  EXPECT_EQ(*import_field(*map), field_of("map<string, int8>"));
}

TEST(Schema, AChildMovedOutOutlivesItsParent) {
  Schema schema = export_field(field_of("struct<a: list<int8>>"));
  ArrowSchema child = *schema->children[0];
  schema->children[0]->release = nullptr;
  schema.reset();
  EXPECT_STREQ(child.format, "+l");
  child.release(&child);
}

TEST(Schema, ExtensionTypesAreReadAsTheirStorage) {
  Schema schema = export_field(field_of("binary"));
  const std::string metadata = pairs_of({{"ARROW:extension:name", "company.uuid"}});
  schema->metadata = metadata.data();
  EXPECT_EQ(import_field(*schema)->type, field_of("binary").type);
}

TEST(Schema, WhatAValueIsToPythonIsMetadata) {
  const Schema schema = export_field(field_of("tuple<a: pickle, b: binary>"));
  EXPECT_EQ(*object_of(schema->metadata), "tuple");
  EXPECT_EQ(*object_of(schema->children[0]->metadata), "pickle");
  EXPECT_EQ(schema->children[1]->metadata, nullptr);
  EXPECT_STREQ(schema->format, "+s");
  EXPECT_NE(field_of("pickle").type, field_of("binary").type);
  EXPECT_NE(field_of("tuple<a: int8>").type, field_of("struct<a: int8>").type);
}

TEST(Schema, OtherMetadataMayStandBeside) {
  Schema schema = export_field(field_of("binary"));
  const std::string metadata = pairs_of({{"a", ""}, {"clutch.object", "pickle"}, {"", "b"}});
  schema->metadata = metadata.data();
  EXPECT_EQ(import_field(*schema)->type, field_of("pickle").type);
}

TEST(Schema, RefusesObjectsThatItDoesNotKnowOrThatStandWrong) {
  const auto message = [](const char* type, const std::string& metadata) {
    Schema schema = export_field(field_of(type));
    schema->metadata = metadata.data();
    return std::string(import_field(*schema).status().message());
  };
  EXPECT_EQ(
      message("binary", object_metadata("json")),
      "column \"c\": the metadata clutch.object is \"json\"; it may be \"pickle\" on binary or \"tuple\" on a struct");
  EXPECT_EQ(
      message("binary", object_metadata("\xFF")),
      "column \"c\": the metadata clutch.object is no UTF-8; it may be \"pickle\" on binary or \"tuple\" on a struct");
  EXPECT_EQ(message("int64", object_metadata("pickle")),
            "column \"c\": the metadata clutch.object is \"pickle\", which stands on binary alone, not on int64");
  EXPECT_EQ(message("list<int8>", object_metadata("tuple")),
            "column \"c\": the metadata clutch.object is \"tuple\", which stands on a struct alone, not on list<int8>");
  EXPECT_EQ(message("dictionary<int8, string>", object_metadata("pickle")),
            "column \"c\": the metadata clutch.object is \"pickle\", which stands on binary alone, not on int8");
  std::string negative = object_metadata("pickle");
  const int32_t less = -1;
  std::memcpy(negative.data() + sizeof less, &less, sizeof less);
  EXPECT_EQ(message("binary", negative), "column \"c\": the metadata has a negative length");
}

// A schema with one thing changed, and what import says.
struct Refusal {
  const char* type;
  std::function<void(ArrowSchema&)> change;
  int32_t code;
  const char* message;
};

TEST(Schema, RefusalsNameTheFieldAndTheReason) {
  const auto format = [](const char* text) { return [text](ArrowSchema& schema) { schema.format = text; }; };
  const auto child_format = [](const char* text) {
    return [text](ArrowSchema& schema) { schema.children[0]->format = text; };
  };
  const Refusal kRefusals[] = {
      {"int8", format("vu"), CLUTCH_ERR_UNSUPPORTED,
       "column \"c\": string and binary views (format \"vu\") are not served; use utf8 or binary"},
      {"int8", format("+ud:0"), CLUTCH_ERR_UNSUPPORTED,
       "column \"c\": unions (format \"+ud:0\") are not served; use a struct with a nullable field for each case"},
      {"int8", format("+vl"), CLUTCH_ERR_UNSUPPORTED,
       "column \"c\": list views (format \"+vl\") are not served; use list"},
      {"int8", format("+r"), CLUTCH_ERR_UNSUPPORTED,
       "column \"c\": run-end encoded arrays (format \"+r\") are not served; use the type of their values"},
      {"int8", format("d:10,2,256"), CLUTCH_ERR_UNSUPPORTED,
       "column \"c\": decimals of 256 bits are not served; use decimal128"},
      {"int8", format("d:39,2"), CLUTCH_ERR_ARGUMENT, "column \"c\": precision 39 of a decimal128 is not from 1 to 38"},
      {"int8", format("d:38,77"), CLUTCH_ERR_ARGUMENT, "column \"c\": scale 77 of a decimal128 is not from -38 to 38"},
      {"int8", format("d:10"), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"d:10\" is not a decimal"},
      {"int8", format(""), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"\" is not an Arrow type"},
      {"int8", format("ll"), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"ll\" is not an Arrow type"},
      {"int8", format("w:-1"), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"w:-1\" is not an Arrow type"},
      {"int8", format("w:99999999999"), CLUTCH_ERR_ARGUMENT,
       "column \"c\": format \"w:99999999999\" is not an Arrow type"},
      {"int8", format("tsx:"), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"tsx:\" is not an Arrow type"},
      {"int8", format("+q"), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"+q\" is not an Arrow type"},
      {"int8", format("\xFF"), CLUTCH_ERR_ARGUMENT, "column \"c\": the format is not UTF-8"},
      {"int8", format(nullptr), CLUTCH_ERR_ARGUMENT, "column \"c\": the format is a NULL pointer"},
      {"struct<a: int8>", child_format("zz"), CLUTCH_ERR_ARGUMENT,
       "column \"c.a\": format \"zz\" is not an Arrow type"},
      {"list<int8>", child_format("zz"), CLUTCH_ERR_ARGUMENT, "column \"c[]\": format \"zz\" is not an Arrow type"},
      {"list<int8>", format("+w:x"), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"+w:x\" is not an Arrow type"},
      {"list<int8>", format("+m"), CLUTCH_ERR_ARGUMENT,
       "column \"c\": a map holds a struct of key and value, not int8"},
      {"list<int8>", format("l"), CLUTCH_ERR_ARGUMENT, "column \"c\": format \"l\" with 1 children; expected 0"},
      {"struct<a: int8, b: int8>", format("+l"), CLUTCH_ERR_ARGUMENT,
       "column \"c\": format \"+l\" with 2 children; expected 1"},
      {"struct<a: int8>", [](ArrowSchema& schema) { schema.n_children = -1; }, CLUTCH_ERR_ARGUMENT,
       "column \"c\": format \"+s\" with -1 children; expected 0 or more"},
      {"struct<a: int8>", [](ArrowSchema& schema) { schema.children = nullptr; }, CLUTCH_ERR_ARGUMENT,
       "column \"c\": the children are a NULL pointer"},
      {"struct<a: int8>", [](ArrowSchema& schema) { schema.children[0] = nullptr; }, CLUTCH_ERR_ARGUMENT,
       "column \"c\": child 0 is a NULL pointer"},
      {"struct<a: int8>", [](ArrowSchema& schema) { schema.children[0]->name = "\xC3"; }, CLUTCH_ERR_ARGUMENT,
       "column \"c.\xC3\": the name is not UTF-8"},
      {"dictionary<int8, string>", format("u"), CLUTCH_ERR_ARGUMENT,
       "column \"c\": the indices of a dictionary are integers, not string"},
      {"dictionary<int8, string>", [](ArrowSchema& schema) { schema.dictionary->format = "vu"; },
       CLUTCH_ERR_UNSUPPORTED,
       "column \"c(dictionary)\": string and binary views (format \"vu\") are not served; use utf8 or binary"},
  };
  for (const Refusal& refusal : kRefusals) {
    Schema schema = export_field(field_of(refusal.type));
    refusal.change(*schema);
    const Result<Field> field = import_field(*schema);
    ASSERT_FALSE(field.ok()) << refusal.message;
    EXPECT_EQ(field.status().message(), refusal.message);
    EXPECT_EQ(field.status().code(), refusal.code);
    EXPECT_FALSE(field.status().detail(CLUTCH_DETAIL_COLUMN).empty());
  }
}

TEST(Schema, AReleasedSchemaIsRefused) {
  const ArrowSchema schema = {};
  EXPECT_EQ(import_field(schema).status().message(),
            "schema: the schema is released; import it before it is moved or released");
}

TEST(Schema, DeepNestingIsRefused) {
  Field field = field_of("int8");
  for (int i = 0; i < kMaxNesting; ++i) {
    Field outer = field_of("list<int8>");
    outer.type.children[0].type = std::move(field.type);
    field = std::move(outer);
  }
  EXPECT_TRUE(import_field(*export_field(field)).ok());
  Field outer = field_of("list<int8>");
  outer.type.children[0].type = std::move(field.type);
  const Result<Field> refused = import_field(*export_field(outer));
  EXPECT_EQ(refused.status().code(), CLUTCH_ERR_UNSUPPORTED);
  std::string path = "c";
  for (int i = 0; i <= kMaxNesting; ++i) path += "[]";
  EXPECT_EQ(refused.status().message(), "column \"" + path + "\": nests deeper than 64 levels");
}

TEST(Types, WidthsAndLayouts) {
  EXPECT_EQ(byte_width(field_of("bool").type), 0);
  EXPECT_EQ(byte_width(field_of("decimal128(5, 1)").type), 16);
  EXPECT_EQ(byte_width(field_of("fixed_size_binary[7]").type), 7);
  EXPECT_EQ(byte_width(field_of("dictionary<int16, string>").type), 2);
  EXPECT_EQ(byte_width(field_of("string").type), 0);
  EXPECT_EQ(layout_of(field_of("map<string, int8>").type), Layout::kList);
  const Field batch = struct_of({field_of("int8")});
  EXPECT_FALSE(batch.nullable);
  EXPECT_EQ(to_string(batch.type), "struct<c: int8>");
}

}  // namespace
}  // namespace clutch::columnar
