#pragma once

namespace mase {

// While alive, the first SIGINT or SIGTERM only asks the program to stop, which long work looks for
// with stop_requested(); the second one of either ends the process at once with 128 + its number.
// Not to be nested; the handlers that were there before come back at the end.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

// The signal that asked to stop, 0 if none did. Safe to call from any thread, cheap.
int stop_signal();
inline bool stop_requested() {
  return stop_signal() != 0;
}
// 130 for SIGINT, 143 for SIGTERM: what the process should exit with after it stopped.
inline int stop_exit_code() {
  return 128 + stop_signal();
}

}  // namespace mase
