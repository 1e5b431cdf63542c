// Going on with a run that was stopped: which file, whether it fits, what it restores.
#include "mase/train/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "mase/support/error.h"
#include "mase/train/optimiser.h"
#include "mase/train/run_folder.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

fs::path find_file(const std::string& which, const fs::path& project) {
  std::error_code code;
  const bool by_name = which == "last" || which == "best";
  if (!by_name) {
    if (fs::is_regular_file(which, code)) return which;
    const bool there = fs::exists(which, code);
    throw Error(there ? ErrorKind::Usage : ErrorKind::Unreadable,
                fmt::format("no checkpoint to resume from: '{}' {}", which,
                            there ? "is no file" : "is not there"),
                {}, "give last, best or the path of a .ckpt file");
  }
  if (project.empty()) usage_error(fmt::format("'{}' needs the folder of a project", which));
  const fs::path folder = checkpoints_folder(project);
  const fs::path path = folder / (which + ".ckpt");
  if (const fs::path newest = newest_checkpoint(project, which + ".ckpt"); !newest.empty()) {
    return newest;
  }
  std::vector<std::string> there;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end;
       it.increment(code)) {
    if (it->path().extension() == ".ckpt") there.push_back(it->path().string());
  }
  std::sort(there.begin(), there.end());
  throw Error(ErrorKind::Unreadable, "no checkpoint to resume from: there is no such file",
              {.file = path.string()},
              there.empty() ? "the folder's name holds the day it was made: name it with --project"
                            : fmt::format("there is {}", fmt::join(there, ", ")));
}

// A checkpoint of Lightning itself: it is always of an epoch's end.
Position position_of_lightning(const io::Checkpoint& checkpoint) {
  Position position;
  position.epoch = checkpoint.epoch + 1;
  position.step = checkpoint.global_step;
  position.batches = checkpoint.global_step;
  return position;
}

std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

Resumption find_resumption(const std::string& which, const fs::path& project) {
  Resumption out;
  out.path = find_file(which, project);
  out.checkpoint = io::read_checkpoint(out.path).or_throw();
  const ir::Value mase(out.checkpoint.mase);
  if (const ir::Value* position = mase.find("position")) {
    Result<Position> read = position_from(*position);
    if (!read.ok()) {
      throw Error(ErrorKind::Unreadable, read.error().message, {.file = out.path.string()});
    }
    out.position = *read;
    out.version = version_of(out.checkpoint);
  } else {
    out.position = position_of_lightning(out.checkpoint);
  }
  if (const ir::Value* files = mase.find("files"); files && files->is<ir::Dict>()) {
    out.files = files->as_dict();
  }
  if (out.checkpoint.optimiser.empty() && out.position.step > 0) {
    usage_error("the checkpoint holds weights only, no optimiser state",
                {.file = out.path.string()}, "start from its weights with --load instead");
  }
  return out;
}

void check_resumption(const Resumption& from, const RunFacts& facts, const Output& output) {
  // Inside an epoch the position counts batches of one particular shuffle.
  constexpr std::array<std::string_view, 5> kShuffle{"batch_size", "accumulate_grad_batches",
                                                     "seed", "train_rows", "data_hash"};
  const ir::Value mase(from.checkpoint.mase);
  const ir::Value* before = mase.find("course");
  if (!before) {
    output.warn(
        fmt::format("{} was not written by this program: the order of the rows is that of "
                    "--seed here",
                    from.path.string()));
    return;
  }
  std::vector<std::string> changes;
  for (const auto& [key, value] : course_of(facts)) {
    const ir::Value* old = before->find(key);
    if (!old || *old == value) continue;
    const std::string change =
        fmt::format("{} was {}, is {}", key, ir::repr(*old), ir::repr(value));
    const bool shuffle = std::find(kShuffle.begin(), kShuffle.end(), key) != kShuffle.end();
    if (shuffle && from.position.batch > 0) {
      usage_error(fmt::format("the run stopped inside epoch {} and cannot go on otherwise than it "
                              "was: {}",
                              from.position.epoch, change),
                  {.file = from.path.string()},
                  "give the same options, or --load its weights for a new run");
    }
    changes.push_back(change);
  }
  if (!changes.empty()) {
    output.warn(
        fmt::format("other options than before, so this is not the run that was stopped: "
                    "{}",
                    fmt::join(changes, "; ")));
  }
}

void restore(const Resumption& from, const ir::Graph& graph, const engine::OptimiserOptions& wanted,
             engine::Program& program) {
  try {
    program.load_state(from.checkpoint.state);
    program.load_optimiser_state(from.checkpoint.optimiser);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Usage) throw;
    usage_error(fmt::format("cannot go on with {} and {}: {}", graph.name, name(wanted.kind),
                            error.message()),
                {.file = from.path.string()}, error.hint());
  }
}

std::string typed_again(const std::vector<std::string>& command, const std::string& project,
                        const std::vector<std::string>& dropped) {
  const auto names = [](const std::string& word, const std::string& option) {
    return word == option || word.starts_with(option + "=");
  };
  std::string text;
  bool project_named = false;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const std::string& word = command[i];
    if (word.starts_with("--resume=")) continue;
    if (word == "--resume") {
      const bool has_value = i + 1 < command.size() && !command[i + 1].starts_with("--");
      if (has_value) ++i;
      continue;
    }
    const auto gone = std::find_if(dropped.begin(), dropped.end(),
                                   [&](const std::string& option) { return names(word, option); });
    if (gone != dropped.end()) {
      if (word == *gone) ++i;
      continue;
    }
    project_named = project_named || names(word, "--project");
    text += (text.empty() ? "" : " ") + quoted(word);
  }
  if (!text.empty() && !project_named) text += " --project " + quoted(project);
  return text;
}

std::string resume_command(const Output& output, const std::string& from) {
  const std::string text =
      typed_again(output.command, output.folder.filename().string(), output.not_again);
  return (text.empty() ? "" : text + " ") + "--resume " + quoted(from);
}

}  // namespace mase::train
