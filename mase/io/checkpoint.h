#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "mase/ir/graph.h"
#include "mase/ir/optimiser_state.h"
#include "mase/support/result.h"

// Checkpoints that go both ways with PyTorch and Lightning: zip files of a restricted pickle and
// raw tensor bytes. A checkpoint is data, never code: unknown classes become opaque values and
// nothing is executed.
namespace mase::io {

// What a file is, from its content.
enum class CheckpointKind {
  Lightning,  // "pl": trainer checkpoint with a state_dict
  StateDict,  // "pt": tensors by name, or a dictionary with `state_dict`
  MaseGraph,  // "mz": graph text + safetensors + metadata in one zip (io/mz.h)
  PickledMz,  // the original's .mz: pickled code, refused with the way out
};

struct Checkpoint {
  std::int64_t epoch = 0;        // index of the epoch it was saved in, from 0
  std::int64_t global_step = 0;  // optimiser steps done
  ir::State state;               // names of the graph: Lightning's "model." prefix removed
  ir::OptimiserState optimiser;
  ir::Dict optimiser_options;  // the one param_group, without params: lr, betas, eps, ...
  ir::Dict scheduler;          // lr_schedulers[0]
  ir::Dict callbacks;
  ir::Dict hyper_parameters;
  ir::Dict mase;  // our own section: what an exact resume needs beyond the above
};

Result<CheckpointKind> detect_checkpoint(const std::filesystem::path& path);
// Lightning and state-dict files; other kinds are a ReadError that says what to do.
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);
// Written to a temporary name, flushed, renamed: a failure leaves the previous file whole.
Status write_lightning_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
Status write_state_dict(const std::filesystem::path& path, const ir::State& state);

}  // namespace mase::io
