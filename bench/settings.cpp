// Options of the benchmark programs.
#include "bench/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "mase/engine/math_libraries.h"
#include "mase/support/error.h"

namespace mase::bench {
namespace {

[[noreturn]] void usage(const char* program, const char* about, int code) {
  fmt::print(code == 0 ? stdout : stderr,
             "{}\nusage: {} [--smoke] [--windows N] [--milliseconds N] [text ...]\n"
             "  text              only rows whose name contains it, all of them if several\n"
             "  --windows N       windows of each contender of a row (default 15)\n"
             "  --milliseconds N  processor time of a window (default 60)\n"
             "  --smoke           one short window of each row: does it run at all\n",
             about, program);
  std::exit(code);
}

}  // namespace

bool Settings::wants(const std::string& row) const {
  return std::all_of(filters.begin(), filters.end(),
                     [&](const std::string& text) { return row.find(text) != row.npos; });
}

void need_rows(const Settings& settings, int rows) {
  if (rows > 0) return;
  usage_error(fmt::format("no row's name contains {}", fmt::join(settings.filters, " and ")), {},
              "without texts all rows are measured");
}

Settings parse_settings(int argc, char** argv, const char* about) {
  // Where bare LibTorch is linked, its libraries are loaded already: they see how users have them
  // set only in a process that starts with it.
  if (engine::prepare_math_libraries()) execv("/proc/self/exe", argv);
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto number = [&] {
      char* end = nullptr;
      const double value = i + 1 < argc ? std::strtod(argv[++i], &end) : 0.0;
      if (!(value >= 1 && value <= 1e6) || *end != '\0') usage(argv[0], about, 2);
      return value;
    };
    if (argument == "--help") usage(argv[0], about, 0);
    if (argument == "--smoke") {
      settings.smoke = true;
      settings.windows = 1;
      settings.seconds = 0.001;
    } else if (argument == "--windows") {
      settings.windows = static_cast<int>(number());
    } else if (argument == "--milliseconds") {
      settings.seconds = number() / 1000;
    } else if (argument.starts_with("--")) {
      usage(argv[0], about, 2);
    } else {
      settings.filters.emplace_back(argument);
    }
  }
  return settings;
}

}  // namespace mase::bench
