#include "mase/support/printable.h"

#include <gtest/gtest.h>

#include "mase/support/log.h"
#include "mase/support/table.h"
#include "mase/support/terminal.h"

namespace mase {
namespace {

using namespace std::string_literals;

TEST(Printable, TextStaysAsItIs) {
  for (const char* text : {"", "plain", "line\n\tindented", "é ☃ 漢字 😀 ▏█ \u00a0"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, CommandsOfTerminalsAreSpelledOut) {
  EXPECT_EQ(printable("\x1b[31mred\a\b\r\x7f"), "\\x1b[31mred\\x07\\x08\\x0d\\x7f");
  EXPECT_EQ(printable("a\0b"s), "a\\x00b");
  EXPECT_EQ(printable("\u009b2J"), "\\u009b2J");                  // CSI in one character
  EXPECT_EQ(printable("abc\u202egpj.exe"), "abc\\u202egpj.exe");  // turns the direction
}

TEST(Printable, BytesThatAreNoTextAreSpelledOut) {
  EXPECT_EQ(printable("\xff\x80"), "\\xff\\x80");
  EXPECT_EQ(printable("\xc3"), "\\xc3");                    // cut off
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(Printable, LongNamesLoseTheirMiddle) {
  EXPECT_EQ(shortened("short"), "short");
  const std::string name = "begin" + std::string(3'000'000, 'x') + "end";
  const std::string text = shortened(name);
  EXPECT_LT(text.size(), 220u);
  EXPECT_TRUE(text.starts_with("begin") && text.ends_with("end")) << text;
  EXPECT_NE(text.find("(2999858 bytes left out)"), std::string::npos) << text;
  // Characters stay whole wherever the cut falls.
  for (std::size_t blanks = 0; blanks < 4; ++blanks) {
    std::string snowmen(blanks, ' ');
    for (int i = 0; i < 1000; ++i) snowmen += "☃";
    EXPECT_EQ(printable(shortened(snowmen)), shortened(snowmen));
  }
}

TEST(Printable, MessagesStayShortAndTablesWhole) {
  const std::string name(3'000'000, 'n');
  const std::string text = message_text("no node has the name '" + name + "'\nand a hint");
  EXPECT_LT(text.size(), 500u);
  EXPECT_TRUE(text.starts_with("no node has the name 'nnn")) << text;
  EXPECT_TRUE(text.ends_with("nnn'\nand a hint")) << text;
  std::string spaced;
  for (int i = 0; i < 100'000; ++i) spaced += "word ";
  EXPECT_LT(message_text(spaced).size(), 11'000u);
  const std::string rule = "|" + std::string(2000, '-') + "+" + std::string(9000, '-') + "|";
  EXPECT_EQ(message_text(rule), rule);
}

TEST(Printable, TheLogAndTablesShowNothingRaw) {
  EXPECT_EQ(format_log(LogLevel::Info, "\x1b[2J", false), "INFO     \\x1b[2J");
  EXPECT_NE(format_log(LogLevel::Info, "\x1b[2J", true).find("\\x1b[2J"), std::string::npos);
  EXPECT_NE(format_log(LogLevel::Info, "blue", true).find(ansi::kBlue), std::string::npos);
  const std::string table = format_table({"a\x1b"}, {{std::string("\x1b[31mx")}});
  EXPECT_EQ(table.find('\x1b'), std::string::npos) << table;
  const std::string red = paint("x", ansi::kRed);
  EXPECT_NE(format_table({"a"}, {{red}}, {.painted = true}).find(red), std::string::npos);
}

}  // namespace
}  // namespace mase
