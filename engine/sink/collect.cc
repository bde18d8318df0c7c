#include "sink/collect.h"

#include "clutch/columnar/ops.h"
#include "job/members.h"
#include "runtime/batch.h"

namespace clutch::engine {
namespace {

class CollectWriter final : public SinkWriter {
 public:
  CollectWriter(columnar::Field element, int32_t node, CollectQueue& queue)
      : element_(std::move(element)), node_(node), queue_(&queue) {}

  Status open() override { return {}; }
  Status write(const ArrowArray& batch) override {
    const BatchType type{element_.type, std::nullopt};
    CLUTCH_ASSIGN_OR_RETURN(columnar::Array copied, columnar::copy(type.field(), batch));
    return take(std::move(copied));
  }
  Status take(columnar::Array batch) override { return queue_->put({node_, element_, std::move(batch)}); }
  Status finish() override { return {}; }
  void close() override {}

 private:
  columnar::Field element_;
  int32_t node_;
  CollectQueue* queue_;
};

class CollectSink final : public Sink {
 public:
  CollectSink(int32_t node, CollectQueue& queue) : node_(node), queue_(&queue) {}
  Result<std::unique_ptr<SinkWriter>> writer(const columnar::Field& element, const SinkContext&) const override {
    return std::unique_ptr<SinkWriter>(new CollectWriter(element, node_, *queue_));
  }

 private:
  int32_t node_;
  CollectQueue* queue_;
};

class BlackholeWriter final : public SinkWriter {
 public:
  Status open() override { return {}; }
  Status write(const ArrowArray&) override { return {}; }
  Status finish() override { return {}; }
  void close() override {}
};

class BlackholeSink final : public Sink {
 public:
  Result<std::unique_ptr<SinkWriter>> writer(const columnar::Field&, const SinkContext&) const override {
    return std::unique_ptr<SinkWriter>(new BlackholeWriter());
  }
};

Status no_members(const SinkSpec& spec) {
  CLUTCH_ASSIGN_OR_RETURN(const nlohmann::json json, parse_json(spec.members));
  Members members(json, spec.place);
  members.text("type");
  return members.end();
}

}  // namespace

Result<std::unique_ptr<Sink>> make_collect(const SinkSpec& spec, CollectQueue& queue) {
  CLUTCH_RETURN_IF_ERROR(no_members(spec));
  return std::unique_ptr<Sink>(new CollectSink(spec.node, queue));
}

Result<std::unique_ptr<Sink>> make_blackhole(const SinkSpec& spec, CollectQueue&) {
  CLUTCH_RETURN_IF_ERROR(no_members(spec));
  return std::unique_ptr<Sink>(new BlackholeSink());
}

}  // namespace clutch::engine
