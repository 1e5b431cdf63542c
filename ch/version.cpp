// The version of the program and how it was built.
#include "ch/version.h"

#include <fmt/format.h>

#include "mase/engine/engine.h"

namespace ch {

namespace {

constexpr std::string_view kLogo = R"(
 __  __    _    ____  _____
|  \/  |  / \  / ___|| ____|
| |\/| | / _ \ \___ \|  _|
| |  | |/ ___ \ ___) | |___
|_|  |_/_/   \_\____/|_____|
)";

#if defined(__clang__)
constexpr std::string_view kCompiler = "Clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

std::string version_text(bool logo) {
  return fmt::format(
      "ch {}\n"
      "compiler  {}, {}\n"
      "engines   {}\n{}",
      MASE_VERSION, kCompiler, MASE_BUILD_TYPE, fmt::join(mase::engine::engine_names(), ", "),
      logo ? kLogo : "");
}

}  // namespace ch
