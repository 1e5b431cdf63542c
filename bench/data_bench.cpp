// What a jet table of the published size costs: time and peak memory of preparing it from gzip and
// from lzf and of loading it from the cache, each in a process of its own; then an epoch of jsc-toy
// at batch 256 on it, every row once: training on the training rows and evaluation of the test
// rows.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <numeric>
#include <string>

#include "bench/jets_file.h"
#include "bench/measure.h"
#include "bench/networks.h"
#include "bench/peak.h"
#include "bench/table.h"
#include "bench/temporary_folder.h"
#include "mase/data/dataset.h"
#include "mase/data/lookup.h"
#include "mase/engine/engine.h"
#include "mase/models/model.h"
#include "mase/support/error.h"

namespace mase::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBatch = 256;
constexpr double kEpochMilliseconds = 60;  // on a core with an FMA peak of
constexpr double kPeakOfGoal = 117e9;

struct Cost {
  double wall = 0;    // seconds
  double cpu = 0;     // seconds
  double memory = 0;  // peak, bytes
  bool worked = false;
};

// Of the work in a process of its own, so that its peak memory is known.
Cost cost_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      work();
      ::_exit(0);
    } catch (const Error& error) {
      fmt::print(stderr, "{}\n", error.what());
      ::_exit(1);
    }
  }
  int status = 0;
  struct rusage usage = {};
  ::wait4(child, &status, 0, &usage);
  const auto seconds_of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  return {.wall = wall.count(),
          .cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
          .memory = 1024.0 * static_cast<double>(usage.ru_maxrss),
          .worked = status == 0};
}

// Opens the table and touches every row, as a first epoch would.
void open_table(const fs::path& path, bool use_cache) {
  const auto set = data::open(path.string(), {.use_cache = use_cache});
  const auto values = set.train.features.values<float>();
  volatile double sum = std::accumulate(values.begin(), values.end(), 0.0);
  static_cast<void>(sum);
}

void epoch(engine::Program& program, const data::DataSet& jets, data::Loader& shuffled,
           data::Loader& in_order, std::int64_t number) {
  shuffled.start_epoch(number);
  const auto piece = [](const data::Split& split, const data::Loader& loader, std::int64_t i) {
    const std::int64_t next = i + 1 < loader.batches() ? i + 1 : i;
    return engine::Batch{&split.features, &split.labels, loader.batch(i), loader.batch(next)};
  };
  for (std::int64_t i = 0; i < shuffled.batches(); ++i) {
    program.train_step(piece(jets.train, shuffled, i), {.step = static_cast<std::uint64_t>(i)});
  }
  for (std::int64_t i = 0; i < in_order.batches(); ++i) {
    program.evaluate(piece(jets.test, in_order, i));
  }
}

void measure_epoch(const fs::path& path, const Settings& settings) {
  const data::DataSet jets = data::open(path.string());
  const auto program = engine::load_engine("native").compile(models::build("jsc-toy", jets.info));
  program->set_optimiser({.learning_rate = 1e-3});
  data::Loader shuffled(jets.train.rows(), kBatch, true, 1);
  data::Loader in_order(jets.test.rows(), kBatch, false, 1);
  const auto rows = static_cast<double>(jets.train.rows() + jets.test.rows());
  std::int64_t number = 0;
  const Contender contenders[] = {
      fma_peak(), {"epoch", [&] { epoch(*program, jets, shuffled, in_order, number++); }, rows}};
  const auto rates = alternate(contenders, settings);
  const double peak = spread(rates[0]).median;
  const Spread rate = spread(rates[1]);
  const Network toy = network("jsc-toy");
  const auto train = static_cast<double>(jets.train.rows());
  const double flops =
      (train * train_flops(toy.layers) + (rows - train) * eval_flops(toy.layers)) / rows;
  const double milliseconds = 1e3 * rows / rate.median;
  const double allowed = kEpochMilliseconds * kPeakOfGoal / peak;
  fmt::print(
      "\nAn epoch of jsc-toy at batch {} ({} rows trained on, {} evaluated): {:.1f} ms, "
      "{} samples/s ({} .. {}), {:.0f} % of the FMA peak of {:.1f} GFLOP/s.\n",
      kBatch, jets.train.rows(), jets.test.rows(), milliseconds, short_number(rate.median),
      short_number(rate.low), short_number(rate.high),
      100 * flops * ratio(rates[1], rates[0]).median, peak / 1e9);
  if (settings.smoke) return;  // the must is one of all rows
  fmt::print("Must: {:.0f} ms at {:.0f} GFLOP/s, which is {:.0f} ms at this peak: {}\n",
             kEpochMilliseconds, kPeakOfGoal / 1e9, allowed, milliseconds < allowed ? "+" : "--");
}

