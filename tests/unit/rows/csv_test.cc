#include "rows/csv.h"

#include <gtest/gtest.h>

#include "rows/csv_rows.h"
#include "rows/json_rows.h"

namespace clutch::rows {
namespace {

std::string read_all(CsvReader& reader) {
  std::string out;
  while (true) {
    auto record = reader.next();
    if (!record.ok()) return out + std::string(record.status().message());
    if (!*record) return out;
    for (const CsvField& field : (*record)->fields()) {
      const std::string text(field.text);
      out += field.quoted ? "<" + text + ">" : "(" + text + ")";
    }
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

std::string fields_of(std::string_view text, const CsvDialect& dialect) {
  CsvReader reader(dialect);
  reader.feed(text);
  reader.finish();
  return read_all(reader);
}

TEST(Csv, ReadsOtherDialects) {
  CsvDialect dialect;
  dialect.delimiter = ';';
  dialect.quote = '\'';
  dialect.comment = '#';
  EXPECT_EQ(fields_of("a;'b;''';c\n# no; record\n'#';\n", dialect), "(a)<b;'>(c)|<#>()|");
  dialect.quote = 0;
  EXPECT_EQ(fields_of("'a;b'\n", dialect), "('a)(b')|");
}

TEST(Csv, KeepsQuotedTextInItsLineIfTold) {
  CsvDialect dialect;
  dialect.multiline = false;
  EXPECT_EQ(fields_of("a,\"b\nc\"\n", dialect), "line 1: a quoted field is not closed in its line");
}

TEST(Csv, ALongOpenRecordIsReadOnceItIsClosed) {
  CsvReader reader;
  const std::string piece(1 << 16, 'x');
  reader.feed("\"");
  std::string out;
  for (int i = 0; i < 40; ++i) {
    reader.feed(piece);
    out += read_all(reader);
  }
  EXPECT_EQ(out, "");
  reader.feed("\"\n");
  reader.finish();
  EXPECT_EQ(read_all(reader).size(), 40U * (1 << 16) + 3);
}

// Plain fields are read without JSON between; what is read must be the same.
TEST(Csv, ReadsNumbersAsJsonDoes) {
  const columnar::Field batch = columnar::struct_of({columnar::Field{"i", *columnar::parse_type("int8"), true},
                                                     columnar::Field{"f", *columnar::parse_type("float64"), true},
                                                     columnar::Field{"b", *columnar::parse_type("bool"), true}});
  const auto row = [&](std::string_view text, const CsvDialect& dialect) -> std::string {
    CsvRecord record;
    EXPECT_EQ(split_csv(text, true, dialect, record).size, text.size());
    columnar::ArrayBuilder builder(batch);
    const Status status = append_csv_row(record.fields(), {0, 1, 2}, batch, builder, dialect);
    if (!status.ok()) return std::string(status.message());
    const columnar::Array rows = builder.finish();
    return row_json_array(batch, *rows, 0).dump();
  };
  EXPECT_EQ(row("-128,1.5e3,true", {}), "[-128,1500.0,true]");
  EXPECT_EQ(row(" 7 ,,false", {}), "[7,null,false]");
  EXPECT_EQ(row("128,0,true", {}), "column \"i\": 128 does not fit int8");
  EXPECT_EQ(row("1,inf,true", {}),
            "column \"f\": \"inf\" does not fit float64; write a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
  EXPECT_EQ(row("1,-Infinity,true", {}), "[1,\"-Infinity\",true]");
  EXPECT_EQ(row("1,2,yes", {}), "column \"b\": \"yes\" does not fit bool; write true or false");
  CsvDialect dialect;
  dialect.null = "NULL";
  EXPECT_EQ(row("NULL,NULL,NULL", dialect), "[null,null,null]");
  EXPECT_EQ(row("1,2,\"NULL\"", dialect), "column \"b\": \"NULL\" does not fit bool; write true or false");
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
  auto positions = match_csv_header((*header)->fields(), batch);
  ASSERT_TRUE(positions.ok());
  columnar::ArrayBuilder builder(batch);
  for (int i = 0; i < 3; ++i) {
    auto record = reader.next();
    ASSERT_TRUE(record.ok() && *record);
    const Status status = append_csv_row((*record)->fields(), *positions, batch, builder);
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
