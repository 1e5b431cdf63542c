// The built program where a transcript cannot say it: JSON for machines, start-up, and the runs of
// the original on the same data.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "mase/support/lock_file.h"
#include "mase/support/terminal.h"
#include "tests/ch/transcript.h"
#include "tests/shared_data.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class Program : public testing::Test {
 protected:
  Program() { fs::create_directories(folder_); }
  ~Program() override { fs::remove_all(folder_); }

  std::string run(const std::string& command) {
    const transcript::Outcome outcome = transcript::run(command, folder_);
    EXPECT_EQ(outcome.exit_code, 0) << command << "\n" << outcome.output;
    return outcome.output;
  }
  // Standard output alone, as JSON.
  json run_json(const std::string& command) {
    const std::string text = run(command + " --json 2> log.txt");
    json parsed = json::parse(text, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << command << "\n" << text;
    return parsed;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / "program";
};

// What the lab reports type: `./ch` in the folder machop of a checkout, outputs in ../mase_output.
TEST_F(Program, CommandsOfTheReportsInTheFolderMachop) {
  const fs::path source = MASE_SOURCE_DIR;
  fs::copy(source / "machop", folder_ / "machop",
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::create_directories(folder_ / "build/release");
  fs::create_symlink(fs::path(MASE_BINARY_DIR) / "bin", folder_ / "build/release/bin");
  fs::create_symlink(source / "configs", folder_ / "configs");
  run("cd machop && ./ch train jsc-10x jsc --max-epochs 1 --batch-size 4096");
  EXPECT_TRUE(fs::is_directory(folder_ / "mase_output"));
  const std::string project = "../mase_output/jsc-10x_classification_jsc_*/software";
  EXPECT_THAT(run("cd machop && ./ch test jsc-10x jsc --load " + project +
                  "/training_ckpts/best.ckpt --load-type pl"),
              HasSubstr("test_acc_epoch"));
  EXPECT_THAT(run("cd machop && ./ch transform --config configs/examples/jsc_toy_by_type.toml "
                  "--task cls --cpu=0"),
              HasSubstr("Quantized graph histogram"));
}

TEST_F(Program, JsonIsAllThatStandardOutputHolds) {
  run("ch train toy_tiny toy_tiny --max-epochs 1 --project p");
  std::ofstream(folder_ / "q.toml") << "[passes.report_node_type]\n[passes.quantize]\nby = 'type'\n"
                                       "linear.config = {name = 'integer', data_in_width = 8, "
                                       "data_in_frac_width = 4, weight_width = 8, "
                                       "weight_frac_width = 4}\n[passes.report_quantized]\n";
  const std::string load = " toy_tiny toy_tiny --load mase_output/p --project p";
  EXPECT_EQ(run_json("ch info").size(), 5u);
  EXPECT_EQ(run_json("ch info formats").at(1).at("format"), "integer");
  EXPECT_EQ(run_json("ch data toy_tiny").at("train_rows"), 10240);
  const json tested = run_json("ch test" + load);
  EXPECT_EQ(tested.at("rows"), 10240);
  EXPECT_EQ(tested.at("parameters").at("matched"), 4);
  const json transformed = run_json("ch transform --config q.toml" + load);
  EXPECT_TRUE(transformed.contains("report_node_type"));
  EXPECT_TRUE(transformed.contains("quantize"));
  EXPECT_TRUE(transformed.contains("report_quantized"));
}

// Quantisation-aware training, with few enough bits that it shows.
class Quantised : public Program {
 protected:
  Quantised() {
    std::ofstream(folder_ / "q.toml")
        << "model = 'toy_tiny'\ndataset = 'toy_tiny'\n[passes.quantize]\nby = 'type'\n"
           "linear.config = {name = 'integer', data_in_width = 6, data_in_frac_width = 3, "
           "weight_width = 7, weight_frac_width = 4}\n";
    run("ch train toy_tiny toy_tiny --max-epochs 2 --learning-rate 1e-2 --project f");
    run("ch transform --config q.toml --load mase_output/f --project f");
    run("ch train toy_tiny toy_tiny --load mase_output/f/software/transform/transformed_ckpt "
        "--max-epochs 5 --learning-rate 1e-1 --batch-size 64 --project q");
  }
  json tested(const std::string& checkpoint, const std::string& more = "") {
    return run_json("ch test toy_tiny toy_tiny --project t --load " + checkpoint + more);
  }

  const std::string checkpoints_ = "mase_output/q/software/training_ckpts/";
};

TEST_F(Quantised, EveryCheckpointIsTestedQuantised) {
  const json best = tested(checkpoints_ + "best.ckpt");
  const json last = tested(checkpoints_ + "last.ckpt");
  EXPECT_EQ(best.at("quantised_nodes"), 1);
  EXPECT_NE(best.at("test_loss_epoch"), last.at("test_loss_epoch")) << "too good a training";
  EXPECT_EQ(tested("mase_output/q").at("test_loss_epoch"), best.at("test_loss_epoch"));
  EXPECT_EQ(tested(checkpoints_ + "transformed_ckpt").at("test_loss_epoch"),
            best.at("test_loss_epoch"));
  EXPECT_EQ(tested(checkpoints_ + "transformed_ckpt_last").at("test_loss_epoch"),
            last.at("test_loss_epoch"));
  const json weights = tested(checkpoints_ + "best.ckpt", " --drop-quantisation");
  EXPECT_EQ(weights.at("quantised_nodes"), 0);
  EXPECT_NE(weights.at("test_loss_epoch"), best.at("test_loss_epoch"));
  EXPECT_EQ(tested(checkpoints_ + "transformed_ckpt", " --drop-quantisation").at("test_loss_epoch"),
            weights.at("test_loss_epoch"));
}

TEST_F(Quantised, TheGraphIsPrintedAfterThePassesAskedFor) {
  std::ofstream(folder_ / "two.toml")
      << std::ifstream(folder_ / "q.toml").rdbuf() << "[passes.report_graph]\n";
  const std::string transform = "ch transform --config two.toml --load mase_output/f --project t ";
  const auto count = [](const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const std::string one = run(transform + "--print-after quantize 2> log.txt");
  EXPECT_EQ(count(one, "The graph after "), 1u);
  EXPECT_THAT(one, HasSubstr("The graph after quantize:\nmase graph 2\n"));
  EXPECT_THAT(one, HasSubstr("precision 'weight' 'integer'"));
  EXPECT_EQ(count(run(transform + "--print-after all 2> log.txt"), "The graph after "), 2u);
  EXPECT_EQ(count(run(transform + "2> log.txt"), "The graph after "), 0u);
  run_json(transform + "--print-after all");  // its standard output stays JSON
  const transcript::Outcome wrong = transcript::run(transform + "--print-after quantise", folder_);
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("did you mean 'quantize'?"));
}

TEST_F(Quantised, ANetworkMadeForOtherDataIsRefused) {
  const transcript::Outcome other = transcript::run(
      "ch test jsc-tiny jsc --project t --load " + checkpoints_ + "transformed_ckpt", folder_);
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.output,
              HasSubstr("this network reads samples of [1, 2, 2], but those of the data are [16]"));
}

TEST_F(Quantised, GoesOnAndIsTransformedQuantised) {
  const std::string again =
      run("ch train toy_tiny toy_tiny --max-epochs 6 --learning-rate 1e-1 --batch-size 64 "
          "--project q --resume");
  EXPECT_THAT(again, HasSubstr("last.ckpt is of a quantised network: its number formats are put "
                               "on 1 node"));
  EXPECT_TRUE(fs::exists(folder_ / (checkpoints_ + "transformed_ckpt/graph_module.mz")));
  const transcript::Outcome twice = transcript::run(
      "ch transform --config q.toml --load " + checkpoints_ + "best.ckpt --project q", folder_);
  EXPECT_EQ(twice.exit_code, 2);
  EXPECT_THAT(twice.output, HasSubstr("is quantised already"));
  run("ch transform --config q.toml --project q --drop-quantisation --load " + checkpoints_ +
      "best.ckpt");
  EXPECT_THAT(run("ch test toy_tiny toy_tiny --project t --load " + checkpoints_ +
                  "transformed_ckpt/state_dict.pt"),
              HasSubstr("WARNING"));
}

// Columns of a line; one of a single word is as long as it has to be.
std::size_t columns(const std::string& line) {
  return line.find(' ') == std::string::npos ? 0 : mase::visible_width(line);
}

TEST_F(Program, InfoFitsNarrowTerminalsWithoutCuttingWords) {
  for (const int width : {80, 60}) {
    const std::string text = run(fmt::format("cd \"$SOURCE\"; COLUMNS={} ch info", width));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(columns(line), static_cast<std::size_t>(width)) << line;
    }
    for (const char* name : {"target_activation_nodes", "metadata_value_type_cast", "JSC_Tiny"}) {
      EXPECT_THAT(text, HasSubstr(name));
    }
  }
}

