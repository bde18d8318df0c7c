// What a batch of keyed rows costs in the host, with a plugin that reads and writes one value a key and does nothing
// else. Printed, not judged.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "keyed.h"

namespace clutch::testing {
namespace {

constexpr int64_t kRows = 4096;

std::string key_text(int64_t number) { return "key-" + std::to_string(1000000 + number); }

// The changes of a batch, as a runtime builds them: one value of 16 bytes a key.
columnar::Array changes_of(int64_t keys) {
  columnar::ArrayBuilder positions(host::simple_field("key", columnar::TypeId::kInt32, false));
  columnar::ArrayBuilder ops(host::simple_field("op", columnar::TypeId::kInt8, false));
  columnar::ArrayBuilder map_keys(host::simple_field("map_key", columnar::TypeId::kBinary, true));
  columnar::ArrayBuilder values(host::simple_field("value", columnar::TypeId::kBinary, true));
  for (int64_t i = 0; i < keys; ++i) {
    positions.append(static_cast<int32_t>(i));
    ops.append(static_cast<int8_t>(CLUTCH_STATE_OP_PUT));
    map_keys.append_null();
    if (!values.append_bytes("0123456789abcdef").ok()) throw std::bad_alloc();
  }
  return batch_of(keys, positions.finish(), ops.finish(), map_keys.finish(), values.finish());
}

enum class Work { kNothing, kRead, kReadAndWrite };

// ns a row of batches of kRows distinct keys that walk through `keys` keys.
double per_row(int64_t keys, Work work, bool with_index) {
  Keyed keyed;
  keyed.states = {{"value", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  const clutch_host_state& state = keyed.state();
  int64_t inside_ns = 0;  // what the plugin spends on building its changes is not the host's
  // The time of this thread alone, as others may use the machine.
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) -> int32_t {
    if (work == Work::kNothing) return CLUTCH_OK;
    ArrowArray raw{};
    if (state.read(batch.context, 0, &raw, error) != CLUTCH_OK) return CLUTCH_ERR_INTERNAL;
    columnar::Array(std::move(raw)).reset();
    if (work == Work::kRead) return CLUTCH_OK;
    const int64_t before = now();
    ArrowArray changes = changes_of(batch.keys->length).detach();
    inside_ns += now() - before;
    return state.apply(batch.context, 0, &changes, error);
  };
  std::vector<int32_t> index(kRows);
  for (size_t i = 0; i < index.size(); ++i) index[i] = static_cast<int32_t>(i);
  std::vector<double> times;
  const int64_t batches = keys / kRows;
  const int64_t rounds = std::max<int64_t>(3, 100 / batches);
  for (int64_t round = 0; round <= rounds; ++round) {
    int64_t spent = 0;
    for (int64_t batch = 0; batch < batches; ++batch) {
      std::vector<std::string> row_keys;
      for (int64_t i = 0; i < kRows; ++i) row_keys.push_back(key_text((i * 7919 + batch) % kRows * batches + batch));
      KeyedBatch given(std::vector<int64_t>(kRows, 1), row_keys);
      columnar::Array key_index = int32_column(index);
      if (with_index) given.options.key_index = key_index.get();
      inside_ns = 0;
      const int64_t start = now();
      given.call(function);
      spent += now() - start - inside_ns;
    }
    if (round > 0) times.push_back(static_cast<double>(spent) / static_cast<double>(batches * kRows));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace
}  // namespace clutch::testing

int main() {
  using clutch::testing::per_row;
  using clutch::testing::Work;
  for (const int64_t keys : {4096, 102400}) {
    for (const bool with_index : {false, true}) {
      std::printf("%7lld keys, %s: arranging %6.1f, and reading %6.1f, and writing %6.1f ns a row\n",
                  static_cast<long long>(keys), with_index ? "distinct keys and index" : "a key a row            ",
                  per_row(keys, Work::kNothing, with_index), per_row(keys, Work::kRead, with_index),
                  per_row(keys, Work::kReadAndWrite, with_index));
    }
  }
  return 0;
}
