#include "stop.h"

#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace clutch::tool {
namespace {

volatile std::sig_atomic_t noted = 0;  // Why global: a signal handler reaches nothing else.

}  // namespace

void note_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { noted = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    // Who starts a command with a signal ignored (nohup, a background job) means it.
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

void throw_if_stopped() {
  if (noted != 0) throw Stopped{noted};
}

void end_by(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
  raise(signal);
  _exit(128 + signal);
}

}  // namespace clutch::tool
