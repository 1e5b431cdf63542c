#include "mase/support/terminal.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "mase/support/log.h"
#include "mase/support/progress.h"

namespace mase {
namespace {

// Sets an environment variable for one test; null takes it away.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~ScopedVariable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

class ColourTest : public testing::Test {
 protected:
  ScopedVariable no_color_{"NO_COLOR", nullptr};
  ScopedVariable force_{"FORCE_COLOR", nullptr};
  ScopedVariable cli_force_{"CLICOLOR_FORCE", nullptr};
};

class File {
 public:
  File() : file_(std::tmpfile()) {}
  ~File() { std::fclose(file_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::FILE* get() const { return file_; }
  std::string text() const {
    std::string out(static_cast<std::size_t>(std::ftell(file_)), '\0');
    std::rewind(file_);
    out.resize(std::fread(out.data(), 1, out.size(), file_));
    return out;
  }

 private:
  std::FILE* file_;
};

TEST_F(ColourTest, AFileHasNoneUnlessAsked) {
  const File file;
  EXPECT_FALSE(inspect_terminal(fileno(file.get())).colour);
  EXPECT_TRUE(inspect_terminal(fileno(file.get()), ColourPolicy::Always).colour);
}

TEST_F(ColourTest, ForceColorWinsOverAFileAndNoColorOverForceColor) {
  const File file;
  const ScopedVariable force("FORCE_COLOR", "1");
  EXPECT_TRUE(inspect_terminal(fileno(file.get())).colour);
  EXPECT_FALSE(inspect_terminal(fileno(file.get()), ColourPolicy::Never).colour);
  const ScopedVariable no_color("NO_COLOR", "1");
  EXPECT_FALSE(inspect_terminal(fileno(file.get())).colour);
}

TEST_F(ColourTest, ForceColorZeroIsNoForce) {
  const File file;
  const ScopedVariable force("CLICOLOR_FORCE", "0");
  EXPECT_FALSE(inspect_terminal(fileno(file.get())).colour);
}

// A terminal of its own, on which this process has nothing but a descriptor.
class PseudoTerminal {
 public:
  PseudoTerminal() { EXPECT_EQ(openpty(&master_, &slave_, nullptr, nullptr, nullptr), 0); }
  ~PseudoTerminal() {
    close(master_);
    close(slave_);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;
  int descriptor() const { return slave_; }

 private:
  int master_ = -1;
  int slave_ = -1;
};

TEST_F(ColourTest, BarsMoveOnATerminalOnlyAndNotWithoutColours) {
  const ScopedVariable term("TERM", "xterm");
  const PseudoTerminal terminal;
  const int fd = terminal.descriptor();
  EXPECT_TRUE(inspect_terminal(fd).interactive);
  EXPECT_FALSE(inspect_terminal(fd, ColourPolicy::Never).interactive);
  {
    const ScopedVariable no_color("NO_COLOR", "1");
    EXPECT_FALSE(inspect_terminal(fd).interactive);
    EXPECT_TRUE(inspect_terminal(fd, ColourPolicy::Always).interactive);
  }
  set_colour_policy(ColourPolicy::Never);  // --color never: of streams that know no policy, too
  EXPECT_FALSE(inspect_terminal(fd).interactive);
  EXPECT_FALSE(inspect_terminal(fd).colour);
  set_colour_policy(ColourPolicy::Auto);
  EXPECT_FALSE(inspect_terminal(fileno(File().get()), ColourPolicy::Always).interactive);
}

TEST(Terminal, WidthComesFromColumns) {
  const ScopedVariable columns("COLUMNS", "123");
  EXPECT_EQ(inspect_terminal(1).width, 123);
}

TEST(Terminal, WidthOfAFileIs80) {
  const ScopedVariable columns("COLUMNS", "nonsense");
  const File file;
  EXPECT_EQ(inspect_terminal(fileno(file.get())).width, 80);
}

TEST(Terminal, LocaleDecidesUtf8InTheRightOrder) {
  const ScopedVariable lang("LANG", "de_DE.UTF-8");
  const ScopedVariable ctype("LC_CTYPE", nullptr);
  {
    const ScopedVariable all("LC_ALL", nullptr);
    EXPECT_TRUE(locale_is_utf8());
  }
  const ScopedVariable all("LC_ALL", "C");
  EXPECT_FALSE(locale_is_utf8());
}

TEST(Terminal, WidthLeavesOutColoursAndCountsCodePoints) {
  EXPECT_EQ(visible_width("\x1b[38;5;8mgrün\x1b[0m"), 4u);
  EXPECT_EQ(without_ansi("\x1b[32mINFO\x1b[0m x"), "INFO x");
}

TEST(Log, PadsTheLevelAndColoursBothParts) {
  EXPECT_EQ(format_log(LogLevel::Info, "Training model", false), "INFO     Training model");
  EXPECT_EQ(format_log(LogLevel::Info, "Training model", true),
            "\x1b[32mINFO    \x1b[0m \x1b[34mTraining model\x1b[0m");
  EXPECT_EQ(format_log(LogLevel::Critical, "x", false), "CRITICAL x");
}

TEST(Log, DropsLinesBelowItsLevel) {
  const File file;
  Log log(file.get(), ColourPolicy::Never);
  log.debug("hidden");
  log.info("shown");
  log.set_level(LogLevel::Error);
  log.warning("hidden");
  EXPECT_EQ(file.text(), "INFO     shown\n");
}

TEST(Log, LeavesOutWarningsAlone) {
  const File file;
  Log log(file.get(), ColourPolicy::Never);
  log.show_warnings(false);
  log.warning("hidden");
  log.info("shown");
  log.error("shown too");
  EXPECT_EQ(file.text(), "INFO     shown\nERROR    shown too\n");
}

TEST(Log, LevelNamesReadBack) {
  for (const std::string& text : log_level_names()) {
    LogLevel level{};
    ASSERT_TRUE(parse_log_level(text, level));
    EXPECT_EQ(name(level), text);
  }
  LogLevel level{};
  EXPECT_FALSE(parse_log_level("verbose", level));
}

TEST(Progress, PrintsWhatTqdmPrints) {
  std::ifstream file(std::string(MASE_SOURCE_DIR) + "/tests/support/tables/tqdm.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_EQ(cases.size(), 12u);
  for (const auto& c : cases) {
    const std::string description = c["description"];
    const std::string postfix = c["postfix"];
    ProgressState state{
        .description = description, .done = c["done"], .seconds = c["seconds"], .postfix = postfix};
    if (!c["total"].is_null()) state.total = c["total"].get<std::int64_t>();
    EXPECT_EQ(format_progress(state, c["width"], c["utf8"]), c["text"].get<std::string>());
  }
}

TEST(Progress, InAFileThereIsOneLineAtTheEnd) {
  const File file;
  Progress bar("Work", 20, file.get());
  for (int i = 1; i <= 20; ++i) bar.update(i);
  bar.finish(20);
  bar.finish(20);
  const std::string text = file.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_TRUE(text.starts_with("Work: 100%|")) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(Progress, InAFileThereIsALineAtEveryTenthIfAsked) {
  const File file;
  Progress bar("Work", 1000, file.get(), {.every_tenth = true});
  for (int i = 1; i <= 1000; ++i) bar.update(i);
  bar.finish(1000);
  const std::string text = file.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10) << text;
}

TEST(Progress, OnATerminalItRedrawsOneLineAtMostAsOftenAsAllowed) {
  const File file;
  Progress bar(
      "Work", 1000, file.get(),
      {.least_interval = 60, .terminal = Terminal{.interactive = true, .utf8 = true, .width = 40}});
  for (int i = 1; i <= 1000; ++i) bar.update(i);
  bar.finish(1000);
  const std::string text = file.text();
  EXPECT_EQ(text.find("Work: 100%"), text.rfind("Work: 100%"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  // One drawing, its wiping, and the last line.
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 2) << text;
}

TEST(Progress, ABarThatIsNotKeptLeavesNothingBehind) {
  const File file;
  Progress bar("Work", 2, file.get(), {.keep = false});
  bar.finish(2);
  EXPECT_EQ(file.text(), "");
}

TEST(Progress, ALogLineWipesTheBarFirst) {
  const File file;
  const Terminal terminal{.interactive = true, .utf8 = false, .width = 40};
  Progress bar("Work", 2, file.get(), {.terminal = terminal});
  bar.update(1);
  Log(file.get(), ColourPolicy::Never).info("hello");
  bar.finish(2);
  EXPECT_NE(file.text().find("\r\x1b[2KINFO     hello\n"), std::string::npos);
}

}  // namespace
}  // namespace mase
