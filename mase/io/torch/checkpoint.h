#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mase/io/bytes.h"
#include "mase/ir/graph.h"
#include "mase/ir/optimiser_state.h"
#include "mase/support/result.h"

// Checkpoints that go both ways with PyTorch and Lightning: zip files of a restricted pickle and
// raw tensor bytes; the older forms of torch.save (io/torch/torch_archive.h) are read, too. A
// checkpoint is data, never code: unknown classes become opaque values and nothing is executed.
namespace mase::io {

// What a file is, from its content.
enum class CheckpointKind {
  Lightning,    // "pl": trainer checkpoint with a state_dict
  StateDict,    // "pt": tensors by name, or a dictionary with `state_dict`
  MaseGraph,    // "mz": graph text + safetensors + metadata in one zip (io/graph/mz.h)
  SafeTensors,  // tensors by name (io/arrays/safetensors.h)
  PickledMz,    // the original's .mz: pickled code, refused with the way out
};

struct Checkpoint {
  CheckpointKind kind = CheckpointKind::Lightning;  // of what was read
  std::int64_t epoch = 0;                           // index of the epoch it was saved in, from 0
  std::int64_t global_step = 0;                     // optimiser steps done
  // Of what was read: why it does not say where training stood ("has no 'epoch'"), else empty.
  std::string no_position = {};
  // Training batches since the start, and of those in epoch `epoch`; -1: as many as optimiser
  // steps, and the epoch is complete. Only for programs that resume our files.
  std::int64_t batches = -1;
  std::int64_t batches_in_epoch = -1;
  ir::State state;                // names of the graph: Lightning's "model." prefix removed
  ir::Named<std::string> unread;  // tensors that are not read, and what they are: "a sparse tensor"
  ir::OptimiserState optimiser;   // empty if there is none, or none that fits `state`
  ir::Dict optimiser_options;     // the first param_group, without params: lr, betas, eps, ...
  ir::Dict scheduler;             // lr_schedulers[0]
  // Of what was read: param_groups beyond the first, how many parameters they all list, and how
  // many optimisers and schedules there are beside the first.
  std::vector<ir::Dict> further_groups = {};
  std::int64_t optimiser_parameters = 0;
  std::int64_t further_optimisers = 0;
  std::int64_t further_schedulers = 0;
  ir::Dict callbacks;
  ir::Dict hyper_parameters;
  ir::Dict mase;  // our own section: what an exact resume needs beyond the above
};

Result<CheckpointKind> detect_checkpoint(const std::filesystem::path& path);
// Lightning, state-dict and safetensors files; other kinds are a ReadError that says what to do.
// Tensors may be views, share storages and have been saved on any device. Values of unknown classes
// become ir::TypeName{"module.name"}.
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);
// The same for bytes in memory, without `.mz`: what the fuzzer calls.
Result<Checkpoint> parse_checkpoint(const Bytes& bytes, const std::string& file_name);

// Written to a temporary name, flushed, renamed: a failure (Error{RunFailed}) leaves the previous
// file whole. torch.load(weights_only=True) and Lightning read the result. Values must be plain:
// None, numbers, texts, tuples, lists, dictionaries, tensors, dtypes (Error{Internal} otherwise);
// a TypeName is written as text.
void write_lightning_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
void write_state_dict(const std::filesystem::path& path, const ir::State& state);

}  // namespace mase::io
