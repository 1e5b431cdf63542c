// Where a run stands, as checkpoints hold it (written as TOML here, which knows the same values):
// counts that a run can have, which are written and read again, alike.
#include "mase/train/position.h"

#include "fuzz/harness.h"
#include "mase/io/text/toml.h"

void fuzz(std::span<const std::byte> bytes) {
  using namespace mase;
  const auto file = io::parse_toml(fuzz::text_of(bytes), "input.toml");
  if (!file) return;
  const auto position = train::position_from(file->to_value());
  if (!position) return fuzz::require(!position.error().message.empty(), "an error says why");
  fuzz::require(position->step >= 0 && position->step <= position->batches &&
                    position->batch <= position->batches && position->best_epoch < position->epoch,
                "a run can stand there");
  const ir::Dict written = train::to_dict(*position);
  const auto again = train::position_from(written);
  fuzz::require(again.ok(), "what is written can be read");
  // NaN, which is no equal of itself, prints alike.
  fuzz::require(ir::repr(train::to_dict(*again)) == ir::repr(written), "read, written, read");
}
