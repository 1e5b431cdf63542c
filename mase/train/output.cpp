// Where the trainer's words go; nowhere if nobody listens.
#include <ostream>

#include "mase/support/progress.h"
#include "mase/train/train.h"

namespace mase::train {

void Output::info(std::string_view text) const {
  if (log) log->info(text);
}

void Output::warn(std::string_view text) const {
  if (log) log->warning(text);
}

void Output::notice(std::string_view text) const {
  if (!err) return;
  Progress::clear_line();
  *err << text << std::endl;
}

}  // namespace mase::train
