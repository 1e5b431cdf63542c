// Writes the keys and nesting that Lightning 2.2 writes, so that its trainer can load and resume.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "mase/io/torch/checkpoint.h"
#include "mase/io/torch/checkpoint_keys.h"
#include "mase/io/torch/torch_archive.h"

namespace mase::io {
namespace {

// The version whose layout this is; newer ones migrate it when they load.
constexpr const char* kLightningVersion = "2.2.0";

Object dict(std::vector<ObjectPair> entries) {
  return Object::dict(std::move(entries));
}

Object counts(std::initializer_list<const char*> names, std::int64_t value) {
  std::vector<ObjectPair> out;
  for (const char* name : names) out.emplace_back(name, value);
  return dict(std::move(out));
}

// Batches: ready, completed, started, processed; optimiser steps and scheduler: ready, completed.
Object batches(std::int64_t n) {
  return counts({"ready", "completed", "started", "processed"}, n);
}
Object steps(std::int64_t n) {
  return counts({"ready", "completed"}, n);
}

Object progress(Object total, Object current) {
  return dict({{"total", std::move(total)}, {"current", std::move(current)}});
}

Object batch_progress(std::int64_t total, std::int64_t current, bool is_last) {
  return dict(
      {{"total", batches(total)}, {"current", batches(current)}, {"is_last_batch", is_last}});
}

// A loop that has not run (or whose counts do not matter to a resumed training).
Object idle_loop(bool has_last_batch) {
  std::vector<ObjectPair> counters{{"total", batches(0)}, {"current", batches(0)}};
  if (has_last_batch) counters.emplace_back("is_last_batch", false);
  return dict({{"state_dict", dict({})}, {"batch_progress", dict(std::move(counters))}});
}

Object loops(const Checkpoint& c) {
  const std::int64_t total = c.batches >= 0 ? c.batches : c.global_step;
  const bool complete = c.batches_in_epoch < 0;
  const std::int64_t current = complete ? total / (c.epoch + 1) : c.batches_in_epoch;
  // Steps of this epoch in the proportion of its batches: gradients may be accumulated.
  const std::int64_t current_steps =
      total == 0 ? 0
                 : std::llround(static_cast<double>(current) * static_cast<double>(c.global_step) /
                                static_cast<double>(total));
  const std::int64_t scheduled = complete ? c.epoch + 1 : c.epoch;
  const std::int64_t processed = complete ? c.epoch + 1 : c.epoch;
  const auto epochs = [&] {
    return dict({{"ready", c.epoch + 1},
                 {"completed", c.epoch},
                 {"started", c.epoch + 1},
                 {"processed", processed}});
  };
  const auto zero_grad = [](std::int64_t n) {
    return counts({"ready", "completed", "started"}, n);
  };
  const Object optimiser =
      dict({{"step", progress(steps(c.global_step), steps(current_steps))},
            {"zero_grad", progress(zero_grad(c.global_step), zero_grad(current_steps))}});
  const Object fit = dict({
      {"state_dict", dict({})},
      {"epoch_loop.state_dict", dict({{"_batches_that_stepped", c.global_step}})},
      {"epoch_loop.batch_progress", batch_progress(total, current, complete)},
      {"epoch_loop.scheduler_progress", progress(steps(scheduled), steps(complete ? 1 : 0))},
      {"epoch_loop.automatic_optimization.state_dict", dict({})},
      {"epoch_loop.automatic_optimization.optim_progress", dict({{"optimizer", optimiser}})},
      {"epoch_loop.manual_optimization.state_dict", dict({})},
      {"epoch_loop.manual_optimization.optim_step_progress", progress(steps(0), steps(0))},
      {"epoch_loop.val_loop.state_dict", dict({})},
      {"epoch_loop.val_loop.batch_progress", batch_progress(0, 0, complete)},
      {"epoch_progress", progress(epochs(), epochs())},
  });
  return dict({{"fit_loop", fit},
               {"validate_loop", idle_loop(true)},
               {"test_loop", idle_loop(true)},
               {"predict_loop", idle_loop(false)}});
}

Object state_dict(TorchWriter& file, const ir::State& state, std::string_view prefix) {
  std::vector<ObjectPair> out;
  for (const auto& [name, tensor] : state) {
    out.emplace_back(fmt::format("{}{}", prefix, name), file.add(tensor));
  }
  return Object::ordered_dict(std::move(out));
}

Object optimiser_state(TorchWriter& file, const Checkpoint& c) {
  std::vector<ObjectPair> slots;
  std::vector<Object> numbers;
  std::int64_t index = 0;
  for (const ir::OptimiserSlot& slot : c.optimiser) {
    std::vector<ObjectPair> entries;
    // SGD counts no steps; PyTorch keeps those of Adam as a float32 scalar.
    if (slot.step != 0 || ir::find(slot.tensors, "exp_avg")) {
      entries.emplace_back("step", file.add(ir::Tensor::scalar(static_cast<float>(slot.step))));
    }
    for (const auto& [name, tensor] : slot.tensors) entries.emplace_back(name, file.add(tensor));
    if (!entries.empty()) slots.emplace_back(index, dict(std::move(entries)));
    numbers.emplace_back(index++);
  }
  std::vector<ObjectPair> group;
  for (const auto& [name, value] : c.optimiser_options) group.emplace_back(name, file.add(value));
  group.emplace_back("params", Object::list(std::move(numbers)));
  return dict({{"state", dict(std::move(slots))},
               {"param_groups", Object::list({dict(std::move(group))})}});
}

// A schedule's state. MultiStepLR looks its milestones up by number.
Object schedule_state(TorchWriter& file, const ir::Dict& schedule) {
  std::vector<ObjectPair> out;
  for (const auto& [key, value] : schedule) {
    const auto* milestones = key == "milestones" ? value.get<ir::Dict>() : nullptr;
    if (!milestones) {
      out.emplace_back(key, file.add(value));
      continue;
    }
    std::vector<ObjectPair> counter;
    for (const auto& [when, times] : *milestones) {
      counter.emplace_back(std::int64_t{std::atoll(when.c_str())}, file.add(times));
    }
    out.emplace_back(key, dict(std::move(counter)));
  }
  return dict(std::move(out));
}

Object own_section(TorchWriter& file, const Checkpoint& c) {
  std::vector<Object> names;
  for (const ir::OptimiserSlot& slot : c.optimiser) names.emplace_back(slot.parameter);
  std::vector<ObjectPair> out;
  for (const auto& [key, value] : c.mase) out.emplace_back(key, file.add(value));
  out.emplace_back(std::string(kOptimiserParameters), Object::list(std::move(names)));
  return dict(std::move(out));
}

}  // namespace

void write_lightning_checkpoint(const std::filesystem::path& path, const Checkpoint& c) {
  TorchWriter file;
  std::vector<ObjectPair> root{
      {"epoch", c.epoch},
      {"global_step", c.global_step},
      {"pytorch-lightning_version", kLightningVersion},
      {"state_dict", state_dict(file, c.state, "model.")},
      {"loops", loops(c)},
      {"callbacks", file.add(ir::Value(c.callbacks))},
      {"optimizer_states", Object::list({optimiser_state(file, c)})},
  };
  std::vector<Object> schedulers;
  if (!c.scheduler.empty()) schedulers.push_back(schedule_state(file, c.scheduler));
  root.emplace_back("lr_schedulers", Object::list(std::move(schedulers)));
  if (!c.hyper_parameters.empty()) {
    root.emplace_back("hparams_name", "kwargs");
    root.emplace_back("hyper_parameters", file.add(ir::Value(c.hyper_parameters)));
  }
  root.emplace_back("mase", own_section(file, c));
  file.write(path, dict(std::move(root)));
}

void write_state_dict(const std::filesystem::path& path, const ir::State& state) {
  TorchWriter file;
  const Object root = state_dict(file, state, "");
  file.write(path, root);
}

}  // namespace mase::io
