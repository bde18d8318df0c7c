#include "rows/csv.h"

#include <gtest/gtest.h>

#include "rows/json_rows.h"

namespace clutch::rows {
namespace {

std::string read_all(CsvReader& reader) {
  std::string out;
  while (true) {
    auto record = reader.next();
    if (!record.ok()) return out + std::string(record.status().message());
    if (!*record) return out;
    for (const CsvField& field : **record) out += field.quoted ? "<" + field.text + ">" : "(" + field.text + ")";
    out += "|";
  }
}

TEST(Csv, ReadsQuotesCommasAndLineEnds) {
  CsvReader reader;
  reader.feed("a,\"b,\"\"c\"\"\",\r\n\"two\nlines\",,\"\"\nlast");
  reader.finish();
  EXPECT_EQ(read_all(reader), "(a)<b,\"c\">()|<two\nlines>()<>|(last)|");
}

TEST(Csv, ReadsTheSameInPiecesOfOneByte) {
  const std::string text = "a,\"x\"\"y\"\r\n\"p\r\nq\",2\r\n";
  CsvReader reader;
  std::string out;
  for (const char c : text) {
    reader.feed(std::string_view(&c, 1));
    out += read_all(reader);
  }
  reader.finish();
  out += read_all(reader);
  EXPECT_EQ(out, "(a)<x\"y>|<p\r\nq>(2)|");
}

TEST(Csv, RefusesBrokenQuotesByLine) {
  CsvReader behind;
  behind.feed("a\n\"b\"c\n");
  behind.finish();
  EXPECT_EQ(read_all(behind), "(a)|line 2: text behind a closing quote; double a quote that is part of the text");
  CsvReader open;
  open.feed("a\n\"b\nc");
  open.finish();
  EXPECT_EQ(read_all(open), "(a)|line 2: a quoted field is never closed");
}

TEST(Csv, WritesWhatItReads) {
  const columnar::Field batch = columnar::struct_of({columnar::Field{"s", *columnar::parse_type("string"), true},
                                                     columnar::Field{"n", *columnar::parse_type("int64"), true},
                                                     columnar::Field{"l", *columnar::parse_type("list<int64>"), true}});
  const std::string text = "s,n,l\n\"a,\"\"b\",1,\"[1,2]\"\n\"\",,\n,-3,[]\n";
  CsvReader reader;
  reader.feed(text);
  reader.finish();
  auto header = reader.next();
  ASSERT_TRUE(header.ok() && *header);
  auto positions = match_csv_header(**header, batch);
  ASSERT_TRUE(positions.ok());
  columnar::ArrayBuilder builder(batch);
  for (int i = 0; i < 3; ++i) {
    auto record = reader.next();
    ASSERT_TRUE(record.ok() && *record);
    const Status status = append_csv_row(**record, *positions, batch, builder);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  const columnar::Array rows = builder.finish();
  std::string out = csv_header(batch);
  for (int64_t i = 0; i < rows->length; ++i) append_csv_line(batch, *rows, i, out);
  EXPECT_EQ(out, text);
}

TEST(Csv, NamesAMissingColumn) {
  const columnar::Field batch = columnar::struct_of({columnar::Field{"n", *columnar::parse_type("int64"), true}});
  EXPECT_EQ(match_csv_header({{"a", false}, {"b", false}}, batch).status().message(),
            "column \"n\" is not in the header; it has: a, b");
}

}  // namespace
}  // namespace clutch::rows
