#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include "mase/support/lock_file.h"
#include "mase/train/sweep/sweep.h"

namespace mase::train {

// state.json of a sweep's folder: the outcome of every run that ended there, by key. Replaced as a
// whole, so that a killed sweep finds all of it or that of a run before.
class SweepState {
 public:
  // Error{Unreadable} if there is a file that is none of ours.
  explicit SweepState(std::filesystem::path folder);

  const RunOutcome* find(const std::string& key) const;  // null if it never ended
  // Notes an outcome and writes the file, unless that takes so long (thousands of runs) that the
  // last time is not ten times as long ago. What a kill then loses is tested again, not trained.
  // Error{RunFailed} if it cannot be written.
  void put(const RunOutcome& outcome);
  void flush();  // writes what put() has not

 private:
  void write();

  std::filesystem::path folder_;
  bool pending_ = false;
  std::chrono::steady_clock::time_point next_write_;
  std::map<std::string, RunOutcome> runs_;
};

// Held while a sweep works in a folder. Gone with its process, however that ends.
class FolderLock {
 public:
  // Error{RunFailed} if another one holds it.
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  LockFile file_;
};

}  // namespace mase::train
