#include <gtest/gtest.h>

#include "batches.h"
#include "exchange/size.h"

namespace clutch::engine {
namespace {

using columnar::ArrayBuilder;
using columnar::Field;

Field field_of(const char* type) { return {"c", *columnar::parse_type(type)}; }

TEST(BatchBytes, CountsWhatTheRowsTake) {
  const columnar::Array batch = batch_of(1, 9);
  // 10 offsets, 9 keys of 5 letters, 9 numbers; no validity without nulls.
  EXPECT_EQ(batch_bytes(batch_field(), *batch), 10 * 4 + 9 * 5 + 9 * 8);
  const columnar::Array part = columnar::slice(*batch, 3, 2);
  EXPECT_EQ(batch_bytes(batch_field(), *part), 3 * 4 + 2 * 5 + 2 * 8);
  const columnar::Array nothing = columnar::slice(*batch, 3, 0);
  EXPECT_EQ(batch_bytes(batch_field(), *nothing), 0);
}

TEST(BatchBytes, CountsTheItemsOfListsAndTheValuesOfDictionaries) {
  const Field list = field_of("list<int32>");
  ArrayBuilder lists(list);
  for (int items = 1; items <= 3; ++items) {
    for (int i = 0; i < items; ++i) lists.child(0).append<int32_t>(i);
    ASSERT_TRUE(lists.append_list().ok());
  }
  const columnar::Array three = lists.finish();
  EXPECT_EQ(batch_bytes(list, *three), 4 * 4 + 6 * 4);
  const columnar::Array last = columnar::slice(*three, 2, 1);
  EXPECT_EQ(batch_bytes(list, *last), 2 * 4 + 3 * 4);

  const Field dictionary = field_of("dictionary<int32, string>");
  ArrayBuilder words(dictionary);
  ASSERT_TRUE(words.child(0).append_bytes("abc").ok());
  for (int i = 0; i < 10; ++i) words.append<int32_t>(0);
  const columnar::Array coded = words.finish();
  EXPECT_EQ(batch_bytes(dictionary, *coded), 10 * 4 + 2 * 4 + 3);
}

TEST(BatchBytes, CountsBitsAndValidity) {
  const Field field = field_of("bool");
  ArrayBuilder flags(field);
  for (int i = 0; i < 20; ++i) flags.append_bool(true);
  EXPECT_EQ(batch_bytes(field, *flags.finish()), 3);
  flags.append_null();
  EXPECT_EQ(batch_bytes(field, *flags.finish()), 2);
}

}  // namespace
}  // namespace clutch::engine
