#pragma once

#include <filesystem>
#include <string>
#include <vector>

// Transcripts: what a person types and what `ch` answers, compared with times, paths and measured
// figures masked. A file holds commands and the expected standard output and error together:
//
//     $ ch info formats
//     Format  ...
//     [exit 2]           after the output, where it is not 0
//
// A line "..." stands for any lines. MASE_UPDATE_TRANSCRIPTS=1 writes down what really happens
// instead of comparing ("..." lines are lost then).
namespace transcript {

struct Step {
  std::string command;
  std::vector<std::string> expected;
};

std::vector<Step> read(const std::filesystem::path& file);

struct Outcome {
  int exit_code = 0;
  std::string output;  // both streams, in the order of writing
};

// Runs a command of the shell in `folder` with a quiet, fixed environment.
Outcome run(const std::string& command, const std::filesystem::path& folder);

std::string text_of(const std::filesystem::path& file);  // its content; "" if there is none

// Masks what differs from run to run.
std::vector<std::string> masked(const Outcome& outcome, const std::filesystem::path& folder);

// Whether the lines are as expected; `why` names the first that is not.
bool matches(const std::vector<std::string>& expected, const std::vector<std::string>& actual,
             std::string& why);

}  // namespace transcript
