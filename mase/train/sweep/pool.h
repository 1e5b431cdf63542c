#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "mase/train/sweep/sweep.h"

namespace mase::train {

// A run, made ready to start.
struct SweepJob {
  const SweepRun* run = nullptr;
  const engine::Engine* engine = nullptr;
  double work = 0;     // expected, in units of no meaning
  RunOutcome outcome;  // what is known before it starts
};

// Threads that take jobs from a list until it is empty or a signal asks to stop. Its own functions
// are for one thread.
class SweepPool {
 public:
  // `threads` = 0: one per core. The jobs must outlive the pool.
  SweepPool(std::vector<SweepJob*> jobs, int threads, const std::vector<std::string>& command);
  // Gives up what is running at the end of its epoch and waits for that.
  ~SweepPool();
  SweepPool(const SweepPool&) = delete;
  SweepPool& operator=(const SweepPool&) = delete;

  // Whether all threads came to their end and every outcome was handed over.
  bool done();
  // Outcomes since the last call; returns after a tenth of a second if there are none.
  std::vector<RunOutcome> wait();

  double seconds() const;  // since the start
  double remaining();      // seconds, from the work done so far; NaN as long as there is none

 private:
  void work(std::size_t slot, const std::vector<std::string>& command);
  SweepJob* next(std::size_t slot);

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::vector<SweepJob*> jobs_;
  double total_ = 0;

  std::mutex mutex_;  // guards all below
  std::condition_variable news_;
  std::size_t taken_ = 0;
  std::size_t active_ = 0;  // threads that have not ended
  bool halted_ = false;
  double ended_ = 0;               // work of the jobs that ended
  std::vector<double> under_way_;  // work done of the job of each thread
  std::vector<RunOutcome> outcomes_;

  std::vector<std::thread> threads_;
};

}  // namespace mase::train
