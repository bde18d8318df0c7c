// What user code prints, as lines of the host's log under the function that printed them.
#pragma once

#include "interpreter/gil.h"
#include "table/host.h"

namespace clutch::pyembed {

class Interpreter;

// Replace sys.stdout and sys.stderr. False with a Python error set.
bool install_streams(const Gil& gil, Interpreter& interpreter);

// While it lives, lines printed by this thread belong to this function. Scopes nest.
class PrintScope {
 public:
  PrintScope(const Host& host, clutch_function_context* context);
  // Hands over what the thread has printed without a newline.
  ~PrintScope();
  PrintScope(const PrintScope&) = delete;
  PrintScope& operator=(const PrintScope&) = delete;

 private:
  const Host* outer_host_;
  clutch_function_context* outer_context_;
};

// Hosts that get the lines of threads that run no function (the user's own threads): the latest one that is open.
void add_printing_host(const Host& host);
// Returns when no thread writes to it any more.
void remove_printing_host(const Host& host);

}  // namespace clutch::pyembed
