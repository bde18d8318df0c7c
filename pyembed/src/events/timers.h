// Timers of a batch: those that fire in it, and those its calls register and delete.
//
// A timer that is due is the host's until it fires here. So one that a call deletes before its turn does not fire, and
// one that a call registers although it is still to fire is the same timer and not a second one. One that is registered
// while timers fire, for a time that has passed, fires among them, in the order of time; the host learns of it when it
// has fired.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "clutch/abi/batch.h"
#include "clutch/columnar/result.h"
#include "loading/spec.h"
#include "table/host.h"

namespace clutch::pyembed {

struct DueTimer {
  int32_t group;
  int64_t time_ms;
  int8_t domain;
  int32_t place = -1;  // in clutch_batch.timers; those registered in this batch have the places behind it
};

class Timers {
 public:
  // Read those that fire. CLUTCH_ERR_DATA if they do not fit to the batch's keys.
  Status begin(const FunctionSpec& spec, const clutch_batch& batch, int32_t groups);
  void end();

  // The next timer to fire, NULL after the last. Valid until the next call of anything here.
  const DueTimer* next();
  void change(int32_t group, int64_t time_ms, int8_t domain, int8_t op);
  // All have fired: what is registered from here on fires in a later batch.
  void end_firing() { firing_ = false; }

  // Take back the changes after the first `count`.
  size_t changes() const { return changes_.size(); }
  void truncate(size_t count) { changes_.resize(count); }

  // Stage the changes with the batch; gives the host's status.
  int32_t apply(const Host& host, const clutch_batch& batch);

 private:
  struct Change {
    DueTimer timer;
    int8_t op;
  };
  void insert(const DueTimer& timer);

  using Key = std::tuple<int32_t, int8_t, int64_t>;

  std::vector<DueTimer> due_;
  size_t at_ = 0;
  std::map<Key, bool> waiting_;  // due and not fired yet -> not deleted
  std::vector<Change> changes_;
  std::vector<DueTimer> fired_;  // registered and fired in this batch
  int64_t now_[2]{};             // by domain: up to which time timers fire
  int32_t given_ = 0;            // length of clutch_batch.timers
  bool firing_ = false;
};

}  // namespace clutch::pyembed
