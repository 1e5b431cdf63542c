// A position as a dictionary and back: one table of fields serves both ways.
#include "mase/train/position.h"

#include <fmt/format.h>

#include <cmath>
#include <concepts>

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
  visit("train_loss_epoch", position.train_loss_epoch);
  visit("train_acc_epoch", position.train_acc_epoch);
  visit("val_loss_epoch", position.val_loss_epoch);
  visit("val_acc_epoch", position.val_acc_epoch);
  visit("best_loss", position.best_loss);
  visit("best_epoch", position.best_epoch);
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
  if (problem.empty() && (position.epoch < 0 || position.batch < 0 || position.step < 0)) {
    problem = "the position has a negative count";
  }
  if (!problem.empty()) return ReadError{problem, {}};
  return position;
}

}  // namespace mase::train
