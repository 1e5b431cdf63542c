// Who owns best.ckpt and last.ckpt, and how they are replaced.
#include "mase/train/checkpoint_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "mase/support/error.h"
#include "mase/support/files.h"
#include "mase/train/run_folder.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

std::uint64_t inode_of(const fs::path& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_ino) : 0;
}

// Renames unless the new name is taken: false then. Throws std::system_error.
bool rename_to_free(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) throw std::system_error(errno, std::generic_category());
  // A file system that cannot do both in one step.
  struct stat info = {};
  if (::lstat(to.c_str(), &info) == 0) return false;
  if (::rename(from.c_str(), to.c_str()) == 0) return true;
  throw std::system_error(errno, std::generic_category());
}

// To the name itself if it is free, else "best-v1.ckpt", as Lightning counts. Returns the name.
fs::path move_beside(const fs::path& from, const fs::path& wanted) {
  fs::path to = wanted;
  for (int i = 1; !rename_to_free(from, to); ++i) {
    to = wanted.parent_path() /
         fmt::format("{}-v{}{}", wanted.stem().string(), i, wanted.extension().string());
  }
  return to;
}

fs::path move_over(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return to;
  throw std::system_error(errno, std::generic_category());
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Whether the run had come as far at `other`, a checkpoint of the same one: it goes on from there.
bool is_superseded(const fs::path& path, const fs::path& other) {
  const Result<io::Checkpoint> old = io::read_checkpoint(path);
  const Result<io::Checkpoint> later = io::read_checkpoint(other);
  return old.ok() && later.ok() && version_of(*old) == version_of(*later) &&
         later->global_step >= old->global_step;
}

void copy_whole(const fs::path& from, const fs::path& to) {
  const FileBytes file = load_file(from).or_throw();
  AtomicFile copy(to);
  copy.write(file.bytes);
  copy.commit();
}

std::string content_text(const io::Checkpoint& checkpoint) {
  return fmt::format("epoch {} (step {})", checkpoint.epoch, checkpoint.global_step);
}

// What a checkpoint of the run from before this process holds; empty if there is none.
std::string content_of(const fs::path& path, std::int64_t version) {
  const Result<io::Checkpoint> read = io::read_checkpoint(path);
  return read.ok() && version_of(*read) == version ? content_text(*read) : "";
}

}  // namespace

CheckpointFiles::CheckpointFiles(const fs::path& project, std::int64_t version, RunLock& lock,
                                 const Output& output)
    : project_(project), version_(version), lock_(lock), output_(output) {
  remove_leftovers(project);
  choose_folder();
}

void CheckpointFiles::choose_folder() {
  const std::string names = "best.ckpt and last.ckpt";
  has_names_ = lock_.take_names();
  fs::path folder = checkpoints_folder(project_);
  if (!has_names_) {
    folder = run_checkpoints_folder(project_, version_);
    if (lock_.supported()) {
      output_.warn(fmt::format("{} holds {} of this project: those of this run {} go to {}",
                               lock_.holder(), names, version_, folder.string()));
    } else {
      output_.info(
          fmt::format("the file system has no locks to keep runs apart: {} of this run "
                      "go to {}",
                      names, folder.string()));
    }
  }
  best_.path = folder / "best.ckpt";
  last_.path = folder / "last.ckpt";
  claimed_ = false;
}

void CheckpointFiles::make_way(const File& file) {
  const std::uint64_t there = inode_of(file.path);
  if (there == 0 || there == file.inode) return;
  const std::int64_t version = version_of(file.path);
  if (version == version_) return;  // ours: a resumed run goes on in it
  move_away(file, version);
}

void CheckpointFiles::move_away(const File& file, std::int64_t version) {
  const fs::path folder = version >= 0 ? run_checkpoints_folder(project_, version)
                                       : checkpoints_folder(project_) / "earlier";
  create_folder(folder);
  fs::path target = folder / file.path.filename();
  if (version >= 0 && is_superseded(file.path, target)) return;
  try {
    // The same run's older state may be replaced, unless somebody is at work on that run; a
    // nameless file never is.
    const bool replaced = version >= 0 && target != file.path &&
                          lock_.while_idle(version, [&] { move_over(file.path, target); });
    if (!replaced) target = move_beside(file.path, target);
  } catch (const std::system_error& problem) {
    throw Error(ErrorKind::RunFailed,
                fmt::format("cannot move the checkpoint of an earlier run to {}: {}",
                            target.string(), system_reason(problem.code().value())),
                {.file = file.path.string()}, "it is unchanged");
  }
  output_.info(fmt::format("{} of an earlier run was moved to {}", file.path.filename().string(),
                           target.string()));
}

// Makes the file's name ours before the first write: what another run has there goes, what this run
// had elsewhere before another took its place comes back.
void CheckpointFiles::claim(const File& file) {
  make_way(file);
  if (is_there(file.path)) return;
  const fs::path name = file.path.filename();
  if (has_names_) {
    std::error_code ignored;
    fs::rename(run_checkpoints_folder(project_, version_) / name, file.path, ignored);
    return;
  }
  // A copy: whoever has the names moves the other one out of the way.
  const fs::path before = checkpoints_folder(project_) / name;
  if (version_of(before) == version_) copy_whole(before, file.path);
}

std::string CheckpointFiles::kept() const {
  for (const File* file : {&last_, &best_}) {
    const std::string content =
        file->content.empty() ? content_of(file->path, version_) : file->content;
    if (content.empty()) continue;
    return fmt::format(
        "{} of {} is whole: when there is room and permission, go on from it with --resume {}",
        file->path.string(), content, file == &last_ ? resume_argument() : file->path.string());
  }
  return "no checkpoint of this run was saved before";
}

std::string CheckpointFiles::resume_argument() const {
  // Another run at work will have written last when this one is gone on with.
  const bool found = !lock_.others() && newest_checkpoint(project_, "last.ckpt") == last_.path;
  return found ? "last" : last_.path.string();
}

void CheckpointFiles::write(File& file, const io::Checkpoint& checkpoint) {
  const std::string content = content_text(checkpoint);
  const fs::path folder = file.path.parent_path();
  if (!(best_.content.empty() && last_.content.empty()) && !is_there(folder)) {
    output_.warn(fmt::format("{} was removed during the run: it is made anew, what it held is lost",
                             folder.string()));
  }
  std::string problem;
  try {
    if (lock_.renew()) choose_folder();
    create_folder(file.path.parent_path());
    if (!claimed_) {
      claim(best_);
      claim(last_);
      claimed_ = true;
    }
    make_way(file);
    io::write_lightning_checkpoint(file.path, checkpoint);
  } catch (const Error& error) {
    problem = error.message();
  }
  if (!problem.empty()) {
    throw Error(ErrorKind::RunFailed,
                fmt::format("{} of {} cannot be saved: {}", file.path.filename().string(), content,
                            problem),
                {.file = file.path.string()}, kept());
  }
  file.inode = inode_of(file.path);
  file.content = content;
}

}  // namespace mase::train
