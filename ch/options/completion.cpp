// Completion scripts. Each carries the tables as they are in this build: actions, the options each
// uses, the values of options and positionals.
#include "ch/options/completion.h"

#include <fmt/format.h>

#include <set>

#include "ch/action.h"
#include "mase/support/error.h"

namespace ch {

namespace {

bool used(const Option& option, const Action& action) {
  return !option.is_positional() && (option.used_by & action.bit) != 0;
}

std::string flags_of(const Action& action) {
  std::string text;
  for (const Option& option : options()) {
    if (!used(option, action)) continue;
    for (const std::string_view flag : option.flags) text += fmt::format("{} ", flag);
  }
  return text;
}

bool takes_path(const Option& option) {
  return option.field.type == mase::FieldType::Path || option.or_path || option.metavar == "PATH";
}

// Networks and tables are known by name, or are files.
bool takes_path(const Positional& positional) {
  return positional.values && !positional.only_values;
}

std::string joined_flags(const Option& option, std::string_view separator) {
  return fmt::format("{}", fmt::join(option.flags, separator));
}

std::string names(const Positional& positional) {
  if (!positional.values) return "";
  return fmt::format("{}", fmt::join(positional.values(), " "));
}

// For each value of the positional before it that has some, those behind it.
std::vector<std::pair<std::string, std::string>> names_after(const Action& action, std::size_t i) {
  std::vector<std::pair<std::string, std::string>> out;
  if (i == 0 || !action.positionals[i].values_after || !action.positionals[i - 1].values)
    return out;
  for (const std::string& before : action.positionals[i - 1].values()) {
    const std::vector<std::string> words = action.positionals[i].values_after(before);
    if (!words.empty()) out.emplace_back(before, fmt::format("{}", fmt::join(words, " ")));
  }
  return out;
}

// Single quotes, for all three shells.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_script() {
  std::string values;
  std::string taking;  // options that take a value, to find the positionals
  for (const Option& option : options()) {
    if (option.is_positional() || !option.takes_value()) continue;
    taking += fmt::format("{}{}", taking.empty() ? "" : "|", joined_flags(option, "|"));
    const std::string words = fmt::format("{}", fmt::join(option.field.choices, " "));
    if (words.empty() && !takes_path(option)) {
      values += fmt::format("    {}) return ;;\n", joined_flags(option, "|"));
      continue;
    }
    values +=
        fmt::format("    {}) COMPREPLY=($(compgen {} -W {} -- \"$cur\")); return ;;\n",
                    joined_flags(option, "|"), takes_path(option) ? "-f" : "", shell_quoted(words));
  }
  std::string flags;
  std::string positionals;
  for (const Action& action : actions()) {
    flags += fmt::format("    {}) words={} ;;\n", action.name, shell_quoted(flags_of(action)));
    for (std::size_t i = 0; i < action.positionals.size(); ++i) {
      for (const auto& [before, words] : names_after(action, i)) {
        positionals += fmt::format("    {}:{}:{}) words={} ;;\n", action.name, i + 1, before,
                                   shell_quoted(words));
      }
      positionals += fmt::format("    {}:{}:*) words={} ;;\n", action.name, i + 1,
                                 shell_quoted(names(action.positionals[i])));
    }
  }
  return fmt::format(
      R"(# bash completion for ch; load it with: source <(ch completion bash)
_ch() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} words='' action='' before='' count=0 i word
  COMPREPLY=()
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case $word in
      {taking}) [[ ${{COMP_WORDS[i+1]}} == = ]] && ((i++)); ((i++)) ;;
      -*) ;;
      *) if [[ -z $action ]]; then action=$word; else ((count++)); before=$word; fi ;;
    esac
  done
  case $prev in
{values}  esac
  if [[ $cur == -* ]]; then
    case $action in
{flags}    *) words='--help --version --info' ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  if [[ -z $action ]]; then
    COMPREPLY=($(compgen -W {actions} -- "$cur"))
    return
  fi
  case $action:$((count + 1)):$before in
{positionals}  esac
  COMPREPLY=($(compgen -f -W "$words" -- "$cur"))
}}
complete -o filenames -F _ch ch
)",
      fmt::arg("taking", taking), fmt::arg("values", values), fmt::arg("flags", flags),
      fmt::arg("positionals", positionals),
      fmt::arg("actions", shell_quoted(fmt::format("{}", fmt::join(action_names(), " ")))));
}

// Text inside of _arguments specifications: brackets and colons are syntax there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_values(const Option& option) {
  std::string words;
  for (const std::string_view choice : option.field.choices) words += fmt::format("{} ", choice);
  if (!words.empty() && !takes_path(option)) return fmt::format("({})", words);
  return takes_path(option) ? "_files" : " ";
}

