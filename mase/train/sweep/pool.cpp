// One job per thread at a time; the list is sorted, so the last jobs to start are the short ones.
#include "mase/train/sweep/pool.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "mase/support/signals.h"
#include "mase/train/sweep/job.h"

namespace mase::train {

SweepPool::SweepPool(std::vector<SweepJob*> jobs, int threads,
                     const std::vector<std::string>& command)
    : jobs_(std::move(jobs)) {
  for (const SweepJob* job : jobs_) total_ += job->work;
  std::size_t count = threads > 0 ? static_cast<std::size_t>(threads)
                                  : std::max(1u, std::thread::hardware_concurrency());
  count = std::min(count, jobs_.size());
  under_way_.resize(count);
  active_ = count;
  for (std::size_t slot = 0; slot < count; ++slot) {
    threads_.emplace_back([this, slot, command] { work(slot, command); });
  }
}

SweepPool::~SweepPool() {
  {
    const std::lock_guard lock(mutex_);
    halted_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

SweepJob* SweepPool::next(std::size_t slot) {
  const std::lock_guard lock(mutex_);
  under_way_[slot] = 0;
  if (halted_ || stop_requested() || taken_ == jobs_.size()) return nullptr;
  return jobs_[taken_++];
}

void SweepPool::work(std::size_t slot, const std::vector<std::string>& command) {
  while (SweepJob* job = next(slot)) {
    const auto on_epoch = [&](const EpochEnd& end) {
      const std::lock_guard lock(mutex_);
      if (halted_) throw SweepHalted{};
      const double share = static_cast<double>(end.epoch) /
                           static_cast<double>(std::max<std::int64_t>(1, end.epochs));
      under_way_[slot] = job->work * share;
    };
    try {
      RunOutcome outcome = run_job(*job->run, *job->engine, job->outcome, command, on_epoch);
      const std::lock_guard lock(mutex_);
      ended_ += job->work;
      under_way_[slot] = 0;
      outcomes_.push_back(std::move(outcome));
    } catch (const SweepHalted&) {
      break;
    }
    news_.notify_one();
  }
  const std::lock_guard lock(mutex_);
  --active_;
  news_.notify_one();
}

bool SweepPool::done() {
  const std::lock_guard lock(mutex_);
  return active_ == 0 && outcomes_.empty();
}

std::vector<RunOutcome> SweepPool::wait() {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, std::chrono::milliseconds(100),
                 [this] { return !outcomes_.empty() || active_ == 0; });
  return std::exchange(outcomes_, {});
}

double SweepPool::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

double SweepPool::remaining() {
  const std::lock_guard lock(mutex_);
  const double done = ended_ + std::accumulate(under_way_.begin(), under_way_.end(), 0.0);
  if (done <= 0) return kNotMeasured;
  return seconds() * std::max(0.0, total_ - done) / done;
}

}  // namespace mase::train
