#include "source/datagen/datagen.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "source/common/element_batch.h"
#include "source/common/wait_point.h"
#include "source/datagen/generator.h"
#include "spec/connector_members.h"

namespace clutch::engine {
namespace {

using Clock = std::chrono::steady_clock;

// Rows that are due in so short a time come together: below it, batches would be of one row, and cost more than they
// gain in latency.
constexpr std::chrono::milliseconds kTick{5};
// After a pause (of whoever takes the rows) no more than so much is made up for at once.
constexpr std::chrono::seconds kMostBehind{1};

struct DatagenSpec {
  std::vector<std::unique_ptr<Generator>> columns;
  std::optional<int64_t> rows;
  std::optional<double> rows_per_second;
};

class DatagenReader final : public SourceReader {
 public:
  DatagenReader(std::shared_ptr<const DatagenSpec> spec, const columnar::Field& element, const SourceContext& context)
      : shared_(std::move(spec)), spec_(*shared_), context_(context), values_(element), next_(context.subtask) {}

  Status open() override {
    began_ = Clock::now();
    first_ = next_;
    return {};
  }

  Result<Polled> poll(std::optional<Deadline> until) override {
    while (true) {
      const int64_t left = rows_left();
      if (left == 0) return Polled{Polled::Kind::kEnded, {}};
      const int64_t now_due = std::min({left, due(), context_.batch_rows});
      if (now_due > 0) return make(now_due);
      const Deadline next = std::max(due_at(next_), last_batch_ + kTick);
      CLUTCH_ASSIGN_OR_RETURN(const WaitPoint::Came came, waker_.wait(earlier(until, next)));
      if (came == WaitPoint::Came::kWoken || (until && Clock::now() >= *until)) return Polled{};
    }
  }

  void wake() override { waker_.wake(); }

  Result<std::string> position() override { return std::to_string(next_); }

  Status restore(const std::string& position) override {
    int64_t row = 0;
    const auto [end, error] = std::from_chars(position.data(), position.data() + position.size(), row);
    if (error != std::errc() || end != position.data() + position.size() || row < 0) {
      return {CLUTCH_ERR_DATA, "the position of a source datagen cannot be read: it is no row number"};
    }
    if (row % context_.parallelism != context_.subtask) {
      return {CLUTCH_ERR_ARGUMENT, "row " + position + " is none of subtask " + std::to_string(context_.subtask) +
                                       " of " + std::to_string(context_.parallelism) +
                                       "; restore datagen with the same parallelism"};
    }
    next_ = row;
    return {};
  }

 private:
  int64_t rows_left() const {
    if (!spec_.rows) return INT64_MAX;
    if (next_ >= *spec_.rows) return 0;
    return (*spec_.rows - next_ - 1) / context_.parallelism + 1;
  }

  // Rows are due evenly, counted over all subtasks.
  Deadline due_at(int64_t row) const {
    if (!spec_.rows_per_second) return began_;
    const std::chrono::duration<double> after(static_cast<double>(row - first_ + context_.subtask) /
                                              *spec_.rows_per_second);
    return began_ + std::chrono::ceil<Clock::duration>(after);
  }

  int64_t due() {
    if (!spec_.rows_per_second) return INT64_MAX;
    const auto now = Clock::now();
    if (now < last_batch_ + kTick) return 0;
    if (now - due_at(next_) > kMostBehind) began_ += now - due_at(next_) - kMostBehind;
    if (now < due_at(next_)) return 0;
    const double behind = std::chrono::duration<double>(now - due_at(next_)).count();
    return static_cast<int64_t>(behind * *spec_.rows_per_second / context_.parallelism) + 1;
  }

  Result<Polled> make(int64_t rows) {
    values_.reserve(rows);
    for (int64_t i = 0; i < rows; ++i) {
      for (size_t k = 0; k < spec_.columns.size(); ++k) {
        CLUTCH_RETURN_IF_ERROR(spec_.columns[k]->append(next_, values_.child(k)));
      }
      values_.append_struct();
      next_ += context_.parallelism;
    }
    last_batch_ = Clock::now();
    return Polled{Polled::Kind::kBatch, element_batch(values_)};
  }

