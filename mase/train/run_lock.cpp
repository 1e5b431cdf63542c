// Byte 0 of the lock file stands for the names, byte 16 + n for run n.
#include "mase/train/run_lock.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/support/error.h"

namespace mase::train {
namespace {

constexpr std::int64_t kNames = 0;
constexpr std::int64_t kFirstRun = 16;
constexpr std::int64_t kMostRuns = std::int64_t{1} << 60;

std::int64_t byte_of(std::int64_t version) {
  return kFirstRun + std::min(version, kMostRuns);
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& project) : path_(project / "software" / ".lock") {
  file_.emplace(path_);
}

bool RunLock::take_run(std::int64_t version) {
  const LockFile::Taken taken = file_->try_lock(byte_of(version));
  supported_ = taken != LockFile::Taken::Unsupported;
  if (taken == LockFile::Taken::Busy) return false;
  version_ = version;
  return true;
}

void RunLock::leave_run() {
  file_->unlock(byte_of(version_));
  version_ = -1;
}

bool RunLock::take_names() {
  const LockFile::Taken taken = file_->try_lock(kNames);
  supported_ = taken != LockFile::Taken::Unsupported;
  if (taken != LockFile::Taken::Yes) return false;
  file_->sign(fmt::format("run {}, {}", version_, this_process()));
  return true;
}

bool RunLock::while_idle(std::int64_t version, const std::function<void()>& work) {
  if (file_->try_lock(byte_of(version)) != LockFile::Taken::Yes) return false;
  work();
  file_->unlock(byte_of(version));
  return true;
}

bool RunLock::others() const {
  return file_->others_from(kFirstRun);
}

std::string RunLock::holder() const {
  const std::string who = file_->signature();
  return who.empty() ? "another training" : fmt::format("another training ({})", who);
}

bool RunLock::renew() {
  if (!file_->removed()) return false;
  file_.emplace(path_);
  if (version_ < 0 || take_run(version_)) return true;
  throw Error(ErrorKind::RunFailed,
              fmt::format("the project was removed during the run, and another run has taken its "
                          "number {} since",
                          version_),
              {.file = path_.parent_path().string()});
}

}  // namespace mase::train
