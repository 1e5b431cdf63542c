// Who owns best.ckpt and last.ckpt, and how they are replaced.
#include "mase/train/checkpoint_files.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
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

// A file that is there already belongs to someone else: "best-v1.ckpt", as Lightning counts.
fs::path free_name(const fs::path& wanted) {
  fs::path path = wanted;
  for (int i = 1; fs::exists(path); ++i) {
    path = wanted.parent_path() /
           fmt::format("{}-v{}{}", wanted.stem().string(), i, wanted.extension().string());
  }
  return path;
}

// What writes that were killed left behind: "last.ckpt.<process>.tmp" of processes that are gone.
void remove_leftovers(const fs::path& folder) {
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    const fs::path& path = it->path();
    if (path.extension() != ".tmp" || path.stem().stem().extension() != ".ckpt") continue;
    const std::string process = path.stem().extension().string().substr(1);
    pid_t id = 0;
    const char* last = process.data() + process.size();
    const auto [rest, problem] = std::from_chars(process.data(), last, id);
    if (problem != std::errc{} || rest != last || id <= 0) continue;
    if (::kill(id, 0) != 0 && errno == ESRCH) fs::remove(path, code);
  }
}

}  // namespace

std::int64_t version_of(const io::Checkpoint& checkpoint) {
  const ir::Value mase(checkpoint.mase);
  const ir::Value* version = mase.find("version");
  return version && version->is<std::int64_t>() ? version->as_int() : -1;
}

CheckpointFiles::CheckpointFiles(const fs::path& project, std::int64_t version,
                                 const Output& output)
    : best_{checkpoints_folder(project) / "best.ckpt", 0, ""},
      last_{checkpoints_folder(project) / "last.ckpt", 0, ""},
      version_(version),
      output_(output) {
  remove_leftovers(best_.path.parent_path());
}

void CheckpointFiles::make_way(const File& file) {
  const std::uint64_t there = inode_of(file.path);
  if (there == 0 || there == file.inode) return;
  const Result<io::Checkpoint> read = io::read_checkpoint(file.path);
  const std::int64_t version = read.ok() ? version_of(*read) : -1;
  if (version == version_) return;  // ours: a resumed run goes on in it
  const fs::path folder =
      file.path.parent_path() / (version >= 0 ? fmt::format("version_{}", version) : "earlier");
  create_folder(folder);
  // The same run's older state may be replaced; a nameless file never is.
  const fs::path wanted = folder / file.path.filename();
  const fs::path target = version >= 0 ? wanted : free_name(wanted);
  std::error_code code;
  fs::rename(file.path, target, code);
  if (code) {
    throw Error(ErrorKind::RunFailed,
                fmt::format("cannot move the checkpoint of an earlier run to {}: {}",
                            target.string(), code.message()),
                {.file = file.path.string()}, "it is unchanged");
  }
  output_.info(fmt::format("{} of an earlier run was moved to {}", file.path.filename().string(),
                           target.string()));
}

// Makes the file's name ours before the first write: what another run has there goes, what this run
// had there before another took its place comes back.
void CheckpointFiles::claim(const File& file) {
  make_way(file);
  const fs::path own =
      file.path.parent_path() / fmt::format("version_{}", version_) / file.path.filename();
  std::error_code ignored;
  if (!fs::exists(file.path) && fs::exists(own)) fs::rename(own, file.path, ignored);
}

std::string CheckpointFiles::kept() const {
  if (last_.content.empty()) return "nothing was saved before";
  return fmt::format(
      "{} of {} is whole: when there is room and permission, go on from it with --resume last",
      last_.path.string(), last_.content);
}

void CheckpointFiles::write(File& file, const io::Checkpoint& checkpoint) {
  const std::string content =
      fmt::format("epoch {} (step {})", checkpoint.epoch, checkpoint.global_step);
  const fs::path folder = file.path.parent_path();
  if (!(best_.content.empty() && last_.content.empty()) && !fs::exists(folder)) {
    output_.warn(fmt::format("{} was removed during the run: it is made anew, what it held is lost",
                             folder.string()));
  }
  std::string problem;
  try {
    create_folder(folder);
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
