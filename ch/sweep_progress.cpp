// What a sweep says while it works.
#include "ch/sweep_progress.h"

#include <fmt/format.h>

namespace ch {

using mase::train::RunOutcome;
using mase::train::RunStatus;
using mase::train::SweepStatus;

std::string sweep_line(const SweepStatus& status) {
  std::string text =
      fmt::format("{} done, {} failed, {} left", status.finished, status.failed, status.left());
  if (status.remaining == status.remaining) {
    text += fmt::format(", ETA {}", mase::format_interval(status.remaining + 0.5));
  }
  if (!status.best) return text;
  const mase::train::Measured& measured = status.best->measured;
  const bool validated = measured.best_val_acc == measured.best_val_acc;
  return text + fmt::format(", best {} {:.4f} ({})", validated ? "val_acc" : "test_acc",
                            validated ? measured.best_val_acc : measured.test_acc,
                            mase::train::settings_text(status.best->settings));
}

std::string run_line(const RunOutcome& run) {
  std::string text = mase::train::settings_text(run.settings) + ": ";
  if (run.status == RunStatus::Failed) return text + "failed: " + run.reason;
  if (run.status != RunStatus::Finished) return text + std::string(name(run.status));
  const mase::train::Measured& m = run.measured;
  if (m.best_val_loss == m.best_val_loss) {
    text += fmt::format("val_loss {:.4f}, val_acc {:.4f}, ", m.best_val_loss, m.best_val_acc);
  }
  if (m.test_acc == m.test_acc) text += fmt::format("test_acc {:.4f} ", m.test_acc);
  return text + fmt::format("({:.2f} s)", run.seconds);
}

void SweepProgress::run(const RunOutcome& outcome) {
  ++ended_;
  const std::string text = fmt::format("[{}/{}] {}", ended_, total_, run_line(outcome));
  if (outcome.status == RunStatus::Failed) {
    log_.warning(text);
  } else if (!log_.terminal().interactive) {
    log_.info(text);
  }
}

void SweepProgress::progress(const SweepStatus& status) {
  if (total_ == 0) {
    total_ = status.total;
    ended_ = status.finished;
  }
  if (log_.terminal().interactive && line_.due(0)) line_.draw_line("Sweep: " + sweep_line(status));
}

}  // namespace ch
