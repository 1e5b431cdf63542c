// Running, masking and comparing transcripts.
#include "tests/ch/transcript.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <regex>
#include <sstream>

namespace transcript {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    line.erase(line.find_last_not_of(" \r") + 1);
    lines.push_back(line);
  }
  return lines;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t i = 0; (i = text.find(what, i)) != std::string::npos; i += with.size()) {
    text.replace(i, what.size(), with);
  }
}

// The argument table is as wide as the paths in it; it has tests of its own.
void collapse_argument_table(std::vector<std::string>& lines) {
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (!lines[i].starts_with("+--") || !lines[i + 1].starts_with("| Name  ")) continue;
    std::size_t end = i + 1;
    for (int rules = 1; rules < 3 && end < lines.size(); ++end) {
      if (lines[end].starts_with("+--")) ++rules;
    }
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                lines.begin() + static_cast<std::ptrdiff_t>(end));
    lines[i] = "<argument table>";
  }
}

bool matches_from(const std::vector<std::string>& expected, std::size_t e,
                  const std::vector<std::string>& actual, std::size_t a, std::string& why) {
  for (; e < expected.size(); ++e, ++a) {
    if (expected[e] == "...") {
      for (std::size_t skip = a; skip <= actual.size(); ++skip) {
        if (matches_from(expected, e + 1, actual, skip, why)) return true;
      }
      return false;
    }
    if (a == actual.size()) {
      why = fmt::format("missing: {}", expected[e]);
      return false;
    }
    if (expected[e] != actual[a]) {
      why = fmt::format("expected: {}\n  actual: {}", expected[e], actual[a]);
      return false;
    }
  }
  if (a < actual.size()) why = fmt::format("unexpected: {}", actual[a]);
  return a == actual.size();
}

}  // namespace

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<Step> read(const fs::path& file) {
  std::vector<Step> steps;
  for (const std::string& line : lines_of(text_of(file))) {
    if (line.starts_with("$ ")) {
      steps.push_back({line.substr(2), {}});
    } else if (!steps.empty()) {
      steps.back().expected.push_back(line);
    }
  }
  return steps;
}

Outcome run(const std::string& command, const fs::path& folder) {
  const std::string script = fmt::format(
      "cd '{0}' && export PATH='{1}/bin':\"$PATH\" COLUMNS=100 LC_ALL=C.UTF-8 NO_COLOR=1 "
      "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MASE_CACHE_DIR='{0}/cache' SOURCE='{2}'; "
      "unset MASE_DATA_DIR FORCE_COLOR CLICOLOR_FORCE; {{ {3}\n}} 2>&1",
      folder.string(), MASE_BINARY_DIR, MASE_SOURCE_DIR, command);
  Outcome outcome;
  std::FILE* pipe = popen(script.c_str(), "r");
  if (!pipe) return {.exit_code = -1, .output = "cannot start a shell"};
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.output.append(buffer, n);
  }
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

std::vector<std::string> masked(const Outcome& outcome, const fs::path& folder) {
  static const std::vector<std::pair<std::regex, std::string>> kMasks = {
      {std::regex(R"(\d\d:\d\d<\d\d:\d\d)"), "<time>"},
      {std::regex(R"( *[0-9.]+(it/s|s/it))"), " <rate>"},
      {std::regex(R"(\d{4}-\d\d-\d\d)"), "<date>"},
      {std::regex(R"( *(test_(acc|loss)_epoch) +[0-9.e+-]+)"), "     $1         <x>"},
      {std::regex(R"rx(((acc|loss)_(step|epoch)"?[:= ]+)[0-9.e+-]+)rx"), "$1<x>"},
      {std::regex(R"(last batch [0-9.]+)"), "last batch <x>"},
      // Of sweeps: lines of runs, and the table up to its last column, seconds.
      {std::regex(R"(\(\d+\.\d+ s\))"), "(<time>)"},
      {std::regex(R"((val|test)_(loss|acc) [0-9.]+)"), "$1_$2 <x>"},
      {std::regex(R"(\d\.\d{4} ± \d\.\d{4})"), "<x> ± <x>"},
      {std::regex(R"(\d\.\d{4}\.\.\d\.\d{4} \| +[0-9.]+ \|)"), "<x>..<x> | <time> |"},
      {std::regex(R"(Engine: native \(.*\))"), "Engine: native"},
  };
  std::string text = outcome.output;
  replace_all(text, folder.string(), "<dir>");
  replace_all(text, MASE_SOURCE_DIR, "<source>");
  for (const auto& [pattern, mask] : kMasks) text = std::regex_replace(text, pattern, mask);
  std::vector<std::string> lines = lines_of(text);
  collapse_argument_table(lines);
  if (outcome.exit_code != 0) lines.push_back(fmt::format("[exit {}]", outcome.exit_code));
  return lines;
}

bool matches(const std::vector<std::string>& expected, const std::vector<std::string>& actual,
             std::string& why) {
  return matches_from(expected, 0, actual, 0, why);
}

}  // namespace transcript
