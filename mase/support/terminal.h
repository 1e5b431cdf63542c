#pragma once

#include <string>
#include <string_view>

namespace mase {

// What the user asked for with --color.
enum class ColourPolicy { Auto, Always, Never };

// What a stream of this process can show. Plain data, so that tests and callers may make their own.
struct Terminal {
  bool interactive = false;  // a person looks at it and movement is wanted: bars may be redrawn
  bool colour = false;       // ANSI colours are wanted
  bool utf8 = false;         // block characters can be shown; else only ASCII
  int width = 80;            // columns
};

// What all streams of the process follow that are inspected under Auto.
void set_colour_policy(ColourPolicy policy);

// Looks at a file descriptor and the environment. Colour under Auto: no if NO_COLOR is set (not
// empty) or TERM is "dumb"; yes if FORCE_COLOR or CLICOLOR_FORCE is set (not empty, not 0); else on
// a terminal only. Interactive: a terminal that is not "dumb", unless NO_COLOR or the policy Never
// asks for plain text. Width: COLUMNS if positive, else what the terminal says, else 80.
Terminal inspect_terminal(int fd, ColourPolicy policy = ColourPolicy::Auto);

// Writes a line and its end to standard error, in one piece. Where that is closed or full there is
// nobody to tell: nothing is thrown, and the work goes on.
void print_error_line(std::string_view line);

// Whether the locale of the environment (LC_ALL, LC_CTYPE, LANG, the first that is set) is UTF-8.
bool locale_is_utf8();

namespace ansi {
inline constexpr std::string_view kReset = "\x1b[0m";
inline constexpr std::string_view kGrey = "\x1b[38;5;8m";
inline constexpr std::string_view kRed = "\x1b[31m";
inline constexpr std::string_view kGreen = "\x1b[32m";
inline constexpr std::string_view kYellow = "\x1b[33m";
inline constexpr std::string_view kBlue = "\x1b[34m";
inline constexpr std::string_view kCyan = "\x1b[36m";
inline constexpr std::string_view kRedOnWhite = "\x1b[31;47m";
}  // namespace ansi

// `code` + text + reset.
std::string paint(std::string_view text, std::string_view code);
// Without ANSI colour sequences (ESC [ ... letter).
std::string without_ansi(std::string_view text);
// Columns that a line takes: code points outside of ANSI sequences.
std::size_t visible_width(std::string_view line);

}  // namespace mase
