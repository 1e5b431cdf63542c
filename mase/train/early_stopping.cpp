// The rule of Lightning's EarlyStopping, in its single precision: an epoch improves where its
// metric passes the best one so far by more than min_delta.
#include "mase/train/early_stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "mase/support/error.h"
#include "mase/support/suggest.h"
#include "mase/train/schedule.h"

namespace mase::train {
namespace {

struct MonitorRow {
  std::string_view name;
  double Position::*value;
  bool more_is_better;
  bool needs_validation;
};
constexpr std::array kMonitors{
    MonitorRow{"val_loss_epoch", &Position::val_loss_epoch, false, true},
    MonitorRow{"val_acc_epoch", &Position::val_acc_epoch, true, true},
    MonitorRow{"train_loss_epoch", &Position::train_loss_epoch, false, false},
    MonitorRow{"train_acc_epoch", &Position::train_acc_epoch, true, false},
};

const MonitorRow& monitor_row(std::string_view monitor) {
  std::vector<std::string> known;
  for (const MonitorRow& row : kMonitors) {
    if (row.name == monitor) return row;
    known.emplace_back(row.name);
  }
  usage_error(fmt::format("early stopping cannot watch '{}'", monitor), {},
              did_you_mean(monitor, known));
}

}  // namespace

std::vector<std::string_view> monitors() {
  std::vector<std::string_view> names;
  for (const MonitorRow& row : kMonitors) names.push_back(row.name);
  return names;
}

bool more_is_better(std::string_view monitor) {
  return monitor_row(monitor).more_is_better;
}
bool needs_validation(std::string_view monitor) {
  return monitor_row(monitor).needs_validation;
}

void watch(const EarlyStopping& options, Position& position) {
  const MonitorRow& row = monitor_row(options.monitor);
  const auto current = static_cast<float>(position.*row.value);
  const auto best = static_cast<float>(position.stopping_best);
  const auto delta = static_cast<float>(options.min_delta);
  const bool first = position.stopping_epoch < 0;
  const bool better = row.more_is_better ? current - delta > best : current + delta < best;
  if (first || better) {
    position.stopping_best = static_cast<double>(current);
    position.stopping_epoch = position.epoch;
    position.stopping_wait = 0;
  } else {
    ++position.stopping_wait;
  }
}

bool has_stopped(const EarlyStopping& options, const Position& position) {
  return position.stopping_wait > 0 && position.stopping_wait >= options.patience;
}

std::string stopping_text(const EarlyStopping& options, const Position& position) {
  return fmt::format(
      "Monitored metric {} did not improve in the last {} records. Best score: "
      "{:.3f} (epoch {}). Signaling Trainer to stop.",
      options.monitor, position.stopping_wait, position.stopping_best, position.stopping_epoch);
}

std::pair<std::string, ir::Dict> stopping_callback(const EarlyStopping& options,
                                                   const Position& position) {
  const char* mode = more_is_better(options.monitor) ? "max" : "min";
  const bool stopped = has_stopped(options, position);
  return {fmt::format("EarlyStopping{{'monitor': '{}', 'mode': '{}'}}", options.monitor, mode),
          {{"wait_count", position.stopping_wait},
           {"stopped_epoch", stopped ? position.epoch - 1 : 0},
           {"best_score", ir::Tensor::scalar(static_cast<float>(position.stopping_best))},
           {"patience", options.patience}}};
}

void take_stopping(const ir::Dict& callbacks, const EarlyStopping& options, Position& position) {
  const ir::Value* found = ir::find(callbacks, stopping_callback(options, {}).first);
  if (!found) return;
  const ir::Value* wait = found->find("wait_count");
  const ir::Value* best = found->find("best_score");
  const auto wait_count = wait ? number_of(*wait) : std::nullopt;
  const auto best_score = best ? number_of(*best) : std::nullopt;
  // Before its first epoch the best score is infinite.
  if (!wait_count || !best_score || !(std::abs(*best_score) < 1e30)) return;
  if (!(*wait_count >= 0 && *wait_count <= static_cast<double>(position.epoch))) return;
  position.stopping_best = *best_score;
  position.stopping_wait = static_cast<std::int64_t>(*wait_count);
  position.stopping_epoch = std::max<std::int64_t>(0, position.epoch - 1 - position.stopping_wait);
}

}  // namespace mase::train
