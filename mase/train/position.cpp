// A position as a dictionary and back: one table of fields serves both ways.
#include "mase/train/position.h"

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <string_view>

namespace mase::train {
namespace {

// Calls visit(name, field) for every field.
template <typename P, typename Visit>
void for_each_field(P& position, Visit&& visit) {
  visit("epoch", position.epoch);
  visit("batch", position.batch);
  visit("step", position.step);
  visit("batches", position.batches);
  visit("train_loss_sum", position.train.loss.sum);
  visit("train_loss_count", position.train.loss.count);
  visit("train_correct", position.train.correct);
  visit("train_total", position.train.total);
  visit("train_loss_step", position.train_loss_step);
  visit("train_acc_step", position.train_acc_step);
  visit("measured_epoch", position.measured_epoch);
  visit("train_loss_epoch", position.train_loss_epoch);
  visit("train_acc_epoch", position.train_acc_epoch);
  visit("val_loss_epoch", position.val_loss_epoch);
  visit("val_acc_epoch", position.val_acc_epoch);
  visit("best_loss", position.best_loss);
  visit("best_epoch", position.best_epoch);
  visit("stopping_best", position.stopping_best);
  visit("stopping_epoch", position.stopping_epoch);
  visit("stopping_wait", position.stopping_wait);
}

// Counts that no run reaches: from here on they could not be told from their neighbours as doubles.
constexpr std::int64_t kMostCount = std::int64_t{1} << 53;

// Why no run can stand there; empty if one can.
std::string impossible(const Position& p) {
  std::string problem;
  for_each_field(p, [&](const char* name, const auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (!std::floating_point<Field>) {
      const bool may_be_none = std::string_view(name).ends_with("_epoch");
      if (field >= (may_be_none ? -1 : 0) && field < kMostCount) return;
      problem = fmt::format("the position is impossible: {} = {}", name, field);
    }
  });
  if (!problem.empty()) return problem;
  if (p.epoch > p.batches || p.step > p.batches || p.batch > p.batches) {
    return fmt::format("the position is impossible: epoch {}, batch {}, step {} after {} batches",
                       p.epoch, p.batch, p.step, p.batches);
  }
  if (std::isnan(p.best_loss) || (p.validated() && p.best_epoch >= p.epoch)) {
    return fmt::format("the position is impossible: best val_loss_epoch {} in epoch {} of {}",
                       p.best_loss, p.best_epoch, p.epoch);
  }
  if (p.train.correct > p.train.total || p.measured_epoch >= p.epoch) {
    return fmt::format("the position is impossible: {} of {} right, epoch {} measured of {}",
                       p.train.correct, p.train.total, p.measured_epoch, p.epoch);
  }
  return "";
}

}  // namespace

ir::Dict to_dict(const Position& position) {
  ir::Dict dict;
  for_each_field(position, [&](const char* name, const auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::floating_point<Field>) {
      dict.emplace_back(name, static_cast<double>(field));  // exact: a float is a double
    } else {
      dict.emplace_back(name, field);
    }
  });
  return dict;
}

Result<Position> position_from(const ir::Value& dict) {
  Position position;
  std::string problem;
  for_each_field(position, [&](const char* name, auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    const ir::Value* value = dict.find(name);
    // What files of version 0.1 lack.
    if (!value && std::string_view(name).starts_with("stopping_")) return;
    if (!value && std::string_view(name) == "measured_epoch") {
      field = static_cast<Field>(position.epoch - 1);
      return;
    }
    const bool fits =
        value && (std::floating_point<Field> ? value->is_number() : value->is<std::int64_t>());
    if (!fits) {
      if (problem.empty()) problem = fmt::format("the position has no number '{}'", name);
    } else if constexpr (std::floating_point<Field>) {
      field = static_cast<Field>(value->as_number());
    } else {
      field = value->as_int();
    }
  });
  if (problem.empty()) problem = impossible(position);
  if (!problem.empty()) return ReadError{problem, {}};
  return position;
}

}  // namespace mase::train
