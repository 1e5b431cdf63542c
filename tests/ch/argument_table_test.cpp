// The argument table against those that MASE printed in real runs.
#include "ch/options/argument_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "mase/io/text/toml.h"
#include "mase/support/terminal.h"
#include "tests/shared_data.h"

namespace ch {
namespace {

using mase::Diagnostics;
using testing::HasSubstr;

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

// Cells by row name, grey marked with '*', lines of one cell joined.
using Cells = std::map<std::string, std::vector<std::string>>;
Cells cells_of(const std::string& table) {
  Cells rows;
  std::string name;
  std::istringstream in(table);
  int rules = 0;  // the third ends the table
  for (std::string line; rules < 3 && std::getline(in, line);) {
    if (line.starts_with("+--")) ++rules;
    if (!line.starts_with("|")) continue;
    std::vector<std::string> cells;
    std::istringstream parts(line.substr(1));
    for (std::string cell; std::getline(parts, cell, '|');) {
      const bool grey = cell.find(mase::ansi::kGrey) != std::string::npos;
      cell = trimmed(mase::without_ansi(cell));
      cells.push_back((grey && !cell.empty() ? "*" : "") + cell);
    }
    if (!cells[0].empty()) name = cells[0];
    auto& row = rows[name];
    row.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) row[i] += cells[i];
  }
  return rows;
}

Settings merged(const std::string& toml, std::vector<std::string> arguments) {
  Settings settings;
  Diagnostics diagnostics;
  settings.apply(read_command_line(arguments, diagnostics));
  if (!toml.empty()) {
    settings.apply(mase::io::parse_toml(toml, "c.toml").or_throw(), diagnostics);
  }
  diagnostics.throw_if_any();
  settings.settle();
  return settings;
}

// Rows that differ by design: other defaults, or paths that were masked.
const std::set<std::string> kOtherHere = {"load_type", "load_name", "project_dir", "num_workers"};

void expect_rows_of(const std::string& transcript, const Settings& settings) {
  std::ifstream in(shared_data() / "mase_runs/transcripts" / transcript);
  std::ostringstream text;
  text << in.rdbuf();
  const Cells theirs = cells_of(text.str());
  const Cells ours = cells_of(argument_table(settings, true));
  int compared = 0;
  for (const auto& [name, cells] : ours) {
    const auto found = theirs.find(name);
    if (found == theirs.end() || kOtherHere.contains(name)) continue;
    EXPECT_EQ(cells, found->second) << name;
    ++compared;
  }
  EXPECT_GE(compared, 19) << "most rows of ours are rows of theirs";
  for (const auto& [name, cells] : theirs) {
    if (ours.contains(name)) continue;
    const auto& absent = absent_options();
    EXPECT_TRUE(std::any_of(absent.begin(), absent.end(),
                            [&dest = name](const Absent& row) { return row.dest == dest; }))
        << name << " is neither a row nor known to be absent";
  }
}

TEST(ArgumentTable, EqualsARunWithoutFile) {
  MASE_NEEDS_SHARED_DATA("mase_runs/transcripts/train_toy.txt");
  Settings settings =
      merged("", {"--max-epochs", "10", "--batch-size", "256", "--learning-rate", "1e-2",
                  "--accelerator", "cpu", "--trainer-precision", "32", "--project", "toy32"});
  settings.at("model").manual = "jsc-toy";
  settings.at("dataset").manual = "jsc";
  expect_rows_of("train_toy.txt", settings);
}

TEST(ArgumentTable, EqualsARunWithFile) {
  MASE_NEEDS_SHARED_DATA("mase_runs/transcripts/train_tiny_config.txt");
  expect_rows_of("train_tiny_config.txt",
                 merged("model = \"jsc-tiny\"\ndataset = \"jsc\"\ntask = \"cls\"\n"
                        "max_epochs = 5\nbatch_size = 512\nlearning_rate = 1e-2\nseed = 42\n"
                        "log_every_n_steps = 5\naccelerator = \"gpu\"\nproject = \"jsc-tiny\"\n",
                        {"--accelerator", "cpu"}));
}

TEST(ArgumentTable, EqualsATransform) {
  MASE_NEEDS_SHARED_DATA("mase_runs/transcripts/toy_by_type.txt");
  expect_rows_of("toy_by_type.txt",
                 merged("task = \"cls\"\nbatch_size = 256\nseed = 42\naccelerator = \"cpu\"\n"
                        "project = \"toy_by_type\"\nmodel = \"jsc-toy\"\ndataset = \"jsc\"\n",
                        {"--task", "cls"}));
}

TEST(ArgumentTable, OrdersModelAndDatasetAfterTheRowsOfMase) {
  const std::string table = argument_table(Settings(), false);
  std::vector<std::string> names;
  for (const Option& option : options()) {
    if (option.in_table) names.emplace_back(option.dest());
  }
  std::size_t at = 0;
  for (const std::string& name : names) {
    const std::size_t next = table.find("\n| " + name + " ", at);
    ASSERT_NE(next, std::string::npos) << name;
    at = next;
  }
  EXPECT_THAT(table, HasSubstr("| Name                    |"));
  EXPECT_THAT(table, testing::Not(HasSubstr("Config. File")));
  EXPECT_THAT(table, testing::Not(HasSubstr("\x1b[")));
}

}  // namespace
}  // namespace ch
