#pragma once

#include <string>

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

}  // namespace ch
