// What functions with two inputs and with keys get, from the batches of their inputs.
#include <gtest/gtest.h>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "operators/keyed_operator.h"

namespace clutch::engine {
namespace {

columnar::Type type(const char* text) { return *columnar::parse_type(text); }

struct Row {
  int64_t value;
  std::optional<int64_t> key;
  int64_t time;
};

// A batch of int64 values; with keys if the first row has one.
columnar::Array batch_of(const std::vector<Row>& rows) {
  const columnar::Field field{"", type("int64"), true};
  columnar::ArrayBuilder values(field);
  columnar::ArrayBuilder keys(field);
  columnar::ArrayBuilder times(field);
  for (const Row& row : rows) {
    values.append(row.value);
    times.append(row.time);
    if (row.key.has_value()) keys.append(*row.key);
  }
  std::vector<columnar::Array> columns;
  columns.push_back(values.finish());
  if (rows[0].key.has_value()) columns.push_back(keys.finish());
  columns.push_back(times.finish());
  return columnar::make_batch(static_cast<int64_t>(rows.size()), std::move(columns));
}

std::string text(const columnar::Field& field, const ArrowArray& array) {
  std::string out;
  for (int64_t row = 0; row < array.length; ++row) {
    out += (row > 0 ? " " : "") + columnar::row_to_string(field, array, row);
  }
  return out;
}

// Lets a test see what an operator would submit.
template <typename Base>
class Open final : public Base {
 public:
  using Base::arrange;
  using Base::arranged;
  using Base::Base;
  using Base::prepare;

  auto submission(std::vector<std::pair<size_t, columnar::Array>> batches) {
    std::vector<columnar::Array> arranged_batches;
    std::vector<const ArrowArray*> parts;
    for (auto& [input, batch] : batches) arranged_batches.push_back(*this->arrange(input, std::move(batch)));
    for (const columnar::Array& batch : arranged_batches) parts.push_back(batch.get());
    return *this->prepare(*columnar::concatenate(this->arranged(), parts));
  }
};

std::vector<std::pair<size_t, columnar::Array>> batches(columnar::Array first, columnar::Array second) {
  std::vector<std::pair<size_t, columnar::Array>> out;
  out.emplace_back(0, std::move(first));
  out.emplace_back(1, std::move(second));
  return out;
}

const columnar::Field kTimes = timestamp_field();

const columnar::Field kIndex{"index", type("int32"), false};

TEST(TwoInputs, RowsSayWhichInputTheyCameBy) {
  const std::vector<BatchType> inputs = {{type("int64"), {}}, {type("int64"), {}}};
  Open<RowsOperator> op({}, RowsShape{inputs, {}, true});
  auto made = op.submission(batches(batch_of({{1, {}, 10}, {2, {}, 20}}), batch_of({{3, {}, 30}})));
  EXPECT_EQ(text(RowsOperator::function_input(inputs), *made.rows),
            "{'input': 0, 'value1': 1, 'value2': null} {'input': 0, 'value1': 2, 'value2': null} "
            "{'input': 1, 'value1': null, 'value2': 3}");
  EXPECT_EQ(text(kTimes, *made.extras.timestamps), "10 20 30");
  EXPECT_TRUE(made.extras.keys.empty());
}

TEST(TwoInputs, KeysOfBoth) {
  const std::vector<BatchType> inputs = {{type("int64"), type("int64")}, {type("int64"), type("int64")}};
  Open<KeyedOperator> op({}, RowsShape{inputs, {}, true}, false, *KeyIndexer::make(inputs[0].key_field()));
  auto made = op.submission(batches(batch_of({{1, 7, 10}, {2, 8, 20}}), batch_of({{3, 8, 30}, {4, 9, 40}})));
  EXPECT_EQ(text(kIndex, *made.extras.key_index), "0 1 1 2");
  EXPECT_EQ(made.extras.keys->length, 3);
}

TEST(Broadcast, EmptyKeyIsTheLastAndOwnsTheSecondInput) {
  const std::vector<BatchType> inputs = {{type("int64"), type("int64")}, {type("int64"), {}}};
  Open<KeyedOperator> op({}, RowsShape{inputs, {}, true}, true, *KeyIndexer::make(inputs[0].key_field()));
  auto made = op.submission(batches(batch_of({{1, 7, 10}, {2, 8, 20}}), batch_of({{3, {}, 30}})));
  EXPECT_EQ(text(kIndex, *made.extras.key_index), "0 1 2");
  ASSERT_EQ(made.extras.keys->length, 3);
  EXPECT_EQ(columnar::ArrayView(*made.extras.keys).bytes_at<int32_t>(2), "");
}

TEST(Broadcast, WithoutKeysAllRowsBelongToTheEmptyKey) {
  const std::vector<BatchType> inputs = {{type("int64"), {}}, {type("int64"), {}}};
  Open<KeyedOperator> op({}, RowsShape{inputs, {}, true}, true, std::nullopt);
  auto made = op.submission(batches(batch_of({{1, {}, 10}, {2, {}, 20}}), batch_of({{3, {}, 30}})));
  EXPECT_EQ(text(kIndex, *made.extras.key_index), "0 0 0");
  ASSERT_EQ(made.extras.keys->length, 1);
  EXPECT_EQ(columnar::ArrayView(*made.extras.keys).bytes_at<int32_t>(0), "");
}

}  // namespace
}  // namespace clutch::engine
