#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/train/train.h"

// The folders of a project and the one of each run in it:
//   <project>/software/tensorboard/lightning_logs/version_N/   what run N measured
//   <project>/software/training_ckpts/                         best.ckpt, last.ckpt of the newest
//   <project>/software/training_ckpts/version_N/               those of run N, if it is not that
namespace mase::train {

std::filesystem::path logs_folder(const std::filesystem::path& project);
std::filesystem::path checkpoints_folder(const std::filesystem::path& project);
std::filesystem::path run_checkpoints_folder(const std::filesystem::path& project,
                                             std::int64_t version);
std::filesystem::path version_folder(const std::filesystem::path& project, std::int64_t version);

// The number of the newest run of a project, -1 if it has none.
std::int64_t newest_version(const std::filesystem::path& project);

// The run a checkpoint belongs to; -1 if it says none (another program's) or cannot be read.
std::int64_t version_of(const io::Checkpoint& checkpoint);
std::int64_t version_of(const std::filesystem::path& checkpoint);

// "best.ckpt" or "last.ckpt" of that run of the project which has written last; empty if it has
// none.
std::filesystem::path newest_checkpoint(const std::filesystem::path& project,
                                        const std::string& name);

// Makes the folder of a new run: the number after the highest that a folder or checkpoint has. Two
// runs that start at the same time get two numbers. Throws Error{RunFailed} where nothing can be
// written.
std::int64_t create_version(const std::filesystem::path& project);

// run.json: what was run, with what, on what, and how it ended. Written at the start ("running")
// and again at the end, so that a killed run can be told from a finished one.
class RunRecord {
 public:
  RunRecord() = default;  // writes nothing
  RunRecord(const std::filesystem::path& folder, const Output& output);

  void set(std::string_view key, ir::Value value);
  void describe(const ir::Graph& graph, const data::DataSet& data, const engine::Engine& engine);
  void write(std::string_view status);

 private:
  std::filesystem::path file_;
  ir::Dict record_;
};

}  // namespace mase::train
