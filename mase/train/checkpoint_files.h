#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "mase/io/torch/checkpoint.h"
#include "mase/train/run_lock.h"
#include "mase/train/train.h"

namespace mase::train {

// best.ckpt and last.ckpt of a run. Directly in the project's training_ckpts folder are those of
// the newest run that found these names free: what an earlier run left there is moved to
// training_ckpts/version_<its number>/ before the first write, and the log says so; what the same
// run has there, from before it went on, comes back. A run that starts while another one holds the
// names has its files in training_ckpts/version_<its number>/ from the beginning, and says so.
// Nothing is ever overwritten but the same run's own.
class CheckpointFiles {
 public:
  // `lock` holds the run's number, and outlives this.
  CheckpointFiles(const std::filesystem::path& project, std::int64_t version, RunLock& lock,
                  const Output& output);

  // Where they are, or will be with the first write.
  const std::filesystem::path& best() const { return best_.path; }
  const std::filesystem::path& last() const { return last_.path; }

  // Throw Error{RunFailed} that says what happened, what is still there and what to do.
  void write_best(const io::Checkpoint& checkpoint) { write(best_, checkpoint); }
  void write_last(const io::Checkpoint& checkpoint) { write(last_, checkpoint); }

  // What there is to go on from, for the message of a run that fails.
  std::string kept() const;
  // What --resume takes to go on with this run: "last" if that finds it, else the path.
  std::string resume_argument() const;

 private:
  struct File {
    std::filesystem::path path;
    std::uint64_t inode = 0;  // of what we wrote: another one is another run's
    std::string content;      // "epoch 3 (step 1404)"
  };
  void write(File& file, const io::Checkpoint& checkpoint);
  void choose_folder();
  void claim(const File& file);
  void make_way(const File& file);
  void move_away(const File& file, std::int64_t version);

  std::filesystem::path project_;
  File best_;
  File last_;
  std::int64_t version_;
  RunLock& lock_;
  const Output& output_;
  bool has_names_ = false;  // best.ckpt and last.ckpt directly in training_ckpts are ours
  bool claimed_ = false;    // both files are ours, or not there
};

}  // namespace mase::train
