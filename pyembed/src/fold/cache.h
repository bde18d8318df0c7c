// Accumulators as objects, kept between batches so that they need not be decoded again. A hint only: an entry counts
// where the state still has the very bytes that the object was encoded to. (Stronger than a comparison of versions,
// which a runtime does not learn when the host commits: bytes that are equal mean an object that is equal.)
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "interpreter/ref.h"

namespace clutch::pyembed {

class AccumulatorCache {
 public:
  explicit AccumulatorCache(size_t limit) : limit_(limit) {}

  // Take the object out: while a batch works with it, it is nobody else's, and a batch that fails does not bring it
  // back. Empty if there is none for these bytes.
  PyRef take(const std::string& key, std::string_view bytes) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return {};
    PyRef object;
    if (found->second->bytes == bytes) object = std::move(found->second->object);
    order_.erase(found->second);
    entries_.erase(found);
    return object;
  }

  // Keep an object and the bytes it was encoded to. The one that was kept first goes if there are too many.
  void put(std::string key, std::string bytes, PyRef object) {
    take(key, {});  // a key has one entry
    order_.push_back({key, std::move(bytes), std::move(object)});
    entries_.emplace(std::move(key), std::prev(order_.end()));
    if (entries_.size() <= limit_) return;
    entries_.erase(order_.front().key);
    order_.pop_front();
  }

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    std::string bytes;
    PyRef object;
  };
  size_t limit_;
  std::list<Entry> order_;
  std::unordered_map<std::string, std::list<Entry>::iterator> entries_;
};

}  // namespace clutch::pyembed
