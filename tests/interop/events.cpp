// interop_events write FOLDER: a run's events and hparams.yaml, as test_tensorboard.py expects
// them. interop_events read FILE: one line "<step> <tag> <value>" for each scalar.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "mase/io/events/tensorboard.h"
#include "mase/io/text/yaml.h"
#include "mase/support/error.h"

namespace {

using namespace mase;

void write(const std::filesystem::path& folder) {
  const ir::Dict options{{"model", "jsc-toy"},
                         {"learning_rate", 1e-5},
                         {"batch_size", 256},
                         {"to_debug", false},
                         {"load_name", ir::None{}},
                         {"trainer_precision", "32"},
                         {"note", "caf\xc3\xa9: \"two\"\nlines"},
                         {"betas", ir::List{0.9, 0.999}},
                         {"nested", ir::Dict{{"depth", 2}}}};
  write_file(folder / "hparams.yaml", io::write_yaml(options));
  io::EventWriter events(folder);
  events.hyper_parameters(options, {"val_acc_epoch", "val_loss_epoch"});
  for (int i = 0; i < 100; ++i) events.scalar("train_loss_step", 1.0 / (i + 1), 50 * i + 49);
  events.scalar("val_acc_epoch", 0.75, 5000);
  events.end_session(true);
  events.flush();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: interop_events write FOLDER | read FILE\n");
    return 2;
  }
  try {
    if (argv[1] == std::string_view("write")) {
      write(argv[2]);
    } else {
      for (const auto& s : io::read_events(argv[2]).or_throw().scalars) {
        fmt::print("{} {} {:.9g}\n", s.step, s.tag, s.value);
      }
    }
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_code(error.kind());
  }
  return 0;
}
