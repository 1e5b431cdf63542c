// From arguments to an exit code: command line, configuration file, action, errors.
#include "ch/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <new>

#include "ch/action.h"
#include "ch/actions/actions.h"
#include "ch/options/command_line.h"
#include "ch/options/config_file.h"
#include "ch/options/help.h"
#include "ch/version.h"
#include "mase/support/error.h"
#include "mase/support/printable.h"
#include "mase/support/progress.h"
#include "mase/support/signals.h"
#include "mase/support/suggest.h"
#include "mase/support/terminal.h"

namespace ch {

using mase::Diagnostics;
using mase::Error;
using mase::ErrorKind;

namespace {

// A mistake on the command line itself, which gets the usage line before it.
struct UsageProblems : std::exception {
  const Action* action = nullptr;
  Diagnostics diagnostics;
};

void add_all(const Diagnostics& from, Diagnostics& to) {
  for (const mase::Problem& problem : from.problems()) {
    to.add(problem.message, problem.where, problem.hint);
  }
}

int stdout_width() {
  return mase::inspect_terminal(STDOUT_FILENO).width;
}

mase::ColourPolicy colour_policy(const std::string& text) {
  if (text == "always") return mase::ColourPolicy::Always;
  return text == "never" ? mase::ColourPolicy::Never : mase::ColourPolicy::Auto;
}

const Action* wanted_action(const CommandLine& line, Diagnostics& diagnostics) {
  if (line.positionals.empty()) {
    diagnostics.add("the following arguments are required: action", {},
                    fmt::format("choose from {}", fmt::join(action_names(), ", ")));
    return nullptr;
  }
  const std::string& name = line.positionals.front();
  if (const Action* action = find_action(name)) return action;
  for (const AbsentAction& absent : absent_actions()) {
    if (absent.name != name) continue;
    diagnostics.add(fmt::format("the action '{}' is not available: {}", name, absent.reason), {},
                    fmt::format("choose from {}", fmt::join(action_names(), ", ")));
    return nullptr;
  }
  const std::string near = mase::did_you_mean(name, action_names());
  diagnostics.add(fmt::format("argument action: invalid choice: '{}' (choose from {})", name,
                              fmt::join(action_names(), ", ")),
                  {}, near);
  return nullptr;
}

void set_positional(const Option& option, const std::string& text, Invocation& invocation,
                    Diagnostics& diagnostics) {
  Setting& setting = invocation.settings.at(option.dest());
  setting.manual = text;
  if (!invocation.action->takes_lists || !option.may_vary) return;
  std::vector<std::string> problems;
  std::vector<mase::ir::Value> values = parse_list(option, text, problems);
  for (const std::string& problem : problems) {
    diagnostics.add(fmt::format("argument {}: {}", option.dest(), problem));
  }
  if (!values.empty()) setting.manual = values.front();
  if (values.size() > 1) setting.values = std::move(values);
}

// Gives the positionals after the action to the options or names they stand for.
void bind_positionals(const CommandLine& line, Invocation& invocation, Diagnostics& diagnostics) {
  const Action& action = *invocation.action;
  for (std::size_t i = 0; i + 1 < line.positionals.size(); ++i) {
    const std::string& text = line.positionals[i + 1];
    if (i >= action.positionals.size()) {
      diagnostics.add(fmt::format("unrecognized arguments: {}", text));
      continue;
    }
    const Positional& positional = action.positionals[i];
    if (positional.only_values) {
      const std::vector<std::string> values = positional.values();
      if (std::find(values.begin(), values.end(), text) == values.end()) {
        diagnostics.add(fmt::format("argument {}: invalid choice: '{}' (choose from {})",
                                    positional.name, text, fmt::join(values, ", ")),
                        {}, mase::did_you_mean(text, values));
      }
    }
    if (const Option* option = find_option(positional.name)) {
      set_positional(*option, text, invocation, diagnostics);
    } else {
      invocation.positionals.emplace_back(positional.name, text);
    }
  }
  for (std::size_t i = line.positionals.size() - 1; i < action.positionals.size(); ++i) {
    if (!action.positionals[i].required) continue;
    diagnostics.add(
        fmt::format("the following arguments are required: {}", action.positionals[i].name));
  }
}

// Options that do nothing for this action: a warning where the original took them too, an error for
// the small actions.
void check_use(const CommandLine& line, Invocation& invocation, Diagnostics& diagnostics) {
  const Action& action = *invocation.action;
  for (const Given& given : line.given) {
    if (given.option->used_by & action.bit) continue;
    const std::string text = fmt::format("{} has no effect on {}", given.spelling, action.name);
    if (action.reads_config && given.option->in_table) {
      invocation.settings.warn(text);
    } else {
      diagnostics.add(text);
    }
  }
}

// All problems at once. Where every one of them is a file that is not there, the command is right
// and an input cannot be read.
void throw_if_any(Diagnostics diagnostics, const Diagnostics& missing) {
  if (diagnostics.empty()) missing.throw_if_any(ErrorKind::Unreadable);
  add_all(missing, diagnostics);
  diagnostics.throw_if_any();
}

// The configuration file and the passes it names, plug-ins loaded first; all problems together.
void configure(Invocation& invocation) {
  Settings& settings = invocation.settings;
  Diagnostics diagnostics;
  mase::io::TomlNode file;
  if (invocation.action->reads_config && settings.has("config")) {
    file = read_config(settings.text("config"), settings, diagnostics);
  }
  settings.settle();
  mase::set_colour_policy(invocation.colour());
  // Those of a configuration concern its passes only; typed ones also what there is to say of them.
  if (invocation.action->runs_passes || settings.at("plugins").manual) load_plugins(settings);
  if (invocation.action->runs_passes) invocation.plan = planned_passes(file, diagnostics);
  if (invocation.action->takes_lists) {
    invocation.sweep = planned_sweep(file, settings, diagnostics);
  }
  throw_if_any(std::move(diagnostics), settings.missing());
}

int run_arguments(const std::vector<std::string>& arguments) {
  UsageProblems problems;
  const CommandLine line = read_command_line(arguments, problems.diagnostics);
  const std::string first = line.positionals.empty() ? "" : line.positionals.front();
  problems.action = find_action(first);
  if (line.flag("help")) {
    std::cout << help_text(find_action(first), stdout_width());
    return 0;
  }
  if (line.flag("version")) {
    std::cout << version_text(isatty(STDOUT_FILENO) != 0);
    return 0;
  }
  if (!problems.diagnostics.empty()) {
    add_all(line.missing, problems.diagnostics);
    throw problems;
  }
  if (const auto* what = line.find("info")) {
    std::cout << list_supported(what->as_text());
    return 0;
  }

  Invocation invocation;
  invocation.action = wanted_action(line, problems.diagnostics);
  if (!invocation.action) throw problems;
  invocation.command = {"ch"};
  invocation.command.insert(invocation.command.end(), arguments.begin(), arguments.end());
  invocation.settings.apply(line);
  bind_positionals(line, invocation, problems.diagnostics);
  check_use(line, invocation, problems.diagnostics);
  if (!problems.diagnostics.empty()) {
    add_all(line.missing, problems.diagnostics);
    throw problems;
  }
  line.missing.throw_if_any(ErrorKind::Unreadable);

  configure(invocation);
  return invocation.action->run(invocation);
}

void print_error(std::string_view text) {
  mase::Progress::clear_line();
  std::cout.flush();
  mase::print_error_line(fmt::format("ch: error: {}", mase::message_text(text)));
}

}  // namespace

std::string Invocation::positional(std::string_view name) const {
  for (const auto& [key, text] : positionals) {
    if (key == name) return text;
  }
  return "";
}

mase::ColourPolicy Invocation::colour() const {
  return colour_policy(settings.text("color"));
}

int run_program(const std::vector<std::string>& arguments) {
  try {
    return run_arguments(arguments);
  } catch (const UsageProblems& problems) {
    mase::print_error_line(usage_line(problems.action));
    for (const mase::Problem& problem : problems.diagnostics.problems()) {
      print_error(problem.text());
    }
    return mase::exit_code(ErrorKind::Usage);
  } catch (const Error& error) {
    print_error(error.text());
    const bool by_signal = error.kind() == ErrorKind::Interrupted && mase::stop_signal() != 0;
    return by_signal ? 128 + mase::stop_signal() : mase::exit_code(error.kind());
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
    return mase::exit_code(ErrorKind::RunFailed);
  } catch (const std::exception& error) {
    print_error(
        fmt::format("internal error: {} (this is a bug in mase: please report it)", error.what()));
    return mase::exit_code(ErrorKind::Internal);
  }
}

}  // namespace ch
