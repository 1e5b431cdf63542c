#pragma once

#include <string>

namespace ch {

// "ch 0.1.0" in the first line, then how it was built; with `logo`, the logo last.
std::string version_text(bool logo);

}  // namespace ch
