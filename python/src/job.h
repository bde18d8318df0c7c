// Job(description, blobs, options, plugin_path): a job of the engine, and the libclutch that its functions run in.
#pragma once

#include <memory>

#include "job/job.h"
#include "state.h"

namespace clutch::python {

struct JobValue {
  std::unique_ptr<Host> host;  // outlives the job
  std::unique_ptr<engine::Job> job;
  int pid = 0;

  JobValue() = default;
  JobValue(JobValue&&) = default;
  JobValue& operator=(JobValue&&) = delete;
  ~JobValue();
};

// pack_elements(array): bytes for a source `collection`.
PyObject* pack_elements(PyObject* module, PyObject* array);

}  // namespace clutch::python
