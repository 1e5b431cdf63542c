// A run at one moment, in the shape of a Lightning 2.2 checkpoint.
#include "mase/train/snapshot.h"

#include <cmath>

#include "mase/io/torch/checkpoint_keys.h"
#include "mase/train/early_stopping.h"
#include "mase/train/inherit.h"
#include "mase/train/optimiser.h"

namespace mase::train {
namespace {

// torch.optim's param_group, in its key order.
ir::Dict parameter_group(const engine::OptimiserOptions& o, double rate) {
  ir::Dict group{{"lr", rate}};
  if (o.kind == engine::OptimiserKind::Sgd) {
    group.insert(group.end(), {{"momentum", o.momentum},
                               {"dampening", 0},
                               {"weight_decay", o.weight_decay},
                               {"nesterov", o.nesterov},
                               {"maximize", false},
                               {"foreach", ir::None{}},
                               {"differentiable", false}});
  } else {
    group.insert(group.end(), {{"betas", ir::Tuple{{o.beta1, o.beta2}}},
                               {"eps", o.epsilon},
                               {"weight_decay", o.weight_decay},
                               {"amsgrad", false},
                               {"maximize", false},
                               {"foreach", ir::None{}},
                               {"capturable", false},
                               {"differentiable", false},
                               {"fused", ir::None{}}});
  }
  group.emplace_back("initial_lr", o.learning_rate);
  return group;
}

// Lightning's ModelCheckpoint: its key holds its settings.
ir::Dict model_checkpoint(const Position& position, const RunFacts& facts) {
  if (!position.validated()) return {};
  const ir::Tensor best = ir::Tensor::scalar(static_cast<float>(position.best_loss));
  const ir::Tensor current = ir::Tensor::scalar(static_cast<float>(position.val_loss_epoch));
  const std::string best_path = facts.best.string();
  return {
      {"ModelCheckpoint{'monitor': 'val_loss_epoch', 'mode': 'min', 'every_n_train_steps': 0, "
       "'every_n_epochs': 1, 'train_time_interval': None}",
       ir::Dict{{"monitor", "val_loss_epoch"},
                {"best_model_score", best},
                {"best_model_path", best_path},
                {"current_score", current},
                {"dirpath", facts.best.parent_path().string()},
                {"best_k_models", ir::Dict{{best_path, best}}},
                {"kth_best_model_path", best_path},
                {"kth_value", best},
                {"last_model_path", facts.last.string()}}}};
}

ir::Dict callbacks(const Position& position, const RunFacts& facts) {
  ir::Dict out = model_checkpoint(position, facts);
  const auto& stopping = facts.options->early_stopping;
  if (stopping && position.stopping_epoch >= 0) {
    out.push_back(stopping_callback(*stopping, position));
  }
  return out;
}

// What is watched, as one value.
ir::Value stopping_of(const FitOptions& options) {
  if (!options.early_stopping) return ir::None{};
  const EarlyStopping& s = *options.early_stopping;
  return ir::Dict{{"monitor", s.monitor}, {"patience", s.patience}, {"min_delta", s.min_delta}};
}

std::string_view name(engine::Precision precision) {
  switch (precision) {
    case engine::Precision::Float32:
      return "float32";
    case engine::Precision::Float64:
      return "float64";
    case engine::Precision::BFloat16Mixed:
      return "bfloat16-mixed";
  }
  return "";
}

}  // namespace

ir::Dict course_of(const RunFacts& facts) {
  const FitOptions& o = *facts.options;
  return {{"optimiser", name(o.optimiser.kind)},
          {"learning_rate", o.optimiser.learning_rate},
          {"weight_decay", o.optimiser.weight_decay},
          {"batch_size", o.batch_size},
          {"accumulate_grad_batches", o.accumulate_grad_batches},
          {"max_epochs", o.max_epochs},
          {"precision", name(o.precision)},
          {"seed", static_cast<std::int64_t>(o.seed)},
          {"engine", facts.engine},
          {"instruction_set", facts.instruction_set},
          {"deterministic", o.deterministic},
          {"early_stopping", stopping_of(o)},
          {"train_rows", facts.train_rows},
          {"data_hash", facts.data_hash}};
}

io::Checkpoint make_snapshot(const engine::Program& program, const Position& position,
                             const RunFacts& facts, const ir::Dict& files) {
  const engine::OptimiserOptions& optimiser = facts.options->optimiser;
  const std::int64_t count = facts.schedule.by_step ? position.step : position.epoch;
  io::Checkpoint out;
  // Lightning counts the epoch a checkpoint was saved in; after its end that is the one before.
  const bool at_end = position.batch == 0 && position.epoch > 0;
  out.epoch = at_end ? position.epoch - 1 : position.epoch;
  out.global_step = position.step;
  out.batches = position.batches;
  out.batches_in_epoch = at_end ? -1 : position.batch;
  out.state = program.state();
  out.optimiser = program.optimiser_state();
  out.optimiser_options = parameter_group(optimiser, facts.schedule.rate(count));
  out.scheduler = write_schedule(facts.schedule, count);
  out.callbacks = callbacks(position, facts);
  out.mase = {{"format", kSnapshotFormat},
              {"version", facts.version},
              {"position", to_dict(position)},
              {"course", course_of(facts)},
              {"files", files},
              {std::string(io::kQuantisation), facts.quantisation}};
  if (facts.inherited) {
    out.mase.emplace_back(kInherited, ir::Dict{{"optimiser", name(optimiser.kind)},
                                               {"by_step", facts.schedule.by_step}});
  }
  return out;
}

}  // namespace mase::train
