// Arrays through an arena: what is written is what is read, and whatever else is in an arena is refused.
#include "protocol/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"

namespace clutch::pyproc {
namespace {

using columnar::Array;
using columnar::ArrayBuilder;
using columnar::Field;
using columnar::TypeId;

Field field_of(const std::string& type) {
  Field field;
  field.name = "c";
  field.type = *columnar::parse_type(type);
  return field;
}

// `rows` values of any type, every third null, of varying size.
void fill(ArrayBuilder& builder, int64_t rows, int64_t salt) {
  const columnar::Type& type = builder.field().type;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t value = i * 7 + salt;
    if (builder.field().nullable && value % 3 == 0) {
      builder.append_null();
      continue;
    }
    switch (type.id) {
      case TypeId::kNull:
        builder.append_null();
        break;
      case TypeId::kBool:
        builder.append_bool(value % 2 == 0);
        break;
      case TypeId::kUtf8:
      case TypeId::kLargeUtf8:
      case TypeId::kBinary:
      case TypeId::kLargeBinary:
        ASSERT_TRUE(builder.append_bytes(std::string(static_cast<size_t>(value % 20), 'x')).ok());
        break;
      case TypeId::kFixedSizeBinary:
      case TypeId::kDecimal128: {
        const std::string bytes(static_cast<size_t>(columnar::byte_width(type)), static_cast<char>(value % 9));
        builder.append_fixed(bytes.data());
        break;
      }
      case TypeId::kList:
      case TypeId::kLargeList:
        fill(builder.child(0), value % 5, value);
        ASSERT_TRUE(builder.append_list().ok());
        break;
      case TypeId::kMap: {
        ArrayBuilder& entries = builder.child(0);
        for (int64_t entry = 0; entry < value % 4; ++entry) {
          ASSERT_TRUE(entries.child(0).append_bytes("k" + std::to_string(entry)).ok());
          fill(entries.child(1), 1, value + entry);
          entries.append_struct();
        }
        ASSERT_TRUE(builder.append_list().ok());
        break;
      }
      case TypeId::kFixedSizeList:
        fill(builder.child(0), type.width, value);
        ASSERT_TRUE(builder.append_list().ok());
        break;
      case TypeId::kStruct:
        for (size_t child = 0; child < builder.child_count(); ++child) fill(builder.child(child), 1, value);
        builder.append_struct();
        break;
      default:
        switch (columnar::byte_width(type)) {
          case 1:
            builder.append(static_cast<int8_t>(value));
            break;
          case 2:
            builder.append(static_cast<int16_t>(value));
            break;
          case 4:
            builder.append(static_cast<int32_t>(value));
            break;
          default:
            builder.append(value);
            break;
        }
    }
  }
}

struct Written {
  std::vector<uint8_t> arena;
  uint64_t used = 0;
};

Written write(const Field& field, const ArrowArray& array) {
  Written out;
  const uint64_t needed = ArenaWriter::kEmptyBytes + 128 + ArenaWriter::bytes_for(field, array);
  out.arena.assign(needed, 0xee);
  ArenaWriter writer;
  writer.start(out.arena);
  EXPECT_TRUE(writer.fits(ArenaWriter::bytes_for(field, array)));
  writer.add(SectionKind::kEmit, 0, field, array);
  out.used = writer.finish();
  EXPECT_LE(out.used, needed);
  return out;
}

class ArenaTypes : public ::testing::TestWithParam<const char*> {};

TEST_P(ArenaTypes, CarriesWholeAndSlicedArrays) {
  const Field field = field_of(GetParam());
  ArrayBuilder builder(field);
  fill(builder, 100, 1);
  const Array whole = builder.finish();
  for (const auto& [start, length] : {std::pair{0, 100}, {0, 0}, {1, 99}, {7, 1}, {13, 64}, {99, 1}, {100, 0}}) {
    const Array slice = columnar::slice(*whole.get(), start, length);
    const Written written = write(field, *slice.get());
    ArenaReader reader;
    ASSERT_TRUE(reader.open(written.arena, written.used).ok());
    ASSERT_EQ(reader.sections().size(), 1u);
    const Result<Array> view = reader.view(reader.sections()[0], field);
    ASSERT_TRUE(view.ok()) << view.status().message();
    EXPECT_TRUE(columnar::equal(field, *slice.get(), *view->get())) << start << " " << length;
    const Result<Array> copy = reader.copy(reader.sections()[0], field);
    ASSERT_TRUE(copy.ok()) << copy.status().message();
    EXPECT_TRUE(columnar::equal(field, *slice.get(), *copy->get())) << start << " " << length;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ArenaTypes,
                         ::testing::Values("null", "bool", "int8", "int16", "int32", "int64", "float64", "utf8",
                                           "large_utf8", "binary", "fixed_size_binary[5]", "date32",
                                           "timestamp[us, UTC]", "list<int32>", "large_list<utf8>",
                                           "fixed_size_list<int16>[3]", "struct<a: int64, b: utf8>",
                                           "map<string, int64>", "list<struct<a: list<bool>, b: int8>>"),
                         [](const auto& type) { return "type" + std::to_string(type.index); });

TEST(Arena, ShowsNothingThatWasThereBefore) {
  const Field field = field_of("utf8");
  ArrayBuilder builder(field);
  fill(builder, 5, 1);
  const Array array = builder.finish();
  const Written written = write(field, *array.get());
  for (uint64_t i = 0; i < written.used; ++i) EXPECT_NE(written.arena[i], 0xee) << i;
}

TEST(Arena, GivesArraysWhoseColumnsOutliveThem) {
  const Field field = field_of("struct<a: list<int64>, b: utf8>");
  ArrayBuilder builder(field);
  fill(builder, 40, 1);
  const Array whole = builder.finish();
  const Written written = write(field, *whole.get());
  ArenaReader reader;
  ASSERT_TRUE(reader.open(written.arena, written.used).ok());
  std::vector<Array> columns;
  {
    Result<Array> copy = reader.copy(reader.sections()[0], field);
    ASSERT_TRUE(copy.ok()) << copy.status().message();
    for (int64_t i = 0; i < (*copy)->n_children; ++i) columns.emplace_back(std::move(*(*copy)->children[i]));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    EXPECT_TRUE(columnar::equal(field.type.children[i], *whole->children[i], *columns[i].get())) << i;
  }
}

TEST(Arena, GoesOnInALargerOne) {
  const Field field = field_of("int64");
  ArrayBuilder builder(field);
  fill(builder, 50, 1);
  const Array array = builder.finish();
  std::vector<uint8_t> small(1024);
  std::vector<uint8_t> large(8192);
  ArenaWriter writer;
  writer.start(small);
  writer.add(SectionKind::kEmit, 0, field, *array.get());
  EXPECT_FALSE(writer.fits(ArenaWriter::bytes_for(field, *array.get())));
  writer.move_to(large);
  writer.add(SectionKind::kEmit, 1, field, *array.get());
  const uint64_t used = writer.finish();
  ArenaReader reader;
  ASSERT_TRUE(reader.open(large, used).ok());
  ASSERT_EQ(reader.sections().size(), 2u);
  for (const Section& section : reader.sections()) {
    EXPECT_TRUE(columnar::equal(field, *array.get(), *reader.copy(section, field)->get()));
  }
}

TEST(Arena, RefusesTablesThatLie) {
  const Field field = field_of("int64");
  ArrayBuilder builder(field);
  fill(builder, 10, 1);
  const Array array = builder.finish();
  const Written good = write(field, *array.get());
  ArenaReader reader;
  const auto refused = [&](Written bad) { return reader.open(bad.arena, bad.used); };
  const auto at = [](Written& written, size_t offset, auto value) {
    std::memcpy(written.arena.data() + offset, &value, sizeof(value));
  };

  Written more = good;
  more.used = more.arena.size() + 1;
  EXPECT_NE(refused(more).message().find("of an arena of"), std::string_view::npos);
  Written magic = good;
  at(magic, 0, uint32_t{1});
  EXPECT_NE(refused(magic).message().find("header does not fit"), std::string_view::npos);
  Written many = good;
  at(many, 4, uint32_t{0x7fffffff});
  EXPECT_NE(refused(many).message().find("more than a batch can have"), std::string_view::npos);
  Written moved = good;
  at(moved, 16, uint64_t{8});
  EXPECT_NE(refused(moved).message().find("tables do not lie"), std::string_view::npos);

  ArenaHeader header;
  std::memcpy(&header, good.arena.data(), sizeof(header));
  const size_t buffers = header.tables + header.sections * sizeof(SectionEntry) + header.nodes * sizeof(NodeEntry);
  Written outside = good;
  at(outside, buffers + sizeof(BufferEntry), BufferEntry{64, UINT64_MAX - 63});
  EXPECT_NE(refused(outside).message().find("does not lie in the arena's data"), std::string_view::npos);
  Written crooked = good;
  at(crooked, buffers + sizeof(BufferEntry), BufferEntry{72, 8});
  EXPECT_NE(refused(crooked).message().find("does not lie in the arena's data"), std::string_view::npos);
}

TEST(Arena, RefusesContentsThatLie) {
  const Field field = field_of("utf8");
  ArrayBuilder builder(field);
  fill(builder, 10, 1);
  const Array array = builder.finish();
  const Written good = write(field, *array.get());
  ArenaHeader header;
  std::memcpy(&header, good.arena.data(), sizeof(header));
  const size_t nodes = header.tables + sizeof(SectionEntry);

  Written longer = good;
  const NodeEntry million{1000000, 0};
  std::memcpy(longer.arena.data() + nodes, &million, sizeof(million));
  ArenaReader reader;
  ASSERT_TRUE(reader.open(longer.arena, longer.used).ok());
  EXPECT_FALSE(reader.copy(reader.sections()[0], field).ok());

  const Field other = field_of("struct<a: int64, b: int64>");
  ASSERT_TRUE(reader.open(good.arena, good.used).ok());
  const Result<Array> shaped = reader.copy(reader.sections()[0], other);
  ASSERT_FALSE(shaped.ok());
  EXPECT_NE(shaped.status().message().find("where its schema has"), std::string_view::npos);
}

TEST(Arena, SurvivesFlippedBits) {
  std::mt19937 random(7);
  for (const char* type : {"list<utf8>", "struct<a: int64, b: bool>", "map<string, int64>"}) {
    const Field field = field_of(type);
    ArrayBuilder builder(field);
    fill(builder, 40, 1);
    const Array array = builder.finish();
    const Written good = write(field, *array.get());
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
      Written bad = good;
      for (int flip = 0; flip < 3; ++flip) bad.arena[random() % bad.used] ^= static_cast<uint8_t>(1u << (random() % 8));
      ArenaReader reader;
      if (!reader.open(bad.arena, bad.used).ok()) {
        ++refused;
        continue;
      }
      for (const Section& section : reader.sections()) {
        if (!reader.copy(section, field).ok()) ++refused;
      }
    }
    EXPECT_GT(refused, 100) << type;
  }
}

}  // namespace
}  // namespace clutch::pyproc
