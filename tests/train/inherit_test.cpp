// What is taken over from checkpoints of other programs: schedules, the optimiser's settings, the
// position; and what is refused because it cannot be continued.
#include "mase/train/inherit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <functional>
#include <limits>
#include <numbers>

#include "hook_engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/error.h"
#include "softmax_engine.h"
#include "temporary_folder.h"

namespace mase::train {
namespace {

namespace fs = std::filesystem;
using testing::blobs;
using ::testing::HasSubstr;
using testing::HookEngine;
using testing::softmax_engine;
using testing::softmax_graph;

ir::Dict state_of(ir::Dict own, double base, std::int64_t count) {
  own.insert(own.end(), {{"base_lrs", ir::List{base}},
                         {"last_epoch", count},
                         {"_step_count", count + 1},
                         {"_last_lr", ir::List{base}}});
  return own;
}

Schedule schedule_of(const ir::Dict& own) {
  return read_schedule(state_of(own, 0.1, 0), 0.1).schedule;
}

// PyTorch's rates, written out.
TEST(Schedule, RatesAreThoseOfPyTorch) {
  const Schedule cosine = schedule_of({{"T_max", 5}, {"eta_min", 1e-3}});
  const Schedule step = schedule_of({{"step_size", 2}, {"gamma", 0.5}});
  const Schedule milestones =
      schedule_of({{"milestones", ir::Dict{{"1", 1}, {"3", 2}}}, {"gamma", 0.5}});
  const Schedule exponential = schedule_of({{"gamma", 0.9}});
  const Schedule polynomial = schedule_of({{"power", 2.0}, {"total_iters", 4}});
  for (int e = 0; e < 9; ++e) {
    EXPECT_NEAR(cosine.rate(e), 1e-3 + 0.099 * (1 + std::cos(std::numbers::pi * e / 5)) / 2, 1e-15);
    EXPECT_NEAR(step.rate(e), 0.1 * std::pow(0.5, e / 2), 1e-15);
    EXPECT_NEAR(milestones.rate(e), e < 1 ? 0.1 : e < 3 ? 0.05 : 0.0125, 1e-15);
    EXPECT_NEAR(exponential.rate(e), 0.1 * std::pow(0.9, e), 1e-15);
    EXPECT_NEAR(polynomial.rate(e), e < 4 ? 0.1 * std::pow(1 - e / 4.0, 2) : 0, 1e-15);
  }
  // These two begin below the base rate.
  const ir::Dict constant = state_of({{"factor", 0.5}, {"total_iters", 3}}, 0.1, 1);
  EXPECT_NEAR(read_schedule(constant, 0.05).schedule.rate(2), 0.05, 1e-15);
  EXPECT_NEAR(read_schedule(constant, 0.05).schedule.rate(3), 0.1, 1e-15);
  const ir::Dict linear =
      state_of({{"start_factor", 0.2}, {"end_factor", 1.0}, {"total_iters", 4}}, 0.1, 1);
  EXPECT_NEAR(read_schedule(linear, 0.04).schedule.rate(2), 0.06, 1e-15);
  EXPECT_NEAR(read_schedule(linear, 0.04).schedule.rate(7), 0.1, 1e-15);
  EXPECT_EQ(read_schedule({}, 0.3).schedule.rate(100), 0.3);
}

// PyTorch goes on from the rate there is, whatever has changed it.
TEST(Schedule, GoesOnFromTheRateThatIsThere) {
  const ir::Dict halving = state_of({{"step_size", 1}, {"gamma", 0.5}}, 0.1, 2);
  EXPECT_NEAR(read_schedule(halving, 1.0).schedule.rate(3), 0.5, 1e-15);
  const ir::Dict cosine = state_of({{"T_max", 4}, {"eta_min", 0.0}}, 0.1, 2);
  EXPECT_NEAR(read_schedule(cosine, 0.5).schedule.base, 1.0, 1e-12);
}

TEST(Schedule, IsWrittenAsItWasRead) {
  for (const ir::Dict& own :
       std::vector<ir::Dict>{{{"T_max", 5}, {"eta_min", 1e-3}},
                             {{"step_size", 2}, {"gamma", 0.5}},
                             {{"milestones", ir::Dict{{"3", 2}}}, {"gamma", 0.5}},
                             {{"gamma", 0.9}}}) {
    const Schedule schedule = schedule_of(own);
    const ReadSchedule again = read_schedule(write_schedule(schedule, 3), schedule.rate(3));
    EXPECT_EQ(again.count, 3);
    for (int e = 0; e < 9; ++e) EXPECT_EQ(again.schedule.rate(e), schedule.rate(e));
  }
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::Internal, "");
}

TEST(Schedule, OthersAreRefusedByName) {
  const std::pair<const char*, const char*> kinds[] = {{"T_0", "CosineAnnealingWarmRestarts"},
                                                       {"cooldown", "ReduceLROnPlateau"},
                                                       {"total_steps", "OneCycleLR"},
                                                       {"lr_lambdas", "LambdaLR"},
                                                       {"_schedulers", "SequentialLR"}};
  for (const auto& [key, name] : kinds) {
    const Error error = error_of([&, k = key] { schedule_of({{k, 1}}); });
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_THAT(error.message(), HasSubstr(name));
  }
  EXPECT_EQ(error_of([] {
              schedule_of({{"T_max", 0}, {"eta_min", 0}});
            }).kind(),
            ErrorKind::Unreadable);
  EXPECT_EQ(error_of([] {
              schedule_of({{"step_size", 2}, {"gamma", "x"}});
            }).kind(),
            ErrorKind::Unreadable);
  const std::vector<ir::Value> no_milestones = {ir::List{1e300},    ir::List{std::nan("")},
                                                ir::List{"x"},      ir::Dict{{"1", 1e300}},
                                                ir::Dict{{"1", 0}}, ir::Dict{{"x", 1}}};
  for (const ir::Value& milestones : no_milestones) {
    EXPECT_EQ(error_of([&] {
                schedule_of({{"milestones", milestones}, {"gamma", 0.5}});
              }).kind(),
              ErrorKind::Unreadable)
        << ir::repr(milestones);
  }
}

const ir::Dict kAdam{{"lr", 0.1},        {"betas", ir::Tuple{{0.5, 0.9}}},
                     {"eps", 1e-3},      {"weight_decay", 0.3},
                     {"amsgrad", false}, {"maximize", false}};

// A checkpoint after two epochs of 25 steps.
Resumption after_two_epochs(const ir::Dict& group = kAdam) {
  Resumption from;
  from.path = "theirs.ckpt";
  from.position.epoch = 2;
  from.position.step = 50;
  from.position.batches = 50;
  from.checkpoint.optimiser_options = group;
  return from;
}

TEST(Inherit, SettingsAndScheduleAreTheFiles) {
  Resumption from = after_two_epochs();
  *ir::find(from.checkpoint.optimiser_options, "lr") = 0.001;
  from.checkpoint.scheduler = state_of({{"step_size", 1}, {"gamma", 0.1}}, 0.1, 2);
  const Inheritance taken = inherit(from, {}, {}).value();
  EXPECT_EQ(taken.optimiser.beta1, 0.5);
  EXPECT_EQ(taken.optimiser.beta2, 0.9);
  EXPECT_EQ(taken.optimiser.epsilon, 1e-3);
  EXPECT_EQ(taken.optimiser.weight_decay, 0.3);
  EXPECT_FALSE(taken.schedule.by_step);
  EXPECT_NEAR(taken.schedule.rate(2), 1e-3, 1e-15);
  EXPECT_NEAR(taken.schedule.rate(3), 1e-4, 1e-15);
  const ir::Dict sgd{{"lr", ir::Tensor::scalar(0.25f)},
                     {"momentum", 0.8},
                     {"dampening", 0},
                     {"weight_decay", 0.0},
                     {"nesterov", false},
                     {"maximize", false}};
  const Inheritance other = inherit(after_two_epochs(sgd), {}, {}).value();
  EXPECT_EQ(other.optimiser.kind, engine::OptimiserKind::Sgd);
  EXPECT_EQ(other.optimiser.momentum, 0.8);
  EXPECT_FALSE(other.optimiser.nesterov);
  EXPECT_EQ(other.schedule.rate(9), 0.25);
}

TEST(Inherit, ASchedulesOwnCountTellsEpochsFromSteps) {
  Resumption from = after_two_epochs();
  from.checkpoint.scheduler = state_of({{"gamma", 0.9}}, 0.1, 50);
  *ir::find(from.checkpoint.optimiser_options, "lr") = 0.1 * std::pow(0.9, 50);
  EXPECT_TRUE(inherit(from, {}, {}).value().schedule.by_step);
  from.checkpoint.scheduler = state_of({{"gamma", 0.9}}, 0.1, 10);
  EXPECT_THAT(error_of([&] { inherit(from, {}, {}); }).message(), HasSubstr("stepped 10 times"));
}

TEST(Inherit, WhatWasAskedForByNameWins) {
  FitOptions options;
  options.optimiser.learning_rate = 0.02;
  options.asked.learning_rate = true;
  const Inheritance taken = inherit(after_two_epochs(), options, {}).value();
  EXPECT_EQ(taken.schedule.rate(2), 0.02);
  EXPECT_EQ(taken.optimiser.weight_decay, 0.3);
  options.optimiser.kind = engine::OptimiserKind::Sgd;
  options.asked.optimiser = true;
  EXPECT_EQ(error_of([&] { inherit(after_two_epochs(), options, {}); }).kind(), ErrorKind::Usage);
}

TEST(Inherit, WhatCannotBeContinuedIsRefused) {
  const auto message = [](const std::function<void(io::Checkpoint&)>& change) {
    Resumption from = after_two_epochs();
    change(from.checkpoint);
    return error_of([&] { inherit(from, {}, {}); }).message();
  };
  const auto with = [&](const char* key, const ir::Value& value) {
    return message([&](io::Checkpoint& c) {
      if (ir::Value* old = ir::find(c.optimiser_options, key)) {
        *old = value;
      } else {
        c.optimiser_options.emplace_back(key, value);
      }
    });
  };
  EXPECT_THAT(with("amsgrad", true), HasSubstr("amsgrad=True"));
  EXPECT_THAT(with("maximize", true), HasSubstr("maximize=True"));
  EXPECT_THAT(with("momentum_decay", 4e-3), HasSubstr("NAdam"));
  EXPECT_THAT(with("alpha", 0.99), HasSubstr("RMSprop"));
  EXPECT_THAT(with("lr", std::numeric_limits<double>::quiet_NaN()), HasSubstr("'lr' is nan"));
  EXPECT_THAT(with("eps", "small"), HasSubstr("'eps' is no number"));
  EXPECT_THAT(message([](io::Checkpoint& c) { c.further_optimisers = 1; }),
              HasSubstr("2 optimisers"));
  EXPECT_THAT(message([](io::Checkpoint& c) { c.optimiser_parameters = 3; }),
              HasSubstr("of 3 of the 0 parameters"));
  EXPECT_THAT(message([](io::Checkpoint& c) { c.further_schedulers = 2; }),
              HasSubstr("3 schedules"));
  EXPECT_THAT(message([](io::Checkpoint& c) {
                ir::Dict other = c.optimiser_options;
                *ir::find(other, "weight_decay") = 0.0;
                c.further_groups.push_back(other);
              }),
              HasSubstr("weight_decay is 0.3 in the first, 0.0 in group 1"));
}

TEST(Position, ImpossibleOnesAreRefused) {
  Position sound;
  sound.epoch = 2;
  sound.step = 20;
  sound.batches = 20;
  sound.best_epoch = 1;
  sound.best_loss = 0.5;
  ASSERT_TRUE(position_from(to_dict(sound)).ok());
  const std::pair<const char*, ir::Value> changes[] = {
      {"step", std::int64_t{-1}},
      {"epoch", std::numeric_limits<std::int64_t>::max()},
      {"epoch", std::int64_t{21}},
      {"batch", std::int64_t{21}},
      {"best_loss", std::numeric_limits<double>::quiet_NaN()},
      {"best_epoch", std::int64_t{2}},
      {"train_correct", std::int64_t{5}}};
  for (const auto& [key, value] : changes) {
    ir::Dict dict = to_dict(sound);
    *ir::find(dict, key) = value;
    EXPECT_THAT(position_from(dict).error().message, HasSubstr("impossible")) << key;
  }
}

FitOptions short_run() {
  FitOptions options;
  options.optimiser.learning_rate = 0.05;
  options.batch_size = 32;
  options.max_epochs = 2;
  options.seconds_between_checkpoints = 0;
  return options;
}

// Our own checkpoint, made one of Lightning's: with its settings and without our section.
fs::path theirs(const std::function<void(io::Checkpoint&)>& change) {
  const fs::path folder = new_folder();
  fit(softmax_graph(4, 3), blobs(320), softmax_engine(), short_run(), {.folder = folder});
  io::Checkpoint c = io::read_checkpoint(folder / "software/training_ckpts/last.ckpt").or_throw();
  c.mase.clear();
  change(c);
  const fs::path path = folder / "theirs.ckpt";
  io::write_lightning_checkpoint(path, c);
  return path;
}

TEST(ResumeOfAnotherProgram, GoesOnWithItsScheduleThroughStops) {
  const fs::path path = theirs([](io::Checkpoint& c) {
    c.scheduler = state_of({{"step_size", 1}, {"gamma", 0.5}}, 0.05, 2);
    *ir::find(c.optimiser_options, "lr") = 0.0125;
    *ir::find(c.optimiser_options, "betas") = ir::Tuple{{0.5, 0.9}};
  });
  FitOptions options = short_run();
  options.max_epochs = 5;
  options.resume = path.string();
  const fs::path whole = new_folder();
  const fs::path parts = new_folder();
  const FitResult expected =
      fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options, {.folder = whole});
  const HookEngine stopping(softmax_engine(), {.before_step = [](int i) {
                              if (i == 13) std::raise(SIGTERM);
                            }});
  ASSERT_TRUE(
      fit(softmax_graph(4, 3), blobs(320), stopping, options, {.folder = parts}).interrupted);
  options.resume = "last";
  const FitResult result =
      fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options, {.folder = parts});
  EXPECT_EQ(result.steps, 50);
  EXPECT_EQ(result.graph.state(), expected.graph.state());
  const io::Checkpoint last = io::read_checkpoint(result.last_checkpoint).or_throw();
  EXPECT_EQ(*ir::find(last.optimiser_options, "betas"), ir::Value(ir::Tuple{{0.5, 0.9}}));
  EXPECT_NEAR(ir::find(last.optimiser_options, "lr")->as_number(), 0.05 / 32, 1e-15);
}

