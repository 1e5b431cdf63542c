// The actions, in the order of the help.
#include <algorithm>

#include "ch/actions/actions.h"
#include "ch/options/completion.h"

namespace ch {

namespace {

std::vector<Action> make_actions() {
  const Positional model{.name = "model",
                         .help =
                             "name of a supported model, or path of a model file. Required "
                             "unless the configuration names one.",
                         .values = model_names};
  const Positional dataset{.name = "dataset",
                           .help =
                               "name of a supported data set, or path of a table file. "
                               "Required unless the configuration names one.",
                           .values = data_set_names};
  return {
      {.name = "train",
       .bit = kTrain,
       .summary = "fit a model on the training rows, validate each epoch, save checkpoints",
       .positionals = {model, dataset},
       .reads_config = true,
       .run = run_train},
      {.name = "sweep",
       .bit = kSweep,
       .summary = "train and test many times, with lists of values for the options, and compare",
       .positionals = {model, dataset},
       .reads_config = true,
       .takes_lists = true,
       .run = run_sweep},
      {.name = "test",
       .bit = kTest,
       .summary = "measure loss and accuracy of a checkpoint on the test rows",
       .positionals = {model, dataset},
       .reads_config = true,
       .run = run_test},
      {.name = "predict",
       .bit = kPredict,
       .summary = "write logits and classes of a checkpoint for the test rows",
       .positionals = {model, dataset},
       .reads_config = true,
       .run = run_predict},
      {.name = "transform",
       .bit = kTransform,
       .summary = "run the passes of a configuration file on the graph and save the result",
       .positionals = {model, dataset},
       .reads_config = true,
       .runs_passes = true,
       .run = run_transform},
      {.name = "info",
       .bit = kInfo,
       .summary = "list models, data sets, passes, number formats or ops",
       .positionals = {{.name = "topic",
                        .help = "what to list; everything if left out.",
                        .values = info_topics,
                        .only_values = true}},
       .run = run_info},
      {.name = "data",
       .bit = kData,
       .summary = "show where data sets come from, or download one",
       .positionals = {{.name = "dataset",
                        .help = "name of a data set; all if left out.",
                        .values = data_set_names}},
       .run = run_data},
      {.name = "help",
       .bit = kHelp,
       .summary = "explain an action, an option, a pass, a number format or an op",
       .positionals = {{.name = "topic",
                        .help = "an action, or one of option, options, pass, format, op, man "
                                "(the manual page).",
                        .values = help_topics,
                        .only_values = true},
                       {.name = "name",
                        .help = "which option, pass, format or op; for man which action.",
                        .values_after = help_names,
                        .flag_after = "option"}},
       .run = run_help},
      {.name = "completion",
       .bit = kCompletion,
       .summary = "print a completion script for a shell",
       .positionals = {{.name = "shell",
                        .help = "bash, zsh or fish.",
                        .required = true,
                        .values = shell_names,
                        .only_values = true}},
       .run = run_completion},
  };
}

}  // namespace

const std::vector<Action>& actions() {
  static const std::vector<Action> kActions = make_actions();
  return kActions;
}

const Action* find_action(std::string_view name) {
  for (const Action& action : actions()) {
    if (action.name == name) return &action;
  }
  return nullptr;
}

std::vector<std::string> action_names() {
  std::vector<std::string> names;
  for (const Action& action : actions()) names.emplace_back(action.name);
  return names;
}

const std::vector<AbsentAction>& absent_actions() {
  static const std::vector<AbsentAction> kAbsent = {
      {"search", "this version does not search"},
      {"emit", "this version does not generate hardware"},
      {"simulate", "this version does not generate hardware"},
  };
  return kAbsent;
}

}  // namespace ch
