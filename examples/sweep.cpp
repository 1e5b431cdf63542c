// A sweep that no option list can say: quantisation-aware training at several widths, a few seeds
// each, over the cores; the table, and the page with curves and accuracy by width.
//
//   sweep FOLDER [EPOCHS]     run again, it goes on where it stopped
#include <fmt/format.h>

#include <memory>
#include <string>

#include "mase/data/dataset.h"
#include "mase/models/model.h"
#include "mase/passes/transform/quantize.h"
#include "mase/support/error.h"
#include "mase/train/sweep/report.h"
#include "mase/train/sweep/sweep.h"

using namespace mase;

namespace {

void widths(const std::string& folder, std::int64_t epochs) {
  const auto jets = std::make_shared<const data::DataSet>(data::open("jsc"));
  std::vector<train::SweepRun> runs;
  for (const int width : {4, 6, 8, 16}) {
    for (const int seed : {0, 1}) {
      train::SweepRun run;
      run.settings = {{"width", width}, {"seed", seed}};
      run.data = jets;
      run.graph = [=] {
        const ir::Graph toy = models::build("jsc-toy", jets->info, {.seed = std::uint64_t(seed)});
        return passes::quantize(toy, {.by = passes::By::Type,
                                      .rules = {{"linear", numerics::integer(width, width / 2)}}});
      };
      run.fit.optimiser.learning_rate = 1e-2;
      run.fit.batch_size = 256;
      run.fit.max_epochs = epochs;
      run.fit.seed = std::uint64_t(seed);
      runs.push_back(std::move(run));
    }
  }
  const train::SweepResult result = train::sweep(runs, {.folder = folder});
  fmt::print("{}", train::print_sweep_table(result));
  train::write_sweep_report(result, folder, "jsc-toy by width");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: sweep FOLDER [EPOCHS]\n");
    return 2;
  }
  try {
    widths(argv[1], argc > 2 ? std::stoi(argv[2]) : 10);
  } catch (const Error& error) {
    fmt::print(stderr, "sweep: {}\n", error.what());
    return exit_code(error.kind());
  }
  return 0;
}
