#include "source/collection.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "clutch/columnar/builder.h"
#include "exchange/share.h"
#include "job/members.h"
#include "source/json_value.h"
#include "source/no_timestamps.h"
#include "source/packed.h"

namespace clutch::engine {
namespace {

// What all readers of one source read: values that were read already, then blobs.
struct Contents {
  columnar::Field element;
  Shared values;
  // Why shared_ptr: the description keeps the blobs for all of its sources.
  std::shared_ptr<const Blobs> blobs;
  std::vector<size_t> chosen;  // of the blobs
};

class CollectionReader final : public SourceReader {
 public:
  CollectionReader(const Contents& contents, const SourceContext& context)
      : contents_(&contents), batch_rows_(context.batch_rows), idle_(context.subtask > 0) {}

  Status open() override {
    // Elements before the restored position are read again and passed over.
    int64_t skipped = 0;
    while (skipped < given_) {
      CLUTCH_ASSIGN_OR_RETURN(const columnar::Array elements, next(std::min(batch_rows_, given_ - skipped)));
      if (elements.empty()) {
        return Status(CLUTCH_ERR_DATA,
                      "the position " + std::to_string(given_) + " is behind the end of the collection");
      }
      skipped += elements->length;
    }
    return {};
  }

  Result<Polled> poll(std::optional<Deadline>) override {
    CLUTCH_ASSIGN_OR_RETURN(columnar::Array elements, next(batch_rows_));
    if (elements.empty()) return Polled{Polled::Kind::kEnded, {}};
    given_ += elements->length;
    const int64_t rows = elements->length;
    std::vector<columnar::Array> columns;
    columns.push_back(std::move(elements));
    columns.push_back(timestamps_.column(rows));
    return Polled{Polled::Kind::kBatch, columnar::make_batch(rows, std::move(columns))};
  }

  void wake() override {}  // poll() never waits

  Result<std::string> position() override { return std::to_string(given_); }

  Status restore(const std::string& position) override {
    const char* const end = position.data() + position.size();
    const auto [rest, error] = std::from_chars(position.data(), end, given_);
    if (error == std::errc() && rest == end && given_ >= 0) return {};
    return Status(CLUTCH_ERR_DATA, "\"" + position + "\" is no position of a collection");
  }

 private:
  // At most `rows` elements; none at the end.
  Result<columnar::Array> next(int64_t rows) {
    if (idle_) return columnar::Array();
    if (value_ < contents_->values->length) {
      const int64_t count = std::min(rows, contents_->values->length - value_);
      value_ += count;
      return contents_->values.slice(value_ - count, count);
    }
    for (; blob_ < contents_->chosen.size(); ++blob_, at_ = 0) {
      const size_t number = contents_->chosen[blob_];
      const std::string& blob = (*contents_->blobs)[number];
      if (at_ >= blob.size()) continue;
      Result<columnar::Array> elements = unpack_elements(contents_->element, blob, rows, at_);
      if (!elements.ok()) return std::move(elements).status().prefixed("blob " + std::to_string(number));
      return elements;
    }
    return columnar::Array();
  }

  const Contents* contents_;
  const int64_t batch_rows_;
  const bool idle_;  // the first subtask reads all
  int64_t value_ = 0;
  size_t blob_ = 0;
  size_t at_ = 0;
  int64_t given_ = 0;
  NoTimestamps timestamps_;
};

class Collection final : public Source {
 public:
  explicit Collection(Contents contents) : contents_(std::move(contents)) {}

  const columnar::Field& element() const override { return contents_.element; }
  bool bounded() const override { return true; }
  int32_t highest_parallelism() const override { return 1; }
  Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const override {
    return std::unique_ptr<SourceReader>(new CollectionReader(contents_, context));
  }

 private:
  const Contents contents_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_collection(const SourceSpec& spec) {
  CLUTCH_ASSIGN_OR_RETURN(const nlohmann::json json, parse_json(spec.members));
  Members members(json, spec.place);
  members.text("type");
  const bool by_value = members.has("values");
  if (by_value == members.has("blobs")) members.fail({}, "give either \"values\" or \"blobs\"");
  Contents contents{spec.element, {}, spec.blobs, {}};
  columnar::ArrayBuilder values(spec.element);
  if (by_value) {
    const nlohmann::json& given = members.array("values");
    for (size_t i = 0; i < given.size() && members.ok(); ++i) {
      const Status status = append_value(given[i], spec.element, values);
      if (!status.ok()) members.fail("values[" + std::to_string(i) + "]", status.message());
    }
  } else {
    for (const nlohmann::json& number : members.array("blobs")) {
      if (number.is_number_unsigned() && number.get<uint64_t>() < spec.blobs->size()) {
        contents.chosen.push_back(number.get<size_t>());
      } else {
        members.fail("blobs", json_excerpt(number) + " is the number of none of the " +
                                  std::to_string(spec.blobs->size()) + " blobs");
      }
    }
  }
  CLUTCH_RETURN_IF_ERROR(members.end());
  contents.values = Shared(values.finish());
  return std::unique_ptr<Source>(new Collection(std::move(contents)));
}

}  // namespace clutch::engine
