#include "plan/chain.h"

namespace clutch::pyembed {
namespace {

template <bool kOrigin>
int64_t with_origin(const Loop& loop, int64_t first, int64_t last) {
  return with_sink(loop.outputs->writer(), loop.outputs->builder(), last - first, [&](auto& sink) {
    return Chain<std::remove_reference_t<decltype(sink)>, kOrigin>(loop, sink).run(first, last);
  });
}

}  // namespace

int64_t run_chain(const Loop& loop, int64_t first, int64_t last) {
  if (!loop.outputs->has_writer()) {
    PassedSink sink;
    return Chain<PassedSink, true>(loop, sink).run(first, last);
  }
  for (const PlannedStep& step : *loop.steps) {
    if (step.shape != Shape::kRow && step.shape != Shape::kKey) return with_origin<true>(loop, first, last);
  }
  return with_origin<false>(loop, first, last);
}

}  // namespace clutch::pyembed