// A bar on a terminal is made of escape sequences; who wants no colours gets none of them.
TEST_F(Program, NothingMovesWhereNoColoursAreWanted) {
  const std::string train = "ch train toy_tiny toy_tiny --max-epochs 1 --project p ";
  const auto seen = [&](const std::string& environment, const std::string& options) {
    return run(environment + " TERM=xterm script -qec '" + train + options + "' /dev/null");
  };
  const std::string escape = "\x1b[";
  EXPECT_THAT(seen("env -u NO_COLOR", ""), HasSubstr(escape));
  EXPECT_THAT(seen("env -u NO_COLOR", "--color never"), testing::Not(HasSubstr(escape)));
  EXPECT_THAT(seen("NO_COLOR=1", ""), testing::Not(HasSubstr(escape)));
  EXPECT_THAT(run(train + "--color always 2> bars.txt > /dev/null; cat bars.txt"),
              testing::Not(HasSubstr("\r")))
      << "a pipe has colours, but nothing moves";
}

// `ch transform > report.txt`: every report whole, in the order of the passes, and no log line.
TEST_F(Program, ReportsAreAllOnStandardOutput) {
  std::ofstream(folder_ / "r.toml")
      << "[passes.report_graph]\n[passes.report_node_type]\n[passes.report_node_shape]\n"
         "[passes.profile_statistics]\nby = 'type'\ntarget_weight_nodes = ['linear']\n"
         "target_activation_nodes = ['relu']\nnum_samples = 8\n"
         "[passes.profile_statistics.weight_statistics.variance_precise]\n"
         "[passes.profile_statistics.activation_statistics.range_min_max]\n"
         "[passes.report_node_meta_param]\nwhich = ['software']\n[passes.report_flops]\n"
         "[passes.quantize]\nby = 'type'\nlinear.config = {name = 'integer', data_in_width = 8, "
         "data_in_frac_width = 4, weight_width = 8, weight_frac_width = 4}\n"
         "[passes.summarize_quantization]\n[passes.calculate_avg_bits]\n[passes.report_quantized]"
         "\n";
  const std::string transform = "ch transform toy_tiny toy_tiny --config r.toml --profile ";
  run(transform + "> report.txt 2> log.txt");
  const std::string report = transcript::text_of(folder_ / "report.txt");
  std::size_t at = 0;
  for (const char* part :
       {" Effective ", "Network overview:", "Node name    Fx Node op", "data_in_0 = [",
        "| Software Param", "'variance_precise'", "computations |", "| Original type", "| Ori name",
        "| Original type", "Average bits", "Saturated", "Phase"}) {
    const std::size_t found = report.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " is not behind those before it in\n" << report;
    at = found;
  }
  EXPECT_THAT(report, testing::Not(HasSubstr("INFO")));
  const std::string log = transcript::text_of(folder_ / "log.txt");
  EXPECT_THAT(log, HasSubstr("INFO     Quantized graph histogram:\n"));
  EXPECT_THAT(log, testing::Not(testing::ContainsRegex("\n[|+]")));  // a table stands in one place
  // Whatever the level of the log.
  run(transform + "--log-level critical > quiet.txt 2> log.txt");
  EXPECT_THAT(transcript::text_of(folder_ / "quiet.txt"), HasSubstr("| Original type"));
}

