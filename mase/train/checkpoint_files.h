#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "mase/io/checkpoint.h"
#include "mase/train/train.h"

namespace mase::train {

// best.ckpt and last.ckpt of a project's training_ckpts folder, which always are those of the
// newest run: what an earlier run left there is moved to training_ckpts/version_<its number>/
// before the first write, and the log says so; what the same run has there, from before it went on,
// comes back. Nothing is ever overwritten but the same run's own.
class CheckpointFiles {
 public:
  CheckpointFiles(const std::filesystem::path& project, std::int64_t version, const Output& output);

  const std::filesystem::path& best() const { return best_.path; }
  const std::filesystem::path& last() const { return last_.path; }

  // Throw Error{RunFailed} that says what happened, what is still there and what to do.
  void write_best(const io::Checkpoint& checkpoint) { write(best_, checkpoint); }
  void write_last(const io::Checkpoint& checkpoint) { write(last_, checkpoint); }

  // What there is to go on from, for the message of a run that fails.
  std::string kept() const;

 private:
  struct File {
    std::filesystem::path path;
    std::uint64_t inode = 0;  // of what we wrote: another one is another run's
    std::string content;      // "epoch 3 (step 1404)"
  };
  void write(File& file, const io::Checkpoint& checkpoint);
  void claim(const File& file);
  void make_way(const File& file);

  File best_;
  File last_;
  std::int64_t version_;
  const Output& output_;
  bool claimed_ = false;  // both files are ours, or not there
};

// The version a checkpoint belongs to; -1 if it says none (another program's).
std::int64_t version_of(const io::Checkpoint& checkpoint);

}  // namespace mase::train
