// The rows. A new option is one row here and the lines of an action that read it.
#include <algorithm>
#include <filesystem>
#include <thread>

#include "ch/options/option.h"
#include "mase/engine/engine.h"
#include "mase/train/sweep/report.h"

namespace ch {

namespace {

std::vector<std::string_view> engine_choices() {
  std::vector<std::string_view> choices = {"auto"};
  for (const std::string_view name : mase::engine::engine_names()) choices.push_back(name);
  return choices;
}

std::int64_t cpu_count() {
  return std::max<std::int64_t>(1, std::thread::hardware_concurrency());
}

std::string default_project_folder() {
  std::error_code error;
  return (std::filesystem::current_path(error) / "mase_output").string();
}

// What no run reaches: numbers that may be added and multiplied without overflow.
constexpr double kMostCounted = 2147483647;
constexpr double kMostSteps = 1e15;
constexpr double kMostThreads = 1024;

constexpr std::string_view kNoLanguageModels = "this version has no language models";
constexpr std::string_view kNoGpu = "this build computes on the CPU";
constexpr std::string_view kNoHardware = "this version does not generate hardware";

std::vector<Option> make_options() {
  return {
      {.dest = "config",
       .flags = {"--config"},
       .type = Type::File,
       .metavar = "PATH",
       .help = "configuration file (TOML) with any of these options under the names of the "
               "argument table, and the passes of `transform`. What is given on the command line "
               "wins. Required by transform.",
       .in_table = false},
      {.dest = "task",
       .flags = {"--task"},
       .type = Type::Choice,
       .standard = "classification",
       .metavar = "TASK",
       .help = "task to perform.",
       .choices = {"classification", "cls"},
       .refused = {{"translation", kNoLanguageModels},
                   {"tran", kNoLanguageModels},
                   {"language_modeling", kNoLanguageModels},
                   {"lm", kNoLanguageModels}}},
      {.dest = "load_name",
       .flags = {"--load"},
       .type = Type::FileOrFolder,
       .metavar = "PATH",
       .help = "checkpoint to load the weights or the transformed graph from. Required by test "
               "and predict.",
       .may_vary = true},
      {.dest = "load_type",
       .flags = {"--load-type"},
       .type = Type::Choice,
       .metavar = "TYPE",
       .help = "what --load names: a state dictionary of PyTorch or safetensors (pt), a Lightning "
               "checkpoint (pl), a transformed graph (mz).",
       .choices = {"pt", "pl", "mz"},
       .refused = {{"hf", kNoLanguageModels}},
       .shown_default = "found out from the file"},
      {.dest = "batch_size",
       .flags = {"--batch-size"},
       .type = Type::Int,
       .standard = 128,
       .metavar = "NUM",
       .help = "rows per batch in training and evaluation.",
       .minimum = 1,
       .maximum = kMostCounted,
       .may_vary = true},
      {.dest = "to_debug",
       .flags = {"--debug"},
       .type = Type::Flag,
       .standard = false,
       .used_by = kRuns & ~kSweep,
       .help = "log everything and run one batch through training, validation and testing, without "
               "writing checkpoints."},
      {.dest = "log_level",
       .flags = {"--log-level"},
       .type = Type::Choice,
       .standard = "info",
       .metavar = "LEVEL",
       .help = "least level of the messages shown; --debug shows all.",
       .choices = {"debug", "info", "warning", "error", "critical"}},
      {.dest = "report_to",
       .flags = {"--report-to"},
       .type = Type::Choice,
       .standard = "tensorboard",
       .metavar = "TOOL",
       .used_by = kTrain | kTest | kSweep,
       .help = "tool the metrics are written for.",
       .choices = {"tensorboard"},
       .refused = {{"wandb",
                    "this program sends nothing over the network; the files of tensorboard can be "
                    "synchronised with `wandb sync`"}}},
      {.dest = "seed",
       .flags = {"--seed"},
       .type = Type::Int,
       .standard = 0,
       .metavar = "NUM",
       .help = "seed of everything random: initial weights, order of the rows, dropout.",
       .minimum = 0,
       .may_vary = true},
      {.dest = "training_optimizer",
       .flags = {"--training-optimizer"},
       .type = Type::Choice,
       .standard = "adam",
       .metavar = "TYPE",
       .group = Group::Trainer,
       .used_by = kTrain | kSweep,
       .help = "optimiser. sgd has Nesterov momentum 0.9 and weight decay 0.0005.",
       .choices = {"adam", "sgd", "adamw"},
       .may_vary = true},
      {.dest = "trainer_precision",
       .flags = {"--trainer-precision"},
       .type = Type::Choice,
       .standard = "16-mixed",
       .metavar = "TYPE",
       .group = Group::Trainer,
       .used_by = kTrain | kTest | kPredict | kSweep,
       .help = "precision of the arithmetic. 16-mixed computes in 32 on a CPU.",
       .choices = {"16-mixed", "32", "64", "bf16"},
       .may_vary = true},
      {.dest = "learning_rate",
       .flags = {"--learning-rate"},
       .type = Type::Number,
       .standard = 1e-5,
       .metavar = "NUM",
       .group = Group::Trainer,
       .used_by = kTrain | kSweep,
       .help = "initial learning rate; falls along a cosine, a step per epoch.",
       .minimum = 0,
       .may_vary = true},
      {.dest = "weight_decay",
       .flags = {"--weight-decay"},
       .type = Type::Number,
       .standard = 0,
       .metavar = "NUM",
       .group = Group::Trainer,
       .used_by = kTrain | kSweep,
       .help = "weight decay of adam and adamw.",
       .minimum = 0,
       .may_vary = true},
      {.dest = "max_epochs",
       .flags = {"--max-epochs"},
       .type = Type::Int,
       .standard = 20,
       .metavar = "NUM",
       .group = Group::Trainer,
       .used_by = kTrain | kSweep,
       .help = "number of epochs.",
       .minimum = 1,
       .maximum = kMostCounted,
       .may_vary = true},
      {.dest = "max_steps",
       .flags = {"--max-steps"},
       .type = Type::PositiveInt,
       .standard = -1,
       .metavar = "NUM",
       .group = Group::Trainer,
       .used_by = kTrain | kSweep,
       .help = "stop after this many optimiser steps; -1 = no limit.",
       .maximum = kMostSteps,
       .may_vary = true},
      {.dest = "accumulate_grad_batches",
       .flags = {"--accumulate-grad-batches"},
       .type = Type::Int,
       .standard = 1,
       .metavar = "NUM",
       .group = Group::Trainer,
       .used_by = kTrain | kSweep,
       .help = "batches whose gradients make one optimiser step.",
       .minimum = 1,
       .maximum = kMostCounted,
       .may_vary = true},
      {.dest = "log_every_n_steps",
       .flags = {"--log-every-n-steps"},
       .type = Type::PositiveInt,
       .standard = 50,
       .metavar = "NUM",
       .group = Group::Trainer,
       .used_by = kTrain | kSweep,
       .help = "log training metrics every so many steps; 0 = never, only the epochs.",
       .minimum = 0,
       .maximum = kMostSteps},
      {.dest = "num_workers",
       .flags = {"--cpu", "--num-workers"},
       .type = Type::Int,
       .standard = cpu_count(),
       .metavar = "NUM",
       .group = Group::Runtime,
       .used_by = kRuns & ~kSweep,
       .help = "number of CPU threads; 0 = one. Results do not depend on it.",
       .minimum = 0,
       .maximum = kMostThreads,
       .shown_default = "number of CPUs"},
      {.dest = "num_devices",
       .flags = {"--gpu", "--num-devices"},
       .type = Type::Int,
       .standard = 1,
       .metavar = "NUM",
       .group = Group::Runtime,
       .help = "number of devices.",
       .minimum = 1,
       .maximum = 1,
       .range_reason = kNoGpu},
      {.dest = "accelerator",
       .flags = {"--accelerator"},
       .type = Type::Choice,
       .standard = "auto",
       .metavar = "TYPE",
       .group = Group::Runtime,
       .help =
           "device to compute on. A configuration file that asks for another one gets a warning.",
       .choices = {"auto", "cpu"},
       .refused = {{"gpu", kNoGpu, "cpu"}, {"mps", kNoGpu, "cpu"}}},
      {.dest = "disable_dataset_cache",
       .flags = {"--disable-dataset-cache"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Runtime,
       .help = "prepare the data afresh instead of reading what an earlier run prepared."},
      {.dest = "project_dir",
       .flags = {"--project-dir"},
       .type = Type::Folder,
       .standard = default_project_folder(),
       .metavar = "DIR",
       .group = Group::Project,
       .help = "folder of all projects, created if absent.",
       .shown_default = "mase_output in the working directory"},
      {.dest = "project",
       .flags = {"--project"},
       .type = Type::Text,
       .metavar = "NAME",
       .group = Group::Project,
       .help = "folder of this project inside it.",
       .shown_default = "MODEL_TASK_DATASET_DATE"},
      {.dest = "model",
       .metavar = "model",
       .help = "name of a network, or path of a model file.",
       .may_vary = true},
      {.dest = "dataset",
       .metavar = "dataset",
       .used_by = kRuns | kData,
       .help = "name of a data set, or path of a table file.",
       .may_vary = true},
      // --- beyond MASE ---
      {.dest = "engine",
       .flags = {"--engine"},
       .type = Type::Choice,
       .standard = "auto",
       .metavar = "NAME",
       .group = Group::Runtime,
       .help = "what computes: auto takes the first that covers the network.",
       .choices = engine_choices(),
       .beyond_mase = true,
       .may_vary = true},
      {.dest = "resume",
       .flags = {"--resume"},
       .type = Type::OptionalChoice,
       .metavar = "WHERE",
       .group = Group::Trainer,
       .used_by = kTrain,
       .help = "go on with a stopped run from its last or best checkpoint or from the one named; "
               "the outcome is that of a run never stopped. Without a value: last.",
       .choices = {"last", "best"},
       .or_path = true,
       .beyond_mase = true},
      {.dest = "jobs",
       .flags = {"--jobs"},
       .type = Type::Int,
       .standard = cpu_count(),
       .metavar = "NUM",
       .group = Group::Runtime,
       .used_by = kSweep,
       .help = "trainings at a time, one thread each. Results do not depend on it.",
       .minimum = 1,
       .maximum = kMostThreads,
       .shown_default = "number of CPUs",
       .beyond_mase = true},
      {.dest = "best_by",
       .flags = {"--best-by"},
       .type = Type::Choice,
       .standard = "best_val_acc",
       .metavar = "MEASURE",
       .group = Group::Trainer,
       .used_by = kSweep,
       .help = "measurement whose mean tells which configuration is the best.",
       .choices = mase::train::rankings(),
       .beyond_mase = true},
      {.dest = "partial_load",
       .flags = {"--partial-load"},
       .type = Type::Flag,
       .standard = false,
       .help = "load the parameters that fit and leave the others as they are; without it, a "
               "checkpoint that does not fit is an error.",
       .beyond_mase = true},
      {.dest = "strict",
       .flags = {"--strict"},
       .type = Type::Flag,
       .standard = false,
       .used_by = kTest | kPredict | kTransform,
       .help = "an error instead of a warning where weights are random: no checkpoint was loaded, "
               "or one that holds a part of the network.",
       .beyond_mase = true},
      {.dest = "drop_quantisation",
       .flags = {"--drop-quantisation"},
       .type = Type::Flag,
       .standard = false,
       .help =
           "take the float weights of a quantised checkpoint or graph alone: its number formats "
           "stay behind.",
       .beyond_mase = true},
      {.dest = "data_dir",
       .flags = {"--data-dir"},
       .type = Type::Folder,
       .metavar = "DIR",
       .group = Group::Data,
       .used_by = kRuns | kData,
       .help = "folder searched first for the files of data sets.",
       .shown_default = "MASE_DATA_DIR, then the user's cache",
       .beyond_mase = true},
      {.dest = "val_fraction",
       .flags = {"--val-fraction"},
       .type = Type::Number,
       .standard = 0.0,
       .metavar = "NUM",
       .group = Group::Data,
       .help = "part of the training rows kept for validation; 0 = validate on the training rows, "
               "as MASE does for jsc.",
       .minimum = 0,
       .maximum = 0.9,
       .beyond_mase = true,
       .may_vary = true},
      {.dest = "model_dir",
       .flags = {"--model-dir"},
       .type = Type::FileOrFolder,
       .metavar = "DIR",
       .group = Group::Data,
       .used_by = kRuns | kInfo,
       .help = "folder searched first for model files.",
       .shown_default = "configs/models, then the installed ones",
       .beyond_mase = true},
      {.dest = "plugins",
       .flags = {"--plugin"},
       .type = Type::TextList,
       .metavar = "PATH",
       .used_by = kTransform | kInfo | kHelp,
       .help = "shared library with passes of your own; may be given several times.",
       .beyond_mase = true},
      {.dest = "output",
       .flags = {"--output"},
       .type = Type::Text,
       .metavar = "PATH",
       .used_by = kPredict,
       .help = "where predict writes: a .npy file (logits; the classes beside it) or a .csv file "
               "with both.",
       .shown_default = "logits.npy in the project",
       .beyond_mase = true},
      // --- not settings of a run: neither in the argument table nor keys of a file ---
      {.dest = "dry_run",
       .flags = {"--dry-run"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Project,
       .used_by = kRuns,
       .help = "check everything, print what would be done and stop.",
       .in_table = false},
      {.dest = "profile",
       .flags = {"--profile"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Project,
       .used_by = kRuns & ~kSweep,
       .help = "print at the end how long each phase took, longest first.",
       .in_table = false},
      {.dest = "no_warnings",
       .flags = {"--no-warnings"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Project,
       .used_by = kRuns,
       .help = "do not show warnings.",
       .in_table = false},
      {.dest = "download",
       .flags = {"--download"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Data,
       .used_by = kData,
       .help = "fetch the files of the data set into the data folder.",
       .in_table = false},
      {.dest = "url",
       .flags = {"--url"},
       .type = Type::Text,
       .metavar = "URL",
       .group = Group::Data,
       .used_by = kData,
       .help = "with --download: fetch from here.",
       .in_table = false,
       .shown_default = "where the data set is published"},
      {.dest = "json",
       .flags = {"--json"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Information,
       .used_by = kTest | kTransform | kSweep | kInfo | kData,
       .help = "print results as JSON.",
       .in_table = false},
      {.dest = "color",
       .flags = {"--color"},
       .type = Type::Choice,
       .standard = "auto",
       .metavar = "WHEN",
       .group = Group::Information,
       .used_by = kAll,
       .help = "colour and moving bars; auto: on a terminal, unless NO_COLOR is set.",
       .choices = {"auto", "always", "never"},
       .in_table = false},
      {.dest = "help",
       .flags = {"--help"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Information,
       .used_by = kAll,
       .help = "show this message, or that of an action, and exit.",
       .short_flag = "-h",
       .in_table = false},
      {.dest = "version",
       .flags = {"--version"},
       .type = Type::Flag,
       .standard = false,
       .group = Group::Information,
       .used_by = kAll,
       .help = "show the version and how it was built, and exit.",
       .short_flag = "-V",
       .in_table = false},
      {.dest = "info",
       .flags = {"--info"},
       .type = Type::OptionalChoice,
       .metavar = "TYPE",
       .group = Group::Information,
       .used_by = kAll,
       .help = "list the supported models or data sets and exit.",
       .choices = {"all", "model", "dataset"},
       .in_table = false},
  };
}

}  // namespace

const std::vector<Option>& options() {
  static const std::vector<Option> kOptions = make_options();
  return kOptions;
}

const std::vector<Absent>& absent_options() {
  static const std::vector<Absent> kAbsent = {
      {"quant_config", "--quant-config", "networks are quantised by [passes.quantize]"},
      {"num_nodes", "--nodes", kNoGpu},
      {"strategy", "--strategy", kNoGpu},
      {"is_to_auto_requeue", "--auto-requeue", "a stopped run goes on with --resume"},
      {"github_ci", "--github-ci", kNoHardware},
      {"target", "--target", kNoHardware},
      {"num_targets", "--num-targets", kNoHardware},
      {"run_emit", "--run-emit", kNoHardware},
      {"skip_build", "--skip-build", kNoHardware},
      {"skip_test", "--skip-test", kNoHardware},
      {"is_pretrained", "--pretrained", "no network here has published weights"},
      {"max_token_len", "--max-token-len", kNoLanguageModels},
      {"t_max", "", "the learning rate falls over max_epochs"},
      {"eta_min", "", "the learning rate falls to 1e-06"},
      {"cf_args", "", "no network here needs frozen arguments"},
      {"transform", "", "passes always work on the graph"},
      {"search", "", "this version does not search"},
      {"config", "", "the file itself is the configuration"},
      {"action", "", "the action is given on the command line"},
      {"info", "", "an action of its own"},
      {"version", "", "an action of its own"},
      {"profile", "", "given on the command line"},
      {"no_warnings", "", "given on the command line"},
  };
  return kAbsent;
}

const Option* find_option(std::string_view dest) {
  for (const Option& option : options()) {
    if (option.dest == dest) return &option;
  }
  return nullptr;
}

const Option* find_flag(std::string_view flag) {
  for (const Option& option : options()) {
    if (std::find(option.flags.begin(), option.flags.end(), flag) != option.flags.end()) {
      return &option;
    }
    if (!option.short_flag.empty() && option.short_flag == flag) return &option;
  }
  return nullptr;
}

std::string_view title(Group group) {
  switch (group) {
    case Group::General:
      return "general options";
    case Group::Trainer:
      return "trainer options";
    case Group::Runtime:
      return "runtime environment options";
    case Group::Data:
      return "data and model options";
    case Group::Project:
      return "project options";
    case Group::Information:
      return "information";
  }
  return "";
}

}  // namespace ch