// What `ch test` loaded and found is its result: on standard output once, not in the log.
TEST_F(Program, TestTellsItsResultsOnStandardOutput) {
  run("ch train toy_tiny toy_tiny --max-epochs 1 --project t >out.txt 2>&1");
  run("ch test toy_tiny toy_tiny --load mase_output/t >result.txt 2>log.txt");
  const std::string result = transcript::text_of(folder_ / "result.txt");
  EXPECT_THAT(result, testing::AllOf(HasSubstr("| matched "), HasSubstr("test_acc_epoch")));
  EXPECT_THAT(transcript::text_of(folder_ / "log.txt"), testing::Not(HasSubstr("matched")));
}

TEST_F(Program, StartsAtOnce) {
  // The best of several: other work on the machine must not fail the test.
  double best = 1e9;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run("ch --help > /dev/null");
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  EXPECT_LT(best, 0.1) << "seconds, a shell included; something heavy is loaded at start";
}

// The log of a run up to the levels' names.
std::vector<std::string> log_lines(const std::string& output) {
  std::vector<std::string> lines;
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("INFO ")) lines.push_back(line);
  }
  return lines;
}

// Whether each of `expected` begins a line of `lines`, in this order.
void expect_in_order(const std::vector<std::string>& expected,
                     const std::vector<std::string>& lines) {
  std::size_t at = 0;
  for (const std::string& start : expected) {
    while (at < lines.size() && !lines[at].starts_with(start)) ++at;
    EXPECT_LT(at, lines.size()) << "no line '" << start << "' after those before it";
    ++at;
  }
}

