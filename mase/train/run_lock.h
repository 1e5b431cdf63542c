#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "mase/support/lock_file.h"

namespace mase::train {

// What keeps runs apart that are at work in one project at the same time, in whatever process,
// container or host: <project>/software/.lock. Each run holds its number for as long as it lasts,
// and one of them the names best.ckpt and last.ckpt directly in training_ckpts.
class RunLock {
 public:
  explicit RunLock(const std::filesystem::path& project);  // throws Error{RunFailed}

  // False: this run is being gone on with by somebody else.
  bool take_run(std::int64_t version);
  void leave_run();
  // False: another run holds them, or the file system has no locks by which to know.
  bool take_names();
  bool supported() const { return supported_; }

  // Calls `work` while nobody can be at work on that run. False if somebody may be.
  bool while_idle(std::int64_t version, const std::function<void()>& work);
  // Whether other runs of the project are at work now.
  bool others() const;
  std::string holder() const;  // of the names, for messages

  // The lock file was removed together with its folder: takes the number again in a new one. True
  // if that happened; the names are free then. Throws Error{RunFailed} if another run has taken the
  // number meanwhile.
  bool renew();

 private:
  std::filesystem::path path_;
  std::optional<LockFile> file_;
  std::int64_t version_ = -1;
  bool supported_ = true;
};

}  // namespace mase::train
