// Optimisers by name: one row each.
#include "mase/train/optimiser.h"

#include <array>
#include <optional>

#include "mase/support/error.h"
#include "mase/support/suggest.h"

namespace mase::train {
namespace {

struct Row {
  std::string_view name;
  engine::OptimiserKind kind;
  std::string_view class_name;
  double minimum_rate;
  std::optional<double> fixed_weight_decay;
};

constexpr std::array<Row, 3> kOptimisers{{
    {"adam", engine::OptimiserKind::Adam, "Adam", 1e-6, std::nullopt},
    {"adamw", engine::OptimiserKind::AdamW, "AdamW", 1e-6, std::nullopt},
    {"sgd", engine::OptimiserKind::Sgd, "SGD", 0.0, 5e-4},
}};

const Row& row_of(engine::OptimiserKind kind) {
  for (const Row& row : kOptimisers) {
    if (row.kind == kind) return row;
  }
  internal_error("an optimiser without a row");
}

}  // namespace

std::vector<std::string_view> optimiser_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kOptimisers) names.push_back(row.name);
  return names;
}

engine::OptimiserOptions optimiser_options(std::string_view name, double learning_rate,
                                           double weight_decay) {
  for (const Row& row : kOptimisers) {
    if (row.name != name) continue;
    engine::OptimiserOptions options;
    options.kind = row.kind;
    options.learning_rate = learning_rate;
    options.weight_decay = row.fixed_weight_decay.value_or(weight_decay);
    return options;
  }
  std::vector<std::string> known;
  for (const Row& row : kOptimisers) known.emplace_back(row.name);
  usage_error("Unsupported optimizer name " + std::string(name), {}, did_you_mean(name, known));
}

std::string_view name(engine::OptimiserKind kind) {
  return row_of(kind).name;
}
std::string_view class_name(engine::OptimiserKind kind) {
  return row_of(kind).class_name;
}
std::string learning_rate_tag(engine::OptimiserKind kind) {
  return "lr-" + std::string(class_name(kind));
}
double minimum_learning_rate(engine::OptimiserKind kind) {
  return row_of(kind).minimum_rate;
}

}  // namespace mase::train
