// Command lines as users of argparse type them.
#include "ch/options/command_line.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mase/io/torch/checkpoint.h"

namespace ch {
namespace {

using mase::Diagnostics;
using mase::ir::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Parsed {
  CommandLine line;
  std::vector<std::string> problems;  // of both kinds
};

Parsed parse(std::vector<std::string> arguments) {
  Diagnostics diagnostics;
  Parsed parsed{.line = read_command_line(arguments, diagnostics)};
  for (const mase::Problem& problem : diagnostics.problems()) {
    parsed.problems.push_back(problem.text());
  }
  for (const mase::Problem& problem : parsed.line.missing.problems()) {
    parsed.problems.push_back(problem.text());
  }
  return parsed;
}

Value value(const Parsed& parsed, std::string_view dest) {
  const Value* found = parsed.line.find(dest);
  return found ? *found : Value("not given");
}

TEST(CommandLine, InterleavesPositionalsAndOptions) {
  const Parsed parsed = parse({"train", "--max-epochs", "3", "jsc-tiny", "--debug", "jsc"});
  EXPECT_THAT(parsed.line.positionals, ElementsAre("train", "jsc-tiny", "jsc"));
  EXPECT_EQ(value(parsed, "max_epochs"), Value(3));
  EXPECT_EQ(value(parsed, "to_debug"), Value(true));
  EXPECT_THAT(parsed.problems, IsEmpty());
}

TEST(CommandLine, TakesUnambiguousPrefixes) {
  EXPECT_EQ(value(parse({"--batch", "64"}), "batch_size"), Value(64));
  EXPECT_EQ(value(parse({"--batch=64"}), "batch_size"), Value(64));
  // An exact spelling wins over longer ones that begin with it.
  EXPECT_EQ(value(parse({"--project", "x"}), "project"), Value("x"));
  EXPECT_EQ(value(parse({"--load-t", "pl"}), "load_type"), Value("pl"));
  EXPECT_THAT(parse({"--num", "1"}).problems,
              ElementsAre("ambiguous option: --num could match --num-workers, --num-devices"));
}

TEST(CommandLine, TakesBothSpellings) {
  EXPECT_EQ(value(parse({"--cpu=0"}), "num_workers"), Value(0));
  EXPECT_EQ(value(parse({"--num-workers", "0"}), "num_workers"), Value(0));
  EXPECT_EQ(value(parse({"--gpu", "1"}), "num_devices"), Value(1));
  EXPECT_EQ(value(parse({"--num-devices", "1"}), "num_devices"), Value(1));
}

TEST(CommandLine, TakesNegativeNumbersAsValues) {
  EXPECT_EQ(value(parse({"--max-steps", "-1"}), "max_steps"), Value(-1));
}

TEST(CommandLine, ReadsNumbers) {
  EXPECT_EQ(value(parse({"--learning-rate", "1e-2"}), "learning_rate"), Value(0.01));
  EXPECT_EQ(value(parse({"--learning-rate", "1"}), "learning_rate"), Value(1.0));
  EXPECT_EQ(value(parse({"--seed", "+5"}), "seed"), Value(5));
  for (const char* wrong : {"x", "", "1.5", "12a", "99999999999999999999"}) {
    EXPECT_THAT(parse({"--seed", wrong}).problems,
                ElementsAre("argument --seed: invalid int value: '" + std::string(wrong) + "'"));
  }
  EXPECT_THAT(parse({"--max-steps", "x"}).problems,
              ElementsAre("argument --max-steps: invalid _positive_int value: 'x'"));
  EXPECT_THAT(parse({"--learning-rate", "fast"}).problems,
              ElementsAre("argument --learning-rate: invalid float value: 'fast'"));
  EXPECT_THAT(parse({"--learning-rate", "nan"}).problems,
              ElementsAre("argument --learning-rate: must be a finite number, not nan"));
  EXPECT_THAT(
      parse({"--batch-size", "0"}).problems,
      ElementsAre("argument --batch-size: must be a whole number from 1 to 2147483647, not 0"));
}

TEST(CommandLine, TheLastOfSeveralWins) {
  EXPECT_EQ(value(parse({"--seed", "1", "--seed", "2"}), "seed"), Value(2));
}

TEST(CommandLine, CollectsLists) {
  EXPECT_EQ(value(parse({"--plugin", "a.so", "--plugin=b.so"}), "plugins"),
            Value(mase::ir::List{"a.so", "b.so"}));
}

TEST(CommandLine, AnOptionalValueDoesNotSwallowAPositional) {
  const Parsed parsed = parse({"train", "--resume", "jsc-tiny", "jsc"});
  EXPECT_EQ(value(parsed, "resume"), Value("last"));
  EXPECT_THAT(parsed.line.positionals, ElementsAre("train", "jsc-tiny", "jsc"));
  EXPECT_EQ(value(parse({"--resume", "best"}), "resume"), Value("best"));
  // A file that is no checkpoint may be the model or the table.
  EXPECT_THAT(
      parse({"train", "jsc-tiny", "--resume", MASE_SOURCE_DIR "/CMakeLists.txt"}).line.positionals,
      ElementsAre("train", "jsc-tiny", MASE_SOURCE_DIR "/CMakeLists.txt"));
  EXPECT_EQ(value(parse({"--info"}), "info"), Value("all"));
  EXPECT_EQ(value(parse({"--info", "model"}), "info"), Value("model"));
}

TEST(CommandLine, AnOptionalValueMayBeAnyPath) {
  const std::string there = testing::TempDir() + "resume.ckpt";
  mase::io::write_lightning_checkpoint(there, {});
  EXPECT_EQ(value(parse({"train", "--resume", there}), "resume"), Value(there));
  std::filesystem::remove(there);
  for (const char* absent : {"nothere.ckpt", "no/such/run", "../last.ckpt"}) {
    const Parsed parsed = parse({"train", "--resume", absent});
    EXPECT_THAT(parsed.problems,
                ElementsAre(HasSubstr(fmt::format("file not found: '{}'", absent))));
    EXPECT_THAT(parsed.line.positionals, ElementsAre("train"));
  }
  // Where every place has its word, one more is the value, whatever it looks like.
  const Parsed full = parse({"train", "jsc-tiny", "jsc", "--resume", "lst"});
  EXPECT_THAT(full.problems, ElementsAre("argument --resume: file not found: 'lst'; did you mean "
                                         "'last'?"));
  EXPECT_THAT(full.line.positionals, ElementsAre("train", "jsc-tiny", "jsc"));
}

TEST(CommandLine, KeepsMissingFilesApart) {
  Diagnostics diagnostics;
  const CommandLine line = read_command_line(
      std::vector<std::string>{"--load", "no.ckpt", "--config=no.toml", "--resume=no", "--seed=x"},
      diagnostics);
  EXPECT_EQ(line.missing.problems().size(), 3u);
  EXPECT_EQ(diagnostics.problems().size(), 1u);
}

TEST(CommandLine, ReportsAllProblemsTogether) {
  EXPECT_THAT(
      parse({"--sede", "1", "--task", "cla", "--max-epochs", "--debug=1", "--batch-size"}).problems,
      ElementsAre("unrecognized arguments: --sede; did you mean '--seed'?",
                  "argument --task: invalid choice: 'cla' (choose from 'classification', 'cls'); "
                  "did you mean 'cls' or 'classification'?",
                  "argument --max-epochs: expected one argument",
                  "argument --debug: ignored explicit argument '1'",
                  "argument --batch-size: expected one argument"));
}

TEST(CommandLine, SaysWhyKnownThingsAreNotHere) {
  EXPECT_THAT(parse({"--report-to", "wandb"}).problems,
              ElementsAre(HasSubstr("'wandb' is not available: this program sends nothing")));
  EXPECT_THAT(parse({"--accelerator", "gpu"}).problems,
              ElementsAre(HasSubstr("'gpu' is not available: this build computes on the CPU")));
  EXPECT_THAT(parse({"--gpu", "2"}).problems,
              ElementsAre("argument --gpu: must be a whole number that is 1, not 2: this build "
                          "computes on the CPU"));
  EXPECT_THAT(parse({"--strategy", "ddp"}).problems,
              ElementsAre("--strategy is not available: this build computes on the CPU"));
  EXPECT_THAT(parse({"--load-type", "hf"}).problems, ElementsAre(HasSubstr("language models")));
}

TEST(CommandLine, ChecksPaths) {
  EXPECT_THAT(parse({"--load", "/no/such"}).problems,
              ElementsAre("argument --load: file or directory not found: '/no/such'"));
  EXPECT_THAT(parse({"--config", "/"}).problems,
              ElementsAre("argument --config: expected path to file: '/'"));
  EXPECT_THAT(parse({"--project-dir", MASE_SOURCE_DIR "/CMakeLists.txt"}).problems,
              ElementsAre(HasSubstr("expected path to directory, got file")));
}

TEST(CommandLine, EndsOptionsAtTwoHyphens) {
  EXPECT_THAT(parse({"help", "option", "--", "--seed"}).line.positionals,
              ElementsAre("help", "option", "--seed"));
}

}  // namespace
}  // namespace ch
