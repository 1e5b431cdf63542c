// The manual pages: complete, and clean to the formatter where one is installed.
#include "ch/options/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/ch/transcript.h"

namespace ch {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// What a reader finds: the page without the marks of roff.
std::string plain(std::string text) {
  for (const std::string_view mark : {"\\fB", "\\fI", "\\fR", "\\"}) {
    for (std::size_t i = 0; (i = text.find(mark, i)) != std::string::npos;) {
      text.erase(i, mark.size());
    }
  }
  return text;
}

TEST(Manual, HasEveryActionAndOption) {
  const std::string whole = plain(manual_page(nullptr));
  for (const Action& action : actions()) {
    EXPECT_THAT(whole, HasSubstr("\n.B " + std::string(action.name) + "\n"));
    EXPECT_THAT(whole, HasSubstr(".BR ch-" + std::string(action.name) + " (1)"));
    const std::string page = plain(manual_page(&action));
    for (const Option& option : options()) {
      if (option.is_positional()) continue;
      const std::string heading = std::string(option.name());
      EXPECT_THAT(whole, HasSubstr(heading));
      const bool used = (option.used_by & action.bit) != 0;
      const bool listed = page.find("\n.TP\n" + heading) != std::string::npos ||
                          page.find("\n.TP\n" + std::string(option.short_flag) + ", " + heading) !=
                              std::string::npos;
      EXPECT_EQ(listed, used) << action.name << " " << heading;
    }
  }
}

TEST(Manual, FormatsWithoutAWarning) {
  const fs::path folder = fs::path(testing::TempDir()) / "ch_manual";
  fs::create_directories(folder);
  if (transcript::run("command -v groff", folder).exit_code != 0) {
    GTEST_SKIP() << "groff is not installed";
  }
  std::ofstream(folder / "ch.1") << manual_page(nullptr);
  for (const Action& action : actions()) {
    std::ofstream(folder / ("ch-" + std::string(action.name) + ".1")) << manual_page(&action);
  }
  const auto warnings = transcript::run("groff -man -ww -Tutf8 ch*.1 > all.txt", folder);
  EXPECT_EQ(warnings.exit_code, 0);
  EXPECT_EQ(warnings.output, "");
  const auto page = transcript::run("groff -man -Tutf8 -P-cbou ch-train.1", folder);
  EXPECT_THAT(page.output, HasSubstr("--learning-rate NUM"));
  EXPECT_THAT(page.output, HasSubstr("(default: 1e-05)"));
}

}  // namespace
}  // namespace ch
