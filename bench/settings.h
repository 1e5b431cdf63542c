#pragma once

#include <string>
#include <vector>

// The command line that all benchmark programs share.
namespace mase::bench {

struct Settings {
  int windows = 15;
  double seconds = 0.06;             // of processor time, of one window of one contender
  bool smoke = false;                // does it run at all: one short window, small tables
  std::vector<std::string> filters;  // measure rows that contain each of these texts

  // Whether the row of this name ("jsc-toy train 256") is asked for.
  bool wants(const std::string& row) const;
};

// What to say of the figures of a smoke run.
inline constexpr const char* kSmokeFigures = "A smoke run: its figures say nothing about speed.";

// Throws Error{Usage} if no row was asked for by the name that it has.
void need_rows(const Settings& settings, int rows);

// [--smoke] [--windows N] [--milliseconds N] [text ...]. Prints the usage and exits with 2 on a
// mistake, with 0 after --help.
Settings parse_settings(int argc, char** argv, const char* about);

}  // namespace mase::bench