int measure_opening(const fs::path& folder, const JetsFile& file, const Settings& settings) {
  const double table = static_cast<double>(file.rows) * (16 * sizeof(float) + sizeof(std::int64_t));
  const fs::path gzip = folder / "gzip.h5";
  const fs::path lzf = folder / "lzf.h5";
  // In a child, too: what it leaves behind would count for the others.
  const Cost writing = cost_of([&] {
    JetsFile wanted = file;
    write_jets(gzip, wanted);
    wanted.lzf = true;
    write_jets(lzf, wanted);
  });
  if (!writing.worked) {
    throw Error(ErrorKind::RunFailed, "the jet files could not be written to " + folder.string());
  }
  const char* how = settings.smoke
                        ? kSmokeFigures
                        : "Musts: s of processor time, memory as a multiple of the table.";
  fmt::print("{} rows of {} members: gzip {:.1f} MB, lzf {:.1f} MB; as a table {:.1f} MB. {}\n\n",
             file.rows, file.members, static_cast<double>(fs::file_size(gzip)) / 1e6,
             static_cast<double>(fs::file_size(lzf)) / 1e6, table / 1e6, how);
  Table out({{"what", 33, true},
             {"wall s", 7},
             {"CPU s", 7},
             {.title = "peak MB", .rank = 1},
             {"x table"},
             {.title = "must s", .rank = 2},
             {.title = "must x", .rank = 2},
             {"", 2, true}});
  bool all_worked = true;
  const auto measure = [&](const std::string& what, double allowed,
                           const std::function<void()>& work) {
    if (!settings.wants(what)) return;
    const double must =
        settings.smoke ? 0 : allowed;  // of a small table only the program would be seen
    const Cost cost = cost_of(work);
    const double times = cost.memory / table;
    const bool held = cost.cpu < must && times < 3;
    all_worked = all_worked && cost.worked;
    out.row({what, fmt::format("{:.3f}", cost.wall), fmt::format("{:.3f}", cost.cpu),
             fmt::format("{:.1f}", cost.memory / 1e6), fmt::format("{:.2f}", times),
             must > 0 ? fmt::format("{:g}", must) : "", must > 0 ? "3" : "",
             !cost.worked ? "FAILED"
             : must == 0  ? ""
             : held       ? "+"
                          : "--"});
  };
  measure("nothing", 0, [] {});
  measure("prepare from gzip, no cache", 5, [&] { open_table(gzip, false); });
  measure("prepare from lzf, no cache", 5, [&] { open_table(lzf, false); });
  measure("prepare from gzip, fill the cache", 5, [&] { open_table(gzip, true); });
  for (int i = 0; i < 3; ++i) measure("load from the cache", 0.1, [&] { open_table(gzip, true); });
  if (!all_worked) throw Error(ErrorKind::RunFailed, "not every file could be opened");
  return out.rows();
}

void run(const Settings& settings) {
  JetsFile file{.source = data::find_carried_file({}, "jsc/jsc_generated.h5")};
  if (file.source.empty()) usage_error("the jets that the project carries are not found");
  if (settings.smoke) file.rows = 20'000;
  const TemporaryFolder folder;
  ::setenv("MASE_CACHE_DIR", (folder.path() / "cache").c_str(), 1);
  const int rows = measure_opening(folder.path(), file, settings);
  const bool with_epoch = settings.wants("epoch");
  need_rows(settings, rows + (with_epoch ? 1 : 0));
  if (with_epoch) measure_epoch(folder.path() / "gzip.h5", settings);
}

}  // namespace
}  // namespace mase::bench

int main(int argc, char** argv) {
  const auto settings = mase::bench::parse_settings(
      argc, argv, "Opening a jet table of the published size, and an epoch on it.");
  try {
    mase::bench::run(settings);
  } catch (const mase::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
