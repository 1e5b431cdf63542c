// Manual pages: the rows of actions and options in the macros of man(7).
#include "ch/options/manual.h"

#include <fmt/format.h>

#include "ch/options/help.h"

namespace ch {

namespace {

struct Entry {
  std::string_view name;
  std::string_view text;
};

constexpr Entry kFiles[] = {
    {"configs/models/NAME.toml",
     "model files found by name in the working directory, after the folder of --model-dir and "
     "before the installed ones."},
    {"mase_output/PROJECT/software/training_ckpts/",
     "best.ckpt and last.ckpt of a run, PyTorch Lightning files."},
    {"mase_output/PROJECT/software/tensorboard/",
     "event files, hparams.yaml and metrics.csv of each run."},
    {"mase_output/PROJECT/software/transform/",
     "what the passes wrote, and transformed_ckpt/ with the transformed network; version_N/ in it "
     "while another transform is at work there."},
    {"mase_output/PROJECT/sweep/",
     "sweep.csv, sweep.json and sweep.html of a sweep, and runs/ with a project for each run."},
};

constexpr Entry kEnvironment[] = {
    {"MASE_DATA_DIR", "folder of data files, searched after that of --data-dir."},
    {"MASE_CACHE_DIR", "folder for prepared data instead of mase in the user's cache folder."},
    {"MASE_ENGINE_DIR", "folder of the engine modules, where they are not in their usual place."},
    {"MASE_NATIVE_ISA", "instructions the native engine uses: portable, avx2 or avx512."},
    {"NO_COLOR, FORCE_COLOR", "turn colours off or on, whatever the output is."},
    {"COLUMNS", "width of what is printed, where the output is no terminal."},
};

// Plain text as roff prints it: hyphens that can be searched for and copied, no escapes, no line
// that reads as a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool begins_line = out.empty() || out.back() == '\n';
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string entry(std::string_view head, std::string_view text) {
  return fmt::format(".TP\n.B {}\n{}\n", roff(head), roff(text));
}

// "\fB\-\-load\fR \fIPATH\fR, ..."
std::string heading(const Option& option) {
  std::vector<std::string> spelled;
  std::vector<std::string_view> flags = option.flags;
  if (!option.short_flag.empty()) flags.insert(flags.begin(), option.short_flag);
  for (const std::string_view flag : flags) {
    std::string text = fmt::format("\\fB{}\\fR", roff(flag));
    if (option.form == Form::OptionalValue) {
      text += fmt::format(" [\\fI{}\\fR]", roff(option.metavar));
    } else if (option.takes_value()) {
      text += fmt::format(" \\fI{}\\fR", roff(option.metavar));
    }
    spelled.push_back(text);
  }
  return fmt::format("{}", fmt::join(spelled, ", "));
}

std::string options_of(const Action* action) {
  std::string out;
  for (const Group group : kGroups) {
    std::string entries;
    for (const Option& option : options()) {
      if (option.group != group || option.is_positional()) continue;
      if (action && (option.used_by & action->bit) == 0) continue;
      entries += fmt::format(".TP\n{}\n{}\n", heading(option), roff(full_help(option)));
    }
    if (!entries.empty()) out += fmt::format(".SS {}\n{}", roff(title(group)), entries);
  }
  return out;
}

std::string synopsis(const Action* action) {
  if (!action) return ".B ch\n.I action\n.RI [ model ]\n.RI [ dataset ]\n.RI [ options ]\n";
  std::string out = fmt::format(".B ch {}\n", roff(action->name));
  for (const Positional& positional : action->positionals) {
    const std::string name = roff(positional.name);
    out += positional.required ? fmt::format(".I {}\n", name) : fmt::format(".RI [ {} ]\n", name);
  }
  return out + ".RI [ options ]\n";
}

std::string arguments_of(const Action& action) {
  std::string out;
  for (const Positional& positional : action.positionals) {
    out += entry(positional.name, positional_help(positional));
  }
  return out.empty() ? "" : ".SH ARGUMENTS\n" + out;
}

std::string actions_section() {
  std::string out = ".SH ACTIONS\n";
  for (const Action& action : actions()) {
    out += entry(action.name, fmt::format("{}; see ch-{}(1).", action.summary, action.name));
  }
  return out;
}

template <std::size_t n>
std::string section(std::string_view name, const Entry (&entries)[n]) {
  std::string out = fmt::format(".SH {}\n", name);
  for (const Entry& row : entries) out += entry(row.name, row.text);
  return out;
}

std::string exit_status() {
  std::string out = ".SH \"EXIT STATUS\"\n";
  for (const ExitStatus& status : exit_statuses()) out += entry(status.codes, status.meaning);
  return out;
}

std::string examples_section() {
  std::string out = ".SH EXAMPLES\n.nf\n";
  for (const std::string_view line : examples()) out += roff(line) + "\n";
  return out + ".fi\n";
}

std::string see_also(const Action* action) {
  std::string out = ".SH \"SEE ALSO\"\n";
  if (action) return out + ".BR ch (1)\n";
  for (const Action& row : actions()) {
    out += fmt::format(".BR ch\\-{} (1){}\n", roff(row.name), &row == &actions().back() ? "" : ",");
  }
  return out;
}

}  // namespace

std::string manual_page(const Action* action) {
  const std::string name = action ? fmt::format("ch-{}", action->name) : "ch";
  std::string title = name;
  for (char& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string out = fmt::format(".TH {} 1 \"\" \"mase {}\" \"mase\"\n", roff(title), MASE_VERSION);
  out += fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}", roff(name),
                     roff(action ? action->summary : kSummary), synopsis(action));
  if (!action) {
    out += fmt::format(".SH DESCRIPTION\n{}\n{}", roff(description()), actions_section());
  } else {
    out += arguments_of(*action);
  }
  out += ".SH OPTIONS\n" + options_of(action);
  if (!action) {
    out += exit_status() + section("ENVIRONMENT", kEnvironment) + section("FILES", kFiles) +
           examples_section();
  }
  return out + see_also(action);
}

}  // namespace ch