double metric(const std::string& output, const std::string& name) {
  const std::size_t at = output.find(name);
  return at == std::string::npos ? -1 : std::stod(output.substr(at + name.size()));
}

TEST_F(Program, TestsACheckpointOfTheOriginalToTheLastDigit) {
  MASE_NEEDS_SHARED_DATA("mase_runs/toy32_best.ckpt");
  const std::string data = shared_data().string();
  const std::string jets = data + "/jsc/jsc_from_images.h5";
  const std::string toy = run("ch test jsc-toy " + jets + " --load " + data +
                              "/mase_runs/toy32_best.ckpt --load-type pl --batch-size 256");
  EXPECT_THAT(toy, HasSubstr("     test_acc_epoch         0.7604123950004578\n"));
  EXPECT_NEAR(metric(toy, "test_loss_epoch"), 0.7138963937759399, 1e-6);
  const std::string tiny = run("ch test jsc-tiny " + jets + " --load " + data +
                               "/mase_runs/tiny32_best.ckpt --batch-size 256");
  EXPECT_NEAR(metric(tiny, "test_acc_epoch"), 0.578763, 1e-6);
  EXPECT_NEAR(metric(tiny, "test_loss_epoch"), 1.117803, 1e-6);
}

TEST_F(Program, TransformsAsTheOriginalDid) {
  MASE_NEEDS_SHARED_DATA("mase_runs/toy32_best.ckpt");
  const std::string data = shared_data().string();
  const std::string output =
      run("ch transform jsc-toy " + data +
          "/jsc/jsc_from_images.h5 --config \"$SOURCE/configs/examples/jsc_toy_by_type.toml\" "
          "--task cls --cpu=0 --project p --load " +
          data + "/mase_runs/toy32_best.ckpt --load-type pl");
  expect_in_order(
      {"INFO     Initialising model 'jsc-toy'...", "INFO     Initialising dataset '",
       "INFO     Project will be created at ", "INFO     Transforming model 'jsc-toy'...",
       "INFO     Loaded pytorch lightning checkpoint from ", "INFO     Quantized graph histogram:",
       "INFO     ", "INFO     Saved mase graph to ", "INFO     Transformation is completed"},
      log_lines(output));
  EXPECT_THAT(
      output,
      HasSubstr("| Original type   | OP           |   Total |   Changed |   Unchanged |\n"
                "|-----------------+--------------+---------+-----------+-------------|\n"
                "| BatchNorm1d     | batch_norm1d |       4 |         0 |           4 |\n"
                "| Linear          | linear       |       3 |         3 |           0 |\n"
                "| ReLU            | relu         |       4 |         0 |           4 |\n"
                "| output          | output       |       1 |         0 |           1 |\n"
                "| x               | placeholder  |       1 |         0 |           1 |\n"));
  const fs::path ours = folder_ / "mase_output/p/software/transform/quantize";
  const fs::path theirs = fs::path(data) / "mase_runs/transform_toy_by_type";
  for (const char* file : {"quantize_table.csv", "quantize_histogram.csv"}) {
    EXPECT_EQ(transcript::text_of(ours / file), transcript::text_of(theirs / file)) << file;
  }
}