TEST(ResumeOfAnotherProgram, InsideAnEpochDoesTheRestOfIt) {
  const fs::path path = theirs([](io::Checkpoint& c) {
    c.epoch = 1;
    c.global_step = 13;
    c.batches = 13;
    c.batches_in_epoch = 3;
    c.scheduler = state_of({{"gamma", 0.5}}, 0.05, 1);
    *ir::find(c.optimiser_options, "lr") = 0.025;
  });
  FitOptions options = short_run();
  options.resume = path.string();
  EXPECT_EQ(fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options).steps, 20);
  options.batch_size = 160;  // two batches an epoch: there is no third
  EXPECT_THAT(
      error_of([&] { fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options); }).message(),
      HasSubstr("which has 2 batches here"));
}

TEST(ResumeOfAnotherProgram, AtItsEndMeasuresNothing) {
  const fs::path path = theirs([](io::Checkpoint&) {});
  FitOptions options = short_run();
  options.resume = path.string();
  const FitResult result = fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options);
  EXPECT_EQ(result.steps, 20);
  EXPECT_EQ(result.train_acc_epoch, 0);
}

TEST(ResumeOfAnotherProgram, ALaterFormatIsRefused) {
  const fs::path folder = new_folder();
  fit(softmax_graph(4, 3), blobs(320), softmax_engine(), short_run(), {.folder = folder});
  const fs::path path = folder / "software/training_ckpts/last.ckpt";
  io::Checkpoint c = io::read_checkpoint(path).or_throw();
  *ir::find(c.mase, "format") = kSnapshotFormat + 1;
  io::write_lightning_checkpoint(path, c);
  FitOptions options = short_run();
  options.resume = path.string();
  const Error error =
      error_of([&] { fit(softmax_graph(4, 3), blobs(320), softmax_engine(), options); });
  EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
  EXPECT_THAT(error.message(), HasSubstr("later version"));
}

}  // namespace
}  // namespace mase::train
