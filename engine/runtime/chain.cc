#include "runtime/chain.h"

#include <chrono>
#include <utility>

#include "clutch/columnar/builder.h"
#include "exchange/share.h"

namespace clutch::engine {
namespace {

int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

// An error that comes from an operator behind this one, or from a channel, is not this one's.
Status Link::named(Status status) {
  if (status.ok() || failed_below_ || status.code() == CLUTCH_ERR_CANCELLED) return status;
  return std::move(status)
      .prefixed("operator \"" + label_.name + "\"")
      .with("operator", label_.name)
      .with("node", std::to_string(label_.node));
}

template <typename Work>
Status Link::measured(Work work) {
  if (operator_ == nullptr) return work();
  const int64_t start = now_ns();
  below_ns_ = 0;
  Status status = work();
  OperatorCounters::add(counters_.busy_ns, now_ns() - start - below_ns_);
  return named(std::move(status));
}

Status Link::open(const OperatorContext& context) {
  if (operator_ == nullptr) return {};
  OperatorContext own = context;
  if (context.snapshot != nullptr) own.restored = context.snapshot->named(label_.key);
  return named(operator_->open(own));
}

Status Link::process(size_t input, columnar::Array batch) {
  OperatorCounters::add(counters_.batches, 1);
  OperatorCounters::add(counters_.rows_in, batch->length);
  if (operator_ == nullptr) return emit(std::move(batch));
  return measured([&] { return operator_->process(input, std::move(batch), *this); });
}

Status Link::take_signal(TimeSignal given) {
  if (operator_ == nullptr) return signal(given);
  return measured([&] { return operator_->on_signal(given, *this); });
}

Status Link::poll() {
  if (operator_ == nullptr) return {};
  return measured([&] { return operator_->poll(*this); });
}

Status Link::on_deadline() {
  const std::optional<Operator::Deadline> due = deadline();
  if (!due.has_value() || *due > std::chrono::steady_clock::now()) return {};
  return measured([&] { return operator_->on_deadline(*this); });
}

Status Link::finish() {
  if (operator_ == nullptr) return {};
  return measured([&] { return operator_->finish(*this); });
}

Status Link::close() {
  if (operator_ == nullptr) return {};
  return named(operator_->close());
}

std::optional<Operator::Deadline> Link::deadline() const {
  return operator_ == nullptr ? std::nullopt : operator_->deadline();
}

Status Link::drain() {
  if (operator_ == nullptr) return {};
  return measured([&] { return operator_->drain(*this); });
}

Result<std::string> Link::snapshot() {
  if (operator_ == nullptr) return std::string();
  Result<std::string> kept = operator_->snapshot();
  if (!kept.ok()) return named(std::move(kept).status());
  return kept;
}

Status Link::pass(Barrier barrier) {
  for (Route& route : routes_) {
    if (route.sender != nullptr) CLUTCH_RETURN_IF_ERROR(route.sender->pass(barrier));
  }
  return {};
}

Status Link::move_to(const std::string& mode) {
  if (operator_ == nullptr) return {};
  return named(operator_->move_to(mode));
}

void Link::cancel() {
  if (operator_ != nullptr) operator_->cancel();
}

void Link::close_senders() {
  for (Route& route : routes_) {
    if (route.sender != nullptr) route.sender->close();
  }
}

Status Link::route(std::optional<size_t> side, columnar::Array batch) {
  if (batch->length == 0) return {};
  OperatorCounters::add(counters_.rows_out, batch->length);
  size_t takers = 0;
  for (const Route& route : routes_) takers += route.side == side ? 1 : 0;
  if (takers == 1) {
    for (Route& route : routes_) {
      if (route.side == side) return hand_on(route, std::move(batch));
    }
  }
  if (takers == 0) return {};
  const Shared shared(std::move(batch));
  for (Route& route : routes_) {
    if (route.side == side) CLUTCH_RETURN_IF_ERROR(hand_on(route, shared.view()));
  }
  return {};
}

Status Link::hand_on(Route& route, columnar::Array batch) {
  const int64_t start = now_ns();
  Status status;
  if (route.sender != nullptr) {
    const int64_t before = route.sender->blocked_ns();
    status = route.sender->send(std::move(batch));
    OperatorCounters::add(counters_.blocked_ns, route.sender->blocked_ns() - before);
  } else {
    if (route.drops_key) {
      const int64_t rows = batch->length;
      std::vector<columnar::Array> columns = take_columns(std::move(batch));
      columns.erase(columns.begin() + 1);
      batch = columnar::make_batch(rows, std::move(columns));
    }
    status = route.next->process(0, std::move(batch));
    failed_below_ = failed_below_ || !status.ok();
  }
  below_ns_ += now_ns() - start;
  return status;
}

Status Link::signal(TimeSignal given) {
  if (given.kind == TimeSignal::Kind::kWatermark) {
    counters_.watermark.store(given.time, std::memory_order_relaxed);
  }
  const int64_t start = now_ns();
  for (Route& route : routes_) {
    Status status = route.sender != nullptr ? route.sender->signal(given) : route.next->take_signal(given);
    failed_below_ = failed_below_ || (!status.ok() && route.sender == nullptr);
    CLUTCH_RETURN_IF_ERROR(std::move(status));
  }
  below_ns_ += now_ns() - start;
  return {};
}

}  // namespace clutch::engine
