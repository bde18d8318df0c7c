#include "plan/timestamps.h"

#include <limits>

#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

class TimestampReader final : public Reader {
 public:
  TimestampReader(const columnar::Field& field, const Module& module)
      : Reader(field, module, Fast::kGeneric), view_(kEmpty) {}

  bool bind(const ArrowArray& array) override {
    view_ = columnar::ArrayView(array);
    return true;
  }
  PyObject* read(int64_t row) override {
    return PyLong_FromLongLong(view_.is_null(row) ? std::numeric_limits<int64_t>::min() : view_.values<int64_t>()[row]);
  }
  int64_t read_many(int64_t first, int64_t count, PyObject** out) override {
    for (int64_t i = 0; i < count; ++i) {
      out[i] = read(first + i);
      if (out[i] == nullptr) return i;
    }
    return count;
  }

 private:
  static constexpr ArrowArray kEmpty{};
  columnar::ArrayView view_;
};

}  // namespace

std::unique_ptr<Reader> make_timestamp_reader(const columnar::Field& field, const Module& module) {
  return std::make_unique<TimestampReader>(field, module);
}

}  // namespace clutch::pyembed
