#include "owner.h"

#include <mutex>
#include <vector>

namespace clutch::python {
namespace {

// Of the process, like the interpreter whose objects wait in it. Never destroyed: threads may outlive main().
struct Grave {
  std::mutex mutex;
  std::vector<PyObject*> objects;
};

Grave& grave() {
  static Grave* const kGrave = new Grave;
  return *kGrave;
}

int bury_pending(void*) {
  bury();
  return 0;
}

struct Shared {
  std::shared_ptr<const void> owner;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ArrowArray dictionary{};
};

void release_shared(ArrowArray* array) {
  std::unique_ptr<Shared> shared(static_cast<Shared*>(array->private_data));
  for (ArrowArray* child : shared->pointers) {
    if (child->release != nullptr) child->release(child);
  }
  if (shared->dictionary.release != nullptr) shared->dictionary.release(&shared->dictionary);
  array->release = nullptr;
}

}  // namespace

Keeper::~Keeper() {
  if (Py_IsInitialized() == 0) return;  // the object went with its interpreter
  Grave& place = grave();
  bool first;
  try {
    std::lock_guard<std::mutex> guard(place.mutex);
    first = place.objects.empty();
    place.objects.push_back(object_);
  } catch (const std::bad_alloc&) {
    return;  // better kept for ever than freed without the lock
  }
  // If the interpreter takes no more of these, the next call of this module does it.
  if (first) Py_AddPendingCall(bury_pending, nullptr);
}

void bury() {
  std::vector<PyObject*> objects;
  {
    std::lock_guard<std::mutex> guard(grave().mutex);
    objects.swap(grave().objects);
  }
  for (PyObject* object : objects) Py_DECREF(object);
}

columnar::Array share(const std::shared_ptr<const void>& owner, const ArrowArray& part) {
  auto shared = std::make_unique<Shared>();
  shared->owner = owner;
  shared->buffers.assign(part.buffers, part.buffers + part.n_buffers);
  shared->children.reserve(static_cast<size_t>(part.n_children));
  shared->pointers.reserve(static_cast<size_t>(part.n_children));
  for (int64_t i = 0; i < part.n_children; ++i) {
    shared->children.push_back(share(owner, *part.children[i]).detach());
    shared->pointers.push_back(&shared->children.back());
  }
  ArrowArray out = part;
  out.buffers = shared->buffers.data();
  out.children = shared->pointers.data();
  if (part.dictionary != nullptr) {
    shared->dictionary = share(owner, *part.dictionary).detach();
    out.dictionary = &shared->dictionary;
  }
  out.release = release_shared;
  out.private_data = shared.release();
  return columnar::Array(std::move(out));
}

}  // namespace clutch::python