// A run that is stopped and goes on must end as one that never was.
TEST_F(Program, GoesOnAfterASignalAsIfItHadNeverStopped) {
  const std::string train =
      "ch train toy_tiny toy_tiny --max-epochs 1000 --batch-size 16 --cpu 1 --learning-rate 1e-3 ";
  run(train + "--project whole > out.txt 2>&1");
  // `set -m`: without job control a shell lets its background commands ignore SIGINT.
  const auto stopped = [&](const std::string& signal, const std::string& options) {
    return transcript::run("cat > stop.sh <<'END'\nset -m\nrm -f log.txt; " + train +
                               "--project stopped " + options +
                               " > log.txt 2>&1 &\nuntil grep -q '^Epoch' log.txt 2> /dev/null; do "
                               "sleep 0.02; done\nkill -" +
                               signal +
                               " %1\nwait %1\ncode=$?\ncat log.txt\nexit $code\nEND\n"
                               "bash stop.sh",
                           folder_);
  };
  const transcript::Outcome first = stopped("INT", "");
  EXPECT_EQ(first.exit_code, 130);
  EXPECT_THAT(first.output, HasSubstr("Stopped by Ctrl-C in epoch "));
  EXPECT_THAT(first.output, HasSubstr("Go on with: " + train));
  EXPECT_THAT(first.output, testing::Not(HasSubstr("Training is completed")));
  EXPECT_EQ(stopped("TERM", "--resume last").exit_code, 143);
  run(train + "--project stopped --resume > out.txt 2>&1");
  for (const std::string project : {"whole", "stopped"}) {
    run("ch predict toy_tiny toy_tiny --project " + project + " --load mase_output/" + project +
        "/software/training_ckpts/last.ckpt > out.txt 2>&1");
  }
  run("cmp mase_output/whole/software/predictions/logits.npy "
      "mase_output/stopped/software/predictions/logits.npy");
}

TEST_F(Program, RunsPassesOfPlugins) {
  std::ofstream(folder_ / "p.toml") << "model = 'toy_tiny'\ndataset = 'toy_tiny'\n"
                                       "[passes.count_nodes]\ntimes = 2\n";
  const std::string plugin = MASE_PLUGINS "/plugin_good.so";
  const json typed = run_json("ch transform --config p.toml --plugin '" + plugin + "'");
  EXPECT_EQ(typed.at("count_nodes"), 12);
  // Named in the file, beside it.
  fs::create_directories(folder_ / "sub");
  fs::copy(plugin, folder_ / "sub/mine.so");
  std::ofstream(folder_ / "sub/p.toml") << "plugins = ['mine.so']\n[passes.count_nodes]\n";
  const json named = run_json("ch transform toy_tiny toy_tiny --config sub/p.toml --trust");
  EXPECT_EQ(named.at("count_nodes"), 6);
  EXPECT_THAT(run("ch help pass count_nodes --plugin '" + plugin + "'"),
              HasSubstr("how many nodes"));
}

