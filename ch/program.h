#pragma once

#include <string>
#include <vector>

namespace ch {

// `ch` with these arguments (without the program's name): the exit code. Never throws.
int run_program(const std::vector<std::string>& arguments);

}  // namespace ch
