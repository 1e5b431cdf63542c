#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ch {

// The completion script of a shell ("bash", "zsh", "fish"), made from the tables.
std::string completion_script(std::string_view shell);
std::vector<std::string> shell_names();

}  // namespace ch
