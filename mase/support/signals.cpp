// Polite stopping: a flag on the first signal, the end on the second.
#include "mase/support/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace mase {
namespace {

std::atomic<int> requested{0};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may not lock");

struct sigaction previous_interrupt;
struct sigaction previous_terminate;

void on_signal(int signal) {
  int expected = 0;
  if (!requested.compare_exchange_strong(expected, signal)) _exit(128 + signal);
}

}  // namespace

StopSignals::StopSignals() {
  requested = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // Files being written must not see interrupted calls: whoever waits looks at the flag.
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &previous_interrupt);
  sigaction(SIGTERM, &action, &previous_terminate);
}

StopSignals::~StopSignals() {
  sigaction(SIGINT, &previous_interrupt, nullptr);
  sigaction(SIGTERM, &previous_terminate, nullptr);
}

int stop_signal() {
  return requested.load(std::memory_order_relaxed);
}

}  // namespace mase
