#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ch/action.h"

namespace ch {

// "usage: ch train [model] [dataset] [options]": the line that goes before a usage error.
std::string usage_line(const Action* action);
// The whole help; of one action with the options it uses if `action` is not null.
std::string help_text(const Action* action, int width);
// One option: its spellings, what it does, its key in files, the actions that use it.
std::string help_option(const Option& option, int width);
// All options as Markdown tables, one per group: the option reference of the documentation.
std::string options_markdown();

// The pieces that the help and the manual share.
inline constexpr std::string_view kSummary =
    "train, look into, transform and test small neural networks";
struct ExitStatus {
  std::string_view codes;
  std::string_view meaning;
};
std::string_view description();
std::span<const std::string_view> examples();
std::span<const ExitStatus> exit_statuses();
std::string full_help(const Option& option);  // with its choices and its default
std::string positional_help(const Positional& positional);

}  // namespace ch
