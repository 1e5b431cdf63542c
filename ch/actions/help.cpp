// ch help [ACTION | option NAME | options | pass NAME | format NAME | man [ACTION]]
#include "ch/options/help.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "ch/actions/actions.h"
#include "ch/options/manual.h"
#include "mase/numerics/format.h"
#include "mase/passes/pass.h"
#include "mase/passes/plugin.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"
#include "mase/support/table.h"
#include "mase/support/terminal.h"
#include "mase/support/wrap.h"

namespace ch {

namespace numerics = mase::numerics;
namespace passes = mase::passes;

namespace {

int width() {
  return std::clamp(mase::inspect_terminal(STDOUT_FILENO).width - 2, 50, 100);
}

[[noreturn]] void unknown(std::string_view what, const std::string& name,
                          const std::vector<std::string>& names) {
  const std::string near = mase::did_you_mean(name, names);
  mase::usage_error(
      name.empty() ? fmt::format("which {}?", what) : fmt::format("no {} named '{}'", what, name),
      {}, near.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : near);
}

std::string help_for_option(std::string name) {
  if (!name.starts_with("--") && find_flag("--" + name)) name = "--" + name;
  const Option* option = find_flag(name);
  if (!option) option = find_option(name);
  if (option) return help_option(*option, width() + 2);
  std::vector<std::string> names;
  for (const Option& row : options()) names.insert(names.end(), row.flags.begin(), row.flags.end());
  unknown("option", name, names);
}

std::string help_for_pass(const std::string& name) {
  const passes::Pass* pass = passes::find_pass(name);
  if (!pass) {
    std::vector<std::string> names;
    for (const passes::Pass* row : passes::passes()) names.emplace_back(row->name);
    unknown("pass", name, names);
  }
  std::string out = fmt::format("{} ({} pass)\n", pass->name, passes::name(pass->kind));
  for (const std::string& line : mase::wrap_text(pass->summary, width())) out += line + "\n";
  if (!pass->needs.empty()) {
    out += fmt::format("Needs the results of {}.\n", fmt::join(pass->needs, ", "));
  }
  if (pass->options.empty()) return out + fmt::format("\n[passes.{}] takes no keys.\n", pass->name);
  std::vector<std::vector<mase::Cell>> rows;
  for (const passes::Option& option : pass->options) {
    std::string standard = option.required ? "required" : "";
    if (option.standard && !option.standard->is_none()) standard = mase::ir::repr(*option.standard);
    std::string help(option.help);
    if (!option.choices.empty()) {
      help += fmt::format(" (one of {})", fmt::join(option.choices, ", "));
    }
    rows.push_back({std::string(option.name == "*" ? "(others)" : option.name),
                    std::string(passes::name(option.type)), standard, help});
  }
  out += fmt::format("\nKeys of [passes.{}]:\n", pass->name);
  return out +
         mase::format_table({"Key", "Type", "Default", "Meaning"}, rows,
                            {.style = mase::TableStyle::Simple, .max_width = 48}) +
         "\n";
}

std::string range(const numerics::Parameter& parameter) {
  return fmt::format("{} to {}", parameter.low, parameter.high);
}

std::string help_for_format(const std::string& name) {
  const numerics::Format* format = numerics::find_format(name);
  if (!format) {
    std::vector<std::string> names;
    for (const numerics::Format* row : numerics::formats()) names.emplace_back(row->name);
    unknown("format", name, names);
  }
  std::string out(format->name);
  if (!format->aliases.empty()) out += fmt::format(" (also {})", fmt::join(format->aliases, ", "));
  out += "\n";
  for (const std::string& line : mase::wrap_text(format->summary, width())) out += line + "\n";
  std::vector<std::vector<mase::Cell>> rows;
  for (const numerics::Parameter& parameter : format->parameters) {
    std::string standard = parameter.optional ? "derived" : "required";
    if (parameter.standard) standard = fmt::format("{}", *parameter.standard);
    rows.push_back(
        {std::string(parameter.name), range(parameter), standard, std::string(parameter.help)});
  }
  out += "\nParameters, each with the prefix of what it is for (data_in_, weight_, bias_):\n";
  return out +
         mase::format_table({"Parameter", "Range", "Default", "Meaning"}, rows,
                            {.style = mase::TableStyle::Simple, .max_width = 48}) +
         "\n";
}

std::string help_as_manual(const std::string& name) {
  const Action* action = find_action(name);
  if (!name.empty() && !action) unknown("action", name, action_names());
  return manual_page(action);
}

}  // namespace

std::vector<std::string> help_topics() {
  std::vector<std::string> topics = action_names();
  topics.insert(topics.end(), {"option", "options", "pass", "format", "man"});
  return topics;
}

int run_help(Invocation& invocation) {
  const std::string topic = invocation.positional("topic");
  const std::string name = invocation.positional("name");
  if (topic == "option") {
    std::cout << help_for_option(name);
  } else if (topic == "options") {
    std::cout << options_markdown();
  } else if (topic == "pass") {
    std::cout << help_for_pass(name);
  } else if (topic == "format") {
    std::cout << help_for_format(name);
  } else if (topic == "man") {
    std::cout << help_as_manual(name);
  } else {
    std::cout << help_text(find_action(topic), width() + 2);
  }
  return 0;
}

}  // namespace ch
