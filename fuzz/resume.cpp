// A checkpoint to go on from, whoever wrote it: a position where a run can stand, an optimiser and
// a schedule that can be gone on with, weights that fit; or a mistake in the file.
#include "mase/train/resume.h"

#include "fuzz/harness.h"
#include "fuzz/network.h"
#include "mase/engine/engine.h"
#include "mase/train/inherit.h"

namespace {

using namespace mase;

void check_schedule(const train::Schedule& schedule, const train::Position& at) {
  fuzz::require(!schedule.text().empty(), "a schedule has a text");
  const std::int64_t count = schedule.by_step ? at.step : at.epoch;
  const ir::Dict written = train::write_schedule(schedule, count);
  if (written.empty()) return;
  const ir::Dict rewritten = [&] {
    train::ReadSchedule again = train::read_schedule(written, schedule.rate(count));
    fuzz::require(again.count == count + schedule.ahead, "a schedule knows its count");
    again.schedule.ahead = schedule.ahead;
    again.schedule.by_step = schedule.by_step;
    return train::write_schedule(again.schedule, count);
  }();
  fuzz::require(ir::repr(rewritten) == ir::repr(written), "read, written, read");
}

void go_on(const std::filesystem::path& path) {
  const train::Resumption from = train::find_resumption(path.string(), "", fuzz::network());
  const train::Position& at = from.position;
  fuzz::require(at.epoch >= 0 && at.batch >= 0 && at.step >= 0 && at.batch <= at.batches,
                "a run can stand there");
  const train::FitOptions options;
  fuzz::passes([&] { train::check_resumption(from, {.options = &options}, {}); });
  fuzz::passes([&] { train::check_place(at, 10, options, path.string()); });
  fuzz::passes([&] {
    if (const auto inherited = train::inherit(from, options, {})) {
      check_schedule(inherited->schedule, at);
    }
  });
  static const auto program = engine::load_engine("native").compile(fuzz::network());
  program->set_optimiser(options.optimiser);
  fuzz::passes([&] {
    train::restore(from, fuzz::network(), options.optimiser, *program);
    // (A counter of batch norm that is absent is 0.)
    fuzz::require(program->state().size() >= from.checkpoint.state.size(), "all weights arrive");
  });
}

}  // namespace

void fuzz(std::span<const std::byte> bytes) {
  static const fuzz::Folder folder("resume");
  const auto path = folder.write("input.ckpt", bytes);
  fuzz::passes([&] { go_on(path); });
}