// A file by itself runs no code: loading this "library" would be an error of another kind.
TEST_F(Program, APluginOfAConfigurationIsNotLoadedUnasked) {
  std::ofstream(folder_ / "p.toml") << "plugins = ['no_library.so']\nmax_epochs = 1\n";
  std::ofstream(folder_ / "no_library.so") << "text";
  const std::string arguments = " toy_tiny toy_tiny --config p.toml";
  for (const std::string options : {"", " --dry-run"}) {
    const transcript::Outcome refused =
        transcript::run("ch transform" + arguments + options, folder_);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.output, HasSubstr("p.toml:1:1: the plug-ins that the configuration names"));
    EXPECT_THAT(refused.output, HasSubstr("--trust"));
  }
  const transcript::Outcome trusted = transcript::run("ch transform --trust" + arguments, folder_);
  EXPECT_EQ(trusted.exit_code, 3);
  EXPECT_THAT(trusted.output, HasSubstr("the plug-in cannot be loaded"));
  // Actions without passes need none.
  EXPECT_EQ(transcript::run("ch train" + arguments, folder_).exit_code, 0);
}

// Nobody reads what is said; the work is done, and its exit code its own.
TEST_F(Program, StandardErrorMayBeClosedOrFull) {
  std::ofstream(folder_ / "c.toml") << "[passes.report_graph]\n";
  const std::string train =
      "ch train toy_tiny toy_tiny --max-epochs 1 --batch-size 64 --profile --project ";
  for (const std::string to : {"2>&-", "2>/dev/full"}) {
    const auto code = [&](const std::string& command) {
      return transcript::run(command + " >/dev/null " + to, folder_).exit_code;
    };
    EXPECT_EQ(code(train + "a"), 0) << to;
    const std::string load =
        " toy_tiny toy_tiny --load mase_output/a/software/training_ckpts/best.ckpt";
    EXPECT_EQ(code("ch test" + load), 0) << to;
    EXPECT_EQ(code("ch predict" + load), 0) << to;
    EXPECT_EQ(code("ch transform" + load + " --config c.toml"), 0) << to;
    EXPECT_EQ(code("ch no-such-action"), 2) << to;
    EXPECT_EQ(code("ch test toy_tiny toy_tiny"), 2) << to;
  }
  const std::string unheard = "{ " + train + "b 2>&1 >/dev/null; echo $? >code; } | true; cat code";
  EXPECT_EQ(transcript::run(unheard, folder_).output, "0\n");
  // Log lines must not end up in a file that got the number of the closed stream.
  run("python3 -m zipfile -t mase_output/a/software/training_ckpts/last.ckpt >out.txt");
}

// Weights can be had without what formats have learned of them, from every kind of file.
TEST_F(Program, WhatFormatsHaveLearnedIsLeftOutWithThem) {
  std::ofstream(folder_ / "c.toml")
      << "[passes.quantize]\nby = 'type'\n[passes.quantize.linear.config]\nname = 'lsq_integer'\n"
         "data_in_width = 4\nweight_width = 4\n";
  const std::string toy = " toy_tiny toy_tiny ";
  run("ch train" + toy + "--max-epochs 1 --project f");
  run("ch transform" + toy + "--config c.toml --load mase_output/f --project q");
  const std::string whole = "mase_output/q/software/transform/transformed_ckpt";
  run("ch train" + toy + "--max-epochs 1 --project r --load " + whole);
  const std::string trained = "mase_output/r/software/training_ckpts/";
  for (const std::string& file : {whole + " --drop-quantisation", whole + "/state_dict.pt",
                                  trained + "best.ckpt --drop-quantisation",
                                  trained + "transformed_ckpt --drop-quantisation"}) {
    const transcript::Outcome outcome =
        transcript::run("ch test" + toy + "--load " + file, folder_);
    EXPECT_EQ(outcome.exit_code, 0) << file << outcome.output;
    EXPECT_THAT(outcome.output, Not(HasSubstr("quantised: number formats"))) << file;
  }
  const transcript::Outcome on = transcript::run(
      "ch train" + toy + "--max-epochs 2 --project r --resume last --drop-quantisation", folder_);
  EXPECT_EQ(on.exit_code, 2);
  EXPECT_THAT(on.output, HasSubstr("--drop-quantisation and --resume cannot both be had"));
}

