// ch help [ACTION | option NAME | options | pass NAME | format NAME | op NAME | man [ACTION]]
#include "ch/options/help.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <iostream>

#include "ch/actions/actions.h"
#include "ch/options/manual.h"
#include "ch/reference.h"
#include "mase/support/error.h"
#include "mase/support/suggest.h"
#include "mase/support/terminal.h"

namespace ch {

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
  // As on the command line: "--columns=features=x" is the option --columns.
  if (name.starts_with("--")) name.resize(std::min(name.find('='), name.size()));
  if (!name.starts_with("--") && find_flag("--" + name)) name = "--" + name;
  const Option* option = find_flag(name);
  if (!option) option = find_option(name);
  if (option) return help_option(*option, width() + 2);
  unknown("option", name, help_names("option"));
}

// A name as tables have it: "Report-Graph" is report_graph.
std::string plain_spelling(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

// Passes may be called as functions of the original are: "quantize_transform_pass".
const mase::passes::Pass* pass_called(const std::string& name) {
  std::string plain = plain_spelling(name);
  for (const std::string_view end : {"_pass", "_analysis", "_transform", "_interface"}) {
    if (plain.ends_with(end)) plain.resize(plain.size() - end.size());
  }
  const mase::passes::Pass* pass = mase::passes::find_pass(name);
  return pass ? pass : mase::passes::find_pass(plain);
}

// Ops may be called by their layers, "BatchNorm1d".
const mase::ops::Op* op_called(const std::string& name) {
  const mase::ops::Op* op = mase::ops::find_op(name);
  if (!op) op = mase::ops::find_layer(name);
  return op ? op : mase::ops::find_op(plain_spelling(name));
}

// A row of the library by name; `names` are those of all rows.
template <typename Row>
std::string help_for(std::string_view what, const Row* row, const std::string& name,
                     const std::vector<std::string>& names) {
  if (!row) unknown(what, name, names);
  return reference_of(*row, width());
}

std::string help_as_manual(const std::string& name) {
  const Action* action = find_action(name);
  if (!name.empty() && !action) unknown("action", name, action_names());
  return manual_page(action);
}

}  // namespace

std::vector<std::string> help_topics() {
  std::vector<std::string> topics = action_names();
  topics.insert(topics.end(), {"option", "options", "pass", "format", "op", "man"});
  return topics;
}

std::vector<std::string> help_names(std::string_view topic) {
  std::vector<std::string> names;
  if (topic == "man") return action_names();
  if (topic == "option") {
    // Without the dashes: what begins with one is an option of `ch help` itself.
    for (const Option& row : options()) {
      for (const std::string_view flag : row.flags) names.emplace_back(flag.substr(2));
    }
  } else if (topic == "pass") {
    for (const auto* row : mase::passes::passes()) names.emplace_back(row->name);
  } else if (topic == "format") {
    for (const auto* row : mase::numerics::formats()) names.emplace_back(row->name);
  } else if (topic == "op") {
    for (const auto* row : mase::ops::ops()) names.emplace_back(row->name);
  }
  return names;
}

int run_help(Invocation& invocation) {
  const std::string topic = invocation.positional("topic");
  const std::string name = invocation.positional("name");
  if (topic == "option") {
    std::cout << help_for_option(name);
  } else if (topic == "options") {
    std::cout << options_markdown();
  } else if (topic == "pass") {
    std::cout << help_for(topic, pass_called(name), name, help_names(topic));
  } else if (topic == "format") {
    std::cout << help_for(topic, mase::numerics::find_format(plain_spelling(name)), name,
                          help_names(topic));
  } else if (topic == "op") {
    std::cout << help_for(topic, op_called(name), name, help_names(topic));
  } else if (topic == "man") {
    std::cout << help_as_manual(name);
  } else {
    std::cout << help_text(find_action(topic), width() + 2);
  }
  return 0;
}

}  // namespace ch
