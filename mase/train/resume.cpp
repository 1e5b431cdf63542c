// Going on with a run that was stopped: which file, whether it fits, what it restores.
#include "mase/train/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "mase/io/graph/load.h"
#include "mase/support/error.h"
#include "mase/train/optimiser.h"
#include "mase/train/run_folder.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;

// What may be resumed in place of what is not there: the checkpoints of this network below the
// folder, the newest first.
std::string instead_text(const fs::path& folder, const ir::Graph& graph) {
  constexpr std::size_t kMostNamed = 8;
  constexpr std::size_t kMostRead = 100;
  std::vector<std::pair<fs::file_time_type, std::string>> there;
  std::error_code code;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end;
       it.increment(code)) {
    if (it->path().extension() != ".ckpt") continue;
    std::error_code unknown;
    there.emplace_back(it->last_write_time(unknown), it->path().string());
  }
  std::sort(there.begin(), there.end(), std::greater<>());
  std::vector<std::string> named;
  for (const auto& [time, path] : std::span(there).first(std::min(there.size(), kMostRead))) {
    if (named.size() < kMostNamed && io::is_checkpoint_of(graph, path)) named.push_back(path);
  }
  if (!named.empty()) return fmt::format("there is {}", fmt::join(named, ", "));
  if (there.empty()) return {};
  return fmt::format("the checkpoints there ({}) are of another network than '{}'", there.size(),
                     graph.name);
}

fs::path find_file(const std::string& which, const fs::path& project, const ir::Graph& graph) {
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
  const std::string instead = instead_text(folder, graph);
  throw Error(ErrorKind::Unreadable, "no checkpoint to resume from: there is no such file",
              {.file = path.string()},
              instead.empty()
                  ? "the folder's name holds the day it was made: name it with --project"
                  : instead);
}

[[noreturn]] void unreadable(const fs::path& path, std::string problem) {
  throw Error(ErrorKind::Unreadable, std::move(problem), {.file = path.string()});
}

// A checkpoint of Lightning itself, of an epoch's end or of a place within.
Position position_of_lightning(const io::Checkpoint& checkpoint, const fs::path& path) {
  if (!checkpoint.no_position.empty()) {
    usage_error(fmt::format("where its training stood is not known: {}", checkpoint.no_position),
                {.file = path.string()}, "start from its weights with --load instead");
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const std::int64_t counts[] = {checkpoint.epoch, checkpoint.global_step};
  for (const std::int64_t count : counts) {
    if (count >= 0 && count < kMost) continue;
    unreadable(path,
               fmt::format("the position is impossible: epoch {}, step {}", counts[0], counts[1]));
  }
  Position position;
  const bool inside = checkpoint.batches_in_epoch >= 0;
  position.epoch = checkpoint.epoch + (inside ? 0 : 1);
  position.batch = inside ? checkpoint.batches_in_epoch : 0;
  position.step = checkpoint.global_step;
  position.batches = std::max({checkpoint.batches, checkpoint.global_step, position.epoch});
  if (position.batch > position.batches || position.batches >= kMost) {
    unreadable(path,
               fmt::format("the position is impossible: batch {} of epoch {} after {} batches",
                           position.batch, position.epoch, position.batches));
  }
  return position;
}

// Our own section of the file, which may be of a later version of this program.
Position position_of_own(const ir::Dict& section, const ir::Value& position, const fs::path& path) {
  const ir::Value* format = ir::find(section, "format");
  if (format && format->is<std::int64_t>() && format->as_int() > kSnapshotFormat) {
    unsupported(fmt::format("it was written by a later version of this program (format {}, known "
                            "is {})",
                            format->as_int(), kSnapshotFormat),
                {.file = path.string()}, "go on with that version, or --load its weights");
  }
  const Result<Position> read = position_from(position);
  if (!read.ok()) unreadable(path, read.error().message);
  return *read;
}

std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// "" is that of a deterministic run.
void warn_of_processor(const ir::Value& before, const ir::Value& now, const Output& output) {
  if (before == ir::Value("") || now == ir::Value("")) return;  // said with `deterministic`
  output.warn(
      fmt::format("the run was computed with {}, here it is {}: sums are rounded in another "
                  "order, so that it ends with other last digits than it would have there; "
                  "--deterministic has one order for all",
                  ir::repr(before), ir::repr(now)));
}

}  // namespace

Resumption find_resumption(const std::string& which, const fs::path& project,
                           const ir::Graph& graph) {
  Resumption out;
  out.path = find_file(which, project, graph);
  out.checkpoint = io::read_checkpoint(out.path).or_throw();
  out.prefix = io::strip_prefix(out.checkpoint, graph);
  const ir::Value mase(out.checkpoint.mase);
  if (const ir::Value* position = mase.find("position")) {
    out.position = position_of_own(out.checkpoint.mase, *position, out.path);
    out.version = version_of(out.checkpoint);
  } else {
    out.position = position_of_lightning(out.checkpoint, out.path);
  }
  if (const ir::Value* files = mase.find("files"); files && files->is<ir::Dict>()) {
    out.files = files->as_dict();
  }
  // (SGD without momentum has settings, but remembers nothing.)
  const bool has_optimiser =
      !out.checkpoint.optimiser.empty() || ir::find(out.checkpoint.optimiser_options, "momentum");
  if (!has_optimiser && out.position.step > 0) {
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
    output.warn(fmt::format(
        "{} was not written by this program: the order of the rows is that of "
        "--seed here{}",
        from.path.string(), from.position.batch > 0 ? ", also of the rest of the epoch" : ""));
    return;
  }
  std::vector<std::string> changes;
  for (const auto& [key, value] : course_of(facts)) {
    const ir::Value* old = before->find(key);
    if (!old || *old == value) continue;
    if (key == "instruction_set") {
      warn_of_processor(*old, value, output);
      continue;
    }
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

void check_place(const Position& at, std::int64_t batches, const FitOptions& options,
                 const std::string& file) {
  if (at.batch > batches) {
    usage_error(fmt::format("it stands after batch {} of epoch {}, which has {} batches here",
                            at.batch, at.epoch, batches),
                {.file = file}, "give the data set and the batch size of the run it belongs to");
  }
  // Gradients gathered for an update are in no checkpoint.
  if (at.batch < batches && at.batch % options.accumulate_grad_batches != 0) {
    usage_error(fmt::format("it stands after batch {} of epoch {}, between two updates of {} "
                            "batches each",
                            at.batch, at.epoch, options.accumulate_grad_batches),
                {.file = file}, "give the --accumulate-grad-batches of the run it belongs to");
  }
}

void restore(const Resumption& from, const ir::Graph& graph, const engine::OptimiserOptions& wanted,
             engine::Program& program) {
  ir::Graph loaded = graph;
  const io::LoadReport report = io::match_parameters(from.checkpoint, loaded);
  if (!report.exact()) {  // nor may the network of the checkpoint have more layers
    usage_error(
        fmt::format("the checkpoint does not fit the network '{}'\n{}", graph.name, report.text()),
        {.file = from.path.string()});
  }
  // The checkpoint's own tensors, which may be of more digits than the graph's.
  ir::State state = loaded.state();
  for (auto& [name, tensor] : state) {
    if (const ir::Tensor* own = ir::find(from.checkpoint.state, name)) tensor = *own;
  }
  try {
    program.load_state(state);
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