TEST_F(Program, ALimitOfTheFileSizeIsAnError) {
  const transcript::Outcome outcome = transcript::run(
      "ulimit -f 1; ch train toy_tiny toy_tiny --max-epochs 1 --project limited", folder_);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, HasSubstr("the file would exceed the allowed size"));
}

// What the file system refuses is a user's mistake or a failed run, never a bug of the program.
TEST_F(Program, NamesThatCannotBeAreNamed) {
  fs::create_symlink("loop", folder_ / "loop");
  const std::string longest(300, 'n');
  for (const std::string& path : {longest, std::string("loop"), "loop/" + longest}) {
    for (const std::string option : {"--load ", "--config ", "--data-dir ", "--model-dir ",
                                     "--project-dir ", "--project ", "--output x/"}) {
      const std::string action = option == "--output x/" ? "predict" : "test";
      const transcript::Outcome outcome =
          transcript::run("ch " + action + " toy_tiny toy_tiny " + option + path, folder_);
      EXPECT_THAT(outcome.exit_code, testing::AnyOf(1, 2, 3)) << option << outcome.output;
    }
  }
  const transcript::Outcome project =
      transcript::run("ch train toy_tiny toy_tiny --max-epochs 1 --project " + longest, folder_);
  EXPECT_EQ(project.exit_code, 1) << project.output;
  EXPECT_THAT(project.output, HasSubstr("File name too long"));
}

// Two at work in one project at the same time keep their files apart, and say so.
TEST_F(Program, TwoTransformsOrPredictionsOfAProjectNeverMix) {
  std::ofstream(folder_ / "r.toml") << "[passes.report_graph]\n";
  run("ch train toy_tiny toy_tiny --max-epochs 1 --project t >out.txt 2>&1");
  const fs::path software = folder_ / "mase_output/t/software";
  const std::string command = " toy_tiny toy_tiny --project t --load mase_output/t 2>&1 ";
  const auto both = [&] {
    return run("ch transform --config r.toml" + command) + run("ch predict" + command);
  };
  {
    mase::LockFile transform(software / "transform/.lock");
    mase::LockFile predictions(software / "predictions/.lock");
    ASSERT_EQ(transform.try_lock(0), mase::LockFile::Taken::Yes);
    ASSERT_EQ(predictions.try_lock(0), mase::LockFile::Taken::Yes);
    transform.sign("process 4711 on ahost");
    EXPECT_THAT(both(), testing::AllOf(HasSubstr("WARNING  process 4711 on ahost is at work in"),
                                       HasSubstr("WARNING  another process is at work in")));
    both();
  }
  for (const char* version : {"version_1", "version_2"}) {
    EXPECT_TRUE(fs::exists(software / "transform" / version / "transformed_ckpt/graph_module.mz"));
    EXPECT_TRUE(fs::exists(software / "transform" / version / "report_graph.txt"));
    EXPECT_TRUE(fs::exists(software / "predictions" / version / "classes.npy"));
  }
  EXPECT_FALSE(fs::exists(software / "transform/config.toml"));
  EXPECT_THAT(both(), testing::Not(HasSubstr("at work")));
  EXPECT_TRUE(fs::exists(software / "transform/config.toml"));
  EXPECT_TRUE(fs::exists(software / "predictions/logits.npy"));
}