  const std::shared_ptr<const DatagenSpec> shared_;  // Why shared: readers need not end before their source.
  const DatagenSpec& spec_;
  const SourceContext context_;
  columnar::ArrayBuilder values_;
  int64_t next_;       // number of the next row
  int64_t first_ = 0;  // of those made since open()
  Deadline began_;
  Deadline last_batch_;
  WaitPoint waker_;
};

class DatagenSource final : public Source {
 public:
  DatagenSource(DatagenSpec spec, columnar::Field element)
      : spec_(std::make_shared<const DatagenSpec>(std::move(spec))), element_(std::move(element)) {
    element_.name = "value";
  }

  const columnar::Field& element() const override { return element_; }
  bool bounded() const override { return spec_->rows.has_value(); }
  int32_t highest_parallelism() const override {
    return static_cast<int32_t>(std::clamp<int64_t>(spec_->rows.value_or(INT32_MAX), 1, INT32_MAX));
  }
  Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const override {
    return std::unique_ptr<SourceReader>(std::make_unique<DatagenReader>(spec_, element_, context));
  }

 private:
  std::shared_ptr<const DatagenSpec> spec_;  // Why shared: see DatagenReader.
  columnar::Field element_;
};

// The object of `fields` for a column; nullptr and a refusal where there is none, or two.
const nlohmann::json* find_field(ConnectorMembers& read, const nlohmann::json& fields, const std::string& name) {
  const nlohmann::json* found = nullptr;
  for (const nlohmann::json& field : fields) {
    if (!field.is_object() || field.value("name", nlohmann::json()) != nlohmann::json(name)) continue;
    if (found != nullptr) read.refuse("fields", "has two entries for column \"" + name + "\"");
    found = &field;
  }
  if (found == nullptr) {
    read.refuse("fields", "has no entry for column \"" + name + "\"; give {\"name\": \"" + name +
                              "\", \"kind\": " + "\"random\"}");
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<Source>> make_datagen_source(const nlohmann::json& members, const columnar::Field& element,
                                                    std::string_view place) {
  ConnectorMembers read(members, place);
  DatagenSpec spec;
  const nlohmann::json& fields = read.array("fields");
  spec.rows = read.optional_integer("rows", 0, INT64_MAX);
  spec.rows_per_second = read.optional_number("rows_per_second");
  const auto seed = read.optional_integer("seed", INT64_MIN, INT64_MAX);
  if (spec.rows_per_second && !(*spec.rows_per_second > 0 && *spec.rows_per_second <= 1e12)) {
    read.refuse("rows_per_second", "is not above 0 and at most 1e12");
  }
  CLUTCH_RETURN_IF_ERROR(check_struct_element(element, place));
  std::random_device device;
  const uint64_t base = seed ? static_cast<uint64_t>(*seed) : static_cast<uint64_t>(device()) << 32 | device();
  for (size_t i = 0; i < element.type.children.size(); ++i) {
    const columnar::Field& column = element.type.children[i];
    const nlohmann::json* field = find_field(read, fields, column.name);
    if (field == nullptr) break;
    const std::string at = read.place("fields") + "[" + std::to_string(field - &fields[0]) + "]";
    // Why the hash of the place and not base + i: seeds that follow each other must not give columns that are shifted.
    const uint64_t column_seed = base ^ (0xA24BAED4963EE407U * (i + 1));
    CLUTCH_ASSIGN_OR_RETURN(auto generator, make_generator(*field, column, column_seed, at));
    if (const auto rows = generator->rows()) spec.rows = std::min(spec.rows.value_or(INT64_MAX), *rows);
    spec.columns.push_back(std::move(generator));
  }
  if (spec.columns.size() == element.type.children.size() && fields.size() != spec.columns.size()) {
    read.refuse("fields", "has " + std::to_string(fields.size()) + " entries where there are " +
                              std::to_string(spec.columns.size()) + " columns: " + columnar::to_string(element.type));
  }
  CLUTCH_RETURN_IF_ERROR(read.finish());
  return std::unique_ptr<Source>(std::make_unique<DatagenSource>(std::move(spec), element));
}

}  // namespace clutch::engine
