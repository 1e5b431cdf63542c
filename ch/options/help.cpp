// Help in argparse's layout, made from the rows of options and actions.
#include "ch/options/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/support/wrap.h"

namespace ch {

namespace {

constexpr std::size_t kHelpColumn = 24;

constexpr std::string_view kDescription =
    "Train and test a neural network, look inside it as a graph, profile it, and quantise it to "
    "integer codes.";

constexpr ExitStatus kExitStatuses[] = {
    {"0", "success"},
    {"1", "the run failed"},
    {"2", "usage or configuration"},
    {"3", "unreadable input"},
    {"4", "unsupported op or format"},
    {"5", "external tool missing or failed"},
    {"6", "a check failed"},
    {"70", "internal error"},
    {"130", "interrupted"},
    {"143", "terminated"},
};

constexpr std::string_view kLists =
    "lists:\n"
    "  What is marked with ',...' takes several values, model and dataset too: 64,128,256, or\n"
    "  for whole numbers 0..7 with both ends. Every combination is a run. In a file:\n"
    "    [sweep]                        # every combination\n"
    "    learning_rate = [1e-3, 1e-4]\n"
    "    seed = \"0..7\"\n"
    "    [[sweep.run]]                  # each of these with every combination above\n"
    "    model = \"jsc-tiny\"\n"
    "  Started again, a sweep goes on: finished runs are not repeated.\n";

constexpr std::string_view kExamples[] = {
    "ch train jsc-tiny jsc --max-epochs 10 --batch-size 256",
    "ch sweep jsc-tiny jsc --learning-rate 1e-3,1e-4 --seed 0..7",
    "ch test jsc-tiny jsc --load mase_output/.../software/training_ckpts/best.ckpt",
    "ch transform --config configs/examples/jsc_toy_by_type.toml --load CHECKPOINT",
};

bool shows(const Option& option, const Action* action) {
  if (option.is_positional()) return false;
  return !action || (option.used_by & action->bit) != 0;
}

std::string value_text(const Option& option, const Action* action) {
  if (!option.takes_value()) return "";
  if (option.form == Form::OptionalValue) return fmt::format(" [{}]", option.metavar);
  const bool list = action && action->takes_lists && option.may_vary;
  return fmt::format(" {}{}", option.metavar, list ? ",..." : "");
}

// "--cpu NUM, --num-workers NUM"; with "NUM,..." where the action takes lists
std::string invocation(const Option& option, const Action* action) {
  std::vector<std::string> parts;
  const std::string value = value_text(option, action);
  if (!option.short_flag.empty()) parts.push_back(std::string(option.short_flag) + value);
  for (const std::string_view flag : option.flags) parts.push_back(std::string(flag) + value);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string default_text(const Option& option) {
  if (!option.takes_value()) return "";
  if (!option.shown_default.empty()) return std::string(option.shown_default);
  return option.field.standard->is_none() ? "" : shown(option.standard());
}

void append_entry(std::string& out, const std::string& head, const std::string& text, int width) {
  std::string line = "  " + head;
  if (line.size() + 2 > kHelpColumn) {
    out += line + "\n";
    line.clear();
  }
  for (const std::string& part : mase::wrap_text(text, width - kHelpColumn)) {
    line.resize(kHelpColumn, ' ');
    out += line + part + "\n";
    line.clear();
  }
  if (!line.empty()) out += line + "\n";
}

// Parts in a row, broken between parts, continued below the first.
void append_parts(std::string& out, const std::string& head, const std::vector<std::string>& parts,
                  std::size_t width) {
  std::string line = head;
  for (const std::string& part : parts) {
    if (line.size() + 1 + part.size() > width && line.size() > head.size()) {
      out += line + "\n";
      line = std::string(head.size(), ' ');
    }
    line += " " + part;
  }
  out += line + "\n";
}

std::vector<std::string> positional_parts(const Action& action) {
  std::vector<std::string> parts;
  for (const Positional& positional : action.positionals) {
    parts.push_back(positional.required ? std::string(positional.name)
                                        : fmt::format("[{}]", positional.name));
  }
  return parts;
}

void append_usage(std::string& out, const Action* action, int width) {
  std::vector<std::string> parts;
  for (const Option& option : options()) {
    if (!shows(option, action)) continue;
    const std::string flag(option.short_flag.empty() ? option.flags.front() : option.short_flag);
    parts.push_back(fmt::format("[{}{}]", flag, value_text(option, action)));
  }
  if (!action) {
    append_parts(out, "usage: ch", parts, width);
    out += "          action [model] [dataset]\n";
    return;
  }
  const std::vector<std::string> positionals = positional_parts(*action);
  parts.insert(parts.end(), positionals.begin(), positionals.end());
  append_parts(out, fmt::format("usage: ch {}", action->name), parts, width);
}

void append_wrapped(std::string& out, std::string_view text, int width) {
  for (const std::string& line : mase::wrap_text(text, width)) out += line + "\n";
}

void append_positionals(std::string& out, const Action* action, int width) {
  if (!action) {
    out += "\nmain arguments:\n";
    append_entry(out, "action",
                 fmt::format("action to perform. One of ({})", fmt::join(action_names(), "|")),
                 width);
    for (const std::string_view dest : {"model", "dataset"}) {
      append_entry(out, std::string(dest),
                   fmt::format("{} Required if the configuration names none.",
                               find_option(dest)->field.help),
                   width);
    }
    out += "\nactions:\n";
    for (const Action& row : actions()) {
      append_entry(out, std::string(row.name), std::string(row.summary), width);
    }
    return;
  }
  if (action->positionals.empty()) return;
  out += "\nmain arguments:\n";
  for (const Positional& positional : action->positionals) {
    append_entry(out, std::string(positional.name), positional_help(positional), width);
  }
}

std::string markdown_cell(std::string text) {
  for (std::size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2)
    text.insert(i, "\\");
  return text;
}

std::string users_of(const Option& option) {
  std::vector<std::string_view> names;
  for (const Action& action : actions()) {
    if (option.used_by & action.bit) names.push_back(action.name);
  }
  return names.size() == actions().size() ? "all" : fmt::format("{}", fmt::join(names, ", "));
}

// "exit codes:" and the rows, as many on a line as fit.
void append_exit_codes(std::string& out, std::size_t width) {
  std::vector<std::string> parts;
  for (const ExitStatus& status : kExitStatuses) {
    parts.push_back(fmt::format("{} {}{}", status.codes, status.meaning,
                                &status == &std::end(kExitStatuses)[-1] ? "" : ","));
  }
  out += "exit codes:\n";
  append_parts(out, " ", parts, width);
}

}  // namespace

std::string_view description() {
  return kDescription;
}

std::span<const std::string_view> examples() {
  return kExamples;
}

std::span<const ExitStatus> exit_statuses() {
  return kExitStatuses;
}

std::string full_help(const Option& option) {
  std::string text(option.field.help);
  if (!option.field.choices.empty()) {
    text += fmt::format(" One of ({})", fmt::join(option.field.choices, "|"));
    if (option.or_path) text += " or a path";
  }
  const std::string standard = default_text(option);
  if (!standard.empty()) text += fmt::format(" (default: {})", standard);
  return text;
}

std::string positional_help(const Positional& positional) {
  std::string text(positional.help);
  if (positional.only_values) {
    text += fmt::format(" One of ({})", fmt::join(positional.values(), " | "));
  }
  return text;
}

std::string usage_line(const Action* action) {
  if (!action) return "usage: ch ACTION [MODEL] [DATASET] [options]    (ch --help explains them)";
  const std::vector<std::string> positionals = positional_parts(*action);
  return fmt::format("usage: ch {} {} [options]    (ch {} --help explains them)", action->name,
                     fmt::join(positionals, " "), action->name);
}

std::string help_text(const Action* action, int width) {
  width = std::clamp(width - 2, 50, 100);
  std::string out;
  append_usage(out, action, width);
  out += "\n";
  append_wrapped(
      out, action ? fmt::format("ch {}: {}.", action->name, action->summary) : kDescription, width);
  append_positionals(out, action, width);
  for (const Group group : kGroups) {
    std::string entries;
    for (const Option& option : options()) {
      if (option.group != group || !shows(option, action)) continue;
      append_entry(entries, invocation(option, action), full_help(option), width);
    }
    if (!entries.empty()) out += fmt::format("\n{}:\n{}", title(group), entries);
  }
  if (action && action->takes_lists) out += fmt::format("\n{}", kLists);
  if (action) return out;
  out += fmt::format("\nexamples:\n  {}\n\n", fmt::join(kExamples, "\n  "));
  append_exit_codes(out, static_cast<std::size_t>(width));
  return out;
}

std::string help_option(const Option& option, int width) {
  width = std::clamp(width - 2, 50, 100);
  std::string out =
      option.is_positional() ? std::string(option.dest()) : invocation(option, nullptr);
  out += "\n";
  for (const std::string& line : mase::wrap_text(full_help(option), width - 4)) {
    out += "    " + line + "\n";
  }
  if (option.is_number()) {
    out += fmt::format("    value: {}\n", wanted(option.field, "\"NA\" in a file"));
  }
  if (option.may_vary) out += "    takes a list of values in ch sweep: 'a,b,c'\n";
  if (option.in_table) out += fmt::format("    key in configuration files: {}\n", option.dest());
  out += fmt::format("    used by: {}\n", users_of(option));
  for (const Refusal& refusal : option.refused) {
    out += fmt::format("    not available: {} ({})\n", refusal.value, refusal.reason);
  }
  return out;
}

std::string options_markdown() {
  std::string out;
  for (const Group group : kGroups) {
    out += fmt::format(
        "## {}\n\n| option | key | default | used by | what it does |\n"
        "|---|---|---|---|---|\n",
        title(group));
    for (const Option& option : options()) {
      if (option.group != group) continue;
      const std::string spelled =
          option.is_positional() ? std::string(option.dest()) : invocation(option, nullptr);
      std::string help(option.field.help);
      if (!option.field.choices.empty())
        help += fmt::format(" One of {}.", fmt::join(option.field.choices, ", "));
      out +=
          fmt::format("| `{}` | {} | {} | {} | {} |\n", markdown_cell(spelled),
                      option.in_table ? fmt::format("`{}`", option.dest()) : "",
                      markdown_cell(default_text(option)), users_of(option), markdown_cell(help));
    }
    out += "\n";
  }
  return out;
}

}  // namespace ch