// What its owner may not read is named, with the reason, for whatever option it is given.
TEST_F(Program, WhatMayNotBeReadIsNamed) {
  // Root may read anything, unless without the rights by which it may.
  const std::string as_user =
      ::geteuid() == 0 ? "setpriv --bounding-set=-dac_override,-dac_read_search -- " : "";
  run("ch train toy_tiny toy_tiny --max-epochs 1 --project t >out.txt 2>&1");
  for (const char* name : {"file.ckpt", "file.toml", "file.csv"})
    run(std::string("echo x >") + name);
  run("mkdir folder && cp mase_output/t/software/training_ckpts/best.ckpt folder/last.ckpt");
  run("chmod 000 file.ckpt file.toml file.csv folder");
  if (transcript::run(as_user + "cat file.csv", folder_).exit_code == 0) {
    GTEST_SKIP() << "cannot drop the rights of root";
  }
  for (const std::string arguments :
       {"test toy_tiny toy_tiny --load file.ckpt", "test toy_tiny toy_tiny --load folder",
        "test toy_tiny toy_tiny --load folder/last.ckpt",
        "train toy_tiny toy_tiny --resume file.ckpt", "train toy_tiny toy_tiny --config file.toml",
        "train jsc-tiny file.csv", "train file.toml toy_tiny",
        "train jsc-tiny jsc --data-dir folder", "train mine toy_tiny --model-dir folder",
        "predict jsc-tiny folder --load mase_output/t",
        "transform toy_tiny toy_tiny --config folder/c.toml",
        "train toy_tiny toy_tiny --project-dir folder --max-epochs 1",
        "train toy_tiny toy_tiny --resume last --project-dir folder"}) {
    const transcript::Outcome outcome = transcript::run(as_user + "ch " + arguments, folder_);
    EXPECT_THAT(outcome.exit_code, testing::AnyOf(1, 2, 3)) << arguments << "\n" << outcome.output;
    EXPECT_THAT(outcome.output, testing::ContainsRegex("[Pp]ermission denied")) << arguments << "\n"
                                                                                << outcome.output;
  }
  run("chmod 700 folder");
}

TEST_F(Program, NamesNeedNotBeUtf8) {
  const std::string name = "$(printf 'a\\377b')";
  run("ch train toy_tiny toy_tiny --max-epochs 1 --project " + name + " >out.txt 2>&1");
  run("ch test toy_tiny toy_tiny --json --project " + name + " --load mase_output/" + name +
      "/software/training_ckpts/best.ckpt >out.json 2>log.txt");
  run("ch sweep toy_tiny toy_tiny --max-epochs 1 --seed 0,1 --json --project " + name +
      " >out.json 2>log.txt");
}

// Whoever reads the output may go before its end; what is said on standard error is not lost.
TEST_F(Program, AClosedPipeIsQuiet) {
  const transcript::Outcome outcome =
      transcript::run("{ ch info ops; echo $? >code; } | true; cat code", folder_);
  EXPECT_EQ(outcome.output, "141\n");
}

TEST_F(Program, TrainsWithTheLogOfTheOriginal) {
  const std::string output =
      run("ch train jsc-toy jsc --max-epochs 1 --batch-size 1024 --learning-rate 1e-2");
  expect_in_order(
      {"INFO     Initialising model 'jsc-toy'...", "INFO     Initialising dataset 'jsc'...",
       "INFO     Project will be created at " + folder_.string() +
           "/mase_output/jsc-toy_classification_jsc_",
       "INFO     Training model 'jsc-toy'...", "INFO     ##### WEIGHT DECAY ##### 0",
       "INFO     Training is completed"},
      log_lines(output));
  EXPECT_THAT(output, HasSubstr("0 | model     | JSC_Toy            | 327   \n"));
  EXPECT_THAT(output, HasSubstr("`Trainer.fit` stopped: `max_epochs=1` reached.\n"));
}

}  // namespace
