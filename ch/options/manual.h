#pragma once

#include <string>

#include "ch/action.h"

namespace ch {

// The manual page ch(1), or that of one action (ch-train(1)) if `action` is not null, as man(7)
// source; made from the same rows as the help.
std::string manual_page(const Action* action);

}  // namespace ch
