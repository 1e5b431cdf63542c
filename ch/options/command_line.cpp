// A command line in argparse's manner, driven by the option rows. CLI11 is not used: it knows no
// prefixes, and its messages and exit codes are not the ones users of `ch` know.
#include "ch/options/command_line.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "ch/action.h"
#include "ch/options/columns.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/support/suggest.h"

namespace ch {

using mase::Diagnostics;
using mase::FieldType;
using mase::ir::Value;

namespace {

bool looks_like_number(std::string_view text) {
  return text.size() > 1 && text[0] == '-' &&
         (text[1] == '.' || (text[1] >= '0' && text[1] <= '9'));
}

bool is_option_like(std::string_view text) {
  return text.size() > 1 && text[0] == '-' && !looks_like_number(text);
}

std::vector<std::string> all_flags() {
  std::vector<std::string> flags;
  for (const Option& option : options())
    flags.insert(flags.end(), option.flags.begin(), option.flags.end());
  return flags;
}

struct Match {
  const Option* option = nullptr;
  std::string spelling;
};

// The option that a spelling, or the only option that a prefix stands for.
std::optional<Match> match_flag(const std::string& flag, Diagnostics& diagnostics) {
  if (const Option* option = find_flag(flag)) return Match{option, flag};
  std::vector<Match> matches;
  if (flag.starts_with("--") && flag.size() > 2) {
    for (const Option& option : options()) {
      for (const std::string_view candidate : option.flags) {
        if (!candidate.starts_with(flag)) continue;
        if (matches.empty() || matches.back().option != &option) {
          matches.push_back({&option, std::string(candidate)});
        }
      }
    }
  }
  if (matches.size() == 1) return matches.front();
  if (!matches.empty()) {
    std::string names;
    for (const Match& match : matches) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", match.spelling);
    }
    diagnostics.add(fmt::format("ambiguous option: {} could match {}", flag, names));
    return std::nullopt;
  }
  for (const Absent& absent : absent_options()) {
    if (absent.flag == flag) {
      diagnostics.add(fmt::format("{} is not available: {}", flag, absent.reason));
      return std::nullopt;
    }
  }
  diagnostics.add(fmt::format("unrecognized arguments: {}", flag), {},
                  mase::did_you_mean(flag, all_flags()));
  return std::nullopt;
}

// Whether `text` may be the value of an option whose value can be left out: a positional that
// follows (`--resume jsc-tiny jsc`) must not be swallowed.
// `spare`: there are more words than the action has places for, so one of them is the value.
bool may_be_optional_value(const Option& option, const std::string& text, bool spare) {
  namespace fs = std::filesystem;
  for (const std::string_view choice : option.field.choices) {
    if (choice == text) return true;
  }
  if (!option.or_path) return false;
  const fs::path path = text;
  std::error_code error;
  if (spare || path.extension() == ".ckpt") return true;
  // A file that is there is what it holds: a model file or a table may follow, too.
  if (fs::is_regular_file(path, error)) return mase::io::detect_checkpoint(path).ok();
  return text.find('/') != std::string::npos;
}

void add_list(CommandLine& line, const Match& match, const std::string& text,
              Diagnostics& diagnostics) {
  std::vector<std::string> problems;
  std::vector<Value> values = parse_list(*match.option, text, problems);
  const bool missing = names_missing_file(*match.option, text);
  for (const std::string& problem : problems) {
    (missing ? line.missing : diagnostics)
        .add(fmt::format("argument {}: {}", match.spelling, problem));
  }
  if (!problems.empty() || values.empty()) return;
  Value first = values.front();
  if (values.size() == 1) values.clear();
  line.given.push_back({match.option, std::move(first), match.spelling, std::move(values)});
}

void add_value(CommandLine& line, const Match& match, const std::string& text,
               Diagnostics& diagnostics) {
  std::string problem;
  std::optional<Value> value = parse_value(*match.option, text, problem);
  if (value) problem = check_value(*match.option, *value);
  if (!problem.empty()) {
    const bool missing = value && names_missing_file(*match.option, *value);
    (missing ? line.missing : diagnostics)
        .add(fmt::format("argument {}: {}", match.spelling, problem));
    return;
  }
  const FieldType type = match.option->field.type;
  const bool adds = type == FieldType::List || type == FieldType::Table;
  for (Given& earlier : line.given) {
    if (!adds || earlier.option != match.option) continue;
    if (type == FieldType::List) {
      earlier.value.get<mase::ir::List>()->push_back(text);
    } else if (problem = merge_columns(earlier.value, *value); !problem.empty()) {
      diagnostics.add(fmt::format("argument {}: {}", match.spelling, problem));
    }
    return;
  }
  line.given.push_back({match.option, std::move(*value), match.spelling});
}

// Whether a flag stands for its own name here: `ch help option --max-epochs`.
bool takes_flag(const CommandLine& line) {
  const std::vector<std::string>& words = line.positionals;
  const Action* action = words.empty() ? nullptr : find_action(words.front());
  if (!action || words.size() < 2 || words.size() > action->positionals.size()) return false;
  const Positional& next = action->positionals[words.size() - 1];
  return !next.flag_after.empty() && next.flag_after == words.back();
}

struct Reading {
  bool lists = false;  // options that may vary take several values
  bool spare = false;  // one word more than there are places for
};

CommandLine read(std::span<const std::string> arguments, const Reading& reading,
                 Diagnostics& diagnostics) {
  CommandLine line;
  const auto add = [&](const Match& match, const std::string& text) {
    const bool list = reading.lists && match.option->may_vary;
    (list ? add_list : add_value)(line, match, text, diagnostics);
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      line.positionals.insert(line.positionals.end(), arguments.begin() + i + 1, arguments.end());
      break;
    }
    if (!is_option_like(argument) || takes_flag(line)) {
      line.positionals.push_back(argument);
      continue;
    }
    const std::size_t equals = argument.starts_with("--") ? argument.find('=') : std::string::npos;
    const std::string flag = argument.substr(0, equals);
    const auto match = match_flag(flag, diagnostics);
    const bool has_next = i + 1 < arguments.size() && !is_option_like(arguments[i + 1]);
    if (!match) continue;
    const Option& option = *match->option;
    if (!option.takes_value()) {
      if (equals != std::string::npos) {
        diagnostics.add(fmt::format("argument {}: ignored explicit argument '{}'", match->spelling,
                                    argument.substr(equals + 1)));
        continue;
      }
      line.given.push_back({&option, true, match->spelling});
    } else if (equals != std::string::npos) {
      add(*match, argument.substr(equals + 1));
    } else if (option.form == Form::OptionalValue) {
      const bool take = has_next && may_be_optional_value(option, arguments[i + 1], reading.spare);
      add(*match, take ? arguments[++i] : std::string(option.field.choices.front()));
    } else if (has_next) {
      add(*match, arguments[++i]);
    } else {
      diagnostics.add(fmt::format("argument {}: expected one argument", match->spelling));
    }
  }
  return line;
}

}  // namespace

const Value* CommandLine::find(std::string_view dest) const {
  for (auto item = given.rbegin(); item != given.rend(); ++item) {
    if (item->option->dest() == dest) return &item->value;
  }
  return nullptr;
}

CommandLine read_command_line(std::span<const std::string> arguments, Diagnostics& diagnostics) {
  // Whether values are lists, and how many words have a place, depends on the action, which may
  // stand behind them.
  Diagnostics ignored;
  const CommandLine first = read(arguments, {}, ignored);
  const Action* action =
      first.positionals.empty() ? nullptr : find_action(first.positionals.front());
  if (!action) return read(arguments, {}, diagnostics);
  return read(arguments,
              {.lists = action->takes_lists,
               .spare = first.positionals.size() > 1 + action->positionals.size()},
              diagnostics);
}

}  // namespace ch