std::string zsh_script() {
  std::string cases;
  for (const Action& action : actions()) {
    std::string specs;
    for (const Option& option : options()) {
      if (!used(option, action)) continue;
      for (const std::string_view flag : option.flags) {
        std::string spec = fmt::format("{}[{}]", flag, zsh_text(option.field.help));
        if (option.takes_value()) {
          spec += fmt::format("{}{}:{}", option.form == Form::OptionalValue ? "::" : ":",
                              option.metavar, zsh_values(option));
        }
        specs += fmt::format(" \\\n        {}", shell_quoted(spec));
      }
    }
    for (std::size_t i = 0; i < action.positionals.size(); ++i) {
      const Positional& positional = action.positionals[i];
      const std::string words = names(positional);
      std::string what = words.empty() ? " " : fmt::format("({})", words);
      if (const auto after = names_after(action, i); !after.empty()) {
        what = "{case $words[2] in ";  // the action is $words[1]
        for (const auto& [before, offered] : after) {
          what += fmt::format("{}) compadd -- {} ;; ", before, offered);
        }
        what += "esac}";
      }
      if (takes_path(positional)) {
        what = fmt::format("{{_alternative \"names:{}:({})\" \"files:file:_files\"}}",
                           positional.name, words);
      }
      specs += fmt::format(" \\\n        {}",
                           shell_quoted(fmt::format("{}:{}:{}", i + 1, positional.name, what)));
    }
    cases += fmt::format("    {})\n      _arguments{} ;;\n", action.name, specs);
  }
  std::string rows;
  for (const Action& action : actions()) {
    rows +=
        fmt::format("    {}\n", shell_quoted(fmt::format("{}:{}", action.name, action.summary)));
  }
  return fmt::format(R"(#compdef ch
# zsh completion for ch; put it into a folder of $fpath as _ch, or: source <(ch completion zsh)
_ch() {{
  local -a actions
  actions=(
{}  )
  if ((CURRENT == 2)); then
    _describe action actions
    return
  fi
  local action=$words[2]
  shift words
  ((CURRENT--))
  case $action in
{}  esac
}}
if [ "$funcstack[1]" = _ch ]; then _ch "$@"; else compdef _ch ch; fi
)",
                     rows, cases);
}

std::string fish_script() {
  std::string out =
      "# fish completion for ch; load it with: ch completion fish | source\n"
      "complete -c ch -f\n";
  for (const Action& action : actions()) {
    out += fmt::format("complete -c ch -n __fish_use_subcommand -a {} -d {}\n", action.name,
                       shell_quoted(action.summary));
    std::set<std::string> words;
    bool files = false;
    std::string first;  // where what follows depends on the first
    for (std::size_t i = 0; i < action.positionals.size(); ++i) {
      const Positional& positional = action.positionals[i];
      files = files || takes_path(positional);
      for (const auto& [before, offered] : names_after(action, i)) {
        first = "; and test (count (commandline -opc)) -eq 2";
        out += fmt::format(
            "complete -c ch -n '__fish_seen_subcommand_from {}; and contains -- {} (commandline "
            "-opc)[3]' -a {}\n",
            action.name, before, shell_quoted(offered));
      }
      if (!positional.values) continue;
      for (const std::string& value : positional.values()) words.insert(value);
    }
    if (!words.empty()) {
      out += fmt::format("complete -c ch -n '__fish_seen_subcommand_from {}{}'{} -a {}\n",
                         action.name, first, files ? " -F" : "",
                         shell_quoted(fmt::format("{}", fmt::join(words, " "))));
    }
  }
  for (const Option& option : options()) {
    if (option.is_positional()) continue;
    std::string users;
    for (const Action& action : actions()) {
      if (used(option, action)) users += fmt::format(" {}", action.name);
    }
    for (const std::string_view flag : option.flags) {
      std::string line = fmt::format("complete -c ch -n '__fish_seen_subcommand_from{}' -l {}",
                                     users, flag.substr(2));
      if (option.takes_value() && option.form != Form::OptionalValue) line += " -r";
      if (takes_path(option)) line += " -F";
      if (!option.field.choices.empty()) {
        line += fmt::format(" -a {}",
                            shell_quoted(fmt::format("{}", fmt::join(option.field.choices, " "))));
      }
      out += fmt::format("{} -d {}\n", line, shell_quoted(option.field.help));
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> shell_names() {
  return {"bash", "zsh", "fish"};
}

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  mase::usage_error(fmt::format("no completion for the shell '{}'", shell), {},
                    "choose from bash, zsh, fish");
}

}  // namespace ch
