// The accumulators of a batch's groups: read from the host's state all at once, used as objects, written back once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/row_codec.h"
#include "convert/convert.h"
#include "fold/cache.h"
#include "fold/failure.h"
#include "fold/keyed.h"
#include "fold/views.h"
#include "plan/executor.h"

namespace clutch::pyembed {

class Accumulators {
 public:
  // Declares the states of the function. `create` is the user's create_accumulator. Fails with CLUTCH_ERR_UNSUPPORTED
  // and a sentence where there is no declared type, or none that can be stored.
  static Result<Accumulators> make(const Gil& gil, const Executor::Parts& parts, PyRef create);

  // Make the accumulators of all groups ready. After a failure call drop().
  Status load(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed, Failures& failures);

  int32_t groups() const { return static_cast<int32_t>(groups_.size()); }
  // Borrowed.
  PyObject* at(int32_t group) const { return groups_[static_cast<size_t>(group)].object.get(); }
  // The group's accumulator may have changed and is written back.
  void touch(int32_t group) { groups_[static_cast<size_t>(group)].touched = true; }
  // What the group had was merged into another: it begins anew, and gives no result unless rows come.
  Status clear(const Gil& gil, int32_t group, const KeyedBatch& keyed, Failures& failures);
  bool merged_away(int32_t group) const {
    const Group& of = groups_[static_cast<size_t>(group)];
    return of.cleared && !of.touched;
  }

  // Remember the accumulator of a group as it is before a row that may fail, and bring that back. Costs a copy of the
  // list for accumulators of plain values, an encoding for others.
  Status remember(const Gil& gil, int32_t group, const KeyedBatch& keyed, Failures& failures);
  Status bring_back(const Gil& gil, int32_t group, const KeyedBatch& keyed, Failures& failures);

  // Stage what changed with the batch. After a failure call drop().
  Status store(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed,
               Failures& failures);
  // The batch is over: let go of its accumulators. Those that store() wrote may be kept for the next batch.
  void end(const KeyedBatch& keyed);
  // The batch failed: nothing of it is kept.
  void drop();

 private:
  // What create_accumulator() gives; values from state come back as the same.
  enum class Container : uint8_t { kUnknown, kList, kTuple, kOther };
  struct Group {
    PyRef object;
    std::string bytes;  // in state, or as store() wrote it; empty: none
    bool touched = false;
    bool cleared = false;
  };

  Accumulators(columnar::Field field, columnar::RowCodec codec) : field_(std::move(field)), codec_(std::move(codec)) {}
  PyRef create(const Gil& gil);
  // The object of a decoded row.
  PyRef read(int64_t row);
  PyRef with_views(const Gil& gil, PyRef object, int32_t group);
  Status write(const Gil& gil, PyObject* object, int32_t group, const KeyedBatch& keyed, Failures& failures);
  // Whether decoding what was encoded from the object would give an equal one of the same types.
  bool faithful(PyObject* object) const;
  Status decode(const Gil& gil, const std::vector<int32_t>& missing, const KeyedBatch& keyed, Failures& failures);

  columnar::Field field_;
  columnar::RowCodec codec_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<columnar::ArrayBuilder> builder_;
  std::unique_ptr<Views> views_;
  std::unique_ptr<AccumulatorCache> cache_;
  PyRef create_;
  uint32_t state_ = 0;
  bool plain_ = false;  // no part of an accumulator can be changed in place but the list itself
  Container container_ = Container::kUnknown;
  std::vector<Group> groups_;
  PyRef kept_;            // of remember(): a list
  columnar::Array copy_;  // of remember(): an encoding
  bool stored_ = false;
};

}  // namespace clutch::pyembed
